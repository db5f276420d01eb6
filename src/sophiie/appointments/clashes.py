"""What came in the way of an appointment after it was booked.

The counterpart of `conflicts.py`, which says what is in the way of a time before. It only reads.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sophiie.appointments.conflicts import own_events
from sophiie.appointments.errors import Obstacle, Source
from sophiie.appointments.hold_time import sql_counts_still
from sophiie.appointments.models import Appointment
from sophiie.appointments.resource_clashes import resource_clashes
from sophiie.common.clock import now
from sophiie.common.sql import Rows, execute

# What came in the way of an assignment after it was booked: busy time elsewhere, appointments that
# somebody put on top, and what a law of the clocks put there, seen from both sides. Leaves out an
# assignment that was itself booked anyway: its people know.
_CLASHES = f"""
    WITH own AS (
        SELECT * FROM unnest(%(owners)s::uuid[], %(own)s::text[]) AS own (appointment_id, event_id)
    ), assignment AS (
        SELECT assignment.appointment_id, assignment.member_id, assignment.during,
            assignment.displaced, member.name
        FROM appointments_assignment AS assignment
        JOIN accounts_member AS member ON member.id = assignment.member_id
        WHERE assignment.appointment_id = ANY(%(appointments)s) AND NOT assignment.booked_anyway
    )
    SELECT appointment_id, member_id, name, NULL::uuid, '', '',
        lower(period), upper(period), checked_at
    FROM (
        SELECT assignment.appointment_id, assignment.member_id, assignment.name,
            unnest(range_agg(busy.during)) AS period, min(calendar.checked_at) AS checked_at
        FROM assignment
        JOIN busy_time_busyperiod AS busy
            ON busy.member_id = assignment.member_id AND busy.during && assignment.during
        JOIN busy_time_busycalendar AS calendar ON calendar.id = busy.calendar_id
        WHERE upper(busy.during) > %(moment)s AND NOT EXISTS (
            SELECT FROM own WHERE own.appointment_id = assignment.appointment_id
                AND own.event_id IN (busy.event_id, busy.series_id)
        )
        GROUP BY assignment.appointment_id, assignment.member_id, assignment.name
    ) AS gathered
    UNION ALL
    SELECT assignment.appointment_id, assignment.member_id, assignment.name, other.id, other.title,
        other.timezone, other.start, other."end", NULL
    FROM assignment
    JOIN appointments_assignment AS above
        ON above.member_id = assignment.member_id AND above.during && assignment.during
        AND above.booked_anyway AND above.appointment_id <> assignment.appointment_id
        AND {sql_counts_still("above.held_until")}
    JOIN appointments_appointment AS other
        ON other.id = above.appointment_id
        AND other.deleted_at IS NULL AND other.status <> 'cancelled'
    UNION ALL
    SELECT assignment.appointment_id, assignment.member_id, assignment.name, other.id, other.title,
        other.timezone, other.start, other."end", NULL
    FROM assignment
    JOIN appointments_assignment AS displaced
        ON displaced.member_id = assignment.member_id AND displaced.during && assignment.during
        AND displaced.displaced AND displaced.appointment_id <> assignment.appointment_id
    JOIN appointments_appointment AS other
        ON other.id = displaced.appointment_id
        AND other.deleted_at IS NULL AND other.status <> 'cancelled'
    UNION ALL
    SELECT assignment.appointment_id, assignment.member_id, assignment.name, other.id, other.title,
        other.timezone, other.start, other."end", NULL
    FROM assignment
    JOIN appointments_assignment AS blocking
        ON assignment.displaced
        AND blocking.member_id = assignment.member_id AND blocking.during && assignment.during
        AND blocking.blocking AND blocking.appointment_id <> assignment.appointment_id
        AND {sql_counts_still("blocking.held_until")}
    JOIN appointments_appointment AS other ON other.id = blocking.appointment_id
"""  # noqa: S608 - no values


def _clashes(appointment_ids: Sequence[UUID], moment: datetime) -> Rows:
    """One query; two more only where busy time was found, which may be an appointment's own event
    that somebody moved."""
    found = _clashes_but_own(appointment_ids, moment, {})
    overlapped = {row[0] for row in found if row[3] is None}
    own = own_events(list(overlapped))
    return _clashes_but_own(appointment_ids, moment, own) if own else found


def _clashes_but_own(
    appointment_ids: Sequence[UUID], moment: datetime, own: Mapping[UUID, set[str]]
) -> Rows:
    pairs = [(owner, name) for owner, names in own.items() for name in names]
    return execute(
        _CLASHES,
        appointments=list(appointment_ids),
        moment=moment,
        owners=[owner for owner, _ in pairs],
        own=[name for _, name in pairs],
    )


def members_with_clashes(appointment_ids: Iterable[UUID]) -> dict[UUID, set[UUID]]:
    """By appointment, the members with a clash that came up after booking; in one query, or three
    where one overlaps busy time.

    For a page of many appointments. Leaves out what is over, but not what is cancelled.
    """
    found: dict[UUID, set[UUID]] = defaultdict(set)
    ids = list(appointment_ids)
    for appointment_id, member_id, *_ in _clashes(ids, now()) if ids else []:
        found[appointment_id].add(member_id)
    return found


def clashes_of(appointments: Iterable[Appointment]) -> dict[UUID, list[Obstacle]]:
    """By appointment, what came in the way after it was booked.

    The number of queries does not grow with that of the appointments. Those that are over or off
    have no clashes.
    """
    moment = now()
    asked = {a.id: a for a in appointments if a.is_on and a.end > moment}
    found: dict[UUID, list[Obstacle]] = defaultdict(list)
    if not asked:
        return found
    rows = _clashes(list(asked), moment)
    for appointment_id, member_id, name, other, title, timezone, start, end, checked_at in rows:
        found[appointment_id].append(
            Obstacle(
                source=Source.APPOINTMENT if other else Source.GOOGLE,
                member_id=member_id,
                member_name=name,
                start=start,
                end=end,
                timezone=timezone or asked[appointment_id].timezone,
                appointment_id=other,
                title=title,
                checked_at=checked_at,
            )
        )
    for appointment_id, over in resource_clashes(list(asked), moment).items():
        found[appointment_id] += over
    for clashes in found.values():
        clashes.sort(key=lambda obstacle: (obstacle.start, obstacle.member_name))
    return found
