"""Confirms a series whose times were only held: all of them or none."""

from __future__ import annotations

from uuid import UUID

from django.utils.translation import gettext as _

from sophiie.accounts.models import Member
from sophiie.appointments.conflicts import renew_knowledge
from sophiie.appointments.locking import lock_members
from sophiie.appointments.many import Changed, store_changed
from sophiie.appointments.models import Action, Status
from sophiie.appointments.rules import Details
from sophiie.series.booking import series_transaction
from sophiie.series.errors import InvalidSeries
from sophiie.series.fitting import Answers, Asked, Fitted, fit
from sophiie.series.models import Series, Visit
from sophiie.series.needs import NeedsOfBooked
from sophiie.series.planning import Planned
from sophiie.series.scope import Part, Scope, locked_series, part_of
from sophiie.series.selectors import find_series


def confirm_series(*, by: Member, series_id: UUID, unverified: bool = False) -> Series:
    """Turns the held visits of a series into appointments. Idempotent; also of expired holds, while
    their times are still free. Raises `VisitsInTheWay`, `UnknownSeries` and `InvalidSeries`."""

    def keep() -> Series:
        part = _part(locked_series(by, series_id), held=True)
        held = _held(part)
        teams = {visit.pk: part.team_of(visit) for visit in held}
        things = {resource.id for visit in held for resource in part.resources_of(visit)}
        lock_members({one.id for team in teams.values() for one in team}, resources=things)
        fitted = fit(
            business=by.business,
            visits=_asked(by, part, held),
            timezone=part.series.timezone,
            answers=Answers(unverified=unverified),
            exclude=[visit.appointment_id for visit in held],
        )
        changes = [
            _confirmed(visit, teams[visit.pk], one) for visit, one in zip(held, fitted, strict=True)
        ]
        store_changed(by=by, changes=changes, action=Action.CONFIRMED)
        return part.series

    part = _part(find_series(by, series_id), held=False)
    renew_knowledge(
        team={one.pk: one for visit in part.rest for one in part.team_of(visit)}.values(),
        start=part.rest[0].appointment.start,
        end=part.rest[-1].appointment.end,
    )
    return series_transaction(keep, by.business)


def _part(series: Series, *, held: bool) -> Part:
    return part_of(series, scope=Scope.ALL, appointment_id=None, include_changed=True, held=held)


def _held(part: Part) -> list[Visit]:
    """Those that wait to be confirmed, also expired ones. Raises `InvalidSeries` if the series was
    called off."""
    held = [visit for visit in part.rest if visit.appointment.is_hold]
    held = [visit for visit in held if visit.appointment.deleted_at is None]
    on = [v for v in part.rest if v.appointment.is_on and not v.appointment.is_hold]
    if not held and not on:
        raise InvalidSeries({"series": _("This series is not held.")})
    return held


def _asked(by: Member, part: Part, held: list[Visit]) -> list[Asked]:
    needs_of = NeedsOfBooked(by.business).of
    asked = []
    for visit in held:
        at = visit.appointment
        planned = Planned(number=visit.number, day=visit.planned, start=at.start, end=at.end)
        team, resources = part.team_of(visit), part.resources_of(visit)
        needs = needs_of(at, team, resources, at.end - at.start)
        asked.append(Asked(planned=planned, needs=needs, title=at.title, appointment_id=at.id))
    return asked


def _confirmed(visit: Visit, team: list[Member], fitted: Fitted) -> Changed:
    appointment = visit.appointment
    status = [appointment.status, str(Status.SCHEDULED)]
    appointment.status, appointment.held_until = Status.SCHEDULED, None
    return Changed(
        appointment=appointment,
        before=Details.of(appointment),
        old_team=team,
        team=team,
        obstacles=fitted.obstacles,
        more={"status": status},
    )
