"""Books, changes and calls off many appointments at once: what the acts on a series are made of.

Everything happens in the caller's transaction, which holds the members' locks, in a number of
statements that does not grow with that of the appointments.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sophiie.accounts.models import Member
from sophiie.appointments.assignments import (
    assignments_of,
    distances_of,
    let_go_of_holds,
)
from sophiie.appointments.conflicts import Period, conflicts_at
from sophiie.appointments.errors import Obstacle
from sophiie.appointments.models import Action, Appointment, Assignment, Status
from sophiie.appointments.record import announce_many, differences_between
from sophiie.appointments.rules import Details
from sophiie.common.clock import now
from sophiie.common.sql import insert, update


def obstacles_at(
    team: Sequence[Member],
    periods: Sequence[Period],
    timezone: str,
    *,
    exclude: Collection[UUID] = (),
) -> list[list[Obstacle]]:
    """What is in the way of the team in each of the periods, once expired holds are let go of."""
    if not team or not periods:
        return [[] for _ in periods]
    let_go_of_holds(team, periods)
    return conflicts_at(team=team, periods=periods, timezone=timezone, exclude=exclude)


def store_new(
    *,
    by: Member,
    appointments: Sequence[Appointment],
    team: Sequence[Member],
    obstacles: Sequence[Sequence[Obstacle]],
    action: Action = Action.CREATED,
    more: Mapping[UUID, dict[str, Any]] | None = None,
) -> None:
    """Stores new appointments of the same team; `obstacles` are those that somebody agreed to.
    `more`: what else the history should say, by appointment."""
    for appointment in appointments:
        appointment.note_wall_times()
    insert(appointments)
    assignments: list[Assignment] = []
    changes = []
    for appointment, found in zip(appointments, obstacles, strict=True):
        rows, used = assignments_of(appointment, team, found, {})
        assignments += rows
        said = differences_between(None, Details.of(appointment), None, team)
        noted = (more or {}).get(appointment.id, {})
        changes.append((appointment, said | noted | used))
    insert(assignments)
    announce_many(changes, action, by)


@dataclass(kw_only=True)
class Changed:
    """An appointment with its new values already set, as it was before, and who takes part.

    `obstacles` are those that somebody agreed to, of all of the team or, if it stays at its time,
    of those who are new. `more`: what else the history should say, such as the status.
    """

    appointment: Appointment
    before: Details
    old_team: Sequence[Member]
    team: Sequence[Member]
    obstacles: Sequence[Obstacle] = ()
    more: dict[str, Any] = field(default_factory=dict)

    @property
    def differences(self) -> dict[str, Any]:
        after = Details.of(self.appointment)
        return differences_between(self.before, after, self.old_team, self.team) | self.more


def store_changed(*, by: Member, changes: Sequence[Changed], action: Action) -> list[Appointment]:
    """Stores those that differ from before, each with its next revision; returns them."""
    found = [(change, differences) for change in changes if (differences := change.differences)]
    moment = now()
    for change, differences in found:
        appointment = change.appointment
        if moved := differences.keys() & {"start", "end", "timezone"}:
            appointment.note_wall_times(moved)
        if appointment.wall_is_noted:
            appointment.wall_revision += 1
        appointment.revision += 1
        appointment.updated_at = moment
    update([change.appointment for change, _ in found])
    used = _assign_anew([c for c, differences in found if _takes_time_anew(differences)])
    _keep_distances([c.appointment for c, fields in found if fields.keys() & _DISTANCES])
    announce_many(
        [(c.appointment, differences | used.get(c.appointment.id, {})) for c, differences in found],
        action,
        by,
    )
    return [change.appointment for change, _ in found]


def store_ended(*, by: Member, appointments: Sequence[Appointment]) -> list[Appointment]:
    """Calls off those that are on; returns them. What they were booked in spite of stays noted."""
    ended = [appointment for appointment in appointments if appointment.is_on]
    changes = []
    moment = now()
    for appointment in ended:
        changes.append((appointment, {"status": [appointment.status, str(Status.CANCELLED)]}))
        appointment.status, appointment.held_until = Status.CANCELLED, None
        if appointment.wall_is_noted:
            appointment.wall_revision += 1
        appointment.revision += 1
        appointment.updated_at = moment
    update(ended)
    assignments = Assignment.objects.filter(appointment__in=[one.id for one in ended])
    assignments.update(blocking=False, displaced=False)
    announce_many(changes, Action.CANCELLED, by)
    return ended


def store_deleted(*, by: Member, appointments: Sequence[Appointment]) -> None:
    """Hides them; their history stays. The caller records in the audit log why."""
    moment = now()
    for appointment in appointments:
        appointment.deleted_at = appointment.updated_at = moment
        if appointment.wall_is_noted:
            appointment.wall_revision += 1
        appointment.revision += 1
    update(appointments)
    assignments = Assignment.objects.filter(appointment__in=[one.id for one in appointments])
    assignments.update(blocking=False, displaced=False)
    announce_many([(appointment, {}) for appointment in appointments], Action.DELETED, by)


_DISTANCES = {"service", "travel_minutes"}


def _keep_distances(appointments: Sequence[Appointment]) -> None:
    """Assignments repeat what the service and the way keep free around an appointment."""
    alike: dict[tuple[Any, ...], list[Appointment]] = {}
    for one in appointments:
        alike.setdefault(tuple(distances_of(one).values()), []).append(one)
    for some in alike.values():
        rows = Assignment.objects.filter(appointment__in=[one.id for one in some])
        rows.update(**distances_of(some[0]))


def _takes_time_anew(differences: dict[str, Any]) -> bool:
    return bool(differences.keys() & {"start", "end", "assignees", "status", "deleted"})


def _assign_anew(changes: Sequence[Changed]) -> dict[UUID, dict[str, Any]]:
    """Replaces the assignments; returns which consents were used, by appointment."""
    known: dict[UUID, dict[UUID, Assignment]] = {c.appointment.id: {} for c in changes}
    rows = Assignment.objects.filter(appointment__in=list(known))
    for row in rows.order_by("id"):
        known[row.appointment_id][row.member_id] = row
    assignments: list[Assignment] = []
    used: dict[UUID, dict[str, Any]] = {}
    for change in changes:
        after = change.appointment
        stays = after.is_on and (change.before.start, change.before.end) == (after.start, after.end)
        kept = known[after.id] if stays and not change.more else {}
        new, used[after.id] = assignments_of(after, change.team, change.obstacles, kept)
        assignments += new
    rows.delete()
    insert(assignments)
    return used
