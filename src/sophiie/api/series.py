"""`/series`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, JsonResponse
from ninja import Body, Query, Router

from sophiie.accounts.models import Member
from sophiie.api.access import key_of, member_of
from sophiie.api.appointment_schemas import CustomerIn
from sophiie.api.booked_service import notes_of, service_named, team_of_service, title_of
from sophiie.api.idempotency import answer_once, kept_answer
from sophiie.api.problems import (
    CONTENT_TYPE,
    ProblemError,
    invalid,
    not_found,
    visits_in_the_way,
)
from sophiie.api.schemas import Problem, Strict
from sophiie.api.series_schemas import (
    ChangePreview,
    ConfirmSeriesIn,
    SeriesIn,
    SeriesOut,
    SeriesPatch,
    SeriesPreview,
    UndoIn,
    VisitsProblem,
    change_preview,
    ended_out,
    in_the_way_out,
    planned_out,
    series_out,
)
from sophiie.appointments import booking
from sophiie.appointments.resources import resources_named
from sophiie.appointments.rules import Details, assignees_of, may_book_over
from sophiie.common.wall_time import in_zone, is_zone
from sophiie.resources.models import Resource
from sophiie.resources.selectors import uses_of_many
from sophiie.series.booking import book_series, check_series, planned_visits, renew_for
from sophiie.series.cancelling import cancel_series, preview_cancel
from sophiie.series.changing import change_series, preview_change
from sophiie.series.drafts import SeriesChange
from sophiie.series.errors import VisitsInTheWay
from sophiie.series.fitting import Answers, Way
from sophiie.series.holding import confirm_series
from sophiie.series.models import Series, SeriesAct
from sophiie.series.planning import NOT_ASKED, ClockAnswers, Doubled, Skipped, Timing
from sophiie.series.retiming import NewTime
from sophiie.series.rule import Rule, ShortMonths, read
from sophiie.series.scope import Scope
from sophiie.series.selectors import find_series
from sophiie.series.undoing import undo
from sophiie.series.words import in_words
from sophiie.services.models import Service

router = Router(tags=["series"])
PROBLEMS = {
    401: Problem,
    403: Problem,
    404: Problem,
    409: VisitsProblem,
    422: Problem,
    429: Problem,
    503: Problem,
}
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
    timing = _timing(data, member, service)
    details = Details(
        title=title_of(data.title, service),
        start=data.start,
        end=data.start + timing.length,
        timezone=timing.zone,
        location=data.location.strip(),
        notes=notes_of(data.notes, service),
        service_id=data.service_id,
        travel_minutes=data.travel_minutes,
        **_customer(data.customer),
    )
    answers = _answers(data, member)
    if preview:
        team = _team_for_new(data, member, details, service)
        resources = resources_named(member.business, data.resource_ids)
        return _check(member, timing, team, answers, resources)

    def book() -> tuple[int, Any]:
        try:
            made = book_series(
                by=member,
                details=details,
                timing=timing,
                assignees=team,
                answers=answers,
                customer_id=_customer_id(data),
                hold_minutes=data.hold_minutes,
                hold_key=key_of(request).id,
                resources=resources,
            )
        except VisitsInTheWay as error:
            return 409, visits_in_the_way(error).body()
        return 201, series_out(made.series, made.act.id)

    answer = kept_answer(request, member)
    if answer is None:
        team = _team_for_new(data, member, details, service)
        resources = resources_named(member.business, data.resource_ids)
        # Before the transaction that stores the answer: no transaction waits for the network.
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
def read_one(request: HttpRequest, series_id: UUID) -> HttpResponse:
    return JsonResponse(series_out(find_series(member_of(request), series_id)))


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
        _change_one(member, series, data, _named(query))
        return JsonResponse(series_out(series))
    how: dict[str, Any] = {
        "by": member,
        "series_id": series_id,
        "scope": query.scope,
        "appointment_id": query.appointment,
        "change": _series_change(data, series, member, query.appointment),
        "answers": _answers(data, member),
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
        appointment_id = _visit_in(series, _named(query))
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


def _team_for_new(
    data: SeriesIn, member: Member, details: Details, service: Service | None
) -> Sequence[Member]:
    """Whom the request names; else who should do the service at the first visit, or the key's
    member."""
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


def _check(
    member: Member,
    timing: Timing,
    team: Sequence[Member],
    answers: Answers,
    resources: Sequence[Resource],
) -> HttpResponse:
    visits, in_the_way = check_series(
        by=member, timing=timing, assignees=team, answers=answers, resources=resources
    )
    found = SeriesPreview(
        words=in_words(timing.rule),
        visits=[planned_out(visit, timing.zone) for visit in visits],
        in_the_way=[in_the_way_out(visit) for visit in in_the_way],
    )
    return JsonResponse(found.model_dump(mode="json"))


def _timing(data: SeriesIn, member: Member, service: Service | None) -> Timing:
    zone = member.business.timezone if data.timezone is None else data.timezone
    if not is_zone(zone):
        raise invalid({"timezone": ["This is not an IANA time zone, such as Australia/Sydney."]})
    minutes = data.duration_minutes
    if service and minutes is None and data.end is None:
        minutes = service.duration_minutes
    if (data.end is None) == (minutes is None):
        raise invalid({"end": ["Give either end or duration_minutes."]})
    length = timedelta(minutes=minutes or 0)
    first = _wall(data.start, zone)
    return Timing(
        rule=_rule(data.rule, first, zone, data.short_months),
        first=first,
        zone=zone,
        length=data.end - data.start if data.end is not None else length,
        left_out=frozenset(data.left_out),
        answers=_clock_answers(data) or NOT_ASKED,
    )


def _wall(moment: datetime, zone: str) -> datetime:
    try:
        wall = in_zone(moment, zone).replace(tzinfo=None)
    except OverflowError:
        wall = datetime.min  # noqa: DTZ901 - refused below
    if not 2000 <= wall.year < 2100:
        raise invalid({"start": ["Use a date between the years 2000 and 2099."]})
    return wall


def _rule(text: str, first: datetime, zone: str, short_months: str | None) -> Rule:
    return read(text, first=first, zone=zone, short_months=ShortMonths(short_months or "skip"))


def _clock_answers(data: SeriesIn | SeriesPatch) -> ClockAnswers | None:
    if data.clocks is None:
        return None
    skipped, doubled = data.clocks.skipped, data.clocks.doubled
    return ClockAnswers(
        Skipped(skipped) if skipped else None, Doubled(doubled) if doubled else None
    )


def _answers(data: SeriesIn | SeriesPatch, member: Member) -> Answers:
    each: dict[date, Way | datetime] = {}
    for answer in data.answers:
        if (answer.start is None) == (answer.in_the_way is None):
            raise invalid({"answers": ["Give either in_the_way or start for each day."]})
        each[answer.day] = answer.start or Way(answer.in_the_way or "")
    answers = Answers(Way(data.in_the_way), each, unverified=data.accept_unverified)
    if Way.BOOK_ANYWAY in (answers.otherwise, *each.values()) and not may_book_over(member):
        raise ProblemError(
            403, "forbidden", "Not allowed", "Only owners and admins may book over an appointment."
        )
    return answers


def _customer(customer: CustomerIn | None) -> dict[str, Any]:
    customer = customer or CustomerIn()
    return {
        "customer_name": customer.name.strip(),
        "customer_phone": customer.phone.strip(),
        "customer_email": customer.email.strip(),
    }


def _customer_id(data: SeriesIn | SeriesPatch) -> UUID | None:
    inside = data.customer.id if data.customer else None
    if inside and data.customer_id and inside != data.customer_id:
        raise invalid({"customer_id": ["This is another customer than in customer.id."]})
    return inside or data.customer_id


def _named(query: Scoped) -> UUID:
    if query.appointment is None:
        raise invalid({"appointment": ["Name the appointment that is meant."]})
    return query.appointment


def _visit_in(series: Series, appointment_id: UUID) -> UUID:
    if not series.visits.filter(appointment=appointment_id).exists():
        raise not_found()
    return appointment_id


def _texts(data: SeriesPatch) -> dict[str, Any]:
    named = data.model_fields_set
    can_be_null = {"customer", "customer_id", "service_id"}
    nulls = {name for name in named - can_be_null if getattr(data, name) is None}
    if nulls:
        raise invalid({name: ["This cannot be null."] for name in sorted(nulls)})
    plain = ("title", "location", "notes", "service_id", "travel_minutes")
    changes: dict[str, Any] = {}
    changes |= {name: getattr(data, name) for name in plain if name in named}
    for name in ("title", "location"):
        if name in changes:
            changes[name] = changes[name].strip()
    if named & {"customer", "customer_id"}:
        changes |= _customer(data.customer)
    return changes


def _team(data: SeriesPatch, member: Member) -> list[Member] | None:
    return None if data.assignees is None else assignees_of(member.business, data.assignees)


def _resources(data: SeriesPatch, member: Member, visits: Iterable[UUID]) -> list[Resource] | None:
    """Those that the request names; one that is out of use can stay where it is used."""
    if data.resource_ids is None:
        return None
    staying = [use.resource for uses in uses_of_many(visits).values() for use in uses]
    return resources_named(member.business, data.resource_ids, staying=staying)


def _series_change(
    data: SeriesPatch, series: Series, member: Member, appointment_id: UUID | None
) -> SeriesChange:
    zone = series.timezone
    start = _wall(data.start, zone) if data.start else None
    rule = None
    if data.rule is not None:
        rule = _rule(data.rule, start or _first(series, appointment_id), zone, data.short_months)
    elif data.short_months is not None:
        rule = replace(series.rule_as_told, short_months=ShortMonths(data.short_months))
    minutes = data.duration_minutes
    return SeriesChange(
        details=_texts(data),
        assignees=_team(data, member),
        customer_id=_customer_id(data),
        resources=_resources(data, member, series.visits.values_list("appointment_id", flat=True)),
        time=NewTime(
            rule=rule,
            start=start,
            length=timedelta(minutes=minutes) if minutes else None,
            left_out=None if data.left_out is None else frozenset(data.left_out),
            answers=_clock_answers(data),
        ),
    )


def _first(series: Series, appointment_id: UUID | None) -> datetime:
    """The wall time of the visit from which on a rule applies."""
    visit = series.visits.filter(appointment=appointment_id).first()
    return datetime.combine(visit.planned, series.first.time()) if visit else series.first


def _change_one(member: Member, series: Series, data: SeriesPatch, appointment_id: UUID) -> None:
    """One visit alone, as any other appointment."""
    shown = booking.find(member, _visit_in(series, appointment_id))
    if data.rule is not None or data.left_out is not None:
        raise invalid({"scope": ["One visit has no rule of its own."]})
    changes = _texts(data)
    if data.start is not None or data.duration_minutes is not None:
        start = data.start or shown.start
        _wall(start, shown.timezone)  # raises where no end can be added
        length = shown.end - shown.start
        if data.duration_minutes is not None:
            length = timedelta(minutes=data.duration_minutes)
        changes |= {"start": start, "end": start + length}
    booking.change(
        by=member,
        appointment_id=appointment_id,
        changes=changes,
        assignees=_team(data, member),
        customer_id=_customer_id(data),
        resources=_resources(data, member, [appointment_id]),
        allow_overlap=_answers(data, member).otherwise == Way.BOOK_ANYWAY,
        accept_unverified=data.accept_unverified,
    )
