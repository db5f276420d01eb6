"""Holds: a time kept for some minutes, that lets go by itself."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from sophiie.accounts.api_keys import create_api_key, living_keys_of
from sophiie.accounts.models import Member
from sophiie.appointments.booking import book, cancel, change, delete, find, reinstate
from sophiie.appointments.conflicts import conflicts_of
from sophiie.appointments.errors import Conflict, InvalidAppointment, NotHeld, UnknownAppointment
from sophiie.appointments.holds import confirm, let_go_of_expired
from sophiie.appointments.models import Appointment, Assignment
from sophiie.appointments.selectors import in_period, still_ahead_of
from sophiie.appointments.signals import appointment_changed
from tests.busy import TOO_OLD, busy, calendar_of
from tests.conftest import SYDNEY, details, tomorrow_at


@pytest.fixture
def hold(alice: Member) -> Appointment:
    return book(by=alice, details=details(), assignees=[alice], hold_minutes=10)


def runs_out(hold: Appointment) -> None:
    """The minutes pass; nothing has noticed it yet."""
    past = datetime.now(UTC) - timedelta(seconds=1)
    Appointment.objects.filter(pk=hold.pk).update(held_until=past)
    Assignment.objects.filter(appointment=hold).update(held_until=past)
    hold.refresh_from_db()


def acts(appointment: Appointment) -> list[str]:
    return list(appointment.changes.order_by("revision").values_list("action", flat=True))


def book_the_same_time(by: Member) -> Appointment:
    return book(by=by, details=details(title="Another"), assignees=[by])


@pytest.mark.every_date
def test_a_hold_is_of_the_key_that_made_it_and_nothing_else_is(alice: Member) -> None:
    create_api_key(alice)
    (key,) = living_keys_of(alice)
    held = book(by=alice, details=details(), assignees=[alice], hold_minutes=5, hold_key=key.id)
    later = details(start=tomorrow_at(9))
    booked = book(by=alice, details=later, assignees=[alice], hold_key=key.id)
    assert (held.hold_key_id, booked.hold_key_id) == (key.id, None)


def test_a_hold_keeps_its_time(alice: Member, hold: Appointment) -> None:
    assert (hold.status, hold.is_on) == ("held", True)
    assert hold.held_until is not None
    minutes = (hold.held_until - hold.created_at).total_seconds() / 60
    assert minutes == pytest.approx(10)
    assert hold.assignments.get().held_until == hold.held_until
    with pytest.raises(Conflict) as caught:
        book_the_same_time(alice)
    assert [o.appointment_id for o in caught.value.obstacles] == [hold.id]
    assert acts(hold) == ["held"]


@pytest.mark.parametrize("minutes", [0, -1, 31])
def test_a_time_is_held_for_half_an_hour_at_most(alice: Member, minutes: int) -> None:
    with pytest.raises(InvalidAppointment, match="1 to 30 minutes"):
        book(by=alice, details=details(), assignees=[alice], hold_minutes=minutes)


def test_an_expired_hold_never_blocks_a_booking(alice: Member, hold: Appointment) -> None:
    """No job has run: the status still says held, and the assignment still says blocking."""
    runs_out(hold)
    assert (hold.status, hold.assignments.get().blocking) == ("held", True)
    assert conflicts_of(team=[alice], start=hold.start, end=hold.end, timezone=SYDNEY) == []
    made = book_the_same_time(alice)
    assert made.assignments.get().blocking
    assert not hold.assignments.get().blocking


def test_an_expired_hold_does_not_hinder_a_move(alice: Member, hold: Appointment) -> None:
    other = book(by=alice, details=details(start=tomorrow_at(9)), assignees=[alice])
    runs_out(hold)
    moved = change(
        by=alice, appointment_id=other.id, changes={"start": hold.start, "end": hold.end}
    )
    assert moved.assignments.get().blocking


@pytest.mark.every_date
def test_an_expired_hold_is_gone_from_lists_and_reads_as_cancelled(
    alice: Member, hold: Appointment
) -> None:
    day = (hold.start - timedelta(hours=1), hold.end)
    assert list(in_period(alice, *day)) == [hold]
    assert still_ahead_of([alice], datetime.now(UTC))[alice.id].count == 1
    runs_out(hold)
    for _ in range(2):  # before anybody noticed, and after
        assert not in_period(alice, *day)
        assert not still_ahead_of([alice], datetime.now(UTC))
        shown = find(alice, hold.id)
        assert (shown.current_status, shown.is_on, shown.is_hold) == ("cancelled", False, True)
        let_go_of_expired()
    assert find(alice, hold.id).status == "cancelled"


def test_the_sweep_writes_down_what_ran_out_once_and_says_so(
    alice: Member, hold: Appointment
) -> None:
    other = book(by=alice, details=details(start=tomorrow_at(9)), assignees=[alice], hold_minutes=5)
    runs_out(hold)
    heard = []
    appointment_changed.connect(receiver := lambda appointment, **_: heard.append(appointment.id))
    try:
        assert (let_go_of_expired(), let_go_of_expired()) == (1, 0)
    finally:
        appointment_changed.disconnect(receiver)
    assert heard == [hold.id]
    assert acts(hold) == ["held", "expired"]
    assert not hold.assignments.get().blocking
    assert find(alice, other.id).status == "held"


def test_a_hold_that_was_deleted_is_left_alone_by_the_sweep(
    alice: Member, hold: Appointment
) -> None:
    delete(by=alice, appointment_id=hold.id)
    runs_out(hold)
    assert let_go_of_expired() == 0


def test_confirming_makes_an_appointment_of_it(
    alice: Member, bob: Member, hold: Appointment
) -> None:
    confirmed = confirm(by=bob, appointment_id=hold.id)
    assert (confirmed.status, confirmed.held_until, confirmed.revision) == ("scheduled", None, 2)
    assignment = hold.assignments.get()
    assert (assignment.blocking, assignment.held_until) == (True, None)
    assert acts(hold) == ["held", "confirmed"]
    assert confirm(by=bob, appointment_id=hold.id).revision == 2  # twice is as once


@pytest.mark.parametrize("swept", [False, True])
def test_an_expired_hold_can_be_confirmed_while_its_time_is_free(
    alice: Member, hold: Appointment, swept: bool
) -> None:
    runs_out(hold)
    if swept:
        let_go_of_expired()
    assert confirm(by=alice, appointment_id=hold.id).status == "scheduled"
    with pytest.raises(Conflict):
        book_the_same_time(alice)
    assert list(in_period(alice, hold.start, hold.end)) == [hold]


@pytest.mark.parametrize("swept", [False, True])
def test_an_expired_hold_whose_time_is_taken_is_told_what_took_it(
    alice: Member, hold: Appointment, swept: bool
) -> None:
    runs_out(hold)
    if swept:
        let_go_of_expired()
    other = book_the_same_time(alice)
    with pytest.raises(Conflict) as caught:
        confirm(by=alice, appointment_id=hold.id)
    assert [o.appointment_id for o in caught.value.obstacles] == [other.id]
    assert find(alice, hold.id).current_status == "cancelled"


def test_confirming_looks_again(alice: Member, hold: Appointment) -> None:
    busy(alice, hold.start, hold.end)
    with pytest.raises(Conflict, match="busy in Google"):
        confirm(by=alice, appointment_id=hold.id)
    assert find(alice, hold.id).status == "held"
    confirm(by=alice, appointment_id=hold.id, allow_overlap=True)
    assert hold.assignments.get().booked_anyway


def test_confirming_keeps_what_was_agreed_to_when_it_was_held(alice: Member) -> None:
    calendar_of(alice, age=TOO_OLD)
    hold = book(
        by=alice, details=details(), assignees=[alice], hold_minutes=5, accept_unverified=True
    )
    confirm(by=alice, appointment_id=hold.id)
    assert hold.assignments.get().unverified


def test_only_a_hold_can_be_confirmed(alice: Member, charlie: Member, booked: Appointment) -> None:
    assert confirm(by=alice, appointment_id=booked.id).revision == 1
    change(by=alice, appointment_id=booked.id, changes={}, status="no_show")
    with pytest.raises(NotHeld, match="it is no show"):
        confirm(by=alice, appointment_id=booked.id)
    cancel(by=alice, appointment_id=booked.id)
    with pytest.raises(NotHeld, match="it is cancelled"):
        confirm(by=alice, appointment_id=booked.id)
    with pytest.raises(UnknownAppointment):
        confirm(by=charlie, appointment_id=booked.id)


def test_a_hold_that_is_moved_stays_one_until_the_same_minute(
    alice: Member, bob: Member, hold: Appointment
) -> None:
    later = {"start": tomorrow_at(7), "end": tomorrow_at(8)}
    moved = change(by=alice, appointment_id=hold.id, changes=later, assignees=[alice, bob])
    assert (moved.status, moved.held_until) == ("held", hold.held_until)
    assignments = list(hold.assignments.all())
    assert {(s.blocking, s.held_until) for s in assignments} == {(True, hold.held_until)}
    book_the_same_time(alice)


def test_a_colleague_who_joins_a_hold_is_held_too(
    alice: Member, bob: Member, hold: Appointment
) -> None:
    change(by=alice, appointment_id=hold.id, changes={}, assignees=[alice, bob])
    assert {s.held_until for s in hold.assignments.all()} == {hold.held_until}


@pytest.mark.parametrize("status", ["scheduled", "completed", "no_show"])
def test_setting_a_status_ends_the_hold(alice: Member, hold: Appointment, status: str) -> None:
    changed = change(by=alice, appointment_id=hold.id, changes={}, status=status)
    assert (changed.status, changed.held_until) == (status, None)
    assignment = hold.assignments.get()
    assert (assignment.blocking, assignment.held_until) == (True, None)


def test_setting_a_status_on_an_expired_hold_needs_its_time(
    alice: Member, hold: Appointment
) -> None:
    runs_out(hold)
    book_the_same_time(alice)
    with pytest.raises(Conflict):
        change(by=alice, appointment_id=hold.id, changes={}, status="scheduled")


def test_changing_an_expired_hold_takes_nobodys_time(alice: Member, hold: Appointment) -> None:
    runs_out(hold)
    later = {"start": tomorrow_at(7), "end": tomorrow_at(8)}
    changed = change(by=alice, appointment_id=hold.id, changes=later)
    assert changed.current_status == "cancelled"
    book(by=alice, details=details(**later), assignees=[alice])


def test_a_hold_that_is_called_off_is_an_ordinary_cancelled_appointment(
    alice: Member, hold: Appointment
) -> None:
    off = cancel(by=alice, appointment_id=hold.id)
    assert (off.status, off.held_until) == ("cancelled", None)
    assert list(in_period(alice, hold.start, hold.end)) == [hold]
    book_the_same_time(alice)


def test_calling_off_an_expired_hold_changes_nothing(alice: Member, hold: Appointment) -> None:
    runs_out(hold)
    assert cancel(by=alice, appointment_id=hold.id).current_status == "cancelled"
    assert acts(hold) == ["held"]


def test_a_deleted_hold_comes_back_as_it_was(alice: Member, hold: Appointment) -> None:
    delete(by=alice, appointment_id=hold.id)
    back = reinstate(by=alice, appointment_id=hold.id)
    assert (back.status, back.held_until) == ("held", hold.held_until)
    assignment = hold.assignments.get()
    assert (assignment.blocking, assignment.held_until) == (True, hold.held_until)


def test_a_deleted_hold_that_ran_out_meanwhile_takes_no_time(
    alice: Member, hold: Appointment
) -> None:
    delete(by=alice, appointment_id=hold.id)
    runs_out(hold)
    book_the_same_time(alice)
    assert reinstate(by=alice, appointment_id=hold.id).current_status == "cancelled"


def test_an_expired_hold_can_be_scheduled_again(alice: Member, hold: Appointment) -> None:
    runs_out(hold)
    back = reinstate(by=alice, appointment_id=hold.id)
    assert (back.status, back.held_until) == ("scheduled", None)
    assert hold.assignments.get().held_until is None
