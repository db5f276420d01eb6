"""`/series/{id}/not-booked`: visits of a series without an end that could not be booked."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from django.http import HttpRequest, HttpResponse, JsonResponse
from ninja import Router, Schema
from pydantic import Field, StrictBool

from sophiie.api.access import member_of
from sophiie.api.appointment_schemas import ObstacleOut, obstacle_out
from sophiie.api.booking_input import check_may_overlap
from sophiie.api.problems import invalid
from sophiie.api.series_requests import VisitAnswerIn
from sophiie.api.series_schemas import PROBLEMS, VisitOut, visit_out
from sophiie.common.wall_time import in_zone
from sophiie.series.fitting import Way
from sophiie.series.not_booked import (
    Waiting,
    book_not_booked,
    leave_out_not_booked,
    waiting_visits,
)
from sophiie.series.selectors import find_series

router = Router(tags=["series"])
WHERE = "/series/{uuid:series_id}/not-booked"


class WaitingOut(Schema):
    """A visit that could not be booked: why, and when it could be. `start` and `end` are null where
    the clocks skip or double its time; then `choices` are the times that may be meant."""

    day: date
    start: datetime | None
    end: datetime | None
    nearest: datetime | None
    conflicts: list[ObstacleOut]
    choices: list[datetime]


class WaitingListOut(Schema):
    items: list[WaitingOut]


class NotBookedIn(VisitAnswerIn):
    """What becomes of the visit: booked at `start`, or by `in_the_way` at the nearest free time
    (`move`), where it was planned (`refuse`, or `book_anyway` over what is there), or not at all
    (`leave_out`)."""

    accept_unverified: Annotated[
        StrictBool, Field(description="Book although a calendar could not be read.")
    ] = False


@router.get(WHERE, response={200: WaitingListOut, **PROBLEMS}, summary="Visits not booked")
def read_waiting(request: HttpRequest, series_id: UUID) -> HttpResponse:
    """The days whose visit waits for an answer, with what is in the way and the nearest free
    time."""
    series = find_series(member_of(request), series_id)
    items = [_waiting_out(one, series.timezone) for one in waiting_visits(series)]
    return JsonResponse(WaitingListOut(items=items).model_dump(mode="json"))


@router.post(
    WHERE, response={201: VisitOut, 204: None, **PROBLEMS}, summary="Book a visit that was not"
)
def answer(request: HttpRequest, series_id: UUID, data: NotBookedIn) -> HttpResponse:
    """Books the visit, which then belongs to the series, or leaves it out (204).

    409 says that its time is not free, with the nearest that is, or (`not-waiting`) that somebody
    has answered already; then nothing was booked.
    """
    member = member_of(request)
    if (data.start is None) == (data.in_the_way is None):
        raise invalid({"start": ["Give either in_the_way or start."]})
    way = data.start or Way(data.in_the_way or "")
    check_may_overlap(member, way == Way.BOOK_ANYWAY)
    if way == Way.LEAVE_OUT:
        leave_out_not_booked(by=member, series_id=series_id, day=data.day)
        return HttpResponse(status=204)
    visit = book_not_booked(
        by=member,
        series_id=series_id,
        day=data.day,
        way=way,
        unverified=data.accept_unverified,
    )
    return JsonResponse(visit_out(visit).model_dump(mode="json"), status=201)


def _waiting_out(waiting: Waiting, zone: str) -> WaitingOut:
    return WaitingOut(
        day=waiting.day,
        start=waiting.start and in_zone(waiting.start, zone),
        end=waiting.end and in_zone(waiting.end, zone),
        nearest=waiting.nearest and in_zone(waiting.nearest, zone),
        conflicts=[obstacle_out(obstacle) for obstacle in waiting.obstacles],
        choices=list(waiting.choices),
    )
