"""Who takes part in an appointment, and whose time it takes: writing its assignments.

Called with the members' locks held, inside the transaction of a business act.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from sophiie.accounts.models import Member
from sophiie.appointments.conflicts import conflicts_of
from sophiie.appointments.errors import Conflict, Obstacle, Source
from sophiie.appointments.locking import TimeTaken, in_transaction
from sophiie.appointments.models import Appointment, Assignment
from sophiie.appointments.rules import Details
from sophiie.common.clock import now
from sophiie.common.sql import insert, send

R = TypeVar("R")


@dataclass(frozen=True)
class Consent:
    """What may be booked although it is in the way; one does not imply the other.

    `overlap`: appointments and busy time. `unverified`: a calendar that cannot be read. The sets
    name members for whom it was given when the appointment was booked.
    """

    overlap: bool = False
    unverified: bool = False
    overlap_before: frozenset[UUID] = frozenset()
    unverified_before: frozenset[UUID] = frozenset()

    def covers(self, obstacle: Obstacle) -> bool:
        if obstacle.source == Source.UNREADABLE:
            return self.unverified or obstacle.member_id in self.unverified_before
        return self.overlap or obstacle.member_id in self.overlap_before

    def and_as_before(self, appointment: Appointment) -> Consent:
        """Together with what was given for the appointment's shares as they are."""
        shares = list(appointment.assignments.all())
        return replace(
            self,
            overlap_before=frozenset(s.member_id for s in shares if s.booked_anyway),
            unverified_before=frozenset(s.member_id for s in shares if s.unverified),
        )


def assign(
    appointment: Appointment,
    team: Sequence[Member],
    consent: Consent,
    *,
    staying: Iterable[Assignment] = (),
) -> dict[str, Any]:
    """Writes the assignments anew; returns what the history should know of the consent used.

    The shares `staying` are not looked at again. Raises `Conflict` as `check_free` does.
    """
    kept = {share.member_id: share for share in staying}
    newcomers = [member for member in team if member.id not in kept]
    obstacles = check_free(appointment, newcomers, consent)
    appointment.assignments.all().delete()
    return write_shares(appointment, team, obstacles, kept)


def check_free(
    appointment: Appointment, team: Sequence[Member], consent: Consent
) -> list[Obstacle]:
    """What is in the way of the team's shares and may be booked over, for `write_shares`.

    Raises `Conflict` with all that is in the way when the consent does not cover it.
    """
    if not appointment.is_on:
        return []
    let_go_of_holds(team, appointment.start, appointment.end)
    obstacles = conflicts_of(
        team=team,
        start=appointment.start,
        end=appointment.end,
        timezone=appointment.timezone,
        exclude=appointment.id,
    )
    if not all(consent.covers(obstacle) for obstacle in obstacles):
        raise Conflict(obstacles)
    return obstacles


def write_shares(
    appointment: Appointment,
    team: Sequence[Member],
    obstacles: Sequence[Obstacle],
    kept: Mapping[UUID, Assignment] | None = None,
) -> dict[str, Any]:
    """Writes the shares of an appointment that has none; what the history should know of it."""
    kept = kept or {}
    shares = [
        _kept(kept[member.id]) if member.id in kept else _new(appointment, member, obstacles)
        for member in team
    ]
    insert(shares)
    return _used(shares, team, kept.keys())


def _new(appointment: Appointment, member: Member, obstacles: Sequence[Obstacle]) -> Assignment:
    sources = {o.source for o in obstacles if o.member_id == member.id}
    return Assignment(
        appointment=appointment,
        member=member,
        during=DateTimeTZRange(appointment.start, appointment.end),
        # What is only busy elsewhere still keeps others from booking this member twice here.
        blocking=appointment.is_on and Source.APPOINTMENT not in sources,
        held_until=appointment.held_until,
        booked_anyway=bool(sources - {Source.UNREADABLE}),
        unverified=Source.UNREADABLE in sources,
    )


def _kept(share: Assignment) -> Assignment:
    """The same share as a new row: rows stand in the order in which the team was named."""
    return Assignment(
        appointment_id=share.appointment_id,
        member_id=share.member_id,
        during=share.during,
        blocking=share.blocking,
        held_until=share.held_until,
        booked_anyway=share.booked_anyway,
        unverified=share.unverified,
        displaced=share.displaced,
    )


def _used(
    shares: Sequence[Assignment], team: Sequence[Member], kept: Iterable[UUID]
) -> dict[str, Any]:
    names = {member.id: member.name for member in team}
    used: dict[str, Any] = {}
    for field in ("booked_anyway", "unverified"):
        given = [s.member_id for s in shares if getattr(s, field) and s.member_id not in kept]
        if given:
            used[field] = [[], sorted(names[member_id] for member_id in given)]
    return used


def let_go_of_holds(team: Sequence[Member], start: datetime, end: datetime) -> None:
    """The constraint does not know what time it is: a hold that has run out is told to it here."""
    send(
        "UPDATE appointments_assignment SET blocking = false"
        " WHERE member_id = ANY(%(members)s) AND blocking"
        " AND during && tstzrange(%(start)s, %(end)s) AND held_until <= %(moment)s",
        members=[member.id for member in team],
        start=start,
        end=end,
        moment=now(),
    )


def team_of(appointment: Appointment) -> list[Member]:
    assignments = appointment.assignments.select_related("member").order_by("id")
    return [assignment.member for assignment in assignments]


def booking_transaction(
    act: Callable[[], R], details: Details, team: Sequence[Member], *, exclude: UUID | None = None
) -> R:
    """Runs the act. The constraint has the last word; its no is a `Conflict`."""
    try:
        return in_transaction(act)
    except TimeTaken as error:
        obstacles = conflicts_of(
            team=team,
            start=details.start,
            end=details.end,
            timezone=details.timezone,
            exclude=exclude,
        )
        raise Conflict(obstacles) from error
