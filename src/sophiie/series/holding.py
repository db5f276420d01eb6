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
from sophiie.resources.models import Resource
from sophiie.series.booking import series_transaction
from sophiie.series.errors import InvalidSeries
from sophiie.series.fitting import Answers, Fitted, fit
from sophiie.series.models import Series, Visit
from sophiie.series.planning import Planned
from sophiie.series.scope import Part, Scope, locked_series, part_of
from sophiie.series.selectors import find_series


def confirm_series(*, by: Member, series_id: UUID, unverified: bool = False) -> Series:
    """Turns the held visits of a series into appointments. Idempotent; also of expired holds, while
    their times are still free. Raises `VisitsInTheWay`, `UnknownSeries` and `InvalidSeries`."""

    def keep() -> Series:
        part = _part(locked_series(by, series_id), held=True)
        held = _held(part)
        team = part.team_of(part.rest[0])
        things = {resource.id for visit in held for resource in part.resources_of(visit)}
        lock_members((member.id for member in team), resources=things)
        changes = []
        for visits, resources in _by_resources(part, held):
            fitted = fit(
                business=by.business,
                team=team,
                visits=[_planned(visit) for visit in visits],
                timezone=part.series.timezone,
                answers=Answers(unverified=unverified),
                exclude=[visit.appointment_id for visit in held],
                resources=resources,
            )
            for visit, one in zip(visits, fitted, strict=True):
                changes.append(_confirmed(visit, team, one))
        store_changed(by=by, changes=changes, action=Action.CONFIRMED)
        return part.series

    part = _part(find_series(by, series_id), held=False)
    team = part.team_of(part.rest[0])
    renew_knowledge(
        team=team, start=part.rest[0].appointment.start, end=part.rest[-1].appointment.end
    )
    return series_transaction(keep, by.business, team, part.resources_of(part.rest[0]))


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


def _by_resources(part: Part, held: list[Visit]) -> list[tuple[list[Visit], list[Resource]]]:
    """Visits that need the same are asked about together: as a rule all of them."""
    groups: dict[frozenset[UUID], tuple[list[Visit], list[Resource]]] = {}
    for visit in held:
        resources = part.resources_of(visit)
        key = frozenset(resource.id for resource in resources)
        groups.setdefault(key, ([], resources))[0].append(visit)
    return list(groups.values())


def _planned(visit: Visit) -> Planned:
    at = visit.appointment
    return Planned(number=visit.number, day=visit.planned, start=at.start, end=at.end)


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
