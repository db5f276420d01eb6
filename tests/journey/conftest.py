"""What journeys share: how a person looks at the pages, and the simulator in Google's place."""

from __future__ import annotations

from typing import Any

import pytest

from google_simulator.testing import RunningSimulator
from tests.browser import LOOKS


@pytest.fixture
def google_in_browser(google: RunningSimulator, settings: Any) -> None:
    """Forms may lead to it, as they may to Google; the policy was made before it had an address."""
    policy = settings.CONTENT_SECURITY_POLICY
    directives = {**policy["DIRECTIVES"]}
    directives["form-action"] = [*directives["form-action"], google.base_url]
    settings.CONTENT_SECURITY_POLICY = {**policy, "DIRECTIVES": directives}


@pytest.fixture(params=LOOKS.values(), ids=LOOKS.keys())
def look(request: pytest.FixtureRequest) -> dict[str, Any]:
    """The size of the screen and the colours: options of a browser page."""
    chosen: dict[str, Any] = request.param
    return chosen
