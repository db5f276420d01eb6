"""The calendar in a real browser: seen, moved, made, searched, by pointer and by keyboard."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from sophiie.accounts.models import Member
from sophiie.appointments.booking import book, cancel, change
from sophiie.appointments.models import Appointment
from sophiie.busy_time.models import BusyCalendar, BusyPeriod
from sophiie.common.clock import now
from tests.accessibility import violations
from tests.browser import DESK, PHONE, browser_page
from tests.conftest import details
from tests.site import elsewhere, running_site, sign_in

pytestmark = pytest.mark.django_db(transaction=True)

QUARTER = 13  # pixels of a quarter of an hour
VIEWS = ("month", "week", "day", "team", "list")
# Tuesday, 7 January 2031; Sydney is 11 hours ahead.
TUESDAY = "2031-01-07"


def clock(text: str, *, day: str = TUESDAY) -> datetime:
    """The instant at which the clocks in Sydney show this time."""
    return datetime.fromisoformat(f"{day}T{text}+11:00").astimezone(UTC)


def made(by: Member, title: str, start: str, *who: Member, minutes: int = 60, **more: Any) -> Any:
    begin = clock(start)
    end = begin + timedelta(minutes=minutes)
    return book(by=by, details=details(title=title, start=begin, end=end, **more), assignees=who)


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    with running_site() as address:
        yield address


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


Opened = Callable[..., Any]


def said(text: str) -> re.Pattern[str]:
    """The text as any browser writes it: some put a comma after the day of the week."""
    return re.compile(re.sub(r"(Tue|Wed|day) ", r"\1,? ", re.escape(text).replace("\\ ", " ")))


def drawn(page: Page) -> None:
    expect(page.locator("#cal-frame")).to_have_attribute("aria-busy", "false")


def entry(page: Page, title: str) -> Locator:
    return page.locator("#calendar a.entry").filter(has_text=title, visible=True)


def drag(page: Page, what: Locator, *, down: int = 0, right: float = 0, edge: bool = False) -> None:
    """Takes it by its middle, or by its lower edge, and drops it there."""
    box = what.locator("xpath=ancestor::article").bounding_box()
    assert box
    x, y = box["x"] + 30, box["y"] + (box["height"] - 3 if edge else 20)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + right / 2, y + down / 2, steps=4)
    page.mouse.move(x + right, y + down, steps=4)
    page.mouse.up()


def toast(page: Page) -> Locator:
    return page.locator("#cal-toasts")


def refusal(page: Page) -> Locator:
    return page.locator("#cal-refusals")


def stored(appointment: Appointment) -> Appointment:
    return elsewhere(lambda: Appointment.objects.get(pk=appointment.pk))


def team_of(appointment: Appointment) -> list[str]:
    return elsewhere(lambda: [a.member.name for a in stored(appointment).assignments.all()])


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
        assert page.problems == []  # type: ignore[attr-defined]


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
        refusal(page).get_by_role("button", name="Book anyway").click()
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
        expect(refusal(page).get_by_role("button", name="Book anyway")).to_have_count(0)
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


def empty_place(page: Page, hour: int) -> tuple[float, float]:
    """A point on Wednesday at that hour."""
    column = page.locator(".ec-body .ec-day").nth(2).bounding_box()
    assert column
    return column["x"] + column["width"] / 2, column["y"] + hour * 4 * QUARTER + 2


def quick(page: Page) -> Locator:
    return page.get_by_role("dialog", name="New appointment")


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
        expect(toast(page)).to_contain_text("is taken back")
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
        page.wait_for_url(re.compile(f"/appointments/{tap.id}"))


def test_the_small_form_proposes_a_free_hour(opened: Opened, alice: Member, bob: Member) -> None:
    made(alice, "Leaking tap", "09:00", alice, minutes=90)
    made(alice, "Gas check", "11:00", bob)
    with opened(f"view=day&date={TUESDAY}") as page:
        page.keyboard.press("n")
        expect(quick(page).get_by_label("Start")).to_have_value("11:00")


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


# -- What is shown.


def test_changes_of_others_appear_without_reload(
    opened: Opened, alice: Member, bob: Member
) -> None:
    with opened() as page:
        expect(page.locator("body")).to_have_attribute("data-live-url", "/live")
        tap = elsewhere(lambda: made(bob, "Leaking tap", "10:00", bob))
        expect(entry(page, "Leaking tap")).to_be_visible()
        elsewhere(lambda: cancel(by=bob, appointment_id=tap.id))
        expect(entry(page, "Leaking tap")).to_have_count(0)
        page.get_by_role("checkbox", name="Cancelled").check()
        expect(entry(page, "Leaking tap")).to_contain_text("Cancelled")


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
    Appointment.objects.filter(pk=held.pk).update(status="held", held_until=clock("12:00"))
    made(alice, "Over it", "14:00", alice)
    busy_in_google(alice, "14:30", "16:00")
    with opened() as page:
        expect(entry(page, "Caller")).to_contain_text("Held until 12:00")
        expect(entry(page, "Caller").locator("svg")).to_have_count(1)
        expect(entry(page, "Over it")).to_contain_text("Something came in the way of Alice")
        busy = page.locator(".entry-busy")
        expect(busy).to_contain_text(said("Busy in Google, Alice, Tuesday 7 January, 14:30–16:00"))
        page.get_by_role("checkbox", name="Busy in Google").uncheck()
        expect(busy).to_have_count(0)


def busy_in_google(member: Member, start: str, end: str) -> None:
    calendar = BusyCalendar.objects.create(
        member=member,
        calendar_id="own",
        checked_at=clock("00:00"),
        known_from=clock("00:00", day="2026-01-01"),
        known_until=clock("00:00", day="2032-01-01"),
    )
    during = (clock(start), clock(end))
    BusyPeriod.objects.create(calendar=calendar, member=member, event_id="x", during=during)


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
    Appointment.objects.filter(pk=held.pk).update(status="held", held_until=clock("23:00"))
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
        assert page.problems == []  # type: ignore[attr-defined]


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
