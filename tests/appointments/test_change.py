"""Changing, cancelling, bringing back and deleting, and the history that they leave."""

from __future__ import annotations

from datetime import timedelta

import pytest

from sophiie.accounts.models import Member
from sophiie.accounts.people import add_member
from sophiie.appointments.booking import book, cancel, change, delete, find, reinstate
from sophiie.appointments.errors import (
    Conflict,
    InvalidAppointment,
    StaleRevision,
    UnknownAppointment,
)
from sophiie.appointments.models import Appointment, AppointmentChange
from sophiie.appointments.selectors import in_period, visible_to
from tests.conftest import details, tomorrow_at


def history(appointment: Appointment) -> list[tuple[int, str, str]]:
    """(revision, action, by whom), the oldest first."""
    changes = AppointmentChange.objects.filter(appointment=appointment).order_by("revision")
    return [(c.revision, c.action, c.by.name) for c in changes]


def test_a_change_counts_the_revision_and_names_the_difference(
    alice: Member, bob: Member, booked: Appointment
) -> None:
    changed = change(
        by=bob,
        appointment_id=booked.id,
        changes={"title": "Burst pipe", "notes": "Hurry"},
        assignees=[alice, bob],
    )
    assert (changed.title, changed.revision) == ("Burst pipe", 2)
    assert changed.updated_at > booked.updated_at
    assert history(booked) == [(1, "created", "Alice"), (2, "changed", "Bob")]
    assert booked.changes.get(revision=2).fields == {
        "title": ["Leaking tap", "Burst pipe"],
        "notes": ["", "Hurry"],
        "assignees": [["Alice"], ["Alice", "Bob"]],
    }


def test_a_change_that_changes_nothing_makes_no_revision(
    alice: Member, booked: Appointment
) -> None:
    same = change(
        by=alice,
        appointment_id=booked.id,
        changes=details(start=booked.start).as_dict(),
        assignees=[alice],
        status="scheduled",
    )
    assert same.revision == 1
    assert Appointment.objects.get().updated_at == booked.updated_at
    assert history(booked) == [(1, "created", "Alice")]


def test_moving_frees_the_old_time_and_takes_the_new(alice: Member, booked: Appointment) -> None:
    later = {"start": booked.start + timedelta(hours=5), "end": booked.end + timedelta(hours=5)}
    change(by=alice, appointment_id=booked.id, changes=later)
    book(by=alice, details=details(start=booked.start), assignees=[alice])
    with pytest.raises(Conflict):
        book(by=alice, details=details(start=later["start"]), assignees=[alice])


def test_moving_by_minutes_does_not_clash_with_itself(alice: Member, booked: Appointment) -> None:
    by_minutes = {"start": booked.start + timedelta(minutes=15)}
    assert change(by=alice, appointment_id=booked.id, changes=by_minutes).revision == 2


def test_moving_onto_another_appointment_is_refused_and_changes_nothing(
    alice: Member, booked: Appointment
) -> None:
    other = book(by=alice, details=details(start=tomorrow_at(5)), assignees=[alice])
    onto = {"start": booked.start, "end": booked.end, "title": "Elsewhere"}
    with pytest.raises(Conflict) as caught:
        change(by=alice, appointment_id=other.id, changes=onto)
    assert [o.appointment_id for o in caught.value.obstacles] == [booked.id]
    kept = find(alice, other.id)
    assert (kept.title, kept.start, kept.revision) == (other.title, other.start, 1)
    assert kept.assignments.get().blocking


def test_a_new_assignee_must_be_free_too(alice: Member, bob: Member, booked: Appointment) -> None:
    book(by=bob, details=details(start=booked.start), assignees=[bob])
    with pytest.raises(Conflict, match="Bob"):
        change(by=alice, appointment_id=booked.id, changes={}, assignees=[alice, bob])


def test_an_assignee_who_leaves_is_free(alice: Member, bob: Member, booked: Appointment) -> None:
    change(by=alice, appointment_id=booked.id, changes={}, assignees=[bob])
    book(by=alice, details=details(start=booked.start), assignees=[alice])


def test_two_may_swap_their_appointments_one_after_the_other(
    alice: Member, bob: Member, booked: Appointment
) -> None:
    other = book(by=bob, details=details(start=booked.start), assignees=[bob])
    change(by=alice, appointment_id=booked.id, changes={}, assignees=[bob], allow_overlap=True)
    change(by=alice, appointment_id=other.id, changes={}, assignees=[alice])
    assert find(alice, other.id).assignments.get().member == alice


def test_a_stale_revision_is_refused_and_says_the_present_one(
    alice: Member, bob: Member, booked: Appointment
) -> None:
    change(by=bob, appointment_id=booked.id, changes={"title": "By Bob"}, expected_revision=1)
    for act in (
        lambda: change(
            by=alice, appointment_id=booked.id, changes={"title": "By Alice"}, expected_revision=1
        ),
        lambda: cancel(by=alice, appointment_id=booked.id, expected_revision=1),
        lambda: delete(by=alice, appointment_id=booked.id, expected_revision=1),
    ):
        with pytest.raises(StaleRevision) as caught:
            act()
        assert caught.value.current == 2
    kept = find(alice, booked.id)
    assert (kept.title, kept.status) == ("By Bob", "scheduled")


def test_changes_are_held_to_the_same_rules_as_bookings(alice: Member, booked: Appointment) -> None:
    with pytest.raises(InvalidAppointment) as caught:
        change(by=alice, appointment_id=booked.id, changes={"end": booked.start, "title": " "})
    assert set(caught.value.errors) == {"title", "end"}
    assert history(booked) == [(1, "created", "Alice")]


