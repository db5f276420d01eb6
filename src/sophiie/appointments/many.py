"""Books, changes and calls off many appointments at once: what the acts on a series are made of.

Everything happens in the caller's transaction, which holds the members' locks, in a number of
statements that does not grow with that of the appointments.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sophiie.accounts.models import Member
from sophiie.appointments.assignments import assignments_of, both_consents, let_go_of_holds
from sophiie.appointments.conflicts import Period, conflicts_at
from sophiie.appointments.errors import Obstacle
from sophiie.appointments.models import Action, Appointment, Assignment, Status
from sophiie.appointments.record import announce_many, differences_between
from sophiie.appointments.resources import let_go_of_held, other_resources, uses_to_write
from sophiie.appointments.rules import Details
from sophiie.appointments.services import names_of_services
from sophiie.common.clock import now
from sophiie.common.sql import insert, update
from sophiie.resources.models import Resource, ResourceUse
from sophiie.resources.selectors import uses_of_many


def obstacles_at(
    team: Sequence[Member],
    periods: Sequence[Period],
    timezone: str,
    *,
    exclude: Collection[UUID] = (),
    resources: Sequence[Resource] = (),
) -> list[list[Obstacle]]:
    """What is in the way of the team and the resources in each of the periods, once expired holds
    are let go of."""
    if not (team or resources) or not periods:
        return [[] for _ in periods]
    let_go_of_holds(team, periods)
    let_go_of_held([resource.pk for resource in resources], periods)
    return conflicts_at(
        team=team, periods=periods, timezone=timezone, exclude=exclude, resources=resources
    )


def store_new(
    *,
    by: Member,
    appointments: Sequence[Appointment],
    team: Sequence[Member],
    obstacles: Sequence[Sequence[Obstacle]],
    action: Action = Action.CREATED,
    resources: Sequence[Resource] = (),
) -> None:
    """Stores new appointments of the same team, which need the same resources; `obstacles` are
    those that somebody agreed to."""
    for appointment in appointments:
        appointment.note_wall_times()
    insert(appointments)
    assignments: list[Assignment] = []
    uses: list[ResourceUse] = []
    changes = []
    services = names_of_services(appointment.service_id for appointment in appointments)
    needed = other_resources([], resources)
    for appointment, found in zip(appointments, obstacles, strict=True):
        rows, consents = assignments_of(appointment, team, found, {})
        assignments += rows
        its_uses, over = uses_to_write(appointment, resources, found, {})
        uses += its_uses
        said = differences_between(None, Details.of(appointment), None, team)
        if name := services.get(appointment.service_id):
            said["service"] = [None, name]
        changes.append((appointment, said | needed | both_consents(consents, over)))
    insert(assignments)
    insert(uses)
    announce_many(changes, action, by)


@dataclass(kw_only=True)
class Changed:
    """An appointment with its new values already set, as it was before, and who takes part.

    `obstacles` are those that somebody agreed to, of the whole team and all resources or, if it
    stays at its time, of those that are new. Without `resources` it needs the same as before.
    `service`: what `note_service` returned. `more`: what else the history should say and what asks
    for the time anew, such as the status.
    """

    appointment: Appointment
    before: Details
    old_team: Sequence[Member]
    team: Sequence[Member]
    obstacles: Sequence[Obstacle] = ()
    more: dict[str, Any] = field(default_factory=dict)
    old_resources: Sequence[Resource] = ()
    resources: Sequence[Resource] | None = None
    service: dict[str, Any] = field(default_factory=dict)

    @property
    def differences(self) -> dict[str, Any]:
        after = Details.of(self.appointment)
        found = differences_between(self.before, after, self.old_team, self.team) | self.service
        if self.resources is not None:
            found |= other_resources(self.old_resources, self.resources)
        return found | self.more


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
    used = _assign_anew([c for c, differences in found if differences.keys() & _IN_ASSIGNMENTS])
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
    _release(ended)
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
    _release(appointments)
    announce_many([(appointment, {}) for appointment in appointments], Action.DELETED, by)


def _release(appointments: Sequence[Appointment]) -> None:
    """Frees the time of the people and the resources."""
    ids = [appointment.id for appointment in appointments]
    Assignment.objects.filter(appointment__in=ids).update(blocking=False, displaced=False)
    ResourceUse.objects.filter(appointment__in=ids).update(blocking=False, displaced=False)


_IN_ASSIGNMENTS = {
    *("start", "end", "assignees", "status", "deleted", "resources", "service", "travel_minutes"),
}


def _assign_anew(changes: Sequence[Changed]) -> dict[UUID, dict[str, Any]]:
    """Replaces the assignments and the uses of resources; returns which consents were used, by
    appointment."""
    known: dict[UUID, dict[UUID, Assignment]] = {c.appointment.id: {} for c in changes}
    rows = Assignment.objects.filter(appointment__in=list(known))
    for row in rows.order_by("id"):
        known[row.appointment_id][row.member_id] = row
    known_uses = uses_of_many(known)
    assignments: list[Assignment] = []
    uses: list[ResourceUse] = []
    used: dict[UUID, dict[str, Any]] = {}
    for change in changes:
        after = change.appointment
        stays = after.is_on and (change.before.start, change.before.end) == (after.start, after.end)
        stays = stays and not change.more
        kept = known[after.id] if stays else {}
        new, consents = assignments_of(after, change.team, change.obstacles, kept)
        assignments += new
        its_uses = {use.resource_id: use for use in known_uses[after.id]}
        needed = change.resources
        if needed is None:
            needed = [use.resource for use in its_uses.values()]
        new_uses, over = uses_to_write(after, needed, change.obstacles, its_uses if stays else {})
        uses += new_uses
        used[after.id] = both_consents(consents, over)
    rows.delete()
    insert(assignments)
    if known_uses:
        ResourceUse.objects.filter(appointment__in=list(known)).delete()
    insert(uses)
    return used
