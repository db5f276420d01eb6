"""What the calendar page shows, in a real browser: changes, states, sizes and looks."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import expect

from sophiie.accounts.models import Member
from sophiie.appointments.booking import book, cancel, change
from sophiie.appointments.models import Appointment
from sophiie.busy_time.models import BusyCalendar, BusyPeriod
from sophiie.common.clock import now
from sophiie.common.wall_time import in_zone
from tests.accessibility import violations
from tests.browser import DESK, PHONE, browser_page, problems_of
from tests.conftest import SYDNEY, details
from tests.journey.calendar import (
    QUARTER,
    TUESDAY,
    Opened,
    clock,
    drag,
    drawn,
    entry,
    made,
    refusal,
    said,
    stored,
    toast,
)
from tests.site import elsewhere, sign_in

pytestmark = pytest.mark.django_db(transaction=True)

VIEWS = ("month", "week", "day", "team", "list")


# -- What is shown.


def test_what_is_done_and_who_did_not_show_up_can_be_hidden(opened: Opened, alice: Member) -> None:
    """In every view, and the browser remembers it; each has a sign of its own."""
    for title, hour, status in (("Done", "10:00", "completed"), ("Missed", "11:00", "no_show")):
        made_one = made(alice, title, hour, alice)
        change(by=alice, appointment_id=made_one.id, changes={}, status=status)
    with opened(f"view=list&date={TUESDAY}") as page:
        for title, words in (("Done", "Completed"), ("Missed", "Did not show up")):
            expect(entry(page, title)).to_contain_text(words)
            page.get_by_role("checkbox", name=words).uncheck()
            expect(entry(page, title)).to_have_count(0)
        page.reload()
        expect(page.get_by_role("checkbox", name="Completed")).not_to_be_checked()
        expect(entry(page, "Missed")).to_have_count(0)
        page.get_by_role("checkbox", name="Did not show up").check()
        expect(entry(page, "Missed")).to_be_visible()


def test_address_history_and_memory(opened: Opened, site: str, alice: Member, bob: Member) -> None:
    made(alice, "For Alice", "10:00", alice)
    made(alice, "For Bob", "10:00", bob)
    with opened("") as page:
        assert page.url == f"{site}/calendar"
        page.get_by_role("link", name="Month", exact=True).click()
        page.get_by_role("link", name="Next month").click()
        address = page.url
        assert "view=month" in address
        page.go_back()
        page.go_back()
        expect(page).to_have_url(f"{site}/calendar")
        page.go_forward()
        expect(page.get_by_role("link", name="Month", exact=True)).to_have_attribute(
            "aria-current", "true"
        )
        page.goto(f"{site}/calendar")
        drawn(page)  # the view is remembered
        expect(page.get_by_role("link", name="Month", exact=True)).to_have_attribute(
            "aria-current", "true"
        )
        page.goto(f"{site}/calendar?view=week&date={TUESDAY}&members={bob.id}")
        drawn(page)
        expect(entry(page, "For Bob")).to_be_visible()
        expect(entry(page, "For Alice")).to_have_count(0)
        page.get_by_role("checkbox", name="Alice").check()
        expect(entry(page, "For Alice")).to_be_visible()


def test_the_clocks_are_the_businesss_wherever_the_browser_is(
    opened: Opened, alice: Member
) -> None:
    """In New York the clocks skip 02:00 on 9 March 2031; in Sydney that hour is there."""
    book(by=alice, details=details(start=clock("02:15", day="2031-03-09")), assignees=[alice])
    with opened("view=day&date=2031-03-09", timezone_id="America/New_York") as page:
        expect(page.locator("#cal-zone")).to_contain_text("Times are those of Australia/Sydney")
        expect(page.locator("#cal-zone")).to_contain_text("America/New York")
        tap = entry(page, "Leaking tap")
        expect(tap).to_contain_text("02:15–03:15")
        box = tap.locator("xpath=ancestor::article").bounding_box()
        column = page.locator(".ec-body .ec-day").first.bounding_box()
        assert box
        assert column
        assert abs(box["y"] - column["y"] - 9 * QUARTER) < 2
        tap.scroll_into_view_if_needed()
        drag(page, tap, down=QUARTER)
        expect(toast(page)).to_contain_text("02:30–03:30")
        assert elsewhere(Appointment.objects.get).start == clock("02:30", day="2031-03-09")


def test_holds_busy_times_and_clashes_differ_by_more_than_colour(
    opened: Opened, alice: Member
) -> None:
    held = made(alice, "Caller", "10:00", alice)
    until = now() + timedelta(minutes=20)
    Appointment.objects.filter(pk=held.pk).update(status="held", held_until=until)
    made(alice, "Over it", "14:00", alice)
    busy_in_google(alice, "14:30", "16:00")
    with opened() as page:
        expect(entry(page, "Caller")).to_contain_text(f"Held until {in_zone(until, SYDNEY):%H:%M}")
        expect(entry(page, "Caller").locator("svg")).to_have_count(1)
        expect(entry(page, "Over it")).to_contain_text("New conflict for Alice")
        busy = page.locator(".entry-busy")
        expect(busy).to_contain_text(said("Busy in Google, Alice, Tuesday 7 January, 14:30–16:00"))
        page.get_by_role("checkbox", name="Busy in Google").uncheck()
        expect(busy).to_have_count(0)


def busy_in_google(
    member: Member,
    start: str,
    end: str,
    *,
    days: tuple[int, int] = (0, 0),
    event_id: str = "x",
) -> None:
    """Busy on Tuesday, or so many days after it."""
    known = {
        "checked_at": clock("00:00"),
        "known_from": clock("00:00", day="2026-01-01"),
        "known_until": clock("00:00", day="2032-01-01"),
    }
    calendar, _ = BusyCalendar.objects.get_or_create(
        member=member, calendar_id="own", defaults=known
    )
    first, last = (timedelta(days=number) for number in days)
    during = (clock(start) + first, clock(end) + last)
    BusyPeriod.objects.create(calendar=calendar, member=member, event_id=event_id, during=during)


def test_busy_time_lies_behind_and_takes_no_lane(opened: Opened, alice: Member) -> None:
    """Whole days shade the columns; every busy time is a narrow strip, and refused in its words."""
    made(alice, "Beside nothing", "10:00", alice)
    tap = made(alice, "Alone", "10:00", alice, days=2)
    busy_in_google(alice, "10:15", "10:45")
    busy_in_google(alice, "00:00", "00:00", days=(1, 4), event_id="leave")
    with opened() as page:
        alone, beside = (
            entry(page, title).locator("xpath=ancestor::article").bounding_box()
            for title in ("Alone", "Beside nothing")
        )
        assert alone
        assert beside
        assert abs(alone["width"] - beside["width"]) < 2
        assert page.locator(".ec-bg-event.cal-busy").count() == 4  # one of them short
        shaded = [box.bounding_box() for box in page.locator(".cal-busy.is-wide").all()]
        for number in (2, 3, 4):  # Wednesday to Friday
            column = page.locator(".ec-body .ec-day").nth(number).bounding_box()
            assert column
            middle = column["x"] + column["width"] / 2
            assert any(box["x"] < middle < box["x"] + box["width"] for box in shaded), number
        expect(page.locator(".ec-all-day .entry-busy")).to_contain_text(
            said("all day, Wed 8 to Fri 10 January")
        )
        drag(page, entry(page, "Alone"), down=4 * QUARTER)
        expect(refusal(page)).to_contain_text("Alice is busy in Google all day, Wed 8 to Fri 10")
        assert stored(tap).revision == 1


def test_offline_the_last_known_view_stays_and_says_so(opened: Opened, alice: Member) -> None:
    made(alice, "Leaking tap", "10:00", alice)
    with opened() as page:
        heading = page.locator("#cal-title")
        page.get_by_role("link", name="Next week").click()
        expect(page).to_have_url(re.compile("date=2031-01-14"))
        drawn(page)
        page.get_by_role("link", name="Previous week").click()
        expect(entry(page, "Leaking tap")).to_be_visible()
        page.context.set_offline(True)
        page.get_by_role("link", name="Previous week").click()
        problem = page.locator("#cal-problem")
        expect(problem).to_contain_text("You still see January 2031.")
        expect(heading).to_have_text("January 2031")
        expect(entry(page, "Leaking tap")).to_be_visible()
        expect(page).to_have_url(re.compile(f"date={TUESDAY}"))
        expect(page.locator("#cal-frame")).to_have_attribute("data-stale", "")
        # A week that was seen before is shown as it was.
        page.get_by_role("link", name="Next week").click()
        expect(page).to_have_url(re.compile("date=2031-01-14"))
        expect(problem).to_contain_text("What you see may be out of date")
        page.go_back()
        expect(entry(page, "Leaking tap")).to_be_visible()
        page.context.set_offline(False)
        page.get_by_role("button", name="Retry").click()
        expect(problem).to_be_empty()
        expect(page.locator("#cal-frame")).not_to_have_attribute("data-stale", "")
        expect(entry(page, "Leaking tap")).to_be_visible()


@pytest.mark.parametrize("size", [(844, 390), (683, 384)], ids=["phone on its side", "at 200 %"])
def test_a_low_window_is_mostly_calendar(
    opened: Opened, alice: Member, size: tuple[int, int]
) -> None:
    width, height = size
    with opened(viewport={"width": width, "height": height}) as page:
        for view in VIEWS:
            page.locator(f'.cal-view[data-view="{view}"]').click()
            drawn(page)
            frame = page.locator("#cal-frame").bounding_box()
            assert frame
            visible = min(frame["y"] + frame["height"], height) - frame["y"]
            assert visible >= 0.6 * height, view
        assert violations(page) == []
        page.get_by_role("link", name="Settings").click()  # the way elsewhere is still there


def test_when_it_cannot_be_loaded_one_can_try_again(opened: Opened, alice: Member) -> None:
    made(alice, "Leaking tap", "10:00", alice)
    with opened("view=day&date=2031-01-01") as page:
        page.route("**/calendar/feed*", lambda route: route.fulfill(status=500, body="x"))
        page.keyboard.press("w")
        expect(page.locator("#cal-problem")).to_contain_text("The calendar could not be loaded.")
        assert violations(page) == []
        page.unroute("**/calendar/feed*")
        page.get_by_role("button", name="Retry").click()
        expect(page.locator("#cal-problem")).to_be_empty()
        page.context.clear_cookies()
        page.keyboard.press("m")
        expect(page.locator("#cal-problem")).to_contain_text("You are signed out.")
        expect(page.get_by_role("link", name="Sign in")).to_be_visible()


def test_a_move_that_never_arrives_changes_nothing(opened: Opened, alice: Member) -> None:
    tap = made(alice, "Leaking tap", "10:00", alice)
    with opened() as page:
        page.route("**/move", lambda route: route.abort())
        drag(page, entry(page, "Leaking tap"), down=4 * QUARTER)
        expect(refusal(page)).to_contain_text("Sophiie could not be reached. Nothing was changed.")
        expect(entry(page, "Leaking tap")).to_contain_text("10:00–11:00")
        assert stored(tap).revision == 1


def test_without_javascript_the_week_is_a_list(site: str, alice: Member) -> None:
    tap = made(alice, "Leaking tap", "10:00", alice)
    with browser_page(java_script_enabled=False, **DESK) as page:
        sign_in(page, site, alice)
        page.goto(f"{site}/calendar?week={TUESDAY}")
        expect(page.get_by_role("link", name="Leaking tap")).to_be_visible()
        expect(page.locator("#calendar")).to_be_hidden()
        expect(page.get_by_role("link", name="Team", exact=True)).to_be_hidden()
        page.get_by_role("link", name="Next week").click()
        expect(page.get_by_text("Nothing booked this week")).to_be_visible()
        page.go_back()
        page.get_by_role("link", name="Leaking tap").click()
        expect(page).to_have_url(f"{site}/appointments/{tap.id}")
        # A browser that once ran the script is led to the list as well.
        page.context.add_cookies([{"name": "sophiie_view", "value": "week", "url": site}])
        page.goto(f"{site}/calendar?week={TUESDAY}")
        expect(page.get_by_role("link", name="Leaking tap")).to_be_visible()


# -- How it looks, to a machine; people look at the pictures of `make screenshots`.


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("device", [DESK, PHONE], ids=["desk", "phone"])
def test_axe_finds_nothing(
    opened: Opened, alice: Member, bob: Member, device: dict[str, Any], scheme: str
) -> None:
    made(alice, "Leaking tap", "10:00", alice, bob, location="12 Bay Street")
    made(alice, "Quarter of an hour", "11:00", alice, minutes=15)
    made(alice, "Three days", "16:00", bob, minutes=3 * 24 * 60)
    cancel(by=alice, appointment_id=made(alice, "Off", "13:00", alice).id)
    held = made(alice, "Caller", "14:00", alice)
    until = now() + timedelta(minutes=20)
    Appointment.objects.filter(pk=held.pk).update(status="held", held_until=until)
    busy_in_google(alice, "10:30", "12:00")
    with opened(color_scheme=scheme, **device) as page:
        page.get_by_role("checkbox", name="Cancelled").check()
        for view in VIEWS:
            page.locator(f'.cal-view[data-view="{view}"]').click()
            drawn(page)
            page.wait_for_timeout(150)
            assert violations(page) == [], view
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), view
        page.locator("#cal-new").click()
        assert violations(page) == []
        page.keyboard.press("Escape")
        page.locator("#cal-search-button").click()
        page.get_by_role("searchbox").fill("leaking")
        expect(page.get_by_role("dialog").get_by_role("link")).to_have_count(1)
        assert violations(page) == []
        page.keyboard.press("Escape")
        page.goto(page.url.split("?")[0] + "?view=list&date=2031-06-01")
        drawn(page)
        expect(page.get_by_role("heading", name="Nothing booked this week")).to_be_visible()
        assert violations(page) == []
        assert problems_of(page) == []


def test_a_phone_sees_the_list_first_and_finds_the_day_in_the_month(
    opened: Opened, alice: Member
) -> None:
    made(alice, "Leaking tap", "10:00", alice)
    with opened(f"date={TUESDAY}", **PHONE) as page:
        expect(page.get_by_role("heading", name="Tuesday 7 January")).to_be_visible()
        expect(entry(page, "Leaking tap")).to_be_visible()
        page.get_by_role("link", name="Month", exact=True).tap()
        page.get_by_role("link", name=said("Tuesday 7 January, appointments: 1")).tap()
        expect(page.get_by_role("link", name="Day", exact=True)).to_have_attribute(
            "aria-current", "true"
        )
        expect(entry(page, "Leaking tap")).to_be_visible()


def test_the_month_of_a_phone_counts_on_the_days_that_an_appointment_touches(
    opened: Opened, alice: Member
) -> None:
    made(alice, "Until midnight", "23:00", alice)
    with opened(f"view=month&date={TUESDAY}", **PHONE) as page:
        for label in ("Tuesday 7 January, appointments: 1", "Wednesday 8 January, appointments: 0"):
            expect(page.get_by_role("link", name=said(label))).to_be_visible()


def test_below_the_first_steps_the_calendar_keeps_its_size(opened: Opened, alice: Member) -> None:
    """They take most of a phone's screen: the page scrolls, and everything can be reached."""
    elsewhere(lambda: Member.objects.update(first_steps_done_at=None))
    made(alice, "Leaking tap", "10:00", alice)
    with opened(f"view=month&date={TUESDAY}", **PHONE) as page:
        expect(page.get_by_role("heading", name="A good start")).to_be_visible()
        page.get_by_role("link", name=said("Tuesday 7 January, appointments: 1")).tap()
        expect(entry(page, "Leaking tap")).to_be_visible()


def test_a_phone_shows_the_first_steps_first_and_today_in_the_list(
    opened: Opened, alice: Member
) -> None:
    elsewhere(lambda: Member.objects.update(first_steps_done_at=None))
    begin = now()
    tap = details(title="Leaking tap", start=begin, end=begin + timedelta(minutes=30))
    book(by=alice, details=tap, assignees=[alice])
    with opened("", **PHONE) as page:
        expect(page.get_by_role("heading", name="A good start")).to_be_in_viewport()
        today = page.locator("#cal-list .day-today")
        expect(today).to_be_attached()
        gap = "list => list.querySelector('.day-today').offsetTop - list.offsetTop - list.scrollTop"
        rest = "list => list.scrollHeight - list.clientHeight - list.scrollTop"
        at = page.locator("#cal-list")
        assert abs(at.evaluate(gap)) < 3 or at.evaluate(rest) < 3  # as far up as it goes
