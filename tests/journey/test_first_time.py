"""A person who never saw it, with a phone: how many taps the daily acts take."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from sophiie.accounts.models import Member
from sophiie.appointments.booking import book
from sophiie.appointments.models import Appointment
from sophiie.common.wall_time import in_zone
from tests.accessibility import violations
from tests.conftest import SYDNEY, details
from tests.journey.calendar import Opened, drawn, entry, stored
from tests.readable import faults
from tests.site import elsewhere

pytestmark = pytest.mark.django_db(transaction=True)

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
_SCROLLED = "() => Math.round(document.querySelector('#cal-grid .ec-main').scrollTop)"


class Hand:
    """One finger: it taps what it sees, and every tap counts. Typing is no tap."""

    def __init__(self, page: Page) -> None:
        self.page, self.taps = page, 0

    def tap(self, what: Locator) -> None:
        expect(what).to_be_visible()
        what.scroll_into_view_if_needed()
        box = what.bounding_box()
        assert box
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        hits = "(element, [x, y]) => element.contains(document.elementFromPoint(x, y))"
        assert what.evaluate(hits, [x, y]), f"something lies over {what}"
        self.page.touchscreen.tap(x, y)
        self.taps += 1


def at(hour: int, *, days: int = 0) -> datetime:
    """A time of today, or so many days on, as the clocks in Sydney show it. There it is 13:17."""
    day = in_zone(datetime.now(UTC), SYDNEY) + timedelta(days=days)
    return day.replace(hour=hour, minute=0, second=0, microsecond=0)


def job(by: Member, title: str, start: datetime, **more: Any) -> Appointment:
    about = details(title=title, start=start, end=start + timedelta(hours=1), **more)
    return book(by=by, details=about, assignees=[by])


GREEN = {
    "customer_name": "Ms Green",
    "customer_phone": "0412 345 678",
    "location": "12 Bay Street",
}


@pytest.mark.time_machine("2026-12-01T02:17:00Z")
def test_from_the_calendar_to_booked_from_a_customers_name(opened: Opened, alice: Member) -> None:
    earlier = job(alice, "Boiler", at(9, days=-7), **GREEN)
    with opened("", **PHONE) as page:
        hand = Hand(page)
        hand.tap(page.get_by_role("button", name="New appointment, quickly"))
        form = page.get_by_role("dialog", name="New appointment")
        expect(form).to_contain_text("Alice is free.")  # a time is filled in already
        page.keyboard.type("Tap drips")
        hand.tap(form.get_by_label("Customer", exact=True))
        page.keyboard.type("green")
        option = form.get_by_role("option", name="Ms Green")
        expect(option).to_be_visible()
        assert violations(page) == []
        assert faults(page) == []
        hand.tap(option)
        expect(form.get_by_label("Location")).to_have_value("12 Bay Street")
        hand.tap(form.get_by_role("button", name="Book it"))
        expect(page.locator("#cal-toasts")).to_contain_text("“Tap drips” is booked")
        assert hand.taps <= 8
        booked = elsewhere(lambda: Appointment.objects.get(title="Tap drips"))
        assert (booked.customer_id, booked.location) == (earlier.customer_id, "12 Bay Street")


@pytest.mark.time_machine("2026-12-01T02:17:00Z")
@pytest.mark.parametrize("way", ["Call", "Navigate"])
@pytest.mark.parametrize("view", ["", "view=day&date=2026-12-01"])
def test_todays_next_job_is_called_and_found_in_two_taps(
    opened: Opened, alice: Member, way: str, view: str
) -> None:
    """The calendar opens where it is: no scrolling, nothing to choose first."""
    for hour in range(4, 13):
        job(alice, f"Early {hour}", at(hour), location="3 Ocean View")
    job(alice, "Yesterday", at(15, days=-1))
    job(alice, "Boiler", at(19), **GREEN)
    leads = {"Call": "tel:0412345678", "Navigate": "geo:0,0?q=12%20Bay%20Street"}
    with opened(view, **PHONE) as page:
        hand = Hand(page)
        expect(entry(page, "Boiler")).to_be_in_viewport(ratio=1)
        hand.tap(entry(page, "Boiler"))
        page.wait_for_url("**/appointments/*")
        link = page.get_by_role("link", name=way)
        expect(link).to_be_in_viewport(ratio=1)
        href = link.get_attribute("href") or ""
        assert href == leads[way]
        # The phone would leave for its own application; here the tap is seen to reach the link.
        page.evaluate("""() => addEventListener("click", (event) => {
            event.preventDefault();
            window.reached = event.target.closest("a")?.href;
        })""")
        hand.tap(link)
        assert page.evaluate("window.reached") == href
        assert hand.taps == 2
        assert violations(page) == []


@pytest.mark.time_machine("2026-12-01T02:17:00Z")
def test_the_day_sheet_calls_and_navigates_in_two_taps(opened: Opened, alice: Member) -> None:
    job(alice, "Boiler", at(15), **GREEN)
    with opened("", **PHONE) as page:
        for name, lead in (("0412 345 678", "tel:"), ("12 Bay Street", "geo:")):
            hand = Hand(page)
            hand.tap(page.get_by_role("link", name="Day sheet"))
            link = page.get_by_role("link", name=re.compile(name)).first
            expect(link).to_be_in_viewport(ratio=1)
            assert (link.get_attribute("href") or "").startswith(lead)
            page.evaluate("() => addEventListener('click', (event) => event.preventDefault())")
            hand.tap(link)
            assert hand.taps == 2
            page.goto(re.sub("/day-sheet.*", "/calendar", page.url))
            drawn(page)


@pytest.mark.time_machine("2026-12-01T02:17:00Z")
def test_a_time_is_changed_and_one_is_back_where_one_was(opened: Opened, alice: Member) -> None:
    boiler = job(alice, "Boiler", at(17, days=2), **GREEN)
    with opened(f"view=day&date={at(17, days=2):%Y-%m-%d}", **PHONE) as page:
        page.locator("#cal-grid .ec-main").evaluate("(grid) => grid.scrollTo(0, 700)")
        where, height = page.url, page.evaluate(_SCROLLED)
        assert height > 300
        hand = Hand(page)
        hand.tap(entry(page, "Boiler"))
        page.wait_for_url("**/appointments/*")
        hand.tap(page.get_by_role("link", name="Edit"))
        start = page.get_by_label("Start")
        hand.tap(start)
        start.press("Control+A")
        page.keyboard.type("18")
        hand.tap(page.get_by_role("button", name="Save"))
        expect(page.get_by_text("Saved.")).to_be_visible()
        hand.tap(page.get_by_role("link", name="Back to the calendar"))
        drawn(page)
        assert page.url == where
        page.wait_for_function(f"() => ({_SCROLLED})() === {height}")
        assert hand.taps <= 5
        assert stored(boiler).start == at(18, days=2)
