"""What journeys share: the site, how a person looks at it, and the simulator in Google's place."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Page

from google_simulator.testing import RunningSimulator
from sophiie.accounts.models import Member
from sophiie.common.clock import now
from tests.browser import DESK, LOOKS, browser_page
from tests.journey.calendar import TUESDAY, drawn
from tests.site import running_site, sign_in


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    with running_site() as address:
        yield address


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


@pytest.fixture
def opened(site: str, alice: Member) -> Callable[..., Any]:
    """Alice's calendar in a browser of its own; she has put the first steps away."""
    Member.objects.filter(pk=alice.pk).update(first_steps_done_at=now())

    @contextmanager
    def opening(where: str = f"view=week&date={TUESDAY}", **options: Any) -> Iterator[Page]:
        chosen = {"timezone_id": "Australia/Sydney", **DESK, **options}
        with browser_page(**chosen) as page:
            sign_in(page, site, alice)
            page.goto(f"{site}/calendar?{where}" if where else f"{site}/calendar")
            drawn(page)
            yield page

    return opening
