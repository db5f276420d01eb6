"""Changes a series from one visit on: one transaction, with a preview and one way back.

Past visits are never touched. What somebody changed alone stays as it is unless asked for. When
the rule changes, the visits before keep the old one, and a series of its own goes on with the new.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

from django.utils.translation import gettext as _

from sophiie import audit
from sophiie.accounts.models import Member
from sophiie.appointments.conflicts import renew_knowledge
from sophiie.appointments.customers import CustomerOfBooking
from sophiie.appointments.errors import Obstacle
from sophiie.appointments.locking import lock_members
from sophiie.appointments.many import Changed, store_changed, store_ended, store_new
from sophiie.appointments.models import Action, Appointment
from sophiie.appointments.resources import check_are_there, resources_used
from sophiie.appointments.rules import Details, check_details
from sophiie.appointments.services import note_service_on
from sophiie.common.sql import insert, update
from sophiie.resources.models import Resource
from sophiie.series.booking import (
    Booked,
    note_customer,
    record_act,
    series_transaction,
    without,
)
from sophiie.series.copying import copy_of
from sophiie.series.errors import InTheWay, InvalidSeries, VisitsInTheWay
from sophiie.series.fitting import NO_ANSWERS, Answers, Fitted, fit
from sophiie.series.horizon import horizon
from sophiie.series.models import Kind, Series, SeriesAct, Visit
from sophiie.series.planning import Planned, Timing, plan
from sophiie.series.retiming import AS_BEFORE, NewTime, Rest, new_timing
from sophiie.series.scope import Part, Scope, locked_series, part_of
from sophiie.series.selectors import find_series
from sophiie.series.snapshot import note_revisions, of_rest, of_series

R = TypeVar("R")


@dataclass(frozen=True, kw_only=True)
class SeriesChange:
    """What is to become of the visits: named details but no times, people, and when they are."""

    details: Mapping[str, Any] = field(default_factory=dict)
    assignees: Sequence[Member] | None = None
    customer_id: UUID | None = None
    resources: Sequence[Resource] | None = None
    time: NewTime = AS_BEFORE


@dataclass(frozen=True, kw_only=True)
class Preview:
    """What a change would do, or has done: which visits begin when instead, which are called off
    and added, and which stay because somebody changed them alone."""

    moved: list[tuple[Visit, datetime, datetime]]
    changed: list[Visit]
    kept: list[Visit]
    cancelled: list[Visit]
    added: list[Planned]
    past: int
    splits: bool
    in_the_way: list[InTheWay] = field(default_factory=list)


@dataclass(kw_only=True)
class _Draft:
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


def change_series(
    *,
    by: Member,
    series_id: UUID,
    scope: Scope,
    appointment_id: UUID | None = None,
    change: SeriesChange,
    answers: Answers = NO_ANSWERS,
    include_changed: bool = False,
) -> Booked:
    """Changes this visit and the following, or all that are ahead. For one alone there is
    `booking.change`.

    Raises `InvalidSeries`, `ClocksAsk`, `VisitsInTheWay`, `UnknownSeries`, and as `booking.change`.
    """

    work_out = partial(_worked_out, by, series_id, scope, appointment_id, change, include_changed)

    def act() -> Booked:
        draft = work_out(held=True)
        customer = _customer(by, draft.part, change)
        _lock(draft, change, customer)
        _fit(by, draft, change, answers)
        return _store(by, draft, change, customer)

    _prepare(by, series_id, scope, appointment_id, change, answers, include_changed)
    return series_transaction(
        act, by.business, _team(by, series_id, change), _resources(series_id, change)
    )


def preview_change(
    *,
    by: Member,
    series_id: UUID,
    scope: Scope,
    appointment_id: UUID | None = None,
    change: SeriesChange,
    answers: Answers = NO_ANSWERS,
    include_changed: bool = False,
) -> Preview:
    """What `change_series` would do; with the visits in the way instead of a refusal."""

    def look() -> _Draft:
        draft = _worked_out(by, series_id, scope, appointment_id, change, include_changed)
        _fit(by, draft, change, answers)
        return draft

    _prepare(by, series_id, scope, appointment_id, change, answers, include_changed)
    try:
        draft = series_transaction(
            look, by.business, _team(by, series_id, change), _resources(series_id, change)
        )
        return _preview(draft, [])
    except VisitsInTheWay as error:
        draft = _worked_out(by, series_id, scope, appointment_id, change, include_changed)
        return _preview(draft, error.visits)


def _preview(draft: _Draft, in_the_way: list[InTheWay]) -> Preview:
    moved = []
    for visit in draft.changing:
        now_at, then = visit.appointment, draft.planned.get(visit.appointment_id)
        fitted = draft.times.get(visit.appointment_id)
        start = fitted.start if fitted else then.start if then else now_at.start
        stays = visit.appointment_id in draft.stays or draft.timing is None
        if not stays and start != now_at.start:
            moved.append((visit, now_at.start, start))
    return Preview(
        moved=moved,
        changed=draft.changing,
        kept=draft.part.kept,
        cancelled=draft.surplus,
        added=[one.planned for one in draft.fitted] or draft.added,
        past=len(draft.part.before),
        splits=draft.splits,
        in_the_way=in_the_way,
    )


def _prepare(
    by: Member,
    series_id: UUID,
    scope: Scope,
    appointment_id: UUID | None,
    change: SeriesChange,
    answers: Answers,
    include_changed: bool,
) -> None:
    """Checks what can be checked beforehand, and has calendars polled outside the transaction."""
    answers.check(by)
    draft = _worked_out(by, series_id, scope, appointment_id, change, include_changed)
    if change.details:
        visit = (draft.part.touched or draft.part.rest)[0]
        check_details(replace(Details.of(visit.appointment), **change.details))
    if draft.timing is not None or change.assignees is not None:
        times = [(visit.start, visit.end) for visit in (*draft.planned.values(), *draft.added)]
        times += [(v.appointment.start, v.appointment.end) for v in draft.part.rest]
        renew_knowledge(
            team=_team(by, series_id, change),
            start=min(start for start, _end in times),
            end=max(end for _start, end in times),
        )


def _team(by: Member, series_id: UUID, change: SeriesChange) -> list[Member]:
    """Whose time it is about: for polls and proposals."""
    if change.assignees is not None:
        return list(change.assignees)
    last = Visit.objects.filter(series=series_id, series__business=by.business_id).order_by(
        "number"
    )
    found = last.last()
    members = Member.objects.filter(business=by.business_id)
    if found is None:
        return []
    rows = found.appointment.assignments.order_by("id").values_list("member_id", flat=True)
    known = members.in_bulk(list(rows))
    return [known[one] for one in rows if one in known]


def _resources(series_id: UUID, change: SeriesChange) -> list[Resource]:
    """Of which resources proposals are made."""
    if change.resources is not None:
        return list(change.resources)
    last = Visit.objects.filter(series=series_id).order_by("number").last()
    return resources_used(last.appointment) if last else []


def _worked_out(
    by: Member,
    series_id: UUID,
    scope: Scope,
    appointment_id: UUID | None,
    change: SeriesChange,
    include_changed: bool,
    *,
    held: bool = False,
) -> _Draft:
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
        return _Draft(part=part, timing=None, planned={}, added=[], surplus=[])
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
    return _Draft(
        part=part,
        timing=timing,
        planned={v.appointment_id: visits[v.number] for v in part.rest if v.number in visits},
        added=[planned for number, planned in visits.items() if number > last],
        surplus=[visit for visit in part.touched if visit.number not in visits],
    )


def _customer(by: Member, part: Part, change: SeriesChange) -> CustomerOfBooking | None:
    """Of whom it is said, if that is to change; for all visits the same."""
    said = {name for name in change.details if name.startswith("customer_")}
    if not said and change.customer_id is None:
        return None
    visit = (part.touched or part.rest)[0]
    details = replace(Details.of(visit.appointment), **change.details)
    return CustomerOfBooking(by, details, change.customer_id)


def _lock(draft: _Draft, change: SeriesChange, customer: CustomerOfBooking | None) -> None:
    members = {member.id for member in change.assignees or ()}
    for visit in draft.part.touched:
        members |= {member.id for member in draft.part.team_of(visit)}
    things = {resource.id for resource in change.resources or ()}
    things |= {resource.id for resource in _resources_of_added(draft.part, change)}
    for visit in draft.part.touched:
        things |= {resource.id for resource in draft.part.resources_of(visit)}
    lock_members(members, customers=customer.locks if customer else [], resources=things)
    if change.resources is not None:
        check_are_there(change.resources)


def _fit(by: Member, draft: _Draft, change: SeriesChange, answers: Answers) -> None:
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
        ask(_team_of_added(part, change), _resources_of_added(part, change), None, planned)
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
    draft: _Draft,
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


def _team_of_added(part: Part, change: SeriesChange) -> list[Member]:
    if change.assignees is not None:
        return list(change.assignees)
    return part.team_of((part.touched or part.rest)[-1])


def _resources_of_added(part: Part, change: SeriesChange) -> list[Resource]:
    if change.resources is not None:
        return list(change.resources)
    return part.resources_of((part.touched or part.rest)[-1])


def _store(
    by: Member, draft: _Draft, change: SeriesChange, customer: CustomerOfBooking | None
) -> Booked:
    part, series = draft.part, draft.part.series
    taken = of_rest(part)
    before = {"series": of_series(series), "visits": taken, "added": []}
    pattern = (part.touched or part.rest)[-1]
    changes = [_changed(visit, draft, change) for visit in draft.changing]
    if "service_id" in change.details:
        said = note_service_on([one.appointment for one in changes], change.details["service_id"])
        for one in changes:
            one.service = said.get(one.appointment.id, {})
    if customer is not None:
        note_customer(customer, [one.appointment for one in changes])
    for one in changes:
        check_details(Details.of(one.appointment))
    # What is called off and what moves away makes room first.
    ended = store_ended(by=by, appointments=[visit.appointment for visit in draft.surplus])
    changed = store_changed(by=by, changes=changes, action=Action.CHANGED)
    made = [copy_of(pattern.appointment, start=one.start, end=one.end) for one in draft.fitted]
    for appointment in made:
        appointment.created_by = by
    store_new(
        by=by,
        appointments=made,
        team=_team_of_added(part, change),
        obstacles=[one.obstacles for one in draft.fitted],
        resources=_resources_of_added(part, change),
    )
    left_out = _leave_out(draft)
    goes_on = _store_series(by, draft) if draft.timing is not None else series
    _store_visits(draft, goes_on, made)
    note_revisions(taken, [*ended, *changed])
    before["added"] = [str(appointment.id) for appointment in made]
    act = SeriesAct(series=goes_on, kind=Kind.CHANGED, by=by, at=part.moment, before=before)
    insert([act])
    record_act(audit.Act.SERIES_CHANGED, goes_on, by, visits=len(changed) + len(ended) + len(made))
    return Booked(series=goes_on, act=act, left_out=left_out)


def _leave_out(draft: _Draft) -> list[Planned]:
    """New visits that were not booked: the rule leads to one less, and the others close the gap."""
    booked = {one.planned.day for one in draft.fitted}
    left_out = [planned for planned in draft.added if planned.day not in booked]
    if draft.timing is not None and left_out:
        visits = len(draft.planned) + len(draft.fitted)
        draft.timing = without(draft.timing, left_out, visits)
        last = draft.part.rest[-1].number
        draft.fitted = [
            replace(one, planned=replace(one.planned, number=n))
            for n, one in enumerate(draft.fitted, last + 1)
        ]
    return left_out


def _changed(visit: Visit, draft: _Draft, change: SeriesChange) -> Changed:
    appointment, old_team = visit.appointment, draft.part.team_of(visit)
    before = Details.of(appointment)
    for name, value in change.details.items():
        if name != "service_id":  # noted for all visits at once
            setattr(appointment, name, value)
    stays = appointment.id in draft.stays
    fitted = draft.times.get(appointment.id)
    if fitted is not None:
        appointment.start, appointment.end = fitted.start, fitted.end
    team = old_team if change.assignees is None or stays else list(change.assignees)
    obstacles = fitted.obstacles if fitted else draft.newcomers.get(appointment.id, [])
    return Changed(
        appointment=appointment,
        before=before,
        old_team=old_team,
        team=team,
        obstacles=obstacles,
        old_resources=draft.part.resources_of(visit),
        resources=None if stays else change.resources,
    )


def _store_series(by: Member, draft: _Draft) -> Series:
    """The series that goes on: the same, or after a split a new one. The old one then ends with the
    last visit before."""
    part, timing = draft.part, draft.timing
    assert timing is not None
    old, moment = part.series, part.moment
    goes_on = old
    if draft.splits:
        goes_on = Series(
            business=old.business,
            created_by=by,
            created_at=moment,
            previous=old,
            first_number=part.first_number,
        )
        last = max(visit.planned for visit in part.before)
        old.keep(replace(old.timing, rule=old.parsed.ending(until=last)))
        old.planned_through, old.not_booked, old.ended_at = None, [], moment
        old.revision, old.updated_at = old.revision + 1, moment
    else:
        goes_on.revision += 1
        goes_on.ended_at = None  # called off in part before: by its new rule it goes on
    # Days that wait for an answer are among those left out by now: the answer was this change.
    goes_on.not_booked = []
    goes_on.keep(timing)
    goes_on.updated_at = moment
    is_open = timing.rule.is_open_ended
    goes_on.planned_through = horizon(timing, moment) if is_open else None
    numbers = [planned.number for planned in draft.planned.values()]
    numbers += [one.planned.number for one in draft.fitted]
    goes_on.total = None if is_open else max(numbers, default=part.first_number)
    if draft.splits:
        insert([goes_on])
        update([old])
    else:
        update([goes_on])
    _tell_total(goes_on)
    return goes_on


def _tell_total(series: Series) -> None:
    """The series that it was split from tell the same total: it is one course for whoever comes."""
    previous = series.previous_id
    while previous is not None:
        Series.objects.filter(pk=previous).update(total=series.total)
        previous = Series.objects.filter(pk=previous).values_list("previous_id", flat=True).first()


def _store_visits(draft: _Draft, series: Series, made: Sequence[Appointment]) -> None:
    stays_on = {visit.pk for visit in draft.part.kept}
    visits = draft.part.rest
    if draft.timing is not None:
        leaving = [v for v in visits if v.appointment_id not in draft.planned]
        leaving = [visit for visit in leaving if visit.pk not in stays_on]
        Visit.objects.filter(pk__in=[visit.pk for visit in leaving]).delete()
        visits = [visit for visit in visits if visit not in leaving]
    changed = {visit.appointment_id for visit in draft.changing}
    for visit in visits:
        visit.series = series
        if (planned := draft.planned.get(visit.appointment_id)) is not None:
            visit.planned = planned.day
        if visit.appointment_id in draft.stays:
            visit.changed_alone = True
        elif visit.appointment_id in changed and not draft.part.stays_alone(visit):
            visit.changed_alone = False
    update(visits)
    insert(
        [
            Visit(
                series=series,
                appointment=appointment,
                number=one.planned.number,
                planned=one.planned.day,
            )
            for one, appointment in zip(draft.fitted, made, strict=True)
        ]
    )
