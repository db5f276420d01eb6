"""Makes an existing appointment the first visit of a series: it stays the same appointment, with
its history and its event, and the other visits are booked like it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from django.utils.translation import gettext as _

from sophiie.accounts.models import Member
from sophiie.appointments import booking
from sophiie.appointments.assignments import team_of
from sophiie.appointments.errors import UnknownAppointment
from sophiie.appointments.locking import lock_members
from sophiie.appointments.many import store_new
from sophiie.appointments.models import Appointment
from sophiie.appointments.record import locked
from sophiie.appointments.resources import check_are_there, resources_used
from sophiie.common.clock import now
from sophiie.series.booking import (
    Booked,
    planned_visits,
    renew_for,
    series_transaction,
    store_series,
)
from sophiie.series.copying import copy_of
from sophiie.series.errors import InTheWay, InvalidSeries, VisitsInTheWay
from sophiie.series.fitting import NO_ANSWERS, Answers, Asked, Fitted, fit
from sophiie.series.models import Visit
from sophiie.series.needs import Needs, NeedsOfBooked
from sophiie.series.planning import NOT_ASKED, ClockAnswers, Planned, Timing
from sophiie.series.rule import Rule


@dataclass(frozen=True, kw_only=True)
class Repetition:
    """How an appointment is to repeat; when its visits are is said by the appointment."""

    rule: Rule
    left_out: frozenset[date] = frozenset()
    clocks: ClockAnswers = NOT_ASKED


def repeat_appointment(
    *, by: Member, appointment_id: UUID, how: Repetition, answers: Answers = NO_ANSWERS
) -> Booked:
    """Books the other visits, each like the appointment, which becomes the first of them.

    Raises `UnknownAppointment`, `InvalidSeries` if the appointment cannot repeat or the rule does
    not begin with it, `ClocksAsk`, `VisitsInTheWay` and `TooBusy`.
    """
    answers.check(by)
    _prepare(by, booking.find(by, appointment_id), how)

    def make() -> Booked:
        first = locked().select_related("business").filter(pk=appointment_id).first()
        if first is None or first.business_id != by.business_id or first.deleted_at is not None:
            raise UnknownAppointment
        timing, visits, needs = _worked_out(by, first, how)
        lock_members((one.id for one in needs.team), resources=[one.id for one in needs.resources])
        check_are_there(needs.resources)
        fitted = _fit(by, first, timing, visits, needs, answers)
        made = [copy_of(first, start=one.start, end=one.end) for one in fitted]
        for appointment in made:
            appointment.created_by = by
        store_new(
            by=by,
            appointments=made,
            team=needs.team,
            obstacles=[one.obstacles for one in fitted],
            resources=needs.resources,
        )
        stays = Fitted(planned=visits[0], start=first.start, end=first.end)
        before = {"repeated": {"appointment": str(first.id), "revision": first.revision}}
        return store_series(by, timing, visits, [stays, *fitted], [first, *made], before)

    return series_transaction(make, by.business)


def check_repeat(
    *, by: Member, appointment_id: UUID, how: Repetition, answers: Answers = NO_ANSWERS
) -> tuple[Timing, list[Planned], list[InTheWay]]:
    """What `repeat_appointment` would find: the timing, all visits, and those in the way. Raises as
    that does."""
    answers.check(by)
    first = booking.find(by, appointment_id)
    _prepare(by, first, how)
    timing, visits, needs = _worked_out(by, first, how)
    try:
        series_transaction(lambda: _fit(by, first, timing, visits, needs, answers), by.business)
    except VisitsInTheWay as error:
        return timing, visits, error.visits
    return timing, visits, []


def why_not_repeat(appointment: Appointment) -> str:
    """Why this appointment cannot repeat by what became of it; "" if it can. That it is a visit
    already is asked apart."""
    if appointment.is_hold:
        return _("A held time cannot repeat: confirm it first.")
    if not appointment.is_on:
        return _("A cancelled appointment cannot repeat.")
    if appointment.start <= now():
        return _("An appointment that has begun cannot repeat.")
    return ""


def _prepare(by: Member, first: Appointment, how: Repetition) -> None:
    """Has calendars polled outside the transaction."""
    _timing, visits, needs = _worked_out(by, first, how)
    renew_for(needs.team, visits)


def _worked_out(
    by: Member, first: Appointment, how: Repetition
) -> tuple[Timing, list[Planned], Needs]:
    if words := why_not_repeat(first):
        raise InvalidSeries({"appointment": words})
    if Visit.objects.filter(appointment=first.pk).exists():
        words = _("This appointment is a visit of a series already: change the series instead.")
        raise InvalidSeries({"appointment": words})
    length = first.end - first.start
    timing = Timing(
        rule=how.rule,
        first=first.local_start.replace(tzinfo=None),
        zone=first.timezone,
        length=length,
        left_out=how.left_out,
        answers=how.clocks,
    )
    visits = planned_visits(timing)
    if visits[0].start != first.start:
        words = _("The repetition has to begin with this appointment, on its own day.")
        raise InvalidSeries({"rule": words})
    team = team_of(first)
    needs = NeedsOfBooked(by.business).of(first, team, resources_used(first), length)
    return timing, visits, needs


def _fit(
    by: Member,
    first: Appointment,
    timing: Timing,
    visits: Sequence[Planned],
    needs: Needs,
    answers: Answers,
) -> list[Fitted]:
    """The first stays where it is, and is in the way of the others like any appointment."""
    return fit(
        business=by.business,
        visits=[Asked(planned=visit, needs=needs, title=first.title) for visit in visits[1:]],
        timezone=timing.zone,
        answers=answers,
    )
