"""Any text of any length in any script, many people, any size of screen: all of it can be read."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page

from sophiie.accounts.models import Member
from sophiie.accounts.people import add_member
from sophiie.appointments.models import Appointment
from tests.browser import browser_page
from tests.journey.calendar import TUESDAY, Opened, drawn, made, quick
from tests.journey.test_calendar_shown import VIEWS, busy_in_google
from tests.readable import faults

pytestmark = pytest.mark.django_db(transaction=True)

SIZES = [(360, 740), (390, 844), (820, 1180), (1366, 768), (844, 390)]
LETTERS = "W" * 300
ARABIC = "إصلاح صنبور المطبخ في الطابق الثالث " * 7
EMOJI = "👩‍🔧🚰🔥" * 40


@pytest.fixture
def crowd(alice: Member) -> list[Member]:
    """31 people; some have names as long as names can be."""
    names = [LETTERS[:200], ARABIC[:200], EMOJI[:200], *(f"Person Number {n}" for n in range(27))]
    return [alice, *(_colleague(alice, number, name) for number, name in enumerate(names))]


def _colleague(of: Member, number: int, name: str) -> Member:
    return add_member(
        business=of.business,
        email=f"person{number}@example.com",
        name=name,
        role="member",
        password=None,
    )


@pytest.fixture
def hostile(alice: Member, crowd: list[Member]) -> Appointment:
    """A day full of such texts; one of the appointments."""
    more: dict[str, Any] = {"location": LETTERS, "customer_name": "N" * 200, "notes": LETTERS * 3}
    whole: Appointment = made(alice, LETTERS, "09:00", *crowd, **more)
    made(alice, ARABIC[:300], "10:30", alice, crowd[2], minutes=15, location=ARABIC[:200])
    made(alice, EMOJI[:300], "11:00", crowd[3], minutes=30)
    made(alice, LETTERS, "12:00", crowd[1], minutes=45, location="x" * 300)
    busy_in_google(alice, "10:00", "10:45")
    return whole


def look(page: Page, state: str, found: dict[str, list[str]]) -> None:
    """Looks at the page as it is in every size of screen."""
    for width, height in SIZES:
        page.set_viewport_size({"width": width, "height": height})
        page.wait_for_timeout(250 if "calendar" in page.url else 30)  # it draws anew when turned
        if faulty := faults(page):
            found[f"{state}, {width}×{height}"] = faulty


def told(found: dict[str, list[str]]) -> str:
    return "\n".join(f"{state}: {line}" for state, lines in found.items() for line in lines)


def test_the_calendar_can_be_read_whatever_is_written_in_it(
    opened: Opened, hostile: Appointment
) -> None:
    found: dict[str, list[str]] = {}
    with opened() as page:
        for view in VIEWS:
            page.goto(page.url.split("?")[0] + f"?view={view}&date={TUESDAY}")
            drawn(page)
            look(page, view, found)
        page.get_by_role("button", name="All 31 people").click()
        look(page, "people", found)
        page.keyboard.press("Escape")
        page.keyboard.press("n")
        look(page, "quick form", found)
        form = quick(page)
        form.get_by_label("Start").fill("9:15")
        page.get_by_text("Conflicts with").wait_for()
        look(page, "quick form, taken", found)
        form.get_by_label("Title").fill(LETTERS)
        form.get_by_role("button", name="Book it").click()
        page.get_by_text("This time is taken").wait_for()
        look(page, "quick form, refused", found)
    assert not found, told(found)


def test_every_other_page_can_be_read_whatever_is_written_in_it(
    opened: Opened, hostile: Appointment, site: str
) -> None:
    found: dict[str, list[str]] = {}
    with opened() as page:
        for path in (
            f"appointments/{hostile.id}",
            "appointments/new",
            f"calendar/search?q={LETTERS[:20]}",
            "overview",
            "settings/team",
            "settings/profile",
            "settings/business",
            "settings/hours",
            "settings/calendar",
            "availability/explain",
        ):
            page.goto(f"{site}/{path}")
            if path == "appointments/new":
                page.locator("#time-check").get_by_text("Next free time").wait_for()
            look(page, path.split("?")[0], found)
    assert not found, told(found)


def test_the_helper_finds_what_it_is_for() -> None:
    """Each kind of fault, planted; and what looks like one but can be read."""
    faulty = {
        "the page is": "<div style='width: 3000px'>wide</div>",
        "cut: p": "<p style='width: 3em; overflow: hidden; white-space: nowrap'>Cut off here</p>",
        "over: ": "<p style='margin: 0'>One line</p><p style='margin: -1.2em 0'>Another</p>",
        "small: button": "<button style='padding: 0; height: 12px'>x</button>",
        "covered: button": "<button style='width: 9em; height: 3em'>x</button>"
        "<div style='position: relative; top: -3em; height: 3em; background: red'></div>",
    }
    sound = (
        "<p style='width: 3em; overflow: hidden; white-space: nowrap' title='Cut off'>Cut off</p>"
        "<div style='width: 3em; overflow: auto; white-space: nowrap'>It scrolls sideways</div>"
        "<p>A <a href='x'>link</a> in a sentence</p><label><input type='checkbox'"
        " style='width: 30px; height: 30px'> A choice</label>"
    )
    with browser_page(viewport={"width": 800, "height": 600}) as page:
        for kind, html in faulty.items():
            page.set_content(f"<!DOCTYPE html><body style='font: 16px/1.5 serif'>{html}")
            assert [line for line in faults(page) if line.startswith(kind)], kind
        page.set_content(f"<!DOCTYPE html><body style='font: 16px/1.5 serif'>{sound}")
        assert faults(page) == []
