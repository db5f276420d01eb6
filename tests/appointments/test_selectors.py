"""What is still ahead of somebody, and what a customer's latest appointment is."""

from __future__ import annotations

from datetime import timedelta

import pytest

from sophiie.accounts.models import Member
from sophiie.appointments.booking import book, cancel, delete
from sophiie.appointments.models import Appointment
from sophiie.appointments.selectors import latest_of, still_ahead_of
from sophiie.common.clock import now
from tests.conftest import details, tomorrow_at

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock_stands")]
SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)


def booked(member: Member, hour: int, **more: object) -> Appointment:
    about = details(start=tomorrow_at(hour), **more)
    return book(by=member, details=about, assignees=[member])


def test_the_first_of_what_is_ahead_and_how_many_more(
    alice: Member, bob: Member, charlie: Member
) -> None:
    mine = [booked(alice, hour) for hour in (7, 3, 5, 1, 9, 11)]
    theirs = booked(bob, 2)
    found = still_ahead_of([alice, bob, charlie], now())
    assert found.keys() == {alice.id, bob.id}
    in_order = sorted(mine, key=lambda appointment: appointment.start)
    assert (found[alice.id].count, found[alice.id].first) == (6, in_order[:5])
    assert (found[bob.id].count, found[bob.id].first) == (1, [theirs])
    assert (found[alice.id].more, found[bob.id].more) == (1, 0)
    few = still_ahead_of([alice], now(), first=2)[alice.id]
    assert (few.first, few.more) == (in_order[:2], 4)


def test_what_is_over_or_off_is_not_ahead(alice: Member) -> None:
    over, ending = booked(alice, 1), booked(alice, 3)
    for appointment, end in ((over, timedelta()), (ending, SECOND)):
        Appointment.objects.filter(pk=appointment.pk).update(start=now() - HOUR, end=now() + end)
    cancel(by=alice, appointment_id=booked(alice, 5).id)
    delete(by=alice, appointment_id=booked(alice, 7).id)
    assert still_ahead_of([alice], now())[alice.id].first == [ending]


def test_the_latest_appointment_of_each_customer(alice: Member) -> None:
    def of(name: str, *hours: int) -> list[Appointment]:
        return [
            booked(alice, hour, customer_name=name, customer_email=f"{name}@customers.example")
            for hour in hours
        ]

    dana, erin = of("Dana", 5, 9, 7), of("Erin", 11, 3)
    delete(by=alice, appointment_id=dana[1].id)
    ids = [made[0].customer_id for made in (dana, erin)]
    found = latest_of(one for one in ids if one)
    assert found == {ids[0]: dana[2], ids[1]: erin[0]}
    assert latest_of([]) == {}
