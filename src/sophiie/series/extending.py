"""Keeps series without an end planned a year ahead: a chore of every worker, idempotent.

A visit in whose way something is gets no appointment. Its day waits among those not booked, where
the people concerned see it.
"""

from __future__ import annotations

from datetime import date, timedelta
from uuid import UUID

from sophiie.accounts.models import Member
from sophiie.appointments.conflicts import renew_knowledge
from sophiie.appointments.errors import TooBusy
from sophiie.appointments.locking import in_transaction, lock_members
from sophiie.appointments.many import store_new
from sophiie.appointments.models import Appointment
from sophiie.appointments.resources import resources_used
from sophiie.common.clock import now
from sophiie.common.ending import stop_if_asked
from sophiie.common.logs import log
from sophiie.common.sql import insert
from sophiie.common.wall_time import in_zone
from sophiie.series.copying import copy_of
from sophiie.series.errors import ClocksAsk
from sophiie.series.fitting import Answers, Asked, Way, fit
from sophiie.series.horizon import a_year_after, horizon
from sophiie.series.models import Series, Visit
from sophiie.series.needs import Needs
from sophiie.series.planning import Planned, Timing, end_of, start_on

logger = log(__name__)


def extend_series() -> int:
    """Plans further what has to be; returns how many visits were booked."""
    moment = now()
    # Where the day begins last. Elsewhere a series is extended some hours after midnight.
    last = a_year_after((moment - timedelta(hours=12)).date())
    due = Series.objects.filter(planned_through__lt=last, ended_at=None)
    count = 0
    for series_id in list(due.order_by("planned_through").values_list("pk", flat=True)):
        stop_if_asked()
        try:
            count += _extend(series_id)
        except TooBusy:
            logger.info("series is extended later", series_id=str(series_id))
    return count


def _extend(series_id: UUID) -> int:
    series = Series.objects.filter(pk=series_id).select_related("business", "created_by").first()
    if series is None or series.planned_through is None:
        return 0
    timing, through = series.timing, series.planned_through
    until = horizon(timing, now())
    if until <= through:
        return 0
    days = _days(timing, through, until)
    if days:
        team = team_then(pattern_of(series))
        first, last = days[0], days[-1]
        around = timedelta(days=1)
        renew_knowledge(
            team=team,
            start=now() + (first - _today(timing)) - around,
            end=now() + (last - _today(timing)) + around + timing.length,
        )
    return in_transaction(lambda: _plan_further(series_id, through, until))


def _today(timing: Timing) -> date:
    return in_zone(now(), timing.zone).date()


def _days(timing: Timing, after: date, until: date) -> list[date]:
    found = []
    for day in timing.rule.days(timing.first.date()):
        if day > until:
            break
        if day > after and day not in timing.left_out:
            found.append(day)
    return found


def _plan_further(series_id: UUID, through: date, until: date) -> int:
    """In a transaction: whoever comes second finds it done."""
    held = Series.objects.select_for_update(no_key=True, of=("self",)).select_related(
        "business", "created_by"
    )
    series = held.filter(pk=series_id, ended_at=None, planned_through=through).first()
    if series is None:
        return 0
    pattern = pattern_of(series)
    team = team_then(pattern)
    planned, questions = _planned(series, _days(series.timing, through, until))
    resources = resources_used(pattern) if pattern else []
    # Nothing is booked without a room that is out of use: its people have to say what instead.
    can_be = pattern is not None and team and all(resource.active for resource in resources)
    if not can_be:
        questions += [visit.day for visit in planned]
        planned = []
    lock_members((member.id for member in team), resources=[resource.id for resource in resources])
    needs = Needs(team=tuple(team), resources=tuple(resources))
    fitted = fit(
        business=series.business,
        visits=[Asked(planned=visit, needs=needs) for visit in planned],
        timezone=series.timezone,
        # Nobody is asked whose calendar cannot be known that far ahead: who booked the series
        # without an end agreed to that.
        answers=Answers(otherwise=Way.LEAVE_OUT, unverified=True),
    )
    made: list[Appointment] = []
    if pattern is not None:
        made = [copy_of(pattern, start=one.start, end=one.end) for one in fitted]
        for appointment in made:
            appointment.created_by = series.created_by
        obstacles = [one.obstacles for one in fitted]
        store_new(
            by=series.created_by,
            appointments=made,
            team=team,
            obstacles=obstacles,
            resources=resources,
        )
    last = Visit.objects.filter(series=series).order_by("-number").first()
    number = last.number + 1 if last else series.first_number
    insert(
        [
            Visit(series=series, appointment=appointment, number=n, planned=one.planned.day)
            for n, (one, appointment) in enumerate(zip(fitted, made, strict=True), number)
        ]
    )
    booked = {one.planned.day for one in fitted}
    questions += [visit.day for visit in planned if visit.day not in booked]
    series.not_booked = sorted({*series.not_booked, *(day.isoformat() for day in questions)})
    series.planned_through = until
    series.save(update_fields=["planned_through", "not_booked"])
    return len(made)


def _planned(series: Series, days: list[date]) -> tuple[list[Planned], list[date]]:
    """The visits, and the days on which the clocks ask something that nobody answered."""
    timing = series.timing
    found: list[Planned] = []
    asked: list[date] = []
    for day in days:
        try:
            start = start_on(timing, day)
        except ClocksAsk:
            asked.append(day)
            continue
        if start is not None:
            end = end_of(start, timing.length, timing.zone)
            found.append(Planned(number=len(found) + 1, day=day, start=start, end=end))
    return found, asked


def pattern_of(series: Series) -> Appointment | None:
    """The last visit that nobody changed alone says what the next ones are like."""
    visits = Visit.objects.filter(series=series, appointment__deleted_at=None)
    visits = visits.select_related("appointment__business").order_by("changed_alone", "-number")
    found = visits.first()
    return found.appointment if found else None


def team_then(pattern: Appointment | None) -> list[Member]:
    """Who is assigned then, as far as they still work here."""
    if pattern is None:
        return []
    assignments = pattern.assignments.select_related("member").order_by("id")
    return [a.member for a in assignments if a.member.is_active]
