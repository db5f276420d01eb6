"""Google's quotas, kept before Google has to say no.

Per minute Google allows 600 units for each user of a project and 10,000 for the project, unless it
has agreed to more (`SOPHIIE_GOOGLE_UNITS_…`), in a sliding window; a patch costs 3 units,
everything else 1. Source: developers.google.com/workspace/calendar/api/guides/quota.

Each budget is a bucket in the database, shared by all workers and web processes. A bucket that
holds C units, refills by R a second and may be overdrawn by D lets at most C + D + 60 R pass in any
minute. That sum stays below Google's number.

Writes are paid for when they are claimed (`affordable`), everything else call by call
(`metered_client.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from uuid import UUID

from django.conf import settings

from sophiie.common.clock import now
from sophiie.common.horizon import SKEW
from sophiie.common.sql import execute, send
from sophiie.google.calendar import PATCH_UNITS
from sophiie.sync.models import MirroredEvent, QuotaBucket
from sophiie.sync.outbox.guests import must_write_guests

PROJECT = "project"


class Urgency(Enum):
    """Who takes from the buckets. Each leaves something for all above it: near the project's limit
    changes reach Google before anybody reads, and a reading that a booking waits for comes next."""

    MADE = "a call that is made already"
    CHANGE = "a single change"
    AWAITED = "a reading that a booking or a person waits for"
    POLL = "a poll that nobody waits for"
    BACKFILL = "one of the many changes that a new link brings along"


@dataclass(frozen=True)
class Budget:
    """Units at once, units a second after that, and how far down each may take the bucket."""

    capacity: float
    rate: float
    floors: Mapping[Urgency, float]

    def times(self, part: float) -> Budget:
        """The same for another limit."""
        floors = {urgency: floor * part for urgency, floor in self.floors.items()}
        return Budget(self.capacity * part, self.rate * part, floors)


# Of the 600 units a minute that Google allows each user, 595 in any minute.
_OF_600 = Budget(
    capacity=265,
    rate=5,
    floors={
        Urgency.MADE: -30,
        Urgency.CHANGE: 0,
        # One's own changes hold up nobody who waits for a call or two.
        Urgency.AWAITED: -30,
        Urgency.POLL: 10,
        Urgency.BACKFILL: 20,
    },
)
# Of the 10,000 that it allows the project, 9,920.
_OF_10_000 = Budget(
    capacity=1000,
    rate=147,
    floors={
        Urgency.MADE: -100,
        Urgency.CHANGE: 0,
        Urgency.AWAITED: 50,
        Urgency.POLL: 100,
        Urgency.BACKFILL: 300,
    },
)
USER_BUDGET = _OF_600.times(settings.GOOGLE_UNITS_PER_USER_MINUTE / 600)
PROJECT_BUDGET = _OF_10_000.times(settings.GOOGLE_UNITS_PER_MINUTE / 10_000)


# Two workers' clocks may differ a little, and then time does not run backwards for a bucket; but
# one that was counted far ahead of now would not refill until then: it goes on from now.
def _counted_at(counted: str, moment: str) -> str:
    skew = f"interval '{SKEW.total_seconds()} seconds'"
    return (
        f"CASE WHEN {counted} > {moment} + {skew} THEN {moment} ELSE greatest({counted}, {moment})"
        " END"
    )


# Both buckets at this moment, the project's locked last. A new bucket is full. In SQL with the rest
# of what a change costs a worker; the figures stand in `outbound/claim.py`.
_REFILL = f"""
    INSERT INTO sync_quotabucket AS bucket (scope, level, counted_at) VALUES
        (%(user)s, %(user_capacity)s, %(moment)s),
        (%(project)s, %(project_capacity)s, %(moment)s)
    ON CONFLICT (scope) DO UPDATE SET
        counted_at = {_counted_at("bucket.counted_at", "excluded.counted_at")},
        level = least(
            excluded.level,
            bucket.level
            + CASE bucket.scope WHEN %(project)s THEN %(project_rate)s ELSE %(user_rate)s END
            * greatest(0, extract(epoch FROM excluded.counted_at - bucket.counted_at))
        )
    RETURNING scope, level
