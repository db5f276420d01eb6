"""What is in the way of a time: appointments, holds, and busy time elsewhere.

The one place that joins them and names each cause; bookings, pages, the API and availability ask
here. It only reads. Working hours are no conflict: a person may book outside them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from sophiie.accounts.models import Member
from sophiie.appointments.errors import Obstacle, Source
from sophiie.appointments.hold_time import sql_counts_still
from sophiie.appointments.models import Appointment
from sophiie.appointments.resources import uses_at
from sophiie.appointments.signals import booking_ahead, own_events_asked
from sophiie.busy_time.knowledge import Freshness, Knowledge, knowledge_of
from sophiie.common.clock import now
from sophiie.common.sql import execute
from sophiie.resources.models import Resource


def renew_knowledge(*, team: Iterable[Member], start: datetime, end: datetime) -> None:
    """Has old copies of the team's calendars renewed, before a booking's transaction.

    Inside a transaction it asks for nothing, because nobody may wait for the network there. Whoever
    began the transaction has asked before; what could not be renewed is an obstacle, never free.
    """
    if end > now() and not connection.in_atomic_block:
        members = [member.id for member in team]
        booking_ahead.send(sender=Appointment, members=members, start=start, end=end)


Period = tuple[datetime, datetime]


def conflicts_of(
    *,
    team: Sequence[Member],
    start: datetime,
    end: datetime,
    timezone: str,
    exclude: UUID | None = None,
    only_looking: bool = False,
    resources: Sequence[Resource] = (),
) -> list[Obstacle]:
    """Everything in the way of the team and the resources from `start` to `end`, except the
    appointment `exclude`.

    Whoever is `only_looking` is content with old copies, because the booking renews them. Shows
    busy time in `timezone`. For the past it does not look at busy time: a record of the past books
    nobody twice, so the past counts as known.
    """
    (found,) = conflicts_at(
        team=team,
        periods=[(start, end)],
        timezone=timezone,
        exclude=[exclude] if exclude else [],
        only_looking=only_looking,
        resources=resources,
    )
    return found


def conflicts_at(
    *,
    team: Sequence[Member],
    periods: Sequence[Period],
    timezone: str,
    exclude: Collection[UUID] = (),
    only_looking: bool = False,
    resources: Sequence[Resource] = (),
) -> list[list[Obstacle]]:
    """The same for many periods, each with what is in its way, in the order of the periods. The
    number of queries does not grow with them."""
    moment = now()
    names = {member.id: member.name for member in team}
    found = _appointments(names, periods, moment, exclude)
    for n, obstacle in uses_at(resources=resources, periods=periods, exclude=exclude):
        found[n].append(obstacle)
    ahead = {n: (max(a, moment), b) for n, (a, b) in enumerate(periods) if b > moment}
    if ahead:
        known = knowledge_of(names)
        linked = {m: k for m, k in known.items() if k.state != Freshness.NOT_LINKED}
        own = {name for names_of in own_events(exclude).values() for name in names_of}
        for n, obstacle in _busy_elsewhere(names, ahead, timezone, linked, own):
            found[n].append(obstacle)
        for n, (start, end) in ahead.items():
            found[n] += [
                Obstacle(
                    source=Source.UNREADABLE,
                    member_id=member_id,
                    member_name=names[member_id],
                    start=periods[n][0],
                    end=end,
                    timezone=timezone,
                    checked_at=knowledge.checked_at,
                    too_far=_is_good(knowledge, only_looking),
                )
                for member_id, knowledge in linked.items()
                if not (_is_good(knowledge, only_looking) and knowledge.covers(start, end))
            ]
    for obstacles in found:
        obstacles.sort(key=lambda obstacle: (obstacle.start, obstacle.member_name))
    return found


def _is_good(knowledge: Knowledge, only_looking: bool) -> bool:
    return knowledge.is_reliable or (only_looking and knowledge.state == Freshness.STALE)


# An assignment that does not block is in nobody's way, unless only a law of the clocks displaced
# it; nor is an expired hold. Two branches, because each has an index of its own.
_APPOINTMENTS = f"""
    SELECT asked.place - 1, assignment.member_id, appointment.id, appointment.start,
        appointment."end", appointment.title, appointment.timezone
    FROM unnest(%(starts)s::timestamptz[], %(ends)s::timestamptz[])
        WITH ORDINALITY AS asked (starts, ends, place)
    CROSS JOIN LATERAL (
        SELECT * FROM appointments_assignment
        WHERE member_id = ANY(%(members)s) AND blocking
            AND during && tstzrange(asked.starts, asked.ends)
        UNION ALL
        SELECT * FROM appointments_assignment
        WHERE member_id = ANY(%(members)s) AND displaced
            AND during && tstzrange(asked.starts, asked.ends)
    ) AS assignment
    JOIN appointments_appointment AS appointment ON appointment.id = assignment.appointment_id
    WHERE {sql_counts_still("assignment.held_until")}
        AND assignment.appointment_id <> ALL(%(exclude)s::uuid[])
