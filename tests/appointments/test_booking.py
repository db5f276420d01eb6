"""Booking: nobody is booked twice, unless somebody with the right to says so."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import DatabaseError, transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from sophiie.accounts.models import Member
from sophiie.appointments import assignments, booking
from sophiie.appointments.booking import book, cancel, change
from sophiie.appointments.errors import Conflict
from sophiie.appointments.locking import TimeTaken, database_refusals, lock_members
from sophiie.appointments.models import Appointment, AppointmentChange, Assignment
from sophiie.appointments.signals import appointment_changed
from tests.conftest import details, tomorrow_at

# Beside an appointment from 10:00 to 11:00: (start, end) in hours.
OVERLAPS = {
    "the same time": (10, 11),
    "over its start": (9.5, 10.5),
    "over its end": (10.5, 11.5),
    "inside": (10.25, 10.75),
    "around": (9, 12),
    "by a second": (10.9998, 12),
}
FREE = {"until its start": (9, 10), "from its end": (11, 12), "much later": (15, 16)}


def hours(start: float, end: float) -> dict[str, object]:
    day = tomorrow_at(0)
    return {"start": day + timedelta(hours=start), "end": day + timedelta(hours=end)}


@pytest.fixture
def at_ten(alice: Member) -> Appointment:
    return book(by=alice, details=details(**hours(10, 11)), assignees=[alice])


def test_a_booking_keeps_what_was_said(alice: Member, bob: Member) -> None:
    asked = details(location="12 Bay Street", notes="Ring twice", customer_name="Ms Green")
    made = book(by=bob, details=asked, assignees=[bob, alice])
    kept = Appointment.objects.get(pk=made.pk)
    assert (kept.title, kept.location, kept.notes) == ("Leaking tap", "12 Bay Street", "Ring twice")
    assert (kept.start, kept.end, kept.timezone) == (asked.start, asked.end, "Australia/Sydney")
    assert (kept.status, kept.revision, kept.created_by) == ("scheduled", 1, bob)
    assert kept.business == alice.business


def test_assignees_stay_in_the_order_in_which_they_were_named(alice: Member, bob: Member) -> None:
    for n, team in enumerate(([alice, bob], [bob, alice]) * 5):
        made = book(by=alice, details=details(start=tomorrow_at(n)), assignees=team)
        found = booking.find(alice, made.id)
        assert [a.member for a in found.assignments.all()] == team


@pytest.mark.parametrize("times", OVERLAPS.values(), ids=OVERLAPS)
def test_an_overlap_is_refused_and_its_cause_is_named(
    alice: Member, at_ten: Appointment, times: tuple[float, float]
) -> None:
    with pytest.raises(Conflict, match="Alice") as caught:
        book(by=alice, details=details(**hours(*times)), assignees=[alice])
    (obstacle,) = caught.value.obstacles
    assert (obstacle.member_id, obstacle.appointment_id) == (alice.id, at_ten.id)
    assert (obstacle.start, obstacle.end) == (at_ten.start, at_ten.end)
    assert Appointment.objects.count() == 1
    assert AppointmentChange.objects.count() == 1


@pytest.mark.parametrize("times", FREE.values(), ids=FREE)
def test_times_that_only_touch_are_free(
    alice: Member, at_ten: Appointment, times: tuple[float, float]
) -> None:
    book(by=alice, details=details(**hours(*times)), assignees=[alice])
    assert Assignment.objects.filter(blocking=True).count() == 2


def test_another_person_is_free_at_that_time(
    alice: Member, bob: Member, at_ten: Appointment
) -> None:
    book(by=alice, details=details(**hours(10, 11)), assignees=[bob])
    assert Appointment.objects.count() == 2


def test_every_assignee_who_is_taken_is_named(
    alice: Member, bob: Member, at_ten: Appointment
) -> None:
    second = book(by=alice, details=details(**hours(11, 12)), assignees=[bob])
    with pytest.raises(Conflict, match="Alice and Bob already have") as caught:
        book(by=alice, details=details(**hours(10, 12)), assignees=[bob, alice])
    named = [(o.member_name, o.appointment_id) for o in caught.value.obstacles]
    assert named == [("Alice", at_ten.id), ("Bob", second.id)]


def test_one_taken_assignee_refuses_the_whole_booking(
    alice: Member, bob: Member, at_ten: Appointment
) -> None:
    with pytest.raises(Conflict):
        book(by=alice, details=details(**hours(10, 11)), assignees=[bob, alice])
    assert not Assignment.objects.filter(member=bob).exists()


def test_a_cancelled_appointment_is_in_nobodys_way(alice: Member, at_ten: Appointment) -> None:
    cancel(by=alice, appointment_id=at_ten.id)
    book(by=alice, details=details(**hours(10, 11)), assignees=[alice])


def test_book_anyway_marks_and_frees_only_the_share_that_clashes(
    alice: Member, bob: Member, at_ten: Appointment
) -> None:
    made = book(
        by=alice, details=details(**hours(10, 11)), assignees=[alice, bob], allow_overlap=True
    )
    assignments = {a.member: (a.booked_anyway, a.blocking) for a in made.assignments.all()}
    assert assignments == {alice: (True, False), bob: (False, True)}
    assert at_ten.assignments.get().blocking
    with pytest.raises(Conflict) as caught:  # Bob's own assignment still protects his time
        book(by=alice, details=details(**hours(10, 11)), assignees=[bob])
    assert caught.value.obstacles[0].appointment_id == made.id


def test_book_anyway_without_a_clash_is_a_plain_booking(alice: Member) -> None:
    made = book(by=alice, details=details(), assignees=[alice], allow_overlap=True)
    assert made.assignments.filter(blocking=True, booked_anyway=False).count() == 1


def test_a_booking_made_anyway_blocks_again_once_it_is_moved_to_a_free_time(
    alice: Member, at_ten: Appointment
) -> None:
    made = book(by=alice, details=details(**hours(10, 11)), assignees=[alice], allow_overlap=True)
    change(by=alice, appointment_id=made.id, changes=hours(14, 15))
    assignment = made.assignments.get()
    assert (assignment.blocking, assignment.booked_anyway) == (True, False)


@pytest.mark.parametrize("times", OVERLAPS.values(), ids=OVERLAPS)
def test_the_database_refuses_by_itself(
    alice: Member,
    at_ten: Appointment,
    times: tuple[float, float],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The check before the insert is for good messages; the constraint is what holds."""
    look, looks = assignments.conflicts_of, iter([True])
    monkeypatch.setattr(
        assignments, "conflicts_of", lambda **k: [] if next(looks, False) else look(**k)
    )
    with pytest.raises(Conflict) as caught:
        book(by=alice, details=details(**hours(*times)), assignees=[alice])
    assert [o.appointment_id for o in caught.value.obstacles] == [at_ten.id]
    assert Appointment.objects.count() == 1


