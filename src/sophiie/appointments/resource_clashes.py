"""Which appointments have a resource that another one has at the same time.

Somebody with the right to booked over it, or a law of the clocks put them together. Both
appointments say so, whoever came first: to whoever drives the van it makes no difference.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sophiie.appointments.errors import Obstacle
from sophiie.appointments.hold_time import sql_counts_still
from sophiie.common.clock import now
from sophiie.common.sql import execute

# A branch for each index. Two uses that block never overlap, so one of the two does not.
_CLASHES = f"""
    WITH mine AS (
        SELECT appointment_id, resource_id, during, booked_anyway OR displaced AS is_over
        FROM resources_resourceuse
        WHERE appointment_id = ANY(%(appointments)s) AND upper(during) > %(moment)s
    ), pair AS (
        SELECT mine.appointment_id, mine.resource_id, its.appointment_id AS other_id
        FROM mine JOIN resources_resourceuse AS its
            ON its.resource_id = mine.resource_id AND its.during && mine.during
            AND its.booked_anyway AND {sql_counts_still("its.held_until")}
        UNION
        SELECT mine.appointment_id, mine.resource_id, its.appointment_id
        FROM mine JOIN resources_resourceuse AS its
            ON its.resource_id = mine.resource_id AND its.during && mine.during
            AND its.displaced
        UNION
        SELECT mine.appointment_id, mine.resource_id, its.appointment_id
        FROM mine JOIN resources_resourceuse AS its
            ON mine.is_over AND its.resource_id = mine.resource_id AND its.during && mine.during
            AND its.blocking AND {sql_counts_still("its.held_until")}
    )
    SELECT pair.appointment_id, resource.id, resource.name, other.id, other.title,
        other.timezone, other.start, other."end"
    FROM pair
    JOIN resources_resource AS resource ON resource.id = pair.resource_id
    JOIN appointments_appointment AS other
        ON other.id = pair.other_id AND other.id <> pair.appointment_id
        AND other.deleted_at IS NULL AND other.status <> 'cancelled'
"""  # noqa: S608 - no values


def resource_clashes(
    appointment_ids: Collection[UUID], moment: datetime | None = None
) -> dict[UUID, list[Obstacle]]:
    """By appointment, the others that have one of its resources at its time; in one query.

    Leaves out what is over, but not that one of these appointments is itself off.
    """
    found: dict[UUID, list[Obstacle]] = defaultdict(list)
    if not appointment_ids:
        return found
    rows = execute(_CLASHES, appointments=list(appointment_ids), moment=moment or now())
    for appointment_id, resource_id, name, other, title, timezone, start, end in rows:
        found[appointment_id].append(
            Obstacle.of_resource(
                resource_id,
                name,
                appointment_id=other,
                title=title,
                start=start,
                end=end,
                timezone=timezone,
            )
        )
    return found
