"""The calendar of a team of 31: people to choose from, columns that scroll, entries that fit."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from google_simulator.testing import RunningSimulator
from sophiie.accounts.models import Member
from sophiie.common.clock import now
from sophiie.sync.models import MirroredEvent, MirrorState
from tests.accessibility import violations
from tests.browser import PHONE
from tests.journey.calendar import TUESDAY, Opened, drawn, entry, made, quick
from tests.journey.test_calendar_shown import busy_in_google
from tests.linking import link
from tests.web.test_team import colleague

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def team(alice: Member) -> list[Member]:
    """31 people."""
    return [alice, *(colleague(alice, f"Person{number}") for number in range(10, 40))]


def test_of_many_people_one_some_or_none_are_chosen_and_that_is_remembered(
    opened: Opened, alice: Member, team: list[Member], site: str
) -> None:
    made(alice, "For one", "10:00", team[5])
    made(alice, "For another", "12:00", team[6])
    with opened(**{**PHONE, "color_scheme": "dark"}) as page:
        filters = page.locator("#cal-filters").bounding_box()
        assert filters
        assert filters["height"] < 60  # one row
        button = page.get_by_role("button", name="All 31 people")
        button.focus()
        page.keyboard.press("Enter")  # all of it works by keyboard
        people = page.get_by_role("dialog", name="People shown")
        people.get_by_role("searchbox").fill("son14")
        expect(people.get_by_role("checkbox")).to_have_count(1)
        assert violations(page) == []
        people.get_by_role("button", name="Only Person14").press("Enter")
        page.keyboard.press("Escape")
        expect(page.get_by_role("button", name="Person14", exact=True)).to_be_visible()
        expect(entry(page, "For one")).to_be_visible()
        expect(entry(page, "For another")).to_have_count(0)
        page.goto(f"{site}/calendar?view=week&date={TUESDAY}")
        drawn(page)  # remembered
        expect(entry(page, "For one")).to_be_visible()
        expect(entry(page, "For another")).to_have_count(0)
        page.get_by_role("button", name="Person14", exact=True).click()
        people.get_by_role("button", name="None").click()
        page.keyboard.press("Escape")
        expect(page.get_by_role("button", name="Nobody")).to_be_visible()
        expect(page.locator("#calendar a.entry")).to_have_count(0)
        page.reload()
        drawn(page)
        expect(page.locator("#calendar a.entry")).to_have_count(0)
        page.get_by_role("button", name="Nobody").click()
        people.get_by_role("button", name="All").click()
        people.get_by_role("checkbox", name="Person15").uncheck()
        page.keyboard.press("Escape")
        expect(page.get_by_role("button", name="30 people")).to_be_visible()
        expect(entry(page, "For one")).to_be_visible()
        expect(entry(page, "For another")).to_have_count(0)


def test_the_columns_of_a_team_keep_their_width_and_the_hours_stay_in_sight(
    opened: Opened, alice: Member, team: list[Member]
) -> None:
    made(alice, "All hands", "10:00", *team, minutes=30)
    with opened(f"view=team&date={TUESDAY}") as page:
        heads = page.locator(".ec-col-head")
        expect(heads).to_have_count(31)
        box = heads.first.bounding_box()
        assert box
        assert box["width"] >= 100
        main = page.locator(".ec-main")
        main.evaluate("(main) => { main.scrollLeft = main.scrollWidth; }")
        expect(heads.last).to_be_in_viewport()
        hours = page.locator(".ec-body .ec-sidebar").bounding_box()
        frame = main.bounding_box()
        assert hours
        assert frame
        assert abs(hours["x"] - frame["x"]) < 3
        page.get_by_role("link", name="Week", exact=True).click()
        all_hands = entry(page, "All hands")
        expect(all_hands).to_have_count(1)
        expect(all_hands.locator(".cal-more")).to_have_text("+28")
        shown = all_hands.locator(".entry-title").evaluate(
            "(title) => title.clientWidth >= title.scrollWidth"
        )
        assert shown  # before any of the 31 avatars


def test_what_is_cut_is_shown_to_a_pointer_and_to_the_keyboard(
    opened: Opened, alice: Member, team: list[Member]
) -> None:
    long = "Burst pipe behind the boiler on the second floor, ring twice"
    made(alice, long, "10:00", *team[:3], minutes=15, location="12 Bay Street")
    with opened() as page:
        tip = page.locator(".cal-tip")
        entry(page, long).hover()
        expect(tip).to_contain_text(long)
        expect(tip).to_contain_text("10:00–10:15")
        expect(tip).to_contain_text("Alice, Person10 and Person11")
        expect(tip).to_contain_text("12 Bay Street")
        tip.hover()  # it stays to be read
        expect(tip).to_be_visible()
        page.keyboard.press("Escape")
        expect(tip).to_have_count(0)
        page.mouse.move(5, 5)
        page.locator(".ec-main").focus()
        page.keyboard.press("Tab")
        expect(entry(page, long)).to_be_focused()
        expect(tip).to_contain_text(long)
        box, own = tip.bounding_box(), entry(page, long).bounding_box()
        assert box
        assert own
        assert box["y"] >= own["y"] + own["height"] or box["y"] + box["height"] <= own["y"]
        page.keyboard.press("n")  # no tip over a dialog
        expect(quick(page)).to_be_visible()
        expect(tip).to_have_count(0)


def test_what_is_cut_is_shown_though_the_calendar_scrolls(
    opened: Opened, alice: Member, team: list[Member]
) -> None:
    long = "Burst pipe behind the boiler on the second floor, ring twice"
    made(alice, long, "10:00", *team[:3], minutes=45)
    with opened() as page:
        tip = page.locator(".cal-tip")
        scroll = "(entry) => { entry.closest('.ec-main').scrollTop += 4; }"
        entry(page, long).hover()
        entry(page, long).evaluate(scroll)
        expect(tip).to_contain_text(long)
        page.mouse.move(5, 5)
        expect(tip).to_have_count(0)
        page.locator(".ec-main").focus()
        page.keyboard.press("Tab")
        entry(page, long).evaluate(scroll)
        below = """([tip, entry]) => {
            const [a, b] = [tip, entry].map((element) => element.getBoundingClientRect());
            return a.top >= b.bottom && a.top < b.bottom + 20;
        }"""
        pair = [tip.element_handle(), entry(page, long).element_handle()]
        page.wait_for_function(below, arg=pair)  # the keyboard's goes along


def test_each_matter_has_a_mark_of_its_own(
    opened: Opened, alice: Member, google: RunningSimulator
) -> None:
    """Shapes, not only colours: refused by Google, changed there, in the way of something."""
    refused = made(alice, "refused", "09:00", alice)
    changed = made(alice, "changed", "11:00", alice)
    made(alice, "overlaid", "14:00", alice)
    link(alice, google)
    busy_in_google(alice, "14:15", "14:45")
    of = MirroredEvent.objects.filter
    of(appointment=refused).update(state=MirrorState.FAILED, error="Google refused this event.")
    of(appointment=changed).update(
        state=MirrorState.SYNCED, drift_kind="deleted", drift_seen_at=now()
    )
    marks: dict[str, tuple[str, str]] = {}
    with opened() as page:
        for title in ("refused", "changed", "overlaid"):
            sign = entry(page, title).locator(".entry-signs svg").last
            shape = sign.locator("use").get_attribute("href") or ""
            colour = sign.evaluate("(svg) => getComputedStyle(svg).color")
            marks[title] = (shape.split("#")[1], colour)
    assert len({shape for shape, _ in marks.values()}) == 3, marks
    assert marks["changed"][1] != marks["refused"][1]
