"""`/services`."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, JsonResponse
from ninja import Query, Router

from sophiie.accounts.models import Member
from sophiie.api.access import member_of
from sophiie.api.idempotency import answer_once
from sophiie.api.problems import ProblemError, invalid
from sophiie.api.schemas import Problem
from sophiie.api.service_schemas import (
    CAN_BE_NULL,
    ServiceFilter,
    ServiceList,
    ServiceNew,
    ServiceOut,
    ServicePatch,
    service_out,
)
from sophiie.appointments.services import delete_service
from sophiie.services import editing
from sophiie.services.models import Service
from sophiie.services.rules import ServiceDetails
from sophiie.services.selectors import colour_for_new, find, services_of

router = Router(tags=["services"])
PROBLEMS = {
    400: Problem,
    401: Problem,
    403: Problem,
    404: Problem,
    422: Problem,
    429: Problem,
    503: Problem,
}
ONE = "/services/{uuid:service_id}"


@router.get("/services", response={200: ServiceList, **PROBLEMS}, summary="List")
def list_services(request: HttpRequest, filters: Query[ServiceFilter]) -> HttpResponse:
    """The services of the business by id; with `active`, only those that are offered, or are not
    any more."""
    found = services_of(member_of(request).business_id).order_by("id")
    if filters.active is not None:
        found = found.filter(active=filters.active)
    if filters.cursor:
        found = found.filter(id__gt=_read_cursor(filters.cursor))
    page = list(found[: filters.limit + 1])
    shown = page[: filters.limit]
    more = str(shown[-1].id) if len(page) > filters.limit else None
    return JsonResponse({"items": [service_out(one) for one in shown], "next_cursor": more})


@router.post("/services", response={201: ServiceOut, **PROBLEMS}, summary="Create")
def create(request: HttpRequest, data: ServiceNew) -> HttpResponse:
    """Makes a service, for owners and admins. With an `Idempotency-Key` the request can be repeated
    safely."""
    member = member_of(request)
    _check_right(member)
    said = data.model_dump()
    said["colour"] = data.colour or colour_for_new(member.business_id)
    details = ServiceDetails(**{**said, **_tuples(said)})

    def make() -> tuple[int, Any]:
        return 201, _out(editing.make(by=member, details=details))

    status, body = answer_once(request, member, make)
    response = JsonResponse(body, status=status)
    response["Location"] = f"/api/v1/services/{body['id']}"
    return response


@router.get(ONE, response={200: ServiceOut, **PROBLEMS}, summary="Read")
def read(request: HttpRequest, service_id: UUID) -> HttpResponse:
    return JsonResponse(service_out(find(member_of(request).business_id, service_id)))


@router.patch(ONE, response={200: ServiceOut, **PROBLEMS}, summary="Change")
def change(request: HttpRequest, service_id: UUID, data: ServicePatch) -> HttpResponse:
    """Changes any subset of the fields, for owners and admins. Appointments keep the buffers that
    they were booked with. With `active: false` it is not offered any more."""
    member = member_of(request)
    _check_right(member)
    said = {name: getattr(data, name) for name in data.model_fields_set}
    if nulls := [name for name in said if said[name] is None and name not in CAN_BE_NULL]:
        raise invalid({name: ["This cannot be null."] for name in sorted(nulls)})
    changes = {**said, **_tuples(said)}
    changed = editing.change(
        by=member, service_id=service_id, to=lambda before: _changed(before, changes)
    )
    return JsonResponse(_out(changed))


@router.delete(ONE, response={204: None, **PROBLEMS}, summary="Delete")
def delete(request: HttpRequest, service_id: UUID) -> HttpResponse:
    """Deletes a service, for owners and admins; appointments keep what it gave them."""
    member = member_of(request)
    _check_right(member)
    delete_service(by=member, service_id=service_id)
    return HttpResponse(status=204)


def _changed(before: ServiceDetails, changes: dict[str, Any]) -> ServiceDetails:
    """The details as the request wants them. Where there was only one length to choose from, it
    goes with the default."""
    if "durations" not in changes and before.durations == (before.duration_minutes,):
        return replace(before, durations=(), **changes)
    return replace(before, **changes)


def _out(service: Service) -> dict[str, Any]:
    return service_out(find(service.business_id, service.pk))


def _tuples(said: dict[str, Any]) -> dict[str, tuple[Any, ...]]:
    return {name: tuple(value) for name, value in said.items() if isinstance(value, list)}


def _check_right(member: Member) -> None:
    if not editing.may_edit(member):
        raise ProblemError(
            403, "forbidden", "Not allowed", "Only owners and admins change services."
        )


def _read_cursor(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise invalid({"cursor": ["This is not a cursor from an earlier answer."]}) from None
