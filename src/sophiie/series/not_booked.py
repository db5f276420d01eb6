"""Visits that could not be booked when a series went on: why, when they could be, and the answers.

Each waits until somebody books it, elsewhere or where it was planned, or leaves it out. Whoever
answers second is told so: the row of the series lets in one after the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from django.db.models import F
from django.utils.translation import gettext as _

from sophiie import audit
from sophiie.accounts.models import Member
from sophiie.appointments.conflicts import conflicts_at, renew_knowledge
from sophiie.appointments.errors import Obstacle
from sophiie.appointments.locking import in_transaction, lock_members
from sophiie.appointments.many import store_new
from sophiie.appointments.models import Appointment
from sophiie.appointments.resources import check_are_there, resources_used
from sophiie.appointments.rules import EARLIEST, LATEST, LONGEST
from sophiie.common.clock import now
from sophiie.common.sql import insert
from sophiie.series.booking import record_act, series_transaction
from sophiie.series.copying import copy_of
from sophiie.series.errors import ClocksAsk, InvalidSeries, NotWaiting
from sophiie.series.extending import pattern_of, team_then
from sophiie.series.fitting import Answers, Asked, Way, fit
from sophiie.series.models import Series, Visit
from sophiie.series.needs import MAX_PROPOSALS, NEAR, Needs, NeedsOfBooked, nearest_free
from sophiie.series.planning import Planned, end_of, start_on
from sophiie.series.scope import locked_series
from sophiie.series.selectors import find_series


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """A day whose visit waits for an answer. `start` is when it was planned, None where the clocks
    ask first, between `choices`."""

    day: date
    start: datetime | None
    end: datetime | None
    obstacles: list[Obstacle]
    nearest: datetime | None
    choices: tuple[datetime, ...] = ()


def waiting_visits(series: Series) -> list[Waiting]:
    """Why each visit was not booked and, of the first, the nearest free times; asks no calendar
    anew."""
    pattern = pattern_of(series) if series.not_booked else None
    if pattern is None:
        return []
    needs = _needs(series, pattern)
    found = []
    for n, day in enumerate(map(date.fromisoformat, series.not_booked)):
        try:
            planned = _planned(series, day, number=1)
        except ClocksAsk as ask:
            choices = ask.questions[0].choices
            found.append(
                Waiting(day=day, start=None, end=None, obstacles=[], nearest=None, choices=choices)
            )
            continue
        period = (planned.start, planned.end)
        (obstacles,) = conflicts_at(
            team=needs.team,
            periods=[period],
            timezone=series.timezone,
            only_looking=True,
            resources=needs.resources,
        )
        nearest = None
        if n < MAX_PROPOSALS:
            nearest = nearest_free(series.business, period, needs, only_looking=True)
        found.append(
            Waiting(
                day=day,
                start=planned.start,
                end=planned.end,
                obstacles=obstacles,
                nearest=nearest,
            )
        )
    return found


def book_not_booked(
    *, by: Member, series_id: UUID, day: date, way: Way | datetime, unverified: bool = False
) -> Visit:
    """Books the visit that waits for an answer: at this instant, at the nearest free time
    (`Way.MOVE`), or where it was planned, over what is there (`Way.BOOK_ANYWAY`) or not
    (`Way.REFUSE`).

    Raises `NotWaiting` if somebody has answered, `VisitsInTheWay` if the time is not free,
    `ClocksAsk`, `InvalidSeries`, `UnknownSeries`, and as `booking.book`.
    """
    answers = Answers(each={day: way}, unverified=unverified)
    answers.check(by)
    series = find_series(by, series_id)
    if (pattern := pattern_of(series)) is not None and day.isoformat() in series.not_booked:
        asked = _at(series, day, way, number=1)
        team = team_then(pattern)
        renew_knowledge(team=team, start=asked.start - NEAR, end=asked.end + NEAR)

    def book() -> Visit:
        series = locked_series(by, series_id)
        _check_waits(series, day)
        pattern = pattern_of(series)
        if pattern is None:
            raise InvalidSeries({"day": _("No visit of this series is left.")})
        needs = _needs(series, pattern)
        if not needs.team:
            words = _("Nobody who does these visits works here any more.")
            raise InvalidSeries({"day": words})
        lock_members((one.id for one in needs.team), resources=[one.id for one in needs.resources])
        check_are_there(needs.resources)
        planned = _at(series, day, way, number=_number(series, day))
        (fitted,) = fit(
            business=series.business,
            visits=[Asked(planned=planned, needs=needs, title=pattern.title)],
            timezone=series.timezone,
            answers=answers,
        )
        made = copy_of(pattern, start=fitted.start, end=fitted.end)
        made.created_by = by
        store_new(
            by=by,
            appointments=[made],
            team=needs.team,
            obstacles=[fitted.obstacles],
            resources=needs.resources,
        )
        visit = _insert(series, made, planned)
        series.not_booked = [one for one in series.not_booked if one != day.isoformat()]
        series.revision, series.updated_at = series.revision + 1, now()
        series.save(update_fields=["not_booked", "revision", "updated_at"])
        record_act(audit.Act.SERIES_CHANGED, series, by, visits=1)
        return visit

    return series_transaction(book, by.business)


def leave_out_not_booked(*, by: Member, series_id: UUID, day: date) -> None:
    """Leaves out a day whose visit could not be booked: nobody has to be told of it any more.

    Idempotent. Raises `NotWaiting` if somebody has booked it, and `UnknownSeries`."""

    def leave_out() -> None:
        series = locked_series(by, series_id)
        if day.isoformat() in series.left_out:
            return
        _check_waits(series, day)
        series.not_booked = [one for one in series.not_booked if one != day.isoformat()]
        series.left_out = sorted({*series.left_out, day.isoformat()})
        series.save(update_fields=["not_booked", "left_out"])

    in_transaction(leave_out)


def _check_waits(series: Series, day: date) -> None:
    if day.isoformat() in series.not_booked:
        return
    visit = Visit.objects.filter(series=series, planned=day, appointment__deleted_at=None)
    booked = visit.select_related("appointment").first()
    raise NotWaiting(booked.appointment if booked else None)


def _planned(series: Series, day: date, *, number: int) -> Planned:
    """The visit at the time of the rule. Raises `ClocksAsk`."""
    timing = series.timing
    start = start_on(timing, day)
    if start is None:
        raise InvalidSeries({"day": _("The clocks skip this time.")})
    return Planned(
        number=number, day=day, start=start, end=end_of(start, timing.length, timing.zone)
    )


def _at(series: Series, day: date, way: Way | datetime, *, number: int) -> Planned:
    if not isinstance(way, datetime):
        return _planned(series, day, number=number)
    if not EARLIEST <= way < LATEST - LONGEST:
        raise InvalidSeries({"start": _("Use a date between the years 2000 and 2099.")})
    return Planned(
        number=number, day=day, start=way, end=end_of(way, series.length, series.timezone)
    )


def _needs(series: Series, pattern: Appointment) -> Needs:
    team, resources = team_then(pattern), resources_used(pattern)
    return NeedsOfBooked(series.business).of(pattern, team, resources, series.length)


def _number(series: Series, day: date) -> int:
    """The place among the visits: they are numbered by their days."""
    visits = Visit.objects.filter(series=series)
    later = visits.filter(planned__gt=day).order_by("number").first()
    if later is not None:
        return later.number
    last = visits.order_by("-number").first()
    return last.number + 1 if last else series.first_number


_FAR = 1_000_000


def _insert(series: Series, appointment: Appointment, planned: Planned) -> Visit:
    """Those on later days count one further: no change of the rule may swap days between visits."""
    later = Visit.objects.filter(series=series, number__gte=planned.number)
    if later.exists():  # in two steps, because no number may be there twice meanwhile
        later.update(number=F("number") + _FAR)
        Visit.objects.filter(series=series, number__gte=_FAR).update(number=F("number") + 1 - _FAR)
    try:
        elsewhere = appointment.start != start_on(series.timing, planned.day)
    except ClocksAsk:
        elsewhere = True
    visit = Visit(
        series=series,
        appointment=appointment,
        number=planned.number,
        planned=planned.day,
        changed_alone=elsewhere,
    )
    insert([visit])
    return visit