"""  # noqa: S608 - no values
# Several events that overlap or touch are one stretch.
_BUSY = """
    SELECT asked.place - 1, gathered.member_id, lower(period), upper(period)
    FROM unnest(%(starts)s::timestamptz[], %(ends)s::timestamptz[])
        WITH ORDINALITY AS asked (starts, ends, place)
    CROSS JOIN LATERAL (
        SELECT member_id, unnest(range_agg(during)) AS period
        FROM busy_time_busyperiod
        WHERE member_id = ANY(%(members)s) AND during && tstzrange(asked.starts, asked.ends)
            AND NOT (event_id = ANY(%(own)s) OR series_id = ANY(%(own)s))
        GROUP BY member_id
    ) AS gathered
"""


def _appointments(
    names: Mapping[UUID, str],
    periods: Sequence[Period],
    moment: datetime,
    exclude: Collection[UUID],
) -> list[list[Obstacle]]:
    found: list[list[Obstacle]] = [[] for _ in periods]
    rows = execute(
        _APPOINTMENTS,
        members=list(names),
        starts=[start for start, _ in periods],
        ends=[end for _, end in periods],
        moment=moment,
        exclude=list(exclude),
    )
    for place, member_id, appointment_id, start, end, title, timezone in rows:
        found[place].append(
            Obstacle(
                source=Source.APPOINTMENT,
                member_id=member_id,
                member_name=names[member_id],
                start=start,
                end=end,
                timezone=timezone,
                appointment_id=appointment_id,
                title=title,
            )
        )
    return found


def own_events(appointment_ids: Collection[UUID]) -> dict[UUID, set[str]]:
    """By appointment, the events elsewhere that stand for it: it is never in its own way."""
    found: dict[UUID, set[str]] = {}
    if appointment_ids:
        asked: list[tuple[Any, Any]] = own_events_asked.send(
            sender=Appointment, appointment_ids=appointment_ids
        )
        for _, events in asked:
            for appointment_id, names in events.items():
                found.setdefault(appointment_id, set()).update(names)
    return found


def _busy_elsewhere(
    names: Mapping[UUID, str],
    ahead: Mapping[int, Period],
    timezone: str,
    known: Mapping[UUID, Knowledge],
    own: Collection[str],
) -> list[tuple[int, Obstacle]]:
    """Busy time in these periods, each with the number of its period."""
    numbers = list(ahead)
    asked = {
        "members": list(known),
        "starts": [start for start, _ in ahead.values()],
        "ends": [end for _, end in ahead.values()],
        "own": list(own),
    }
    rows = execute(_BUSY, **asked) if known else []
    return [
        (
            numbers[place],
            Obstacle(
                source=Source.GOOGLE,
                member_id=member_id,
                member_name=names[member_id],
                start=its_start,
                end=its_end,
                timezone=timezone,
                checked_at=known[member_id].checked_at,
            ),
        )
        for place, member_id, its_start, its_end in rows
    ]
