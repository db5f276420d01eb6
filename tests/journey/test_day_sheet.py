"""The day sheet in the van: read without a connection, and never by the next person."""

from __future__ import annotations

from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from sophiie.accounts.models import Member
from sophiie.appointments.booking import book
from sophiie.common.clock import now
from tests.browser import PHONE, browser_page
from tests.conftest import details
from tests.site import elsewhere, running_site, sign_in

pytestmark = pytest.mark.django_db(transaction=True)

KEPT = """async () => {
  const cache = await caches.open("sophiie-ahead");
  return (await (await cache.match("/day-sheet/ahead"))?.text()) ?? "";
}"""


def keeps(page: Page, words: str) -> None:
    """Waits until the browser has kept a copy with these words."""
    script = f"async (words) => (await ({KEPT})()).includes(words)"
    page.wait_for_function(script, arg=words)


def test_what_was_seen_stays_readable_offline_until_somebody_signs_out(
    alice: Member, bob: Member
) -> None:
    start = now() + timedelta(hours=20)
    more = {"start": start, "end": start + timedelta(hours=1), "customer_phone": "+61 2 9999 0000"}
    book(by=alice, details=details(title="Leaking tap", **more), assignees=[alice])
    with browser_page(timezone_id="Australia/Sydney", **PHONE) as page:
        with running_site() as site:
            sign_in(page, site, alice)
            page.goto(f"{site}/day-sheet")
            keeps(page, "Leaking tap")
            # Later changes are kept from any page.
            later = {"start": start + timedelta(hours=2), "end": start + timedelta(hours=3)}
            elsewhere(
                lambda: book(by=alice, details=details(title="Boiler", **later), assignees=[alice])
            )
            page.goto(f"{site}/settings/profile")
            keeps(page, "Boiler")
        page.goto(f"{site}/calendar")  # the server is away
        expect(page.get_by_text("Sophiie cannot be reached")).to_be_visible()
        visit = page.get_by_role("listitem").filter(has_text="Leaking tap")
        expect(visit.get_by_role("link", name="+61 2 9999 0000")).to_be_visible()
        assert visit.evaluate("visit => getComputedStyle(visit).display") == "grid"  # styled, too


def test_nothing_is_left_after_signing_out_or_for_the_next_person(
    alice: Member, bob: Member
) -> None:
    start = now() + timedelta(hours=20)
    more = {"start": start, "end": start + timedelta(hours=1)}
    book(by=alice, details=details(title="Leaking tap", **more), assignees=[alice])
    with (
        running_site() as site,
        browser_page(timezone_id="Australia/Sydney", **PHONE) as page,
    ):
        sign_in(page, site, alice)
        page.goto(f"{site}/day-sheet")
        keeps(page, "Leaking tap")
        # Her session ends elsewhere; the next page that she opens is the one to sign in.
        page.context.clear_cookies()
        page.goto(f"{site}/calendar")
        expect(page.get_by_role("button", name="Sign in")).to_be_visible()
        assert page.evaluate(KEPT) == ""
        sign_in(page, site, alice)
        page.goto(f"{site}/day-sheet")
        keeps(page, "Leaking tap")
        page.locator(".menu-button").click()
        page.get_by_role("button", name="Sign out").click()
        page.wait_for_url("**/login**")
        assert page.evaluate(KEPT) == ""
        sign_in(page, site, bob)
        page.goto(f"{site}/day-sheet")
        keeps(page, "Nothing booked")
        assert "Leaking tap" not in page.evaluate(KEPT)
