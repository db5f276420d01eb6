"""`POST /appointments/{id}/repeat`: an existing appointment becomes the first of a series."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, JsonResponse
from ninja import Router
from pydantic import Field

from sophiie.api.access import member_of
from sophiie.api.series_input import answers_of, clock_answers, rule_of, wall_of
from sophiie.api.series_requests import Days, Fit, RuleText
from sophiie.api.series_schemas import (
    PROBLEMS,
    SeriesOut,
    SeriesPreview,
    series_out,
    series_preview,
)
from sophiie.appointments import booking
from sophiie.series.planning import NOT_ASKED
from sophiie.series.repeating import Repetition, check_repeat, repeat_appointment

router = Router(tags=["series"])


class RepeatIn(Fit):
    rule: RuleText
    left_out: Annotated[Days, Field(description="Days without a visit. They do not count.")] = []


@router.post(
    "/appointments/{uuid:appointment_id}/repeat",
    response={201: SeriesOut, 200: SeriesPreview, **PROBLEMS},
    summary="Repeat an appointment",
)
def repeat(
    request: HttpRequest, appointment_id: UUID, data: RepeatIn, preview: bool = False
) -> HttpResponse:
    """Makes the appointment the first visit of a series and books the others like it.

    It keeps its id, its history and its event in Google. The rule begins on its day. Everything
    else is as in `POST /series`: `preview=true` books nothing, and visits in the way are answered
    with 409 unless `in_the_way` or `answers` say what becomes of them. `POST /series/{id}/undo`
    gives the single appointment back. Appointments that have begun or are cancelled, holds, and
    visits of a series are refused (422).
    """
    member = member_of(request)
    shown = booking.find(member, appointment_id)
    first, zone = wall_of(shown.start, shown.timezone), shown.timezone
    asked: dict[str, Any] = {
        "by": member,
        "appointment_id": appointment_id,
        "how": Repetition(
            rule=rule_of(data.rule, first, zone, data.short_months),
            left_out=frozenset(data.left_out),
            clocks=clock_answers(data) or NOT_ASKED,
        ),
        "answers": answers_of(data, member),
    }
    if preview:
        return JsonResponse(series_preview(*check_repeat(**asked)))
    made = repeat_appointment(**asked)
    body = series_out(made.series, made.act.id)
    answer = JsonResponse(body, status=201)
    answer["Location"] = f"/api/v1/series/{body['id']}"
    return answer
