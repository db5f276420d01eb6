"""Changes a series from one visit on: one transaction, with a preview and one way back.

Past visits are never touched. What somebody changed alone stays as it is unless asked for. When
the rule changes, the visits before keep the old one, and a series of its own goes on with the new.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from sophiie.accounts.models import Member
from sophiie.appointments.assignments import Consent
from sophiie.appointments.conflicts import conflicts_of, renew_knowledge
from sophiie.appointments.customers import CustomerOfBooking
from sophiie.appointments.locking import lock_members
from sophiie.appointments.models import Appointment
from sophiie.appointments.resources import check_are_there, resources_used
from sophiie.appointments.rules import Details, check_details
from sophiie.appointments.services import check_service
from sophiie.resources.models import Resource
from sophiie.series.booking import Booked, series_transaction
from sophiie.series.drafts import (
    Draft,
    SeriesChange,
    fit_draft,
    resources_of_added,
    worked_out,
)
from sophiie.series.errors import InTheWay, VisitsInTheWay
from sophiie.series.fitting import NO_ANSWERS, Answers, Way
from sophiie.series.models import Visit
from sophiie.series.planning import Planned
from sophiie.series.scope import Part, Scope
from sophiie.series.storing import store


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

    work_out = partial(worked_out, by, series_id, scope, appointment_id, change, include_changed)

    def act() -> Booked:
        draft = work_out(held=True)
        customer = _customer(by, draft.part, change)
        _lock(draft, change, customer)
        fit_draft(by, draft, change, answers)
        return store(by, draft, change, customer)

    _prepare(by, series_id, scope, appointment_id, change, answers, include_changed)
    return series_transaction(act, by.business)


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

    def look() -> Draft:
        draft = worked_out(by, series_id, scope, appointment_id, change, include_changed)
        _check_named(by, draft, change)
        fit_draft(by, draft, change, answers)
        return draft

    _prepare(by, series_id, scope, appointment_id, change, answers, include_changed)
    try:
        draft = series_transaction(look, by.business)
        return _preview(draft, [])
    except VisitsInTheWay as error:
        draft = worked_out(by, series_id, scope, appointment_id, change, include_changed)
        return _preview(draft, error.visits)


def _check_named(by: Member, draft: Draft, change: SeriesChange) -> None:
    """Raises `InvalidAppointment` for a customer or a service that storing would refuse."""
    if customer := _customer(by, draft.part, change):
        check_details(customer.details)
    if "service_id" in change.details:
        check_service([one.appointment for one in draft.changing], change.details["service_id"])


def _preview(draft: Draft, in_the_way: list[InTheWay]) -> Preview:
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


def preview_one(
    visit: Visit,
    shown: Appointment,
    *,
    by: Member,
    changes: Mapping[str, Any],
    assignees: Sequence[Member] | None,
    resources: Sequence[Resource] | None,
    customer_id: UUID | None,
    answers: Answers,
) -> Preview:
    """What `booking.change` would do with one visit alone, and what is in its way. Raises as that
    does for what cannot be."""
    after = replace(Details.of(shown), **changes)
    after = CustomerOfBooking(by, after, customer_id).details
    check_service([shown], after.service_id)
    check_details(after)
    is_moved = (after.start, after.end) != (shown.start, shown.end)
    there = [assignment.member for assignment in shown.assignments.all()]
    used = resources_used(shown)
    team = [m for m in (assignees or there) if is_moved or m not in there]
    things = [r for r in (used if resources is None else resources) if is_moved or r not in used]
    renew_knowledge(team=team, start=after.start, end=after.end)
    found = conflicts_of(
        team=team,
        resources=things,
        start=after.start,
        end=after.end,
        timezone=after.timezone,
        exclude=shown.id,
    )
    consent = Consent(answers.otherwise == Way.BOOK_ANYWAY, answers.unverified)
    refused = InTheWay(
        number=visit.number,
        day=visit.planned,
        start=after.start,
        end=after.end,
        timezone=after.timezone,
        obstacles=found,
    )
    return Preview(
        moved=[(visit, shown.start, after.start)] if after.start != shown.start else [],
        changed=[visit],
        kept=[],
        cancelled=[],
        added=[],
        past=0,
        splits=False,
        in_the_way=[] if all(map(consent.covers, found)) else [refused],
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
    draft = worked_out(by, series_id, scope, appointment_id, change, include_changed)
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


def _customer(by: Member, part: Part, change: SeriesChange) -> CustomerOfBooking | None:
    """Of whom it is said, if that is to change; for all visits the same."""
    said = {name for name in change.details if name.startswith("customer_")}
    if not said and change.customer_id is None:
        return None
    visit = (part.touched or part.rest)[0]
    details = replace(Details.of(visit.appointment), **change.details)
    return CustomerOfBooking(by, details, change.customer_id)


def _lock(draft: Draft, change: SeriesChange, customer: CustomerOfBooking | None) -> None:
    members = {member.id for member in change.assignees or ()}
    for visit in draft.part.touched:
        members |= {member.id for member in draft.part.team_of(visit)}
    things = {resource.id for resource in change.resources or ()}
    things |= {resource.id for resource in resources_of_added(draft.part, change)}
    for visit in draft.part.touched:
        things |= {resource.id for resource in draft.part.resources_of(visit)}
    lock_members(members, customers=customer.locks if customer else [], resources=things)
    if change.resources is not None:
        check_are_there(change.resources)
