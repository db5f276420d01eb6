"""The way to another day: the month to pick it from, the work week, the numbers of weeks."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from sophiie.accounts.models import Business, Member, WeekStart
from sophiie.availability.editing import save_week
from sophiie.availability.hours import USUAL_WEEK
from tests.accessibility import violations
from tests.browser import problems_of
from tests.journey.calendar import TUESDAY, Opened, drawn, entry, made
from tests.readable import faults
from tests.site import elsewhere

pytestmark = pytest.mark.django_db(transaction=True)

FINGER = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
SATURDAY = 4  # days after Tuesday


def month(page: Page) -> Locator:
    return page.get_by_role("dialog", name="Go to a date")


def tap(page: Page, what: Locator) -> None:
    """A finger on the middle of it, with all the events of one."""
    what.scroll_into_view_if_needed()
    box = what.bounding_box()
    assert box
    page.touchscreen.tap(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)


def heads(page: Page) -> list[str]:
    return [head.lower() for head in page.locator(".ec-col-head .head-name").all_inner_texts()]


def test_a_date_is_picked_by_keyboard_and_the_view_stays(opened: Opened, alice: Member) -> None:
    made(alice, "Boiler", "10:00", alice, days=60)  # Saturday, 8 March
    with opened() as page:
        page.keyboard.press("g")
        days = month(page)
        expect(days.get_by_role("grid", name="January 2031")).to_be_visible()
        expect(days.get_by_role("button", name="Tuesday, 7 January 2031")).to_be_focused()
        expect(days.get_by_role("columnheader").first).to_have_attribute("aria-label", "Monday")
        page.keyboard.press("ArrowLeft")
        page.keyboard.press("ArrowUp")  # the day is that of the month before
        expect(days.get_by_role("button", name="Monday, 30 December 2030")).to_be_focused()
        expect(days.get_by_role("grid", name="December 2030")).to_be_visible()
        for key in ("Shift+PageDown", "Shift+PageUp", "PageDown", "PageDown", "PageDown"):
            page.keyboard.press(key)
        # February has no 30th: the last day of it, and from there a month on.
        expect(days.get_by_role("button", name="Friday, 28 March 2031")).to_be_focused()
        for key in ("ArrowUp", "ArrowUp", "ArrowUp", "Home", "End", "ArrowLeft"):
            page.keyboard.press(key)
        expect(days.get_by_role("button", name="Saturday, 8 March 2031")).to_be_focused()
        assert violations(page) == []
        page.keyboard.press("Enter")
        expect(days).to_be_hidden()
        expect(page.get_by_role("button", name="Go to a date")).to_be_focused()
        expect(page).to_have_url(re.compile(r"view=week&date=2031-03-08"))
        expect(entry(page, "Boiler")).to_be_visible()
        page.keyboard.press("g")
        expect(days).to_be_visible()
        page.keyboard.press("Escape")
        expect(days).to_be_hidden()
        expect(page.get_by_role("button", name="Go to a date")).to_be_focused()
        page.go_back()
        expect(page).to_have_url(re.compile(f"date={TUESDAY}"))
        assert problems_of(page) == []


def test_a_date_is_picked_by_finger(opened: Opened, alice: Member) -> None:
    """The title is part of the button, and the tap that opens the month picks nothing in it."""
    with opened(f"view=day&date={TUESDAY}", **FINGER, color_scheme="dark") as page:
        tap(page, page.locator("#cal-title"))
        days = month(page)
        expect(days).to_be_visible()
        assert violations(page) == []
        assert faults(page) == []
        tap(page, days.get_by_role("button", name="Next month"))
        expect(days).to_contain_text("February 2031")
        tap(page, days.get_by_role("button", name="Previous month"))
        tap(page, days.get_by_role("button", name="Previous month"))
        tap(page, days.get_by_role("button", name="24 December 2030"))
        expect(days).to_be_hidden()
        expect(page).to_have_url(re.compile("view=day&date=2030-12-24"))
        tap(page, page.get_by_role("button", name="Go to a date"))
        tap(page, days.get_by_role("button", name="Today"))
        expect(page).not_to_have_url(re.compile("2030-12-24"))
        expect(days).to_be_hidden()


@pytest.mark.parametrize(
    ("start", "first", "numbers"),
    [
        (WeekStart.SUNDAY, "Sunday", ["49", "50", "51", "52", "1", "2"]),
        (WeekStart.SATURDAY, "Saturday", ["49", "50", "51", "52", "1", "2"]),
        (WeekStart.MONDAY, "Monday", ["48", "49", "50", "51", "52", "1"]),
    ],
)
def test_weeks_begin_as_the_business_says_and_have_iso_numbers(
    opened: Opened, alice: Member, start: WeekStart, first: str, numbers: list[str]
) -> None:
    """A week has the number of its Thursday, on whichever day it begins."""
    Business.objects.filter(pk=alice.business_id).update(week_start=start)
    Member.objects.filter(pk=alice.pk).update(week_numbers=True)
    with opened("view=week&date=2030-12-31") as page:
        expect(page.locator("#cal-week")).to_have_text("Week 1")
        page.keyboard.press("g")
        head = month(page).get_by_role("columnheader").first
        expect(head).to_have_attribute("aria-label", first)
        assert month(page).get_by_role("rowheader").all_inner_texts() == numbers
        assert violations(page) == []
        page.keyboard.press("Escape")
        page.keyboard.press("m")
        drawn(page)
        expect(page.locator("#cal-week")).to_be_hidden()
        expect(page.locator(".day-week").first).to_be_visible()
        assert page.locator(".day-week").all_inner_texts() == numbers[: numbers.index("1") + 1]
        assert violations(page) == []


def test_nobody_sees_week_numbers_who_does_not_want_them(opened: Opened, alice: Member) -> None:
    with opened(f"view=month&date={TUESDAY}") as page:
        expect(page.locator(".day-week")).to_have_count(0)
        expect(page.locator("#cal-week")).to_be_hidden()
        page.keyboard.press("g")
        expect(month(page).get_by_role("rowheader")).to_have_count(0)


def test_the_work_week_has_the_days_on_which_somebody_works(
    opened: Opened, alice: Member, bob: Member
) -> None:
    saturday = (*USUAL_WEEK[:5], USUAL_WEEK[0], ())
    save_week(by=alice, member=bob, week=saturday)
    with opened() as page:
        page.keyboard.press("k")
        expect(page).to_have_url(re.compile("view=workweek"))
        expect(page.locator(".cal-view[data-view=workweek]")).to_have_attribute(
            "aria-current", "true"
        )
        assert heads(page) == ["mon", "tue", "wed", "thu", "fri", "sat"]
        elsewhere(lambda: save_week(by=alice, member=bob, week=USUAL_WEEK))
        page.reload()
        drawn(page)
        assert heads(page) == ["mon", "tue", "wed", "thu", "fri"]
        page.keyboard.press("ArrowRight")
        expect(page).to_have_url(re.compile("view=workweek&date=2031-01-14"))
        every = (USUAL_WEEK[0],) * 7
        elsewhere(lambda: save_week(by=alice, member=bob, week=every))
        page.reload()  # now it would be the week once more
        drawn(page)
        expect(page.get_by_role("link", name="Work week")).to_have_count(0)
        assert len(heads(page)) == 7
        page.keyboard.press("?")
        expect(page.get_by_role("dialog", name="Keyboard shortcuts")).not_to_contain_text("Work")


def test_the_work_week_says_what_it_does_not_show(opened: Opened, alice: Member) -> None:
    made(alice, "Flood", "10:00", alice, days=SATURDAY)
    made(alice, "Boiler", "10:00", alice)
    with opened(f"view=workweek&date={TUESDAY}") as page:
        expect(entry(page, "Boiler")).to_be_visible()
        expect(entry(page, "Flood")).to_have_count(0)
        note = page.locator("#cal-other-days")
        expect(note).to_contain_text("Appointments on other days, not shown here: 1.")
        assert violations(page) == []
        note.get_by_role("button", name="Show the whole week").click()
        expect(entry(page, "Flood")).to_be_visible()
        expect(note).to_be_hidden()


@pytest.mark.parametrize(
    "look", [FINGER, {"viewport": {"width": 844, "height": 390}, "has_touch": True}]
)
def test_on_a_phone_the_work_week_is_a_way_to_show_the_week(
    opened: Opened, alice: Member, look: dict[str, Any]
) -> None:
    """It has no place of its own among the views, and crowds none of them."""
    with opened(f"view=month&date={TUESDAY}", **look) as page:
        narrow = page.get_by_role("button", name="Work week")
        expect(narrow).to_be_hidden()
        expect(page.get_by_role("link", name="Work week")).to_be_hidden()
        tap(page, page.get_by_role("link", name="Week", exact=True))
        tap(page, narrow)
        expect(narrow).to_have_attribute("aria-pressed", "true")
        expect(page.get_by_role("link", name="Week", exact=True)).to_have_attribute(
            "aria-current", "true"
        )
        expect(page.locator(".ec-col-head")).to_have_count(5)
        assert violations(page) == []
        assert faults(page) == []
        tap(page, narrow)
        expect(page.locator(".ec-col-head")).to_have_count(7)


def test_the_list_of_keys_names_every_key_that_does_something(opened: Opened) -> None:
    """Each does what the list says of it, and no key works that is not in it."""
    with opened() as page:
        page.keyboard.press("?")
        keys = page.get_by_role("dialog", name="Keyboard shortcuts")
        named = set(keys.locator("kbd").all_inner_texts())
        assert violations(page) == []
        page.keyboard.press("Escape")
        script = page.evaluate(
            "async () => (await fetch([...document.querySelectorAll('link[rel=modulepreload]')]"
            ".find(({href}) => href.endsWith('/keys.js')).href)).text()"
        )
        table = script.split("const keys = {")[1].split("};")[0]
        used = set(re.findall(r"^\s*\"?([^\s\":]+)\"?:", table, re.MULTILINE))
        arrows = {"ArrowLeft": "←", "ArrowRight": "→"}
        assert {arrows.get(key, key) for key in used} | {"Tab", "Enter", "Esc"} == named
