"""What a change of a series comes to: worked out and fitted into everybody's time, not written."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from sophiie.accounts.models import Member
from sophiie.appointments.errors import Obstacle
from sophiie.resources.models import Resource
from sophiie.series.errors import InTheWay, InvalidSeries, VisitsInTheWay
from sophiie.series.fitting import Answers, Fitted, fit
from sophiie.series.horizon import horizon
from sophiie.series.models import Visit
from sophiie.series.planning import Planned, Timing, plan
from sophiie.series.retiming import AS_BEFORE, NewTime, Rest, new_timing
from sophiie.series.scope import Part, Scope, locked_series, part_of
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
    last = part.rest[-1].number
    return Draft(
        part=part,
        timing=timing,
        planned={v.appointment_id: visits[v.number] for v in part.rest if v.number in visits},
        added=[planned for number, planned in visits.items() if number > last],
        surplus=[visit for visit in part.touched if visit.number not in visits],
    )


def fit_draft(by: Member, draft: Draft, change: SeriesChange, answers: Answers) -> None:
    """Finds out whether everybody is free where visits move, and where people or resources join.

    Visits are asked about together with others of the same people and resources.
    """
    part = draft.part
    exclude = [visit.appointment_id for visit in part.touched]
    asked: dict[tuple[object, ...], list[tuple[Visit | None, Planned]]] = defaultdict(list)
    needs: dict[tuple[object, ...], tuple[Sequence[Member], Sequence[Resource]]] = {}

    def ask(
        team: Sequence[Member],
        resources: Sequence[Resource],
        visit: Visit | None,
        planned: Planned,
    ) -> None:
        key = (tuple(one.pk for one in team), tuple(one.pk for one in resources))
        needs[key] = (team, resources)
        asked[key].append((visit, planned))

    for visit in draft.changing:
        team = change.assignees if change.assignees is not None else part.team_of(visit)
        used = part.resources_of(visit)
        needed = used if change.resources is None else change.resources
        planned = draft.planned.get(visit.appointment_id)
        at = visit.appointment
        if planned is not None and (planned.start, planned.end) != (at.start, at.end):
            ask(team, needed, visit, planned)
            continue
        there = {member.id for member in part.team_of(visit)}
        newcomers = [member for member in team if member.id not in there]
        joining = [resource for resource in needed if resource not in used]
        stays = Planned(number=visit.number, day=visit.planned, start=at.start, end=at.end)
        if newcomers or joining:
            ask(newcomers, joining, visit, stays)
    for planned in draft.added:
        ask(team_of_added(part, change), resources_of_added(part, change), None, planned)
    refused: list[InTheWay] = []
    for key, entries in asked.items():
        try:
            found = fit(
                business=by.business,
                team=needs[key][0],
                resources=needs[key][1],
                visits=[planned for _visit, planned in entries],
                timezone=draft.timing.zone if draft.timing else part.series.timezone,
                answers=answers,
                exclude=exclude,
            )
        except VisitsInTheWay as error:
            refused += error.visits
            continue
        _sort_in(draft, entries, {one.planned.number: one for one in found})
    if refused:
        of = sum(map(len, asked.values()))
        raise VisitsInTheWay(sorted(refused, key=lambda visit: visit.number), of)


def _sort_in(
    draft: Draft,
    entries: Sequence[tuple[Visit | None, Planned]],
    found: Mapping[int, Fitted],
) -> None:
    for visit, planned in entries:
        fitted = found.get(planned.number)
        if visit is None:
            draft.fitted += [fitted] if fitted else []
        elif fitted is None:
            draft.stays.add(visit.appointment_id)
        elif (fitted.start, fitted.end) == (visit.appointment.start, visit.appointment.end):
            draft.newcomers[visit.appointment_id] = fitted.obstacles
        else:
            draft.times[visit.appointment_id] = fitted


def team_of_added(part: Part, change: SeriesChange) -> list[Member]:
    """Who does the visits that a change adds: whoever does the last one."""
    if change.assignees is not None:
        return list(change.assignees)
    return part.team_of((part.touched or part.rest)[-1])


def resources_of_added(part: Part, change: SeriesChange) -> list[Resource]:
    if change.resources is not None:
        return list(change.resources)
    return part.resources_of((part.touched or part.rest)[-1])
