"""`/waiting-list`."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, JsonResponse
from ninja import Query, Router, Schema
from pydantic import Field, StrictInt

from sophiie.accounts.models import Member
from sophiie.api.access import member_of
from sophiie.api.idempotency import answer_once
from sophiie.api.problems import invalid
from sophiie.api.schemas import Problem, Strict, Text
from sophiie.appointments.rules import assignees_of
from sophiie.common.wall_time import in_zone
from sophiie.waiting_list import entries
from sophiie.waiting_list.entries import Wish
from sophiie.waiting_list.fits import MAX_LOOKED_AT, Fit, fits_of
from sophiie.waiting_list.models import WaitingEntry

router = Router(tags=["waiting list"])
PROBLEMS = {401: Problem, 404: Problem, 422: Problem, 429: Problem}
ONE = "/waiting-list/{uuid:entry_id}"
Day = Annotated[date, Field(description="On the clocks of the business.")]


class WaitingIn(Strict):
    """Either `appointment_id`, to move that appointment earlier; or `title`, `customer_name` or
    `customer_phone`, and `duration_minutes`, for a new one. A `service_id` says title and length
    where they are not given, and who can do it and on what terms."""

    appointment_id: UUID | None = None
    service_id: UUID | None = None
    title: Text = ""
    customer_name: Text = ""
    customer_phone: Text = ""
    duration_minutes: StrictInt | None = None
    assignees: Annotated[
        list[Text],
        Field(max_length=50, description="Ids or email addresses, of whom any will do."),
    ] = []
    first_day: Day | None = None
    last_day: Day | None = None
    note: Text = ""


class FitOut(Schema):
    start: datetime
    end: datetime
    member_ids: Annotated[
        list[UUID],
        Field(description="Who would have it; empty if the appointment keeps its people."),
    ]


class WaitingOut(Schema):
    id: UUID
    appointment_id: UUID | None
    service_id: UUID | None
    title: str
    customer_name: str
    customer_phone: str
    duration_minutes: int
    member_ids: list[UUID]
    first_day: date
    last_day: date
    note: str
    created_at: datetime
    fit: Annotated[
        FitOut | None,
        Field(description="The first time that fits now. Nothing is booked by itself."),
    ] = None


class WaitingList(Schema):
    items: list[WaitingOut]
    next_cursor: str | None


class WaitingFilter(Schema):
    limit: Annotated[int, Field(ge=1, le=MAX_LOOKED_AT)] = MAX_LOOKED_AT
    cursor: Annotated[str, Field(max_length=20)] = ""


@router.get("/waiting-list", response={200: WaitingList, **PROBLEMS}, summary="List")
def list_waiting(request: HttpRequest, filters: Query[WaitingFilter]) -> HttpResponse:
    """Who waits, in the order in which they came, each with the first time that fits now."""
    member = member_of(request)
    begin = _place(filters.cursor)
    found = list(entries.waiting(member)[begin : begin + filters.limit + 1])
    page = found[: filters.limit]
    fits = fits_of(member, page)
    more = len(found) > filters.limit
    return JsonResponse(
        {
            "items": [_out(entry, fits.get(entry.pk), member) for entry in page],
            "next_cursor": str(begin + filters.limit) if more else None,
        }
    )


@router.post("/waiting-list", response={201: WaitingOut, **PROBLEMS}, summary="Put on the list")
def create(request: HttpRequest, data: WaitingIn) -> HttpResponse:
    """Puts a customer, or an appointment that could be sooner, on the list. With an
    `Idempotency-Key` the request can be repeated safely. To take a time, book or move as usual, and
    delete the entry."""
    member = member_of(request)
    team = assignees_of(member.business, data.assignees) if data.assignees else []
    wish = Wish(
        member_ids=[one.pk for one in team],
        minutes=data.duration_minutes,
        **data.model_dump(exclude={"assignees", "duration_minutes"}),
    )

    def put() -> tuple[int, Any]:
        return 201, _out(entries.add(by=member, wish=wish), None, member)

    status, body = answer_once(request, member, put)
    return JsonResponse(body, status=status)


@router.delete(ONE, response={204: None, **PROBLEMS}, summary="Take off the list")
def delete(request: HttpRequest, entry_id: UUID) -> HttpResponse:
    entries.remove(by=member_of(request), entry_id=entry_id)
    return HttpResponse(status=204)


def _place(cursor: str) -> int:
    if cursor and not (cursor.isascii() and cursor.isdigit() and len(cursor) < 6):
        raise invalid({"cursor": ["This is not a cursor from an earlier answer."]})
    return int(cursor or 0)


def _out(entry: WaitingEntry, fit: Fit | None, member: Member) -> dict[str, Any]:
    zone, appointment = member.business.timezone, entry.appointment
    told: Any = appointment or entry
    minutes = entry.minutes
    if appointment:
        minutes = round((appointment.end - appointment.start).total_seconds() / 60)
    return WaitingOut(
        id=entry.pk,
        appointment_id=entry.appointment_id,
        service_id=told.service_id,
        title=told.title,
        customer_name=told.customer_name,
        customer_phone=told.customer_phone,
        duration_minutes=minutes,
        member_ids=entry.member_ids,
        first_day=entry.first_day,
        last_day=entry.last_day,
        note=entry.note,
        created_at=in_zone(entry.created_at, zone),
        fit=FitOut(
            start=in_zone(fit.start, zone),
            end=in_zone(fit.end, zone),
            member_ids=[one.pk for one in fit.members],
        )
        if fit
        else None,
    ).model_dump(mode="json")
