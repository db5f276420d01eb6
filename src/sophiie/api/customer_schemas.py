"""The shapes of customers in requests and answers, as the contract has them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from ninja import Schema
from pydantic import Field

from sophiie.api.problems import invalid
from sophiie.api.schemas import Page, Strict, Text
from sophiie.customers.models import Customer
from sophiie.customers.selectors import Place

Phones = Annotated[
    list[Text],
    Field(max_length=20, description="As people write them; without a country, the business’s."),
]
Emails = Annotated[list[Text], Field(max_length=20)]


class CustomerNew(Strict):
    name: Text = ""
    phones: Phones = []
    email: Text = ""
    other_emails: Emails = []
    address: Text = ""
    notes: Text = ""


class CustomerPatch(Strict):
    name: Text | None = None
    phones: Phones | None = None
    other_phones: Phones | None = None
    email: Text | None = None
    other_emails: Emails | None = None
    address: Text | None = None
    notes: Text | None = None


class CustomerFilter(Page):
    q: Annotated[
        str,
        Field(
            max_length=200,
            description="Words that all occur in name, phone, email, address or notes. A word of "
            "one or two letters only finds how names begin.",
        ),
    ] = ""


class CustomerMerge(Strict):
    customer_id: Annotated[UUID, Field(description="The customer who becomes a part of this one.")]


class CustomerRecord(Schema):
    id: UUID
    name: str
    phones: Annotated[list[str], Field(description="In E.164.")]
    other_phones: Annotated[
        list[str], Field(description="As typed: what cannot be read as a number, or says more.")
    ]
    email: str
    other_emails: list[str]
    address: str
    notes: str
    created_at: datetime
    updated_at: datetime


class CustomerList(Schema):
    items: list[CustomerRecord]
    next_cursor: str | None


def customer_out(customer: Customer) -> dict[str, Any]:
    """The customer as the API shows them."""
    return CustomerRecord(
        id=customer.id,
        name=customer.name,
        phones=customer.phones,
        other_phones=customer.other_phones,
        email=customer.email,
        other_emails=customer.emails[1:],
        address=customer.address,
        notes=customer.notes,
        created_at=customer.created_at,
        updated_at=customer.updated_at,
    ).model_dump(mode="json")


def read_cursor(text: str) -> Place:
    """Where a page begins. Raises a problem for what is no cursor."""
    place = Place.read(text)
    if place is None:
        raise invalid({"cursor": ["This is not a cursor from an earlier answer."]})
    return place
