"""A customer who has left traces in every place there is."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from sophiie.accounts.models import Member
from sophiie.appointments.booking import book
from sophiie.appointments.models import Appointment
from sophiie.common.clock import now
from tests.conftest import details, tomorrow_at

NAME = "Dana Winterbottom"
EMAIL = "dana.w@customers.example"
PHONE = "+61 2 5550 4711"
DANA = {"customer_name": NAME, "customer_phone": PHONE, "customer_email": EMAIL}
PLACE = "77 Winterbottom Lane"
NOTES = "Dog is called Rexford"
TITLE = "Boiler of Winterbottom"
# Whatever of these is found after an erasure has been forgotten.
TRACES = (NAME, EMAIL, PHONE, PLACE, NOTES, TITLE, "Winterbottom", "Rexford")

Book = Callable[..., Appointment]


@pytest.fixture
def book_dana(alice: Member) -> Book:
    """Books for Dana, an hour each, by `hour` of the day and `days` ahead."""

    def booked(*, hour: int = 1, days: int = 1, team: Any = (), **changes: Any) -> Appointment:
        about = details(
            **{
                "title": TITLE,
                "location": PLACE,
                "notes": NOTES,
                "start": tomorrow_at(hour, days=days),
                **DANA,
                **changes,
            }
        )
        return book(by=alice, details=about, assignees=team or [alice])

    return booked


def let_pass(appointment: Appointment, *, days: int = 3) -> None:
    """As if it had taken place some days ago."""
    start = now() - timedelta(days=days)
    Appointment.objects.filter(pk=appointment.pk).update(
        start=start, end=start + timedelta(hours=1)
    )
