"""`/customers`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, JsonResponse
from ninja import Query, Router

from sophiie.accounts.people import NotAllowed
from sophiie.api.access import member_of
from sophiie.api.appointment_list import page_of as page_of_appointments
from sophiie.api.appointment_schemas import AppointmentFilter, AppointmentList
from sophiie.api.customer_schemas import (
    CustomerFilter,
    CustomerList,
    CustomerMerge,
    CustomerNew,
    CustomerPatch,
    CustomerRecord,
    customer_out,
    read_cursor,
)
from sophiie.api.idempotency import answer_once
from sophiie.api.problems import ProblemError, invalid
from sophiie.api.schemas import Problem
from sophiie.appointments.merging import delete_customer, merge
from sophiie.customers import editing
from sophiie.customers.regions import region_of
from sophiie.customers.rules import CustomerDetails, read_details
from sophiie.customers.selectors import customers_of, page_of

router = Router(tags=["customers"])
PROBLEMS = {
    400: Problem,
    401: Problem,
    403: Problem,
    404: Problem,
    422: Problem,
    429: Problem,
    503: Problem,
}
ONE = "/customers/{uuid:customer_id}"


@router.get("/customers", response={200: CustomerList, **PROBLEMS}, summary="List or search")
def list_customers(request: HttpRequest, filters: Query[CustomerFilter]) -> HttpResponse:
    """The customers of the business by name; with `q`, those in which every word is found."""
    behind = read_cursor(filters.cursor) if filters.cursor else None
    found = customers_of(member_of(request).business_id, filters.q)
    page, next_one = page_of(found, filters.limit, behind=behind)
    items = [customer_out(customer) for customer in page]
    return JsonResponse({"items": items, "next_cursor": str(next_one) if next_one else None})


@router.post("/customers", response={201: CustomerRecord, **PROBLEMS}, summary="Create")
def create(request: HttpRequest, data: CustomerNew) -> HttpResponse:
    """Makes a customer: at least a name, a number or an address. With an `Idempotency-Key` the
    request can be repeated safely."""
    member = member_of(request)
    details = read_details(
        region=region_of(member.business.timezone),
        name=data.name,
        phones=data.phones,
        emails=[data.email, *data.other_emails],
        address=data.address,
        notes=data.notes,
    )

    def make() -> tuple[int, Any]:
        return 201, customer_out(editing.make(by=member, details=details))

    status, body = answer_once(request, member, make)
    response = JsonResponse(body, status=status)
    response["Location"] = f"/api/v1/customers/{body['id']}"
    return response


@router.get(ONE, response={200: CustomerRecord, **PROBLEMS}, summary="Read")
def read(request: HttpRequest, customer_id: UUID) -> HttpResponse:
    """One customer; the id of one that was merged leads to the one that stayed."""
    return JsonResponse(customer_out(editing.find(member_of(request), customer_id)))


@router.patch(ONE, response={200: CustomerRecord, **PROBLEMS}, summary="Change")
def change(request: HttpRequest, customer_id: UUID, data: CustomerPatch) -> HttpResponse:
    """Changes any subset of the fields. Appointments keep what they were told when they were
    booked."""
    member = member_of(request)
    if nulls := [name for name in data.model_fields_set if getattr(data, name) is None]:
        raise invalid({name: ["This cannot be null."] for name in sorted(nulls)})
    region = region_of(member.business.timezone)
    changed = editing.change(
        by=member, customer_id=customer_id, to=lambda before: _changed(before, data, region)
    )
    return JsonResponse(customer_out(changed))


@router.delete(ONE, response={204: None, **PROBLEMS}, summary="Delete")
def delete(request: HttpRequest, customer_id: UUID) -> HttpResponse:
    """Deletes the record, for owners and admins; appointments keep what they were told. To erase
    all that is known of somebody, `POST /customers/erase`."""
    try:
        delete_customer(by=member_of(request), customer_id=customer_id)
    except NotAllowed:
        raise ProblemError(
            403, "forbidden", "Not allowed", "Only owners and admins delete customers."
        ) from None
    return HttpResponse(status=204)


@router.get(
    ONE + "/appointments", response={200: AppointmentList, **PROBLEMS}, summary="Appointments"
)
def appointments(
    request: HttpRequest, customer_id: UUID, filters: Query[AppointmentFilter]
) -> HttpResponse:
    """The customer's appointments by start, with the filters of `GET /appointments`."""
    member = member_of(request)
    customer = editing.find(member, customer_id)
    return JsonResponse(page_of_appointments(member, filters, customer_id=customer.id))


@router.post(ONE + "/merge", response={200: CustomerRecord, **PROBLEMS}, summary="Merge")
def merge_customers(request: HttpRequest, customer_id: UUID, data: CustomerMerge) -> HttpResponse:
    """Makes one of two: this customer gets the other's appointments and all that was known of the
    other, whose id leads here from now on. Idempotent."""
    member = member_of(request)
    return JsonResponse(
        customer_out(merge(by=member, customer_id=customer_id, other_id=data.customer_id))
    )


def _changed(before: CustomerDetails, data: CustomerPatch, region: str | None) -> CustomerDetails:
    """The details as the request wants them; what it does not name stays."""
    named = data.model_fields_set
    phones: Iterable[str] = data.phones if data.phones is not None else before.phones
    others: Iterable[str] = (
        data.other_phones if data.other_phones is not None else before.other_phones
    )
    emails = [data.email] if data.email is not None else list(before.emails[:1])
    emails += data.other_emails if data.other_emails is not None else before.emails[1:]
    plain = {name: getattr(data, name) for name in ("name", "address", "notes") if name in named}
    read = read_details(
        region=region,
        phones=[*phones, *others],
        emails=emails,
        name=plain.get("name", before.name),
        address=plain.get("address", before.address),
        notes=plain.get("notes", before.notes),
    )
    if named & {"phones", "other_phones"}:
        return read
    # A number that was typed where the business used to be stays what it is.
    return replace(read, phones=before.phones, other_phones=before.other_phones)
