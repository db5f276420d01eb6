"""Books a series, or holds the times of one: one transaction for all its visits."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, TypeVar
from uuid import UUID

from django.utils.translation import gettext as _

from sophiie import audit
from sophiie.accounts.models import Business, Member
from sophiie.appointments.conflicts import renew_knowledge
from sophiie.appointments.customers import CustomerOfBooking
from sophiie.appointments.errors import InvalidAppointment
from sophiie.appointments.holding import (
    check_minutes,
    check_what_is_held,
    make_room_for_hold,
    most_at_once,
)
from sophiie.appointments.locking import TimeTaken, in_transaction, lock_members
from sophiie.appointments.many import store_new
from sophiie.appointments.models import Action, Appointment, Status
from sophiie.appointments.resources import check_are_there
from sophiie.appointments.rules import Details, check_details
from sophiie.appointments.services import note_service_on
from sophiie.common.clock import now
from sophiie.common.sql import insert
from sophiie.resources.models import Resource
from sophiie.series.errors import InTheWay, InvalidSeries, VisitsInTheWay
from sophiie.series.fitting import NO_ANSWERS, Answers, Asked, Fitted, fit
from sophiie.series.horizon import horizon
from sophiie.series.models import Kind, Series, SeriesAct, Visit
from sophiie.series.needs import Needs, needs_of_new, with_proposals
from sophiie.series.planning import Planned, Timing, plan

R = TypeVar("R")


@dataclass(frozen=True, kw_only=True)
class Booked:
    """A series that was just booked or changed. `act` undoes it; `left_out` are the planned visits
    that were not booked because something was in their way."""

    series: Series
    act: SeriesAct
    left_out: list[Planned]


def planned_visits(timing: Timing) -> list[Planned]:
    """The visits that a series of this timing would have now. Raises as `plan`."""
    through = horizon(timing, now()) if timing.rule.is_open_ended else None
    return plan(timing, through=through)


def check_series(
    *,
    by: Member,
    timing: Timing,
    assignees: Sequence[Member],
    details: Details | None = None,
    answers: Answers = NO_ANSWERS,
    resources: Sequence[Resource] = (),
) -> tuple[list[Planned], list[InTheWay]]:
    """What booking would find: the visits, and those in the way with the nearest free times.

    Books nothing. Of the `details` only the service and the way there count. Raises as `plan` does,
    and for answers that this member may not give.
    """
    answers.check(by)
    visits = planned_visits(timing)
    renew_for(assignees, visits)

    needs = _needs(by, timing, details, assignees, resources)
    title = details.title if details else ""

    def look() -> None:
        fit(
            business=by.business,
            visits=[Asked(planned=visit, needs=needs, title=title) for visit in visits],
            timezone=timing.zone,
            answers=answers,
        )

    try:
        series_transaction(look, by.business)
    except VisitsInTheWay as error:
        return visits, error.visits
    return visits, []


def book_series(
    *,
    by: Member,
    details: Details,
    timing: Timing,
    assignees: Sequence[Member],
    answers: Answers = NO_ANSWERS,
    customer_id: UUID | None = None,
    hold_minutes: int | None = None,
    hold_key: UUID | None = None,
    resources: Sequence[Resource] = (),
) -> Booked:
    """Makes a series and all its visits in the business of `by`; `timing` says when they are, and
    `details` everything else. Every visit needs the `resources`, and has the buffers of the service
    that the details name. With `hold_minutes` it only holds the times, all or none.

    Raises `InvalidSeries`, `ClocksAsk`, `VisitsInTheWay`, and as `booking.book`.
    """
    answers.check(by)
    visits = planned_visits(timing)
    details = replace(details, start=visits[0].start, end=visits[0].end, timezone=timing.zone)
    check_details(details)
    if hold_minutes is not None:
        _check_hold(by, details, assignees, visits, hold_minutes, hold_key)
    renew_for(assignees, visits)
    needs = _needs(by, timing, details, assignees, resources)

    def make() -> Booked:
        if hold_minutes is not None:
            make_room_for_hold(by.id, hold_key, is_new=True, count=len(visits))
        customer = CustomerOfBooking(by, details, customer_id)
        lock_members(
            (member.id for member in assignees),
            customers=customer.locks,
            resources=[resource.id for resource in resources],
        )
        check_are_there(resources)
        fitted = fit(
            business=by.business,
            visits=[Asked(planned=visit, needs=needs, title=details.title) for visit in visits],
            timezone=timing.zone,
            answers=answers,
        )
        if not fitted:
            raise InvalidAppointment({"rule": _("No visit would be left.")})
        appointments = _appointments(by, details, fitted, hold_minutes, hold_key)
        note_service_on(appointments, details.service_id)
        note_customer(customer, appointments)
        action = Action.CREATED if hold_minutes is None else Action.HELD
        obstacles = [one.obstacles for one in fitted]
        store_new(
            by=by,
            appointments=appointments,
            team=assignees,
            obstacles=obstacles,
            action=action,
            resources=resources,
        )
        return store_series(by, timing, visits, fitted, appointments)

    return series_transaction(make, by.business)


def series_transaction(act: Callable[[], R], business: Business) -> R:
    """Runs the act. What is in the way gets its proposals after the transaction, and what the
    database refused is tried once more: by then it can be named."""
    try:
        try:
            return in_transaction(act)
        except TimeTaken:
            return in_transaction(act)
    except TimeTaken:
        raise InvalidSeries({"answers": _("Two visits of the series would overlap.")}) from None
    except VisitsInTheWay as error:
        raise with_proposals(error, business) from None


def _needs(
    by: Member,
    timing: Timing,
    details: Details | None,
    team: Sequence[Member],
    resources: Sequence[Resource],
) -> Needs:
    return needs_of_new(
        business=by.business,
        team=team,
        resources=resources,
        length=timing.length,
        service_id=details.service_id if details else None,
        travel_minutes=details.travel_minutes if details else 0,
    )


def renew_for(team: Sequence[Member], visits: Sequence[Planned]) -> None:
    renew_knowledge(team=team, start=visits[0].start, end=max(visit.end for visit in visits))


def _check_hold(
    by: Member,
    details: Details,
    team: Sequence[Member],
    visits: Sequence[Planned],
    minutes: int,
    key: UUID | None,
) -> None:
    check_minutes(minutes)
    most = most_at_once(key)
    if len(visits) > most:
        words = _("At most %(n)s times can be held at once.") % {"n": most}
        raise InvalidAppointment({"hold_minutes": words})
    for visit in visits:
        check_what_is_held(by.business, replace(details, start=visit.start, end=visit.end), team)


def _appointments(
    by: Member,
    details: Details,
    fitted: Sequence[Fitted],
    hold_minutes: int | None,
    hold_key: UUID | None,
) -> list[Appointment]:
    moment = now()
    held = hold_minutes is not None
    return [
        Appointment(
            business=by.business,
            created_by=by,
            created_at=moment,
            updated_at=moment,
            status=Status.HELD if held else Status.SCHEDULED,
            held_until=moment + timedelta(minutes=hold_minutes or 0) if held else None,
            hold_key_id=hold_key if held else None,
            **{**details.as_dict(), "start": one.start, "end": one.end, "service_id": None},
        )
        for one in fitted
    ]


def note_customer(customer: CustomerOfBooking, appointments: Sequence[Appointment]) -> None:
    """The same customer for all: looked for once."""
    if not appointments:
        return
    first, *others = appointments
    said = customer.note_on(first)
    for appointment in others:
        for name in ("customer_name", "customer_phone", "customer_email"):
            setattr(appointment, name, getattr(said, name))
        appointment.customer_id = first.customer_id
        appointment.customer_sought = first.customer_sought


def store_series(
    by: Member,
    timing: Timing,
    visits: Sequence[Planned],
    fitted: Sequence[Fitted],
    appointments: Sequence[Appointment],
    before: Mapping[str, Any] | None = None,
) -> Booked:
    """The series of visits that were just stored. They are numbered as they were booked. `before`:
    what undoing it leaves."""
    moment = now()
    kept = {one.planned.day for one in fitted}
    left_out = [visit for visit in visits if visit.day not in kept]
    timing = without(timing, left_out, len(fitted))
    is_open = timing.rule.is_open_ended
    series = Series(
        business=by.business,
        created_by=by,
        created_at=moment,
        updated_at=moment,
        planned_through=horizon(timing, moment) if is_open else None,
        total=None if is_open else len(fitted),
    )
    series.keep(timing)
    insert([series])
    insert(
        [
            Visit(series=series, appointment=appointment, number=n, planned=one.planned.day)
            for n, (one, appointment) in enumerate(zip(fitted, appointments, strict=True), 1)
        ]
    )
    act = SeriesAct(series=series, kind=Kind.MADE, by=by, at=moment, before=before or {})
    insert([act])
    record_act(audit.Act.SERIES_MADE, series, by, visits=len(fitted))
    return Booked(series=series, act=act, left_out=left_out)


def without(timing: Timing, left_out: Sequence[Planned], visits: int) -> Timing:
    """The timing of what is booked in the end: the same rule leads to the same visits again."""
    days = timing.left_out | {visit.day for visit in left_out}
    rule = timing.rule
    if rule.count is not None:
        rule = rule.ending(count=visits)
    return replace(timing, rule=rule, left_out=frozenset(days))


def record_act(act: audit.Act, series: Series, by: Member, **details: object) -> None:
    audit.record(
        act=act,
        business_id=series.business_id,
        by=by,
        subject=audit.Subject("series", series.id),
        details=details,
    )
