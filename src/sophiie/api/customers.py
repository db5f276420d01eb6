"""`/customers`: so far, forgetting one."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest
from ninja import Router

from sophiie.api.access import member_of
from sophiie.api.problems import ProblemError, invalid, not_found
from sophiie.api.schemas import CustomerErasureIn, CustomerErasureOut, Problem
from sophiie.privacy.customers import CustomerPreview, erase_customer, preview_customer
from sophiie.privacy.identity import Identity, UnknownCustomer, identify, identify_by_appointment

router = Router(tags=["customers"])
# More appointments than this are left to the worker, so that a call does not last long.
MAX_AT_ONCE = 100


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
    """Erases for good all that is known of a customer; for owners and admins.

    Without `"preview": false` nothing is erased, and the answer says what would be. Name the
    customer by `email`, by `phone` (compared by its digits), or by an appointment of theirs: then
    all appointments with the same address or number are meant; a name alone merges nobody.
    Upcoming appointments are cancelled, or with `"upcoming": "keep"` kept without a name. Twice is
    as once. `state` is `under_way` when a worker does the rest.
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
    named = [name for name in ("email", "phone", "appointment_id") if getattr(data, name)]
    if len(named) != 1:
        raise invalid({"email": ["Give one of email, phone and appointment_id."]})
    try:
        if data.appointment_id:
            return identify_by_appointment(business_id, data.appointment_id)
        identity = identify(business_id, data.email or data.phone or "")
    except UnknownCustomer as error:
        if data.appointment_id:
            raise not_found() from None
        raise invalid({named[0]: [str(error)]}) from None
    if identity.appointment_id or bool(data.email) != bool(identity.traces.emails):
        raise invalid({named[0]: [f"This is not the right kind of value for {named[0]}."]})
    return identity


def _out(state: str, found: CustomerPreview) -> CustomerErasureOut:
    return CustomerErasureOut(
        state=state,  # type: ignore[arg-type]
        names=found.names,
        emails=found.emails,
        phones=found.phones,
        appointments=found.appointments,
        upcoming=found.upcoming,
        mentions=found.mentions,
        google_events=found.events,
        google_events_waiting=found.waiting,
        google_events_out_of_reach=found.out_of_reach,
        alike=found.alike,
    )
