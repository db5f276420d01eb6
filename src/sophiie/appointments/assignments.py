"""Who takes part in an appointment, and whose time it takes: writes its assignments.

Callers hold the members' locks, inside the transaction of a business act.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar
from uuid import UUID

from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from sophiie.accounts.models import Member
from sophiie.appointments.conflicts import Period, conflicts_of
from sophiie.appointments.errors import Conflict, Obstacle, Source
from sophiie.appointments.hold_time import sql_counts_still
from sophiie.appointments.locking import TimeTaken, in_transaction
from sophiie.appointments.models import Appointment, Assignment
from sophiie.appointments.resources import let_go_of_held, write_uses
from sophiie.appointments.rules import Details
from sophiie.common.clock import now
from sophiie.common.sql import insert, send
from sophiie.resources.models import Resource
from sophiie.resources.selectors import uses_of

R = TypeVar("R")


@dataclass(frozen=True)
class Consent:
    """What may be booked in spite of a conflict; neither consent implies the other.

    `overlap`: appointments, busy time and resources in use. `unverified`: a calendar that cannot be
    read. The sets name the members and resources for which it was given when the appointment was
    booked.
    """

    overlap: bool = False
    unverified: bool = False
    overlap_before: frozenset[UUID] = frozenset()
    unverified_before: frozenset[UUID] = frozenset()
    resources_before: frozenset[UUID] = frozenset()

    def covers(self, obstacle: Obstacle) -> bool:
        if obstacle.source == Source.UNREADABLE:
            return self.unverified or obstacle.member_id in self.unverified_before
        if obstacle.source == Source.RESOURCE:
            return self.overlap or obstacle.resource_id in self.resources_before
        return self.overlap or obstacle.member_id in self.overlap_before

    def and_as_before(self, appointment: Appointment) -> Consent:
        """Adds the consent that the appointment's present assignments were booked with."""
        assignments = list(appointment.assignments.all())
        return replace(
            self,
            overlap_before=frozenset(a.member_id for a in assignments if a.booked_anyway),
            unverified_before=frozenset(a.member_id for a in assignments if a.unverified),
            resources_before=frozenset(
                use.resource_id for use in uses_of(appointment.pk) if use.booked_anyway
            ),
        )


def assign(
    appointment: Appointment,
    team: Sequence[Member],
    consent: Consent,
    *,
    staying: Iterable[Assignment] = (),
    resources: Sequence[Resource] | None = None,
) -> dict[str, Any]:
    """Replaces the assignments and the uses of resources; returns which consents were used, for the
    history.

    Does not check the assignments `staying` again; with them, what is used already stays as well.
    Without `resources` the appointment needs the same as before. Raises `Conflict` as `check_free`
    does.
    """
    kept = {assignment.member_id: assignment for assignment in staying}
    uses = {use.resource_id: use for use in uses_of(appointment.pk)}
    if resources is None:
        resources = [use.resource for use in uses.values()]
    used = uses if kept else {}
    newcomers = [member for member in team if member.id not in kept]
    added = [resource for resource in resources if resource.pk not in used]
    obstacles = check_free(appointment, newcomers, consent, resources=added)
    appointment.assignments.all().delete()
    if uses:
        appointment.resource_uses.all().delete()
    consents = write_assignments(appointment, team, obstacles, kept)
    return both_consents(consents, write_uses(appointment, resources, obstacles, used))


def check_free(
    appointment: Appointment,
    team: Sequence[Member],
    consent: Consent,
    *,
    resources: Sequence[Resource] = (),
) -> list[Obstacle]:
    """Finds the conflicts that the consent covers, for `write_assignments` and `write_uses`.

    Raises `Conflict` with everything that is in the way if the consent does not cover it.
    """
    if not appointment.is_on:
        return []
    let_go_of_holds(team, [(appointment.start, appointment.end)])
    let_go_of_held([r.pk for r in resources], [(appointment.start, appointment.end)])
    obstacles = conflicts_of(
        team=team,
        resources=resources,
        start=appointment.start,
        end=appointment.end,
        timezone=appointment.timezone,
        # What is being booked cannot have events elsewhere yet: nobody is asked for them.
        exclude=None if appointment._state.adding else appointment.id,
    )
    if not all(consent.covers(obstacle) for obstacle in obstacles):
        raise Conflict(obstacles)
    return obstacles


