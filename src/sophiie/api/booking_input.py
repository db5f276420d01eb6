"""What a request says of an appointment, or of all visits of a series, in the words of the acts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any
from uuid import UUID

from sophiie.accounts.models import Member
from sophiie.api.appointment_schemas import AppointmentIn, AppointmentPatch, CustomerIn
from sophiie.api.booked_service import notes_of, team_of_service, title_of
from sophiie.api.problems import ProblemError, invalid
from sophiie.api.series_requests import SeriesIn, SeriesPatch
from sophiie.appointments.rules import Details, assignees_of, may_book_over
from sophiie.services.models import Service

_CAN_BE_NULL = {"customer", "customer_id", "service_id"}


def new_details(
    data: AppointmentIn | SeriesIn, service: Service | None, *, end: datetime, zone: str
) -> Details:
    """What is to be booked; a service gives what the request does not say."""
    return Details(
        title=title_of(data.title, service),
        start=data.start,
        end=end,
        timezone=zone,
        location=data.location.strip(),
        notes=notes_of(data.notes, service),
        service_id=data.service_id,
        travel_minutes=data.travel_minutes,
        **_customer(data.customer),
    )


def new_team(
    data: AppointmentIn | SeriesIn, member: Member, service: Service | None, details: Details
) -> Sequence[Member]:
    """Whom the request names; else who should do the service at this time, or the key's member."""
    if data.assignees is None and service:
        return team_of_service(
            member,
            service,
            start=details.start,
            end=details.end,
            travel_minutes=details.travel_minutes,
        )
    names = [str(member.id)] if data.assignees is None else data.assignees
    return assignees_of(member.business, names)


def length_said(
    data: AppointmentIn | SeriesIn, service: Service | None
) -> tuple[datetime | None, int | None]:
    """The end or the minutes that the request gives, or else the service: exactly one of them."""
    minutes = data.duration_minutes
    if service and minutes is None and data.end is None:
        minutes = service.duration_minutes
    if (data.end is None) == (minutes is None):
        raise invalid({"end": ["Give either end or duration_minutes."]})
    return data.end, minutes


def changed_details(data: AppointmentPatch | SeriesPatch) -> dict[str, Any]:
    """The fields of `Details` that a change names, apart from the times of a series. Only customer
    and service may be null: then it is for nobody, or of no service."""
    named = data.model_fields_set
    nulls = {name for name in named - _CAN_BE_NULL if getattr(data, name) is None}
    if nulls:
        raise invalid({name: ["This cannot be null."] for name in sorted(nulls)})
    changes = {name: getattr(data, name) for name in _DETAILS & named}
    if isinstance(data, SeriesPatch):
        changes.pop("start", None)
    for name in ("title", "location"):
        if name in changes:
            changes[name] = changes[name].strip()
    if named & {"customer", "customer_id"}:
        changes |= _customer(data.customer)
    return changes


_DETAILS = {field.name for field in fields(Details)}


def customer_named(
    data: AppointmentIn | AppointmentPatch | SeriesIn | SeriesPatch,
) -> UUID | None:
    inside = data.customer.id if data.customer else None
    if inside and data.customer_id and inside != data.customer_id:
        raise invalid({"customer_id": ["This is another customer than in customer.id."]})
    return inside or data.customer_id


def _customer(customer: CustomerIn | None) -> dict[str, Any]:
    customer = customer or CustomerIn()
    return {
        "customer_name": customer.name.strip(),
        "customer_phone": customer.phone.strip(),
        "customer_email": customer.email.strip(),
    }


def check_may_overlap(member: Member, asked: bool) -> bool:
    """Whether it may be booked over what is in the way, as asked; a 403 for who may not."""
    if asked and not may_book_over(member):
        raise ProblemError(
            403, "forbidden", "Not allowed", "Only owners and admins may book over an appointment."
        )
    return asked