"""  # noqa: S608 - no values
_SPEND = "UPDATE sync_quotabucket SET level = level - %(units)s WHERE scope = ANY(%(scopes)s)"

# Refills both buckets and spends if both have room, in one statement of 0.6 ms: every call of a
# poll passes here, and all processes share the project's row. A bucket that does not bind has room
# always; its floor only ends the counting, so that nobody else waits for too long.
_TAKE = f"""
    WITH budget (scope, capacity, rate, floor, binds) AS (
        SELECT 'user:' || google_sub, %(user_capacity)s, %(user_rate)s, %(user_floor)s,
            %(user_binds)s
        FROM calendar_link_calendarlink WHERE id = %(link)s
        UNION ALL
        VALUES (%(project)s, %(project_capacity)s, %(project_rate)s, %(project_floor)s,
            %(project_binds)s)
    ), held AS (
        SELECT bucket.scope, bucket.level + budget.rate
            * greatest(0, extract(epoch FROM %(moment)s - bucket.counted_at)) AS level
        FROM sync_quotabucket bucket JOIN budget USING (scope)
        ORDER BY bucket.scope DESC  -- the project's last: all processes share it
        FOR UPDATE OF bucket
    ), after AS (
        SELECT scope, floor, binds, least(capacity, coalesce(level, capacity)) - %(units)s AS level
        FROM budget LEFT JOIN held USING (scope)
    )
    INSERT INTO sync_quotabucket AS bucket (scope, level, counted_at)
    SELECT scope, greatest(level, floor), %(moment)s FROM after
    WHERE (SELECT bool_and(level >= floor OR NOT binds) FROM after)
    ORDER BY scope DESC
    ON CONFLICT (scope) DO UPDATE SET
        level = excluded.level,
        counted_at = {_counted_at("bucket.counted_at", "excluded.counted_at")}
    RETURNING scope
"""  # noqa: S608 - no values


def take(link_id: UUID, urgency: Urgency, *, units: int = 1) -> bool:
    """Takes the units from the buckets of the link's account and of the project. Takes nothing and
    returns False if there is no room at this urgency; for `MADE` there always is, and in the
    account's bucket also for `AWAITED`."""
    taken = execute(
        _TAKE,
        link=link_id,
        user_capacity=USER_BUDGET.capacity,
        user_rate=USER_BUDGET.rate,
        user_floor=USER_BUDGET.floors[urgency],
        project=PROJECT,
        project_capacity=PROJECT_BUDGET.capacity,
        project_rate=PROJECT_BUDGET.rate,
        project_floor=PROJECT_BUDGET.floors[urgency],
        units=units,
        user_binds=urgency not in (Urgency.MADE, Urgency.AWAITED),
        project_binds=urgency is not Urgency.MADE,
        moment=now(),
    )
    return bool(taken)


def cost(row: MirroredEvent) -> int:
    """The units that it most likely costs to bring Google to the wanted state.

    The event is read before its guests are exchanged, and they are taken off before it is deleted.
    What was never sent needs no call to be gone.
    """
    if row.wanted and not row.shown_revision:
        return 1
    if row.wanted:
        return PATCH_UNITS + must_write_guests(row)
    if not row.sent:
        return 0
    return 2 + PATCH_UNITS if row.sent_guests else 1


def affordable(rows: list[MirroredEvent], google_sub: str, moment: datetime) -> int:
    """Pays for as many of the rows as both budgets allow, in order; returns how many.

    Called at the end of the transaction that claims the rows, so that the buckets are locked only
    for a moment; the project's last, because all workers share it.
    """
    user = f"user:{google_sub}"
    levels = _levels(user, moment)
    count, spent = 0, 0
    for row in rows:
        urgency = Urgency.BACKFILL if row.backfill else Urgency.CHANGE
        user_room = levels[user] - USER_BUDGET.floors[urgency]
        room = min(user_room, levels[PROJECT] - PROJECT_BUDGET.floors[urgency])
        units = cost(row)
        if units and spent + units > room:
            break
        count, spent = count + 1, spent + units
    if spent:
        send(_SPEND, scopes=[user, PROJECT], units=spent)
    return count


def pause_for(rows: list[MirroredEvent]) -> timedelta:
    """Roughly how long until the next row can be paid for."""
    return timedelta(seconds=cost(rows[0]) / USER_BUDGET.rate)


def share_used(google_sub: str, moment: datetime) -> float:
    """How much of what this account may send at once is used up, from 0 to 1. Changes nothing."""
    bucket = QuotaBucket.objects.filter(scope=f"user:{google_sub}").first()
    if bucket is None:
        return 0.0
    refilled = USER_BUDGET.rate * max(0.0, (moment - bucket.counted_at).total_seconds())
    level = min(USER_BUDGET.capacity, bucket.level + refilled)
    return min(1.0, max(0.0, 1 - level / USER_BUDGET.capacity))


def _levels(user: str, moment: datetime) -> dict[str, float]:
    """The units in the user's and the project's bucket; locks both until the transaction ends."""
    rows = execute(
        _REFILL,
        user=user,
        user_capacity=USER_BUDGET.capacity,
        user_rate=USER_BUDGET.rate,
        project=PROJECT,
        project_capacity=PROJECT_BUDGET.capacity,
        project_rate=PROJECT_BUDGET.rate,
        moment=moment,
    )
    return dict(rows)