def both_consents(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """What was booked over, of people and of resources, as one entry of the history."""
    if not (one and other):
        return one or other
    names = [*one.get("booked_anyway", [[], []])[1], *other["booked_anyway"][1]]
    return {**one, "booked_anyway": [[], names]}


def release(appointment: Appointment) -> None:
    """Frees the time of its people and resources: it does not take place."""
    appointment.assignments.update(blocking=False, displaced=False)
    appointment.resource_uses.update(blocking=False, displaced=False)


def write_assignments(
    appointment: Appointment,
    team: Sequence[Member],
    obstacles: Sequence[Obstacle],
    kept: Mapping[UUID, Assignment] | None = None,
) -> dict[str, Any]:
    """Writes the assignments of an appointment that has none; returns consents for the history."""
    assignments, used = assignments_of(appointment, team, obstacles, kept or {})
    insert(assignments)
    return used


def assignments_of(
    appointment: Appointment,
    team: Sequence[Member],
    obstacles: Sequence[Obstacle],
    kept: Mapping[UUID, Assignment],
) -> tuple[list[Assignment], dict[str, Any]]:
    """The assignments to write, and the consents that they use, for the history."""
    assignments = [
        _kept(appointment, kept[member.id])
        if member.id in kept
        else _new(appointment, member, obstacles)
        for member in team
    ]
    return assignments, _used(assignments, team, kept.keys())


def _new(appointment: Appointment, member: Member, obstacles: Sequence[Obstacle]) -> Assignment:
    sources = {o.source for o in obstacles if o.member_id == member.id}
    return Assignment(
        appointment=appointment,
        member=member,
        during=DateTimeTZRange(appointment.start, appointment.end),
        # An assignment over busy time elsewhere still keeps others from booking this member here.
        blocking=appointment.is_on and Source.APPOINTMENT not in sources,
        held_until=appointment.held_until,
        booked_anyway=bool(sources - {Source.UNREADABLE}),
        unverified=Source.UNREADABLE in sources,
        **distances_of(appointment),
    )


def distances_of(appointment: Appointment) -> dict[str, Any]:
    """What the assignments repeat of the appointment: its distance from others."""
    return {name: getattr(appointment, name) for name in _DISTANCES}


_DISTANCES = ("buffer_before_minutes", "buffer_after_minutes", "travel_minutes")


def _kept(appointment: Appointment, assignment: Assignment) -> Assignment:
    """The same assignment as a new row: rows follow the order in which the team was named."""
    return Assignment(
        appointment_id=assignment.appointment_id,
        member_id=assignment.member_id,
        during=assignment.during,
        blocking=assignment.blocking,
        held_until=assignment.held_until,
        booked_anyway=assignment.booked_anyway,
        unverified=assignment.unverified,
        displaced=assignment.displaced,
        **distances_of(appointment),
    )


def _used(
    assignments: Sequence[Assignment], team: Sequence[Member], kept: Iterable[UUID]
) -> dict[str, Any]:
    names = {member.id: member.name for member in team}
    used: dict[str, Any] = {}
    for field in ("booked_anyway", "unverified"):
        given = [
            assignment.member_id
            for assignment in assignments
            if getattr(assignment, field) and assignment.member_id not in kept
        ]
        if given:
            used[field] = [[], sorted(names[member_id] for member_id in given)]
    return used


_LET_GO = f"""
    UPDATE appointments_assignment SET blocking = false
    FROM unnest(%(starts)s::timestamptz[], %(ends)s::timestamptz[]) AS asked (starts, ends)
    WHERE member_id = ANY(%(members)s) AND blocking
        AND during && tstzrange(asked.starts, asked.ends) AND NOT {sql_counts_still("held_until")}
"""  # noqa: S608 - no values


def let_go_of_holds(team: Sequence[Member], periods: Sequence[Period]) -> None:
    """Releases expired holds: the exclusion constraint does not know what time it is."""
    send(
        _LET_GO,
        members=[member.id for member in team],
        starts=[start for start, _ in periods],
        ends=[end for _, end in periods],
        moment=now(),
    )


def team_of(appointment: Appointment) -> list[Member]:
    assignments = appointment.assignments.select_related("member").order_by("id")
    return [assignment.member for assignment in assignments]


def booking_transaction(
    act: Callable[[], R],
    details: Details,
    team: Sequence[Member],
    *,
    resources: Sequence[Resource] | None = None,
    exclude: UUID | None = None,
) -> R:
    """Runs the act. The constraints have the last word; their refusal becomes a `Conflict`.

    Without `resources` the act is about those that the appointment `exclude` needs.
    """
    try:
        return in_transaction(act)
    except TimeTaken as error:
        if resources is None:
            resources = [use.resource for use in uses_of(exclude)] if exclude else []
        obstacles = conflicts_of(
            team=team,
            resources=resources,
            start=details.start,
            end=details.end,
            timezone=details.timezone,
            exclude=exclude,
        )
        raise Conflict(obstacles) from error
