"""`/resources`."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, JsonResponse
from ninja import Router, Schema
from pydantic import Field, StrictBool

from sophiie.accounts.models import Member
from sophiie.api.access import member_of
from sophiie.api.idempotency import answer_once
from sophiie.api.problems import ProblemError, invalid
from sophiie.api.schemas import Problem, Strict, Text
from sophiie.appointments.resources import delete_resource
from sophiie.resources import editing
from sophiie.resources.models import Resource
from sophiie.resources.selectors import resources_of

router = Router(tags=["resources"])
PROBLEMS = {
    400: Problem,
    401: Problem,
    403: Problem,
    404: Problem,
    409: Problem,
    422: Problem,
    429: Problem,
    503: Problem,
}
ONE = "/resources/{uuid:resource_id}"


class ResourceNew(Strict):
    name: Text
    kind: Annotated[Text, Field(description="In your own words, such as room or van.")] = ""


class ResourcePatch(Strict):
    name: Text | None = None
    kind: Text | None = None
    active: StrictBool | None = None


class ResourceOut(Schema):
    id: UUID
    name: str
    kind: str
    active: Annotated[bool, Field(description="Whether new appointments can use it.")]
    created_at: datetime


class ResourceList(Schema):
    items: list[ResourceOut]
    next_cursor: None = None


@router.get("/resources", response={200: ResourceList, **PROBLEMS}, summary="List")
def list_resources(request: HttpRequest) -> HttpResponse:
    """All resources of the business by name, at most 200."""
    items = [_out(resource) for resource in resources_of(member_of(request).business_id)]
    return JsonResponse({"items": items, "next_cursor": None})


@router.post("/resources", response={201: ResourceOut, **PROBLEMS}, summary="Create")
def create(request: HttpRequest, data: ResourceNew) -> HttpResponse:
    """Makes a resource, for owners and admins. With an `Idempotency-Key` the request can be
    repeated safely."""
    member = _editor(request)

    def make() -> tuple[int, Any]:
        return 201, _out(editing.make(by=member, name=data.name, kind=data.kind))

    status, body = answer_once(request, member, make)
    response = JsonResponse(body, status=status)
    response["Location"] = f"/api/v1/resources/{body['id']}"
    return response


@router.get(ONE, response={200: ResourceOut, **PROBLEMS}, summary="Read")
def read(request: HttpRequest, resource_id: UUID) -> HttpResponse:
    return JsonResponse(_out(editing.find(member_of(request), resource_id)))


@router.patch(ONE, response={200: ResourceOut, **PROBLEMS}, summary="Change")
def change(request: HttpRequest, resource_id: UUID, data: ResourcePatch) -> HttpResponse:
    """Changes any subset of the fields, for owners and admins. With `active` false it keeps the
    times it has, and no appointment can take it any more."""
    member = member_of(request)
    editing.find(member, resource_id)
    _editor(request)
    if nulls := [name for name in data.model_fields_set if getattr(data, name) is None]:
        raise invalid({name: ["This cannot be null."] for name in sorted(nulls)})
    changed = editing.change(
        by=member, resource_id=resource_id, name=data.name, kind=data.kind, active=data.active
    )
    return JsonResponse(_out(changed))


@router.delete(ONE, response={204: None, **PROBLEMS}, summary="Delete")
def delete(request: HttpRequest, resource_id: UUID) -> HttpResponse:
    """Deletes a resource, for owners and admins; 409 `in-use` while coming appointments need it."""
    member = member_of(request)
    editing.find(member, resource_id)
    _editor(request)
    delete_resource(by=member, resource_id=resource_id)
    return HttpResponse(status=204)


def _editor(request: HttpRequest) -> Member:
    member = member_of(request)
    if not editing.may_edit(member):
        raise ProblemError(
            403, "forbidden", "Not allowed", "Only owners and admins change resources."
        )
    return member


def _out(resource: Resource) -> dict[str, Any]:
    return ResourceOut(
        id=resource.pk,
        name=resource.name,
        kind=resource.kind,
        active=resource.active,
        created_at=resource.created_at,
    ).model_dump(mode="json")
