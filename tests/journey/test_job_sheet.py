"""The job sheet in a browser: at the entry on a desk, a page on a phone, and the way back."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from sophiie.accounts.models import Member
from sophiie.appointments.booking import change
from tests.accessibility import violations
from tests.browser import problems_of
from tests.journey.calendar import TUESDAY, Opened, drawn, entry, made, stored, team_of, toast
from tests.site import elsewhere

pytestmark = pytest.mark.django_db(transaction=True)

WIDE = {"viewport": {"width": 1366, "height": 768}}
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
_SCROLLED = """() => ["#cal-grid .ec-main", "#cal-list"].map((name) => {
    const box = document.querySelector(name);
    return box ? Math.round(box.scrollTop) : 0;
})"""


def job(page: Page) -> Any:
    return page.get_by_role("dialog").and_(page.locator("#job"))


# How it went can be said of what has begun.
on_that_day = pytest.mark.parametrize("begins_at", [f"{TUESDAY} 01:00"], ids=["at-noon"])


@on_that_day
def test_at_a_desk_the_job_opens_at_its_entry(
    opened: Opened, alice: Member, begins_at: str
) -> None:
    tap = made(
        *(alice, "Leaking tap", "10:00", alice),
        customer_name="Ms Green",
        customer_phone="0400 123 456",
        location="12 Bay Street",
        notes="Ring twice",
    )
    with opened(**WIDE) as page:
        entry(page, "Leaking tap").click()
        expect(job(page).get_by_role("heading", name="Leaking tap")).to_be_visible()
        expect(job(page)).to_contain_text("10:00–11:00")
        expect(job(page).get_by_role("link", name="Call")).to_have_attribute(
            "href", "tel:0400123456"
        )
        expect(job(page).get_by_role("link", name="Navigate")).to_have_attribute(
            "href", "geo:0,0?q=12%20Bay%20Street"
        )
        assert violations(page) == []
        box, beside = job(page).bounding_box(), entry(page, "Leaking tap").bounding_box()
        assert box["x"] >= beside["x"] + beside["width"]  # the entry stays in sight
        entry(page, "Leaking tap").click()
        expect(job(page)).to_be_hidden()

        entry(page, "Leaking tap").click()
        job(page).get_by_role("button", name="Done").click()
        expect(job(page).get_by_text("Completed")).to_be_visible()
        assert stored(tap).status == "completed"
        job(page).get_by_role("button", name="Mark as scheduled").click()
        expect(job(page).get_by_role("button", name="Done")).to_be_visible()
        # What somebody else changes meanwhile is seen here as well.
        elsewhere(lambda: change(by=alice, appointment_id=tap.id, changes={"title": "Burst pipe"}))
        expect(job(page).get_by_role("heading", name="Burst pipe")).to_be_visible()
        expect(page).to_have_url(re.compile(f"/calendar.*{TUESDAY}"))
        job(page).get_by_role("link", name="Edit").click()
        expect(page.get_by_label("Title")).to_have_value("Burst pipe")
        assert problems_of(page) == []


def test_side_by_side_the_job_opens_at_the_entry_that_was_pressed(
    opened: Opened, alice: Member, bob: Member
) -> None:
    made(alice, "Leaking tap", "10:00", alice, bob)
    with opened(f"view=team&date={TUESDAY}", **WIDE) as page:
        for pressed in (entry(page, "Leaking tap").last, entry(page, "Leaking tap").first):
            pressed.click()
            expect(job(page).get_by_role("link", name="Edit")).to_be_visible()
            box, at = job(page).bounding_box(), pressed.bounding_box()
            apart = (box["x"] - at["x"] - at["width"], at["x"] - box["x"] - box["width"])
            assert 0 <= max(apart) < 12
            page.keyboard.press("Escape")
            expect(pressed).to_be_focused()


def test_the_job_is_there_before_the_server_answers(opened: Opened, alice: Member) -> None:
    """So it is there within the time of a frame, however far away the server is."""
    made(alice, "Leaking tap", "10:00", alice)
    with opened(**WIDE) as page:
        waiting: list[Any] = []
        page.route("**/sheet", lambda route: waiting.append(route))
        entry(page, "Leaking tap").click()
        expect(job(page).get_by_role("heading", name="Leaking tap")).to_be_visible()
        expect(job(page)).to_contain_text("Loading")
        for route in waiting:
            route.continue_()
        expect(job(page).get_by_role("link", name="Edit")).to_be_visible()


@on_that_day
def test_the_job_by_keyboard_alone(opened: Opened, alice: Member, begins_at: str) -> None:
    made(alice, "Leaking tap", "10:00", alice, customer_phone="0400 123 456")
    with opened(**WIDE) as page:
        entry(page, "Leaking tap").focus()
        page.keyboard.press("Enter")
        expect(job(page).get_by_role("link", name="Call")).to_be_visible()
        page.keyboard.press("w")  # the calendar's keys do not count in here
        page.keyboard.press("ArrowRight")
        reached = []
        for _ in range(8):
            page.keyboard.press("Tab")
            reached.append(page.evaluate("() => document.activeElement.textContent.trim()"))
        assert reached[:4] == ["Close", "Call", "Message", "Done"]
        assert "Edit" in reached
        page.keyboard.press("Escape")
        expect(job(page)).to_be_hidden()
        expect(entry(page, "Leaking tap")).to_be_focused()
        assert TUESDAY in page.url
        page.keyboard.press("Enter")
        expect(job(page).get_by_role("link", name="Edit")).to_be_visible()
        job(page).get_by_role("link", name="Edit").press("Enter")
        page.wait_for_url("**/appointments/*#edit")


def test_on_a_phone_two_taps_call_and_editing_is_one_further(opened: Opened, alice: Member) -> None:
    tap = made(
        *(alice, "Leaking tap", "10:00", alice),
        customer_name="Ms Green",
        customer_phone="0400 123 456",
        location="12 Bay Street",
        notes="Ring twice\n" * 8,
    )
    with opened(f"view=list&date={TUESDAY}", **PHONE) as page:
        entry(page, "Leaking tap").tap()
        page.wait_for_url(f"**/appointments/{tap.id}")
        for name in ("Call", "Message", "Navigate"):
            box = page.get_by_role("link", name=name).bounding_box()
            assert box["y"] + box["height"] < 500, name
            assert box["height"] >= 44
        assert page.evaluate("() => document.documentElement.scrollHeight") < 1_700
        fields = page.locator("#appointment-form .card").first
        assert fields.evaluate("(card) => card.parentElement.parentElement.offsetHeight") <= 1
        assert violations(page) == []
        page.get_by_role("link", name="Edit").tap()
        expect(page.get_by_label("Title")).to_be_in_viewport()
        assert violations(page) == []
        page.get_by_label("Start").fill("11:00")
        page.get_by_role("button", name="Save").tap()
        expect(page.get_by_role("status")).to_contain_text("Saved")
        page.get_by_role("link", name="Back to the calendar").tap()
        drawn(page)
        assert page.url.endswith(f"view=list&date={TUESDAY}")
        assert problems_of(page) == []


@pytest.mark.parametrize("look", [PHONE, {"viewport": {"width": 844, "height": 390}}])
def test_the_first_press_on_a_folded_field_does_what_it_says(
    opened: Opened, alice: Member, bob: Member, look: dict[str, Any]
) -> None:
    """Who reaches a field of the folded form without Edit (a screen reader, a search) has the form
    open before the press."""
    tap = made(alice, "Leaking tap", "10:00", alice)
    with opened(**look) as page:
        page.goto(re.sub("/calendar.*", f"/appointments/{tap.id}", page.url))
        expect(page.locator("#edit")).to_have_attribute("data-folded", "phone")
        page.get_by_label("Bob").click()
        expect(page.get_by_label("Bob")).to_be_checked()
        expect(page.get_by_label("Title")).to_be_visible()
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_text("Saved.")).to_be_visible()
        assert team_of(tap) == ["Alice", "Bob"]


def test_one_comes_back_to_view_day_people_and_height(
    opened: Opened, alice: Member, bob: Member
) -> None:
    for hour in range(7, 22):
        made(alice, f"Job {hour}", f"{hour:02}:00", alice)
    with opened(f"view=day&date={TUESDAY}&members={alice.pk}", **PHONE) as page:
        entry(page, "Job 20").scroll_into_view_if_needed()
        here, height = page.url, page.evaluate(_SCROLLED)
        assert height[0] > 100

        def leave() -> None:
            box = entry(page, "Job 20").bounding_box()
            page.touchscreen.tap(box["x"] + 40, box["y"] + 12)
            page.wait_for_url("**/appointments/*")

        def is_back() -> None:
            drawn(page)
            assert page.url == here
            page.wait_for_function(f"() => String(({_SCROLLED})()) === '{height[0]},{height[1]}'")

        leave()
        page.get_by_role("link", name="Back to the calendar").tap()
        is_back()
        leave()
        page.go_back()
        is_back()
        leave()
        page.get_by_role("button", name="Delete", exact=True).tap()
        page.wait_for_url("**/calendar?deleted=*")
        drawn(page)
        assert page.url.split("&", 1)[1] == here.split("?", 1)[1]
        expect(page.get_by_role("button", name="Undo")).to_be_visible()
        expect(entry(page, "Job 20")).to_have_count(0)
        expect(toast(page)).to_be_empty()
        page.wait_for_function(f"() => ({_SCROLLED})()[0] === {height[0]}")
