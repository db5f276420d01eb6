"""`/customers/erase`."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from django.http import HttpRequest
from ninja import Router, Schema
from pydantic import Field, StrictBool, StrictStr

from sophiie.api.access import member_of
from sophiie.api.problems import ProblemError, invalid, not_found
from sophiie.api.schemas import Problem, Strict
from sophiie.privacy.customers import CustomerPreview, erase_customer, preview_customer
from sophiie.privacy.identity import (
    Identity,
    UnknownCustomer,
    identify,
    identify_by_appointment,
    identify_by_record,
)

router = Router(tags=["customers"])
# The worker does the rest, so that no request takes long.
MAX_AT_ONCE = 100


class CustomerErasureIn(Strict):
    customer_id: UUID | None = None
    email: Annotated[StrictStr, Field(max_length=254)] | None = None
    phone: Annotated[StrictStr, Field(max_length=50)] | None = None
    appointment_id: UUID | None = None
    upcoming: Literal["cancel", "keep"] = "cancel"
    preview: StrictBool = True


class CustomerErasureOut(Schema):
    """What would be erased, or was. A worker changes or removes `google_events`; those in calendars
    that are no longer linked are out of reach. `records`: in the list of customers, deleted.
    `mentions`: other customers' appointments and records in whose texts an address or number was
    blanked out. `alike`: untouched appointments with the same name,
    or with another address or number of the same customer."""

    state: Literal["preview", "erased", "under_way"]
    names: list[str]
    emails: list[str]
    phones: list[str]
    records: int
    appointments: int
    upcoming: int
    mentions: int
    google_events: int
    google_events_waiting: int
    google_events_out_of_reach: int
    alike: int


@router.post(
    "/customers/erase",
    response={
        200: CustomerErasureOut,
        401: Problem,
        403: Problem,
        404: Problem,
        422: Problem,
        429: Problem,
    },
    summary="Erase a customer’s data",
)
def erase(request: HttpRequest, data: CustomerErasureIn) -> CustomerErasureOut:
    """Erases everything known about a customer for good, for owners and admins.

    Without `"preview": false` it erases nothing and answers what would be erased. Name the customer
    by `customer_id`, by `email`, by `phone` (only digits are compared), or by one of their
    appointments: then all appointments with the same address or number are meant, unless another
    customer has it too, and a name alone never joins two people.
    Upcoming appointments are cancelled or, with `"upcoming": "keep"`, kept without the name.
    Idempotent. `state` is `under_way` when a worker does the rest.
    """
    member = member_of(request)
    if not member.manages_business:
        raise ProblemError(
            403, "forbidden", "Not allowed", "Only owners and admins erase a customer’s data."
        )
    identity = _identity(member.business_id, data)
    if data.preview:
        return _out("preview", preview_customer(identity))
    done = erase_customer(
        by=member, identity=identity, keep_upcoming=data.upcoming == "keep", most=MAX_AT_ONCE
    )
    return _out("erased" if done.finished else "under_way", done.found)


def _identity(business_id: UUID, data: CustomerErasureIn) -> Identity:
    ways = ("customer_id", "email", "phone", "appointment_id")
    named = [name for name in ways if getattr(data, name)]
    if len(named) != 1:
        raise invalid({"email": ["Give one of customer_id, email, phone and appointment_id."]})
    try:
        if data.customer_id:
            return identify_by_record(business_id, data.customer_id)
        if data.appointment_id:
            return identify_by_appointment(business_id, data.appointment_id)
        identity = identify(business_id, data.email or data.phone or "")
    except UnknownCustomer as error:
        if data.appointment_id or data.customer_id:
            raise not_found() from None
        raise invalid({named[0]: [str(error)]}) from None
    text = data.email or data.phone or ""
    if _is_id(text) or bool(data.email) != ("@" in text):
        raise invalid({named[0]: [f"This is not the right kind of value for {named[0]}."]})
    return identity


def _is_id(text: str) -> bool:
    try:
        UUID(text.strip())
    except ValueError:
        return False
    return True


def _out(state: str, found: CustomerPreview) -> CustomerErasureOut:
    return CustomerErasureOut(
        state=state,  # type: ignore[arg-type]
        names=found.names,
        emails=found.emails,
        phones=found.phones,
        records=found.records,
        appointments=found.appointments,
        upcoming=found.upcoming,
        mentions=found.mentions,
        google_events=found.events,
        google_events_waiting=found.waiting,
        google_events_out_of_reach=found.out_of_reach,
        alike=found.alike,
    )
