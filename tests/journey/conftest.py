"""The simulator in Google's place, also for a browser that keeps to the pages' policy."""

from __future__ import annotations

from typing import Any

import pytest

from google_simulator.testing import RunningSimulator


@pytest.fixture
def google_in_browser(google: RunningSimulator, settings: Any) -> None:
    """Forms may lead to it, as they may to Google; the policy was made before it had an address."""
    policy = settings.CONTENT_SECURITY_POLICY
    directives = {**policy["DIRECTIVES"]}
    directives["form-action"] = [*directives["form-action"], google.base_url]
    settings.CONTENT_SECURITY_POLICY = {**policy, "DIRECTIVES": directives}
