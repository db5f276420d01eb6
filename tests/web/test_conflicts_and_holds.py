"""The form when somebody is not free, or nobody can say; and a time that is only held."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from sophiie.accounts.models import Member
from sophiie.appointments.booking import book, change
from sophiie.appointments.models import Appointment
from sophiie.busy_time.models import BusyCalendar
from tests.busy import TOO_OLD, busy, calendar_of
from tests.conftest import details, tomorrow_at
from tests.web.pages import alerts, parsed, statuses, values

NEW = "/appointments/new"


@pytest.fixture
def typed(page: Client) -> dict[str, Any]:
    """A form for the day after tomorrow at one, filled in by Alice."""
    return {
        **values(parsed(page.get(NEW))),
        "title": "Leaking tap",
        "date": at_one().date().isoformat(),
        "start": "13:00",
        "end": "14:00",
        "timezone": "UTC",
    }


def at_one(minutes: int = 0) -> datetime:
    return tomorrow_at(13, days=2) + timedelta(minutes=minutes)


@pytest.mark.every_date
def test_busy_in_google_is_said_without_saying_what_it_is(
    page: Client, alice: Member, typed: dict[str, Any]
) -> None:
    busy(alice, at_one(30), at_one(45))
    response = page.post(NEW, typed)
    assert response.status_code == 409
    told = alerts(parsed(response))
    assert "This time is taken" in told
    assert f"Alice is busy in Google on {at_one():%a %-d %b}, 13:30–13:45" in told
    button = parsed(response).one("button", name="allow_overlap")
    assert page.post(NEW, {**typed, button["name"]: button["value"]}).status_code == 302
    share = Appointment.objects.get().assignments.get()
    assert (share.booked_anyway, share.blocking) == (True, True)


@pytest.mark.every_date
def test_busy_over_several_days_is_said_with_both_days(
    page: Client, alice: Member, typed: dict[str, Any]
) -> None:
    busy(alice, at_one(-2000), at_one(2000))
    told = alerts(parsed(page.post(NEW, typed)))
    assert f"Alice is busy in Google from {at_one(-2000):%a %-d %b, %H:%M} to" in told


def test_an_unreadable_calendar_can_be_booked_by_everybody_who_says_so(
    page_of: Callable[[Member], Client], bob: Member, typed: dict[str, Any]
) -> None:
    calendar_of(bob, age=TOO_OLD)
    theirs, asked = page_of(bob), {**typed, "assignees": [str(bob.id)]}
    response = theirs.post(NEW, asked)
    assert response.status_code == 409
    told = alerts(parsed(response))
    assert "It is not known whether this time is free" in told
    assert "Bob’s calendar could not be read" in told
    button = parsed(response).one("button", name="accept_unverified")
    assert button.words == "Book although the calendar could not be read"
    assert theirs.post(NEW, {**asked, button["name"]: button["value"]}).status_code == 302
    assert Appointment.objects.get().assignments.get().unverified


def test_while_somebody_types_an_old_copy_is_good_enough_and_an_unreadable_one_is_not(
    page: Client, alice: Member, typed: dict[str, Any]
) -> None:
    """The booking renews the old one. Where Google reports changes, most copies are old."""
    copy = calendar_of(alice, age=TOO_OLD)
    check = "/appointments/time-check"
    assert "could not be read" not in parsed(page.get(check, typed)).words
    busy(alice, at_one(), at_one(30), calendar=copy)
    assert "busy in Google" in parsed(page.get(check, typed)).words
    BusyCalendar.objects.update(problem="Google is away.")
    assert "could not be read" in parsed(page.get(check, typed)).words


def test_a_time_beyond_what_was_read_says_so(
    page: Client, alice: Member, typed: dict[str, Any]
) -> None:
    calendar_of(alice, known_days=1)
    assert "Alice’s calendar is not known that far ahead" in alerts(parsed(page.post(NEW, typed)))


def test_one_button_agrees_to_both_and_only_managers_have_it(
    page: Client,
    page_of: Callable[[Member], Client],
    alice: Member,
    bob: Member,
    typed: dict[str, Any],
) -> None:
    busy(alice, at_one(), at_one(30))
    calendar_of(bob, age=TOO_OLD)
    asked = {**typed, "assignees": [str(alice.id), str(bob.id)]}
    shown = parsed(page_of(bob).post(NEW, asked))
    assert "Bob’s calendar could not be read" in alerts(shown)
    assert not shown.all("button", name="allow_overlap")
    assert not shown.all("button", name="accept_unverified")
    button = parsed(page.post(NEW, asked)).one("button", name="allow_overlap")
    crafted = {**asked, button["name"]: button["value"]}
    assert page_of(bob).post(NEW, crafted).status_code == 409
    assert page.post(NEW, crafted).status_code == 302
    history = parsed(page.get(f"/appointments/{Appointment.objects.get().id}")).text
    assert "double-booked on purpose: Alice" in history
    assert "booked although the calendar could not be read: Bob" in history


@pytest.mark.every_date
def test_a_clash_that_came_later_is_seen_in_the_list_and_on_the_page(
    page: Client, alice: Member
) -> None:
    moment = datetime.now(UTC)
    made = book(
        by=alice,
        details=details(start=moment + timedelta(minutes=1), end=moment + timedelta(minutes=30)),
        assignees=[alice],
    )
    assert "busy in Google" not in parsed(page.get("/calendar")).text
    busy(alice, made.start, made.end)
    assert "Alice is busy in Google" in parsed(page.get("/calendar")).text
    shown = parsed(page.get(f"/appointments/{made.id}")).one(id="clashes")
    assert "A conflict came up after this was booked" in shown.words
    assert "Alice is busy in Google" in shown.words


# -- holds ---------------------------------------------------------------------------------------


@pytest.fixture
def hold(alice: Member) -> Appointment:
    return book(by=alice, details=details(), assignees=[alice], hold_minutes=10)


@pytest.mark.every_date
def test_a_time_is_held_from_the_form_and_confirmed_on_its_page(
    page: Client, alice: Member, typed: dict[str, Any]
) -> None:
    form = parsed(page.get(NEW)).one("form", id="appointment-form")
    (button,) = [b for b in form.all("button") if b.words == "Hold for 15 minutes"]
    response = page.post(button["formaction"], typed, follow=True)
    held = Appointment.objects.get()
    assert held.status == "held"
    shown = parsed(response)
    assert f"This time is held until {held.local_held_until:%H:%M}" in shown.text
    assert "Held the time" in shown.text
    assert "is booked" not in statuses(shown)
    confirmed = parsed(page.post(shown.one("form", id="hold-form")["action"], follow=True))
    assert "“Leaking tap” is booked." in statuses(confirmed)
    assert not confirmed.all("form", id="hold-form")
    assert "Confirmed the hold" in confirmed.text


def test_held_anyway_stays_a_hold_and_saved_after_all_is_booked(
    page: Client, alice: Member, typed: dict[str, Any]
) -> None:
    busy(alice, at_one(), at_one(30))
    shown = parsed(page.post(f"{NEW}?hold_minutes=15", typed))
    assert shown.one("form", id="appointment-form")["action"] == NEW  # Save books
    button = shown.one("button", name="allow_overlap")
    assert button.words == "Hold anyway, over the time that Alice is busy in Google"
    page.post(button["formaction"], {**typed, button["name"]: button["value"]})
    held = Appointment.objects.get()
    assert (held.status, held.assignments.get().booked_anyway) == ("held", True)


@pytest.mark.parametrize("minutes", ["31", "0", "-1", "ten", "1e9", "٣"])
def test_minutes_that_cannot_be_are_a_message_and_book_nothing(
    page: Client, typed: dict[str, Any], minutes: str
) -> None:
    response = page.post(f"{NEW}?hold_minutes={minutes}", typed)
    assert response.status_code == 422
    assert "A time can be held for 1 to 30 minutes." in alerts(parsed(response))
    assert not Appointment.objects.exists()


@pytest.mark.every_date
def test_a_hold_that_ran_out_says_so_and_can_be_booked_after_all(
    page: Client, alice: Member, hold: Appointment
) -> None:
    past = datetime.now(UTC) - timedelta(minutes=1)
    Appointment.objects.update(held_until=past)
    hold.assignments.update(held_until=past)
    address = f"/appointments/{hold.id}"
    shown = parsed(page.get(address))
    hold.refresh_from_db()
    assert f"This hold ran out at {hold.local_held_until:%H:%M}" in shown.text
    other = book(by=alice, details=details(), assignees=[alice])
    response = page.post(f"{address}/confirm")
    assert response.status_code == 409
    assert "Alice has “Leaking tap”" in alerts(parsed(response))
    assert parsed(response).one("button", name="allow_overlap")["form"] == "hold-form"
    change(
        by=alice,
        appointment_id=other.id,
        changes={"start": tomorrow_at(9), "end": tomorrow_at(10)},
    )
    page.post(f"{address}/confirm")
    hold.refresh_from_db()
    assert hold.status == "scheduled"


def test_what_is_no_hold_is_told_so_and_another_business_finds_none(
    page: Client, page_of: Callable[[Member], Client], charlie: Member, hold: Appointment
) -> None:
    address = f"/appointments/{hold.id}"
    assert page_of(charlie).post(f"{address}/confirm").status_code == 404
    page.post(f"{address}/cancel")
    told = parsed(page.post(f"{address}/confirm", follow=True))
    assert "is not a hold; it is cancelled" in alerts(told)