@pytest.mark.parametrize("status", ["completed", "no_show"])
def test_an_outcome_is_a_revision_and_keeps_the_time(
    alice: Member, booked: Appointment, status: str
) -> None:
    changed = change(by=alice, appointment_id=booked.id, changes={}, status=status)
    assert (changed.status, changed.revision) == (status, 2)
    assert booked.changes.get(revision=2).fields == {"status": ["scheduled", status]}
    with pytest.raises(Conflict):
        book(by=alice, details=details(start=booked.start), assignees=[alice])


def test_cancelling_twice_is_as_once(alice: Member, booked: Appointment) -> None:
    cancel(by=alice, appointment_id=booked.id)
    assert cancel(by=alice, appointment_id=booked.id).revision == 2
    assert history(booked) == [(1, "created", "Alice"), (2, "cancelled", "Alice")]
    assert find(alice, booked.id).status == "cancelled"  # still to be seen


def test_a_cancelled_appointment_comes_back_if_its_time_is_free(
    alice: Member, booked: Appointment
) -> None:
    cancel(by=alice, appointment_id=booked.id)
    back = change(by=alice, appointment_id=booked.id, changes={}, status="scheduled")
    assert (back.status, back.revision) == ("scheduled", 3)
    with pytest.raises(Conflict):
        book(by=alice, details=details(start=booked.start), assignees=[alice])


def test_a_cancelled_appointment_does_not_come_back_over_another(
    alice: Member, booked: Appointment
) -> None:
    cancel(by=alice, appointment_id=booked.id)
    book(by=alice, details=details(start=booked.start), assignees=[alice])
    with pytest.raises(Conflict):
        change(by=alice, appointment_id=booked.id, changes={}, status="scheduled")
    assert find(alice, booked.id).status == "cancelled"


def test_moving_a_cancelled_appointment_takes_nobodys_time(
    alice: Member, booked: Appointment
) -> None:
    cancel(by=alice, appointment_id=booked.id)
    later = {"start": tomorrow_at(7), "end": tomorrow_at(8)}
    assert change(by=alice, appointment_id=booked.id, changes=later).status == "cancelled"
    book(by=alice, details=details(start=tomorrow_at(7)), assignees=[alice])


def test_a_deleted_appointment_is_gone_from_sight_but_not_from_history(
    alice: Member, booked: Appointment
) -> None:
    delete(by=alice, appointment_id=booked.id)
    for act in (find, lambda by, one: delete(by=by, appointment_id=one)):
        with pytest.raises(UnknownAppointment):
            act(alice, booked.id)
    with pytest.raises(UnknownAppointment):
        cancel(by=alice, appointment_id=booked.id)
    with pytest.raises(UnknownAppointment):
        change(by=alice, appointment_id=booked.id, changes={"title": "Back"})
    assert not visible_to(alice).exists()
    assert history(booked) == [(1, "created", "Alice"), (2, "deleted", "Alice")]
    book(by=alice, details=details(start=booked.start), assignees=[alice])


def test_another_business_finds_nothing(charlie: Member, booked: Appointment) -> None:
    with pytest.raises(UnknownAppointment):
        find(charlie, booked.id)
    with pytest.raises(UnknownAppointment):
        change(by=charlie, appointment_id=booked.id, changes={"title": "Mine"})
    with pytest.raises(UnknownAppointment):
        cancel(by=charlie, appointment_id=booked.id)
    with pytest.raises(UnknownAppointment):
        delete(by=charlie, appointment_id=booked.id)
    assert not visible_to(charlie).exists()
    assert Appointment.objects.get().revision == 1


def test_a_period_holds_what_touches_it(alice: Member) -> None:
    long = book(
        by=alice,
        details=details(start=tomorrow_at(0), end=tomorrow_at(0, days=4)),
        assignees=[alice],
    )
    assert list(in_period(alice, tomorrow_at(0, days=2), tomorrow_at(0, days=3))) == [long]
    assert not in_period(alice, tomorrow_at(0, days=4), tomorrow_at(0, days=5))
    assert not in_period(alice, tomorrow_at(0, days=0), tomorrow_at(0))


def test_an_assignee_who_was_switched_off_stays_until_somebody_is_put_in_place(
    alice: Member,
) -> None:
    eve = add_member(
        business=alice.business, email="eve@example.com", name="Eve", role="member", password=None
    )
    made = book(by=alice, details=details(), assignees=[eve])
    Member.objects.filter(pk=eve.pk).update(is_active=False)
    change(by=alice, appointment_id=made.id, changes={"title": "Later"})
    assert find(alice, made.id).assignments.get().member == eve


def test_undoing_the_deletion_of_what_was_booked_on_top_brings_it_back_on_top(
    alice: Member, booked: Appointment
) -> None:
    on_top = book(by=alice, details=details(), assignees=[alice], allow_overlap=True)
    delete(by=alice, appointment_id=on_top.id)
    back = reinstate(by=alice, appointment_id=on_top.id)
    (assignment,) = back.assignments.all()
    assert assignment.booked_anyway
    assert not assignment.blocking
    assert booked.assignments.get().blocking


def test_a_deleted_appointment_comes_back_once_and_as_it_was(
    alice: Member, booked: Appointment
) -> None:
    delete(by=alice, appointment_id=booked.id)
    for _ in range(2):
        reinstate(by=alice, appointment_id=booked.id)
        booked.refresh_from_db()
        assert (booked.deleted_at, booked.status, booked.revision) == (None, "scheduled", 3)
        assert booked.assignments.get().blocking
    actions = list(booked.changes.order_by("at", "id").values_list("action", flat=True))
    assert actions == ["created", "deleted", "reinstated"]
