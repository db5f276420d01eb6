"""What a change of a series comes to: worked out and fitted into everybody's time, not written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from sophiie.accounts.models import Member
from sophiie.appointments.errors import Obstacle
from sophiie.resources.models import Resource
from sophiie.series.errors import InvalidSeries
from sophiie.series.fitting import Answers, Asked, Fitted, fit
from sophiie.series.horizon import horizon
from sophiie.series.models import Visit
from sophiie.series.needs import NeedsOfBooked, Placed
from sophiie.series.planning import Planned, Timing, end_of, plan, start_on
from sophiie.series.retiming import AS_BEFORE, NewTime, Rest, new_timing
from sophiie.series.scope import Part, Scope, check_not_run_out, locked_series, part_of
from sophiie.series.selectors import find_series


@dataclass(frozen=True, kw_only=True)
class SeriesChange:
    """What is to become of the visits: named details but no times, people, and when they are."""

    details: Mapping[str, Any] = field(default_factory=dict)
    assignees: Sequence[Member] | None = None
    customer_id: UUID | None = None
    resources: Sequence[Resource] | None = None
    time: NewTime = AS_BEFORE


@dataclass(kw_only=True)
class Draft:
    """A change that is worked out and not written."""

    part: Part
    timing: Timing | None  # None: when the visits are stays
    planned: dict[UUID, Planned]  # by appointment, what each visit of the rest is now to stand for
    added: list[Planned]
    surplus: list[Visit]
    times: dict[UUID, Fitted] = field(default_factory=dict)
    newcomers: dict[UUID, list[Obstacle]] = field(default_factory=dict)
    fitted: list[Fitted] = field(default_factory=list)
    stays: set[UUID] = field(default_factory=set)  # left at their old time by an answer

    @property
    def splits(self) -> bool:
        return self.timing is not None and bool(self.part.before)

    @property
    def changing(self) -> list[Visit]:
        gone = {visit.pk for visit in self.surplus}
        return [visit for visit in self.part.touched if visit.pk not in gone]


def worked_out(
    by: Member,
    series_id: UUID,
    scope: Scope,
    appointment_id: UUID | None,
    change: SeriesChange,
    include_changed: bool,
    *,
    held: bool = False,
) -> Draft:
    """Which visits there are to be, and when; only reads. With `held`, series and visits are locked
    until the transaction ends. Raises `InvalidSeries`, `ClocksAsk` and `UnknownSeries`."""
    if scope == Scope.THIS:
        raise InvalidSeries({"scope": "this"})
    series = locked_series(by, series_id) if held else find_series(by, series_id)
    part = part_of(
        series,
        scope=scope,
        appointment_id=appointment_id,
        include_changed=include_changed,
        held=held,
    )
    check_not_run_out(part)
    if series.ended_at is not None and not part.touched:
        raise InvalidSeries({"scope": _("No visit of this series is ahead.")})
    if not change.time.is_any:
        return Draft(part=part, timing=None, planned={}, added=[], surplus=[])
    first = part.rest[0]
    total = None if series.total is None else series.total - first.number + 1
    old = series.timing
    waiting = frozenset(map(date.fromisoformat, series.not_booked))
    timing = new_timing(
        replace(old, left_out=old.left_out | waiting),
        change.time,
        Rest(
            number=first.number,
            day=first.planned,
            pointed_at=part.pointed_at.planned,
            count=total,
        ),
    )
    through = None
    if timing.rule.is_open_ended:
        through = max(filter(None, [series.planned_through, horizon(timing, part.moment)]))
    visits = {p.number: p for p in plan(timing, through=through, number=first.number)}
    planned = {v.appointment_id: visits[v.number] for v in part.rest if v.number in visits}
    if change.time.rule is None:
        beyond = [v for v in _beyond_the_end(part, old) if v.appointment_id not in planned]
        planned |= _planned_alone(beyond, timing, change.time.later_than(part.pointed_at.planned))
    last = part.rest[-1].number
    return Draft(
        part=part,
        timing=timing,
        planned=planned,
        added=[planned for number, planned in visits.items() if number > last],
        surplus=[visit for visit in part.touched if visit.appointment_id not in planned],
    )


def _beyond_the_end(part: Part, timing: Timing) -> list[Visit]:
    """Those that stayed when the series was called off from an earlier visit on."""
    until = timing.rule.until
    return [visit for visit in part.touched if until is not None and visit.planned > until]


def _planned_alone(
    visits: Sequence[Visit], timing: Timing, later: timedelta
) -> dict[UUID, Planned]:
    """By appointment, each at the new time on its own day, to which the rule does not lead. Raises
    `ClocksAsk`."""
    found = {}
    for visit in visits:
        day = visit.planned + later
        if (start := start_on(timing, day)) is not None:
            end = end_of(start, timing.length, timing.zone)
            found[visit.appointment_id] = Planned(
                number=visit.number, day=day, start=start, end=end
            )
    return found


def fit_draft(by: Member, draft: Draft, change: SeriesChange, answers: Answers) -> None:
    """Finds out whether everybody is free where visits move, and where people or resources join.

    Raises `VisitsInTheWay`."""
    asked = _asked(by, draft, change)
    # What stays as it is stays in the way.
    moving = [one.appointment_id for one in asked if one.appointment_id is not None]
    found = fit(
        business=by.business,
        visits=asked,
        timezone=draft.timing.zone if draft.timing else draft.part.series.timezone,
        answers=answers,
        exclude=[*moving, *(visit.appointment_id for visit in draft.surplus)],
    )
    fitted = {one.planned.number: one for one in found}
    for one in asked:
        _sort_in(draft, one, fitted.get(one.planned.number))


def _asked(by: Member, draft: Draft, change: SeriesChange) -> list[Asked]:
    """The visits that have to be fitted: those that move, are added, or get somebody new."""
    part = draft.part
    needs_of = NeedsOfBooked(by.business, change.details).of
    asked = []
    for visit in draft.changing:
        at, there, used = visit.appointment, part.team_of(visit), part.resources_of(visit)
        team = there if change.assignees is None else change.assignees
        resources = used if change.resources is None else change.resources
        planned = draft.planned.get(visit.appointment_id)
        length = planned.end - planned.start if planned else at.end - at.start
        needs = needs_of(at, team, resources, length)
        joining = None
        if planned is None or (planned.start, planned.end) == (at.start, at.end):
            newcomers = [member for member in needs.team if member not in there]
            added = [resource for resource in needs.resources if resource not in used]
            if not (newcomers or added):
                continue
            planned = Planned(number=visit.number, day=visit.planned, start=at.start, end=at.end)
            joining = needs.only(newcomers, added)
        asked.append(
            Asked(
                planned=planned,
                needs=needs,
                joining=joining,
                now=Placed(start=at.start, end=at.end, taken={one.pk for one in (*there, *used)}),
                title=at.title,
                appointment_id=at.id,
            )
        )
    if draft.added:
        last = (part.touched or part.rest)[-1]
        team, resources = team_of_added(part, change), resources_of_added(part, change)
        title, length = last.appointment.title, draft.added[0].end - draft.added[0].start
        needs = needs_of(last.appointment, team, resources, length)
        asked += [Asked(planned=one, needs=needs, title=title) for one in draft.added]
    return asked


def _sort_in(draft: Draft, asked: Asked, fitted: Fitted | None) -> None:
    appointment_id, now_at = asked.appointment_id, asked.now
    if appointment_id is None or now_at is None:
        draft.fitted += [fitted] if fitted else []
    elif fitted is None:
        draft.stays.add(appointment_id)
    elif (fitted.start, fitted.end) == (now_at.start, now_at.end):
        draft.newcomers[appointment_id] = fitted.obstacles
    else:
        draft.times[appointment_id] = fitted


def team_of_added(part: Part, change: SeriesChange) -> list[Member]:
    """Who does the visits that a change adds: whoever does the last one."""
    if change.assignees is not None:
        return list(change.assignees)
    return part.team_of((part.touched or part.rest)[-1])


def resources_of_added(part: Part, change: SeriesChange) -> list[Resource]:
    if change.resources is not None:
        return list(change.resources)
    return part.resources_of((part.touched or part.rest)[-1])
