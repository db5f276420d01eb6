"""`/series`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, JsonResponse
from ninja import Body, Query, Router

from sophiie.accounts.models import Member
from sophiie.api.access import key_of, member_of
from sophiie.api.booked_service import service_named
from sophiie.api.booking_input import customer_named, new_details, new_team
from sophiie.api.idempotency import answer_once, is_kept, kept_answer
from sophiie.api.problems import (
    CONTENT_TYPE,
    invalid,
    not_found,
    visits_in_the_way,
)
from sophiie.api.schemas import Page, Strict
from sophiie.api.series_input import answers_of, change_of, change_of_one, timing_of
from sophiie.api.series_requests import ConfirmSeriesIn, SeriesIn, SeriesPatch, UndoIn
from sophiie.api.series_schemas import (
    PROBLEMS,
    ChangePreview,
    SeriesOut,
    SeriesPreview,
    change_preview,
    ended_out,
    series_out,
    series_preview,
)
from sophiie.appointments import booking
from sophiie.appointments.customers import CustomerOfBooking
from sophiie.appointments.resources import resources_named
from sophiie.appointments.rules import Details, check_details
from sophiie.resources.models import Resource
from sophiie.series.booking import book_series, check_series, planned_visits, renew_for
from sophiie.series.cancelling import cancel_series, preview_cancel
from sophiie.series.changing import change_series, preview_change, preview_one
from sophiie.series.errors import VisitsInTheWay
from sophiie.series.fitting import Answers, Way
from sophiie.series.holding import confirm_series
from sophiie.series.models import Series, SeriesAct, Visit
from sophiie.series.planning import Timing
from sophiie.series.scope import Scope, refuse_run_out
from sophiie.series.selectors import find_series
from sophiie.series.undoing import undo

router = Router(tags=["series"])
ONE = "/series/{uuid:series_id}"


class Scoped(Strict):
    scope: Scope
    appointment: UUID | None = None
    preview: bool = False
    include_changed: bool = False


@router.post(
    "/series",
    response={201: SeriesOut, 200: SeriesPreview, **PROBLEMS},
    summary="Book a series",
)
def create(request: HttpRequest, data: SeriesIn, preview: bool = False) -> HttpResponse:
    """Books all visits of a rule, or holds their times for `hold_minutes`: all of them or none.

    Each visit is an appointment of its own. With `preview=true` nothing is booked, and the answer
    says which visits there would be and which are in the way. Otherwise those are answered with
    409, unless `in_the_way` or `answers` say what becomes of them. An `Idempotency-Key` works as
    for appointments.
    """
    member = member_of(request)
    service = service_named(member, data.service_id)
    timing = timing_of(data, member, service)
    end = data.start + timing.length
    details = new_details(data, service, end=end, zone=timing.zone)
    answers = answers_of(data, member)
    if preview:
        check_details(CustomerOfBooking(member, details, customer_named(data)).details)
        team = new_team(data, member, service, details)
        resources = resources_named(member.business, data.resource_ids)
        return _check(member, timing, details, team, answers, resources)

    def book() -> tuple[int, Any]:
        try:
            made = book_series(
                by=member,
                details=details,
                timing=timing,
                assignees=team,
                answers=answers,
                customer_id=customer_named(data),
                hold_minutes=data.hold_minutes,
                hold_key=key_of(request).id,
                resources=resources,
            )
        except VisitsInTheWay as error:
            return 409, visits_in_the_way(error).body()
        return 201, series_out(made.series, made.act.id)

    answer = kept_answer(request, member)
    if answer is None:
        team = new_team(data, member, service, details)
        resources = resources_named(member.business, data.resource_ids)
        if is_kept(request):  # no transaction waits for the network: before that of the answer
            renew_for(team, planned_visits(timing))
        answer = answer_once(request, member, book)
    status, body = answer
    response = JsonResponse(body, status=status)
    if status == 201:
        response["Location"] = f"/api/v1/series/{body['id']}"
    else:
        response["Content-Type"] = CONTENT_TYPE
    return response


@router.get(ONE, response={200: SeriesOut, **PROBLEMS}, summary="Read a series")
def read_one(request: HttpRequest, series_id: UUID, page: Query[Page]) -> HttpResponse:
    """The series with one page of its visits, by number; `next_cursor` leads to the next. Answers
    to acts have the first 200."""
    return JsonResponse(series_out(find_series(member_of(request), series_id), page=page))


@router.patch(ONE, response={200: SeriesOut | ChangePreview, **PROBLEMS}, summary="Change a series")
def change(
    request: HttpRequest, series_id: UUID, data: SeriesPatch, query: Query[Scoped]
) -> HttpResponse:
    """Changes `this` visit, this and the `following`, or `all` that are ahead.

    What somebody changed alone stays as it is unless `include_changed`. When the visits get another
    time or rule, those before keep the old one: the answer is then the series that goes on. COUNT
    is how many visits there are altogether, with those before.
    """
    member = member_of(request)
    series = find_series(member, series_id)
    if query.scope == Scope.THIS:
        return JsonResponse(_change_one(member, series, data, query))
    how: dict[str, Any] = {
        "by": member,
        "series_id": series_id,
        "scope": query.scope,
        "appointment_id": query.appointment,
        "change": change_of(data, series, member, query.appointment),
        "answers": answers_of(data, member),
        "include_changed": data.include_changed or query.include_changed,
    }
    if query.preview:
        return JsonResponse(change_preview(preview_change(**how), series.timezone))
    done = change_series(**how)
    return JsonResponse(series_out(done.series, done.act.id))


@router.delete(ONE, response={200: ChangePreview, **PROBLEMS}, summary="Call off a series")
def cancel(request: HttpRequest, series_id: UUID, query: Query[Scoped]) -> HttpResponse:
    """Calls off `this` visit, this and the `following`, or `all` that are ahead."""
    member = member_of(request)
    if query.scope == Scope.THIS:
        series = find_series(member, series_id)
        appointment_id = _visit_in(series, _named(query)).appointment_id
        if not query.preview:
            booking.cancel(by=member, appointment_id=appointment_id)
        only = ChangePreview(kept=[], cancelled=[appointment_id], past=0)
        return JsonResponse(only.model_dump(mode="json"))
    act = preview_cancel if query.preview else cancel_series
    ended = act(
        by=member,
        series_id=series_id,
        scope=query.scope,
        appointment_id=query.appointment,
        include_changed=query.include_changed,
    )
    return JsonResponse(ended_out(ended))


@router.post(ONE + "/confirm", response={200: SeriesOut, **PROBLEMS}, summary="Confirm a series")
def confirm(
    request: HttpRequest, series_id: UUID, data: Body[ConfirmSeriesIn | None] = None
) -> HttpResponse:
    """Turns held visits into appointments, all or none."""
    asked = data or ConfirmSeriesIn()
    series = confirm_series(
        by=member_of(request), series_id=series_id, unverified=asked.accept_unverified
    )
    return JsonResponse(series_out(series))


@router.post(ONE + "/undo", response={204: None, **PROBLEMS}, summary="Undo an act on a series")
def undo_act(request: HttpRequest, series_id: UUID, data: UndoIn) -> HttpResponse:
    """Undoes what an answer gave as `act_id`, unless a visit was changed since."""
    member = member_of(request)
    find_series(member, series_id)
    if not SeriesAct.objects.filter(pk=data.act_id, series=series_id).exists():
        raise not_found()
    undo(by=member, act_id=data.act_id)
    return HttpResponse(status=204)


def _check(
    member: Member,
    timing: Timing,
    details: Details,
    team: Sequence[Member],
    answers: Answers,
    resources: Sequence[Resource],
) -> HttpResponse:
    visits, in_the_way = check_series(
        by=member,
        timing=timing,
        details=details,
        assignees=team,
        answers=answers,
        resources=resources,
    )
    return JsonResponse(series_preview(timing, visits, in_the_way))


def _named(query: Scoped) -> UUID:
    if query.appointment is None:
        raise invalid({"appointment": ["Name the appointment that is meant."]})
    return query.appointment


def _visit_in(series: Series, appointment_id: UUID) -> Visit:
    visit = series.visits.filter(appointment=appointment_id).first()
    if visit is None:
        raise not_found()
    return visit


def _change_one(member: Member, series: Series, data: SeriesPatch, query: Scoped) -> dict[str, Any]:
    """Changes or previews one visit alone."""
    visit = _visit_in(series, _named(query))
    shown = booking.find(member, visit.appointment_id)
    refuse_run_out([shown])
    wanted, answers = change_of_one(data, shown, member), answers_of(data, member)
    wanted |= {"by": member, "customer_id": customer_named(data)}
    if query.preview:
        return change_preview(preview_one(visit, shown, answers=answers, **wanted), series.timezone)
    booking.change(
        appointment_id=shown.id,
        allow_overlap=answers.otherwise == Way.BOOK_ANYWAY,
        accept_unverified=answers.unverified,
        **wanted,
    )
    return series_out(series)
