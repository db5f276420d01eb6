"""What is done on the calendar page: moved, made, searched, by pointer, finger and keyboard."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Route, expect

from sophiie.accounts.models import Member
from sophiie.appointments.booking import change
from sophiie.appointments.models import Appointment
from tests.accessibility import violations
from tests.browser import PHONE, problems_of
from tests.journey.calendar import (
    QUARTER,
    TUESDAY,
    Opened,
    clock,
    drag,
    drawn,
    empty_place,
    entry,
    made,
    quick,
    refusal,
    said,
    stored,
    team_of,
    toast,
)
from tests.site import elsewhere, sign_in

pytestmark = pytest.mark.django_db(transaction=True)


# -- Moving.


def test_dragged_it_moves_and_undo_puts_it_back(opened: Opened, alice: Member) -> None:
    tap = made(alice, "Leaking tap", "10:00", alice)
    with opened() as page:
        drag(page, entry(page, "Leaking tap"), down=6 * QUARTER)
        expect(toast(page)).to_contain_text(said("“Leaking tap” moved to Tue 7 Jan, 11:30–12:30"))
        expect(entry(page, "Leaking tap")).to_contain_text("11:30–12:30")
        assert stored(tap).start == clock("11:30")
        assert page.url.endswith(TUESDAY)  # the drag opened nothing
        toast(page).get_by_role("button", name="Undo").click()
        expect(toast(page)).to_contain_text(said("“Leaking tap” is back at Tue 7 Jan, 10:00–11:00"))
        expect(entry(page, "Leaking tap")).to_contain_text("10:00–11:00")
        assert stored(tap).start == tap.start
        assert problems_of(page) == []


def test_undo_says_what_it_did_before_the_page_has_loaded_it(opened: Opened, alice: Member) -> None:
    """A change of somebody else at the same moment has the page ask twice."""
    tap = made(alice, "Leaking tap", "10:00", alice)
    with opened() as page:
        drag(page, entry(page, "Leaking tap"), down=6 * QUARTER)
        expect(toast(page)).to_contain_text("11:30–12:30")
        page.route("**/calendar/feed*", lambda route: route.abort())
        toast(page).get_by_role("button", name="Undo").click()
        expect(toast(page)).to_contain_text("is back at")
        expect(toast(page)).to_contain_text("10:00–11:00")
        assert stored(tap).start == tap.start


def test_a_finger_that_rests_on_it_moves_it(opened: Opened, alice: Member) -> None:
    tap = made(alice, "Leaking tap", "10:00", alice)
    with opened(f"view=day&date={TUESDAY}", **PHONE) as page:
        finger = page.context.new_cdp_session(page)
        box = entry(page, "Leaking tap").bounding_box()
        assert box
        x, y = box["x"] + 30, box["y"] + 20

        def touch(act: str, *below: float) -> None:
            points = [{"x": x, "y": y + further} for further in below]
            finger.send("Input.dispatchTouchEvent", {"type": act, "touchPoints": points})

        touch("touchStart", 0)
        expect(page.locator("#calendar .ec-dragging")).to_be_attached()
        for step in range(1, 7):
            touch("touchMove", step * QUARTER)
        touch("touchEnd")
        expect(toast(page)).to_contain_text(said("“Leaking tap” moved to Tue 7 Jan, 11:30–12:30"))
        assert stored(tap).start == clock("11:30")


def test_its_lower_edge_changes_how_long_it_lasts(opened: Opened, alice: Member) -> None:
    tap = made(alice, "Leaking tap", "10:00", alice)
    with opened() as page:
        drag(page, entry(page, "Leaking tap"), down=2 * QUARTER, edge=True)
        expect(toast(page)).to_contain_text(said("“Leaking tap” is now Tue 7 Jan, 10:00–11:30"))
        moved = stored(tap)
        assert (moved.start, moved.end) == (clock("10:00"), clock("11:30"))


def test_what_is_in_the_way_is_said_and_it_snaps_back(opened: Opened, alice: Member) -> None:
    tap = made(alice, "Leaking tap", "10:00", alice)
    made(alice, "Boiler", "12:00", alice)
    with opened() as page:
        drag(page, entry(page, "Leaking tap"), down=8 * QUARTER)
        expect(refusal(page)).to_contain_text("“Leaking tap” stays where it was")
        expect(refusal(page)).to_contain_text("Alice has “Boiler” on Tue 7 Jan, 12:00–13:00")
        expect(entry(page, "Leaking tap")).to_contain_text("10:00–11:00")
        assert stored(tap).revision == 1
        assert violations(page) == []
        refusal(page).get_by_role("button", name="Move anyway, over “Boiler”").click()
        expect(toast(page)).to_contain_text(said("moved to Tue 7 Jan, 12:00–13:00"))
        assert stored(tap).start == clock("12:00")


def test_who_may_not_book_on_top_is_not_offered_it(
    opened: Opened, site: str, alice: Member, bob: Member
) -> None:
    made(alice, "Leaking tap", "10:00", alice)
    made(alice, "Boiler", "12:00", alice)
    with opened() as page:
        sign_in(page, site, bob)
        page.reload()
        drawn(page)
        drag(page, entry(page, "Leaking tap"), down=8 * QUARTER)
        expect(refusal(page)).to_contain_text("This time is taken")
        expect(refusal(page).get_by_role("button", name="Move anyway")).to_have_count(0)
        expect(refusal(page).get_by_role("link", name="Open it")).to_be_visible()


def test_side_by_side_it_is_handed_to_a_colleague(
    opened: Opened, alice: Member, bob: Member
) -> None:
    tap = made(alice, "Leaking tap", "10:00", alice)
    with opened(f"view=team&date={TUESDAY}") as page:
        columns = page.locator(".ec-col-head")
        expect(columns).to_have_text(["AAlice", "BBob"])
        width = columns.first.bounding_box()["width"]
        drag(page, entry(page, "Leaking tap"), right=width)
        expect(toast(page)).to_contain_text("“Leaking tap” is now with Bob")
        assert team_of(tap) == ["Bob"]
        toast(page).get_by_role("button", name="Undo").click()
        expect(toast(page)).to_contain_text("is back")
        assert team_of(tap) == ["Alice"]


def test_a_drag_to_a_person_and_a_time_says_both(
    opened: Opened, alice: Member, bob: Member
) -> None:
    tap = made(alice, "Leaking tap", "10:00", alice)
    with opened(f"view=team&date={TUESDAY}") as page:
        width = page.locator(".ec-col-head").first.bounding_box()["width"]
        drag(page, entry(page, "Leaking tap"), right=width, down=4 * QUARTER)
        expect(toast(page)).to_contain_text(
            said("“Leaking tap” moved to Tue 7 Jan, 11:00–12:00, now with Bob")
        )
        assert (stored(tap).start, team_of(tap)) == (clock("11:00"), ["Bob"])


def test_a_change_by_somebody_else_meanwhile_wins(opened: Opened, alice: Member) -> None:
    tap = made(alice, "Leaking tap", "10:00", alice)
    with opened() as page:
        page.route("**/live", lambda route: route.abort())  # this page has not heard of it yet
        page.reload()
        drawn(page)
        elsewhere(lambda: change(by=alice, appointment_id=tap.id, changes={"title": "Burst pipe"}))
        drag(page, entry(page, "Leaking tap"), down=4 * QUARTER)
        expect(refusal(page)).to_contain_text("changed this appointment meanwhile")
        expect(entry(page, "Burst pipe")).to_contain_text("10:00–11:00")


# -- Making.


def test_a_span_is_drawn_and_booked(opened: Opened, alice: Member, bob: Member) -> None:
    with opened() as page:
        x, y = empty_place(page, 9)
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(x, y + 5 * QUARTER, steps=5)
        page.mouse.up()
        form = quick(page)
        expect(form.get_by_label("Start")).to_have_value("09:00")
        expect(form.get_by_label("End")).to_have_value("10:30")
        expect(form.get_by_label("Date")).to_have_value("2031-01-08")
        assert violations(page) == []
        form.get_by_role("button", name="Book it").click()
        expect(form).to_contain_text("Give the appointment a title.")
        form.get_by_label("Title").fill("Gas <b>check</b>")
        form.get_by_role("checkbox", name="Alice").uncheck()
        form.get_by_role("checkbox", name="Bob").check()
        form.get_by_label("Start").fill("09:15")
        form.get_by_label("Start").blur()
        expect(form.get_by_label("End")).to_have_value("10:45")  # as long as before
        form.get_by_role("button", name="Book it").click()
        expect(toast(page)).to_contain_text(
            said("“Gas <b>check</b>” is booked, Wed 8 Jan, 09:15–10:45")
        )
        expect(entry(page, "Gas <b>check</b>")).to_be_visible()
        booked = elsewhere(Appointment.objects.get)
        assert booked.start == clock("09:15", day="2031-01-08")
        assert team_of(booked) == ["Bob"]
        toast(page).get_by_role("button", name="Undo").click()
        expect(toast(page)).to_contain_text("is no longer booked")
        expect(entry(page, "Gas")).to_have_count(0)


def test_a_span_over_midnight_ends_with_its_day(opened: Opened, alice: Member) -> None:
    with opened() as page:
        page.locator(".ec-main").evaluate("(main) => { main.scrollTop = main.scrollHeight; }")
        x, y = empty_place(page, 23)
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(
            x + page.locator(".ec-body .ec-day").nth(2).bounding_box()["width"], y, steps=5
        )
        page.mouse.up()
        form = quick(page)
        expect(form.get_by_label("Date")).to_have_value("2031-01-08")
        expect(form.get_by_label("Start")).to_have_value("23:00")
        expect(form.get_by_label("End")).to_have_value("00:00")
        form.get_by_label("Title").fill("Night")
        form.get_by_role("button", name="Book it").click()
        expect(toast(page)).to_contain_text("“Night” is booked")
        assert elsewhere(Appointment.objects.get).end == clock("00:00", day="2031-01-09")


def test_a_taken_time_is_said_in_the_form_and_nothing_typed_is_lost(
    opened: Opened, alice: Member
) -> None:
    made(alice, "Boiler", "12:00", alice)
    with opened(f"view=day&date={TUESDAY}") as page:
        page.keyboard.press("n")
        form = quick(page)
        form.get_by_label("Title").fill("Second")
        form.get_by_label("Start").fill("12:15")
        form.get_by_role("button", name="Book it").click()
        expect(form).to_contain_text("Alice has “Boiler” on Tue 7 Jan, 12:00–13:00")
        expect(form.get_by_label("Title")).to_have_value("Second")
        assert violations(page) == []
        form.get_by_role("button", name="More options").click()
        page.wait_for_url(re.compile("/appointments/new"))
        expect(page.get_by_label("Title")).to_have_value("Second")
        expect(page.get_by_label("Start")).to_have_value("12:15")


def test_a_time_that_comes_twice_is_asked_about(opened: Opened, alice: Member) -> None:
    with opened("view=day&date=2031-04-06") as page:
        page.keyboard.press("n")
        form = quick(page)
        form.get_by_label("Title").fill("Night shift")
        form.get_by_label("Start").fill("02:30")
        form.get_by_label("End").fill("04:00")
        form.get_by_role("button", name="Book it").click()
        expect(form).to_contain_text("02:30 happens twice")
        form.get_by_role("button", name="The second, an hour later, AEST").click()
        expect(toast(page)).to_contain_text("is booked")
        assert elsewhere(Appointment.objects.get).start == datetime(2031, 4, 5, 16, 30, tzinfo=UTC)


# -- Without a pointer.


def test_all_of_it_by_keyboard(opened: Opened, alice: Member) -> None:
    tap = made(alice, "Leaking tap", "10:00", alice, customer_name="Ms Green")
    with opened() as page:
        heading = page.locator("#cal-title")
        page.keyboard.press("ArrowRight")
        expect(page).to_have_url(re.compile("date=2031-01-14"))
        page.keyboard.press("ArrowLeft")
        page.keyboard.press("m")
        expect(heading).to_have_text("January 2031")
        page.keyboard.press("d")
        expect(heading).to_have_text(said("Tuesday 7 January 2031"))
        page.keyboard.press("?")
        expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
        page.keyboard.press("w")  # not while a dialog is open
        page.keyboard.press("Escape")
        expect(heading).to_have_text(said("Tuesday 7 January 2031"))
        page.keyboard.press("t")
        expect(heading).not_to_have_text(said("Tuesday 7 January 2031"))
        page.keyboard.press("/")
        page.keyboard.type("green t")  # letters are text here
        found = page.get_by_role("dialog", name="Search appointments")
        expect(found.get_by_role("link", name="Leaking tap")).to_be_visible()
        page.keyboard.press("Escape")
        expect(found).to_be_hidden()
        page.keyboard.press("n")
        expect(quick(page)).to_be_visible()
        page.keyboard.type("Made by keyboard")
        page.keyboard.press("Enter")
        expect(toast(page)).to_contain_text("“Made by keyboard” is booked")
        page.goto(page.url.split("?")[0] + f"?view=week&date={TUESDAY}")
        drawn(page)
        entry(page, "Leaking tap").focus()
        page.keyboard.press("Enter")
        page.get_by_role("link", name="Edit").press("Enter")
        page.wait_for_url(re.compile(f"/appointments/{tap.id}"))


def test_the_small_form_proposes_a_free_hour(opened: Opened, alice: Member, bob: Member) -> None:
    made(alice, "Leaking tap", "09:00", alice, minutes=90)
    made(alice, "Gas check", "11:00", bob)
    with opened(f"view=day&date={TUESDAY}") as page:
        page.keyboard.press("n")
        expect(quick(page).get_by_label("Start")).to_have_value("11:00")


def test_what_is_typed_replaces_an_hour_proposed_meanwhile(opened: Opened) -> None:
    with opened(f"view=day&date={TUESDAY}") as page:
        waiting: list[Route] = []
        page.route("**/next-hour*", lambda route: waiting.append(route))
        with page.expect_request("**/next-hour*"):
            page.keyboard.press("n")
        start = quick(page).get_by_label("Start")
        start.click()
        waiting[0].continue_()
        expect(start).to_have_value("09:00")
        page.keyboard.type("14:30")
        expect(start).to_have_value("14:30")
        expect(quick(page).get_by_label("End")).to_have_value("15:30")


def test_a_key_right_after_a_dialog_closed_already_counts(opened: Opened) -> None:
    """The field that was written in keeps the focus until the browser draws its next frame."""
    with opened() as page:
        page.keyboard.press("/")
        page.evaluate("""() => {
            for (const key of ["Escape", "n"]) {
                const pressed = { key, bubbles: true, cancelable: true };
                document.activeElement.dispatchEvent(new KeyboardEvent("keydown", pressed));
            }
        }""")
        expect(quick(page)).to_be_visible()


def test_the_focus_stays_on_an_appointment_that_changes(opened: Opened, alice: Member) -> None:
    tap = made(alice, "Leaking tap", "10:00", alice)
    with opened() as page:
        entry(page, "Leaking tap").focus()
        elsewhere(lambda: change(by=alice, appointment_id=tap.id, changes={"title": "Burst pipe"}))
        expect(entry(page, "Burst pipe")).to_be_focused()
