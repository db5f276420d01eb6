"""The shapes of services in requests and answers, as the contract has them."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from ninja import Schema
from pydantic import Field, StrictBool, StrictInt

from sophiie.api.schemas import Page, Strict, Text
from sophiie.services.models import Service
from sophiie.services.rules import MAX_MEMBERS, members_named

Lengths = Annotated[
    list[StrictInt],
    Field(max_length=100, description="The lengths to choose from; the default is among them."),
]
Doers = Annotated[
    list[UUID],
    Field(max_length=MAX_MEMBERS * 2, description="Who can do it; nobody named: everybody."),
]
OrRule = Annotated[
    StrictInt | None, Field(description="`null`: as the booking rules of the business say.")
]


class ServiceNew(Strict):
    name: Text
    description: Text = ""
    duration_minutes: StrictInt
    durations: Lengths = []
    buffer_before: OrRule = None
    buffer_after: OrRule = None
    notice_minutes: OrRule = None
    window_days: OrRule = None
    price: Text = ""
    colour: Text | None = None
    people: StrictInt = 1
    member_ids: Doers = []
    active: StrictBool = True
    default_title: Text = ""
    default_notes: Text = ""


class ServicePatch(Strict):
    name: Text | None = None
    description: Text | None = None
    duration_minutes: StrictInt | None = None
    durations: Lengths | None = None
    buffer_before: OrRule = None
    buffer_after: OrRule = None
    notice_minutes: OrRule = None
    window_days: OrRule = None
    price: Text | None = None
    colour: Text | None = None
    people: StrictInt | None = None
    member_ids: Doers | None = None
    active: StrictBool | None = None
    default_title: Text | None = None
    default_notes: Text | None = None


CAN_BE_NULL = frozenset({"buffer_before", "buffer_after", "notice_minutes", "window_days"})


class ServiceFilter(Page):
    active: bool | None = None


class ServiceOut(Schema):
    id: UUID
    name: str
    description: str
    duration_minutes: int
    durations: list[int]
    buffer_before: int | None
    buffer_after: int | None
    notice_minutes: int | None
    window_days: int | None
    price: str
    colour: str
    people: Annotated[int, Field(description="How many members it takes at once.")]
    member_ids: list[UUID]
    active: bool
    default_title: str
    default_notes: str


class ServiceList(Schema):
    items: list[ServiceOut]
    next_cursor: str | None


def service_out(service: Service) -> dict[str, Any]:
    """The service as the API shows it."""
    plain = {
        name: getattr(service, name) for name in ServiceOut.model_fields if name != "member_ids"
    }
    return ServiceOut(**plain, member_ids=list(members_named(service))).model_dump(mode="json")
