"""Dana, a customer of Harbour Plumbing, and how to book for her."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sophiie.accounts.models import Member
from sophiie.appointments.booking import book
from sophiie.appointments.models import Appointment
from sophiie.customers.editing import make
from sophiie.customers.models import Customer
from sophiie.customers.regions import region_of
from sophiie.customers.rules import read_details
from tests.conftest import details, tomorrow_at

PHONE, EMAIL = "+61255504711", "dana.w@customers.example"
Book = Callable[..., Appointment]


def customer(by: Member, name: str = "Dana Winterbottom", **known: Any) -> Customer:
    """A customer in the list of the member's business."""
    said = read_details(region=region_of(by.business.timezone), name=name, **known)
    return make(by=by, details=said)


@pytest.fixture
def dana(alice: Member) -> Customer:
    return customer(alice, phones=["02 5550 4711"], emails=[EMAIL])


@pytest.fixture
def book_for(alice: Member) -> Book:
    """Books an hour of Alice's, each time another one, for a customer by words or by id."""
    hours = iter(range(0, 20, 2))

    def booked(name: str = "", phone: str = "", email: str = "", **more: Any) -> Appointment:
        about = details(
            start=tomorrow_at(next(hours)),
            customer_name=name,
            customer_phone=phone,
            customer_email=email,
        )
        return book(by=alice, details=about, assignees=[alice], **more)

    return booked
