"""An appointment keeps what its service was when it was booked."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from sophiie.accounts.models import Member
from sophiie.appointments import booking
from sophiie.appointments.errors import InvalidAppointment
from sophiie.appointments.models import Appointment
from sophiie.appointments.services import delete_service
from sophiie.common.ids import new_id
from sophiie.services import editing
from tests.conftest import details, tomorrow_at
from tests.services.made import service

pytestmark = pytest.mark.django_db
KEPT = ("service_id", "buffer_before_minutes", "buffer_after_minutes", "travel_minutes")


def kept(appointment: Appointment) -> tuple[Any, ...]:
    """What the appointment has, after a look that its assignments say the same."""
    found = Appointment.objects.get(pk=appointment.pk)
    for assignment in found.assignments.all():
        for name in KEPT[1:]:
            assert getattr(assignment, name) == getattr(found, name), name
    return tuple(getattr(found, name) for name in KEPT)


def booked_for(by: Member, *team: Member, **said: Any) -> Appointment:
    return booking.book(by=by, details=details(**said), assignees=list(team))


def change(by: Member, appointment: Appointment, **changes: Any) -> Appointment:
    return booking.change(by=by, appointment_id=appointment.pk, changes=changes)


def test_buffers_are_kept_when_the_service_changes_or_goes(alice: Member) -> None:
    made = service(alice, buffer_before=10, buffer_after=None)
    appointment = booked_for(alice, alice, service_id=made.pk, travel_minutes=20)
    assert kept(appointment) == (made.pk, 10, None, 20)
    editing.change(
        by=alice,
        service_id=made.pk,
        to=lambda before: replace(before, buffer_before=99, buffer_after=99, active=False),
    )
    moved = change(alice, appointment, start=tomorrow_at(5), end=tomorrow_at(6))
    assert kept(moved) == (made.pk, 10, None, 20)
    delete_service(by=alice, service_id=made.pk)
    assert kept(moved) == (None, 10, None, 20)
    assert kept(change(alice, moved, title="Other")) == (None, 10, None, 20)


def test_another_service_brings_its_buffers_and_the_history_tells(
    alice: Member, bob: Member
) -> None:
    first = service(alice, buffer_before=10, buffer_after=5)
    second = service(alice, name="Boiler service", buffer_after=30)
    appointment = booked_for(alice, alice, bob, service_id=first.pk)
    assert kept(change(alice, appointment, service_id=second.pk)) == (second.pk, None, 30, 0)
    assert kept(change(alice, appointment, travel_minutes=15)) == (second.pk, None, 30, 15)
    again = booking.change(by=alice, appointment_id=appointment.pk, changes={}, assignees=[bob])
    assert kept(again) == (second.pk, None, 30, 15)
    assert kept(change(alice, appointment, service_id=None)) == (None, None, None, 15)
    said = [entry.fields for entry in appointment.changes.order_by("revision")]
    assert said[0]["service"] == [None, "Gas check"]
    assert "travel_minutes" not in said[0]
    assert said[1] == {"service": ["Gas check", "Boiler service"]}
    assert said[2] == {"travel_minutes": [0, 15]}
    assert said[4] == {"service": ["Boiler service", None]}


def test_an_appointment_without_a_service_is_as_before(alice: Member) -> None:
    appointment = booked_for(alice, alice)
    assert kept(appointment) == (None, None, None, 0)
    (first,) = appointment.changes.all()
    assert first.fields.keys().isdisjoint({"service", "service_id", "travel_minutes"})


def test_what_cannot_be_booked_is_refused_at_its_field(alice: Member, charlie: Member) -> None:
    gone = service(alice, active=False)
    for service_id, words in (
        (service(charlie).pk, "There is no service with this id."),
        (new_id(), "There is no service with this id."),
        (gone.pk, "“Gas check” is not offered any more."),
    ):
        with pytest.raises(InvalidAppointment) as refused:
            booked_for(alice, alice, service_id=service_id)
        assert refused.value.errors == {"service_id": words}
    for minutes in (-1, 481):
        with pytest.raises(InvalidAppointment) as refused:
            booked_for(alice, alice, travel_minutes=minutes)
        assert refused.value.errors == {"travel_minutes": "Between 0 and 480."}
    assert not Appointment.objects.exists()


def test_who_does_not_do_it_may_be_booked_on_purpose(alice: Member, bob: Member) -> None:
    made = service(alice, bob)
    assert booked_for(alice, alice, service_id=made.pk).service_id == made.pk


def test_a_cancelled_one_comes_back_with_its_distance(alice: Member) -> None:
    made = service(alice, buffer_after=30)
    appointment = booked_for(alice, alice, service_id=made.pk)
    booking.cancel(by=alice, appointment_id=appointment.pk)
    back = booking.reinstate(by=alice, appointment_id=appointment.pk)
    assert kept(back) == (made.pk, None, 30, 0)


def test_a_hold_may_be_as_far_ahead_as_the_service_is_offered(alice: Member) -> None:
    far = tomorrow_at(1) + timedelta(days=400)
    made = service(alice, window_days=500)
    held = booking.book(
        by=alice,
        details=details(start=far, end=far + timedelta(hours=1), service_id=made.pk),
        assignees=[alice],
        hold_minutes=5,
    )
    assert held.is_hold
    with pytest.raises(InvalidAppointment, match="at most 365 days"):
        booking.book(
            by=alice,
            details=details(start=far, end=far + timedelta(hours=1)),
            assignees=[alice],
            hold_minutes=5,
        )