def test_the_constraint_knows_touching_from_overlapping(alice: Member, at_ten: Appointment) -> None:
    day = tomorrow_at(0)
    later = book(by=alice, details=details(**hours(15, 16)), assignees=[alice])
    assignment = later.assignments.get()
    assignment.during = DateTimeTZRange(day + timedelta(hours=11), day + timedelta(hours=12))
    assignment.save()
    assignment.during = DateTimeTZRange(day + timedelta(hours=10.5), day + timedelta(hours=12))
    with pytest.raises(TimeTaken), database_refusals(), transaction.atomic():
        assignment.save()


def test_other_database_errors_are_not_called_a_conflict(
    alice: Member, booked: Appointment
) -> None:
    assignment = booked.assignments.get()
    twin = Assignment(appointment=booked, member=alice, during=assignment.during, blocking=False)
    refused = pytest.raises(DatabaseError, match="assignment_once")
    with refused, database_refusals(), transaction.atomic():
        twin.save()


def test_a_conflict_that_vanished_meanwhile_still_reads_well() -> None:
    assert str(Conflict([])) == "Somebody already has an appointment at this time."


@pytest.mark.django_db(transaction=True)
def test_locks_are_refused_outside_a_transaction(alice: Member) -> None:
    with pytest.raises(transaction.TransactionManagementError):
        lock_members([alice.id])


def test_a_receiver_that_fails_takes_the_booking_back(alice: Member) -> None:
    def fail(**_: object) -> None:
        raise RuntimeError("the outbox is full")

    appointment_changed.connect(fail)
    try:
        with pytest.raises(RuntimeError):
            book(by=alice, details=details(), assignees=[alice])
    finally:
        appointment_changed.disconnect(fail)
    assert not Appointment.objects.exists()
    assert not AppointmentChange.objects.exists()
