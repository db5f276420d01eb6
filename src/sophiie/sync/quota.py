"""Google's quotas, kept before Google has to say no.

Per minute Google allows 600 units for each user of a project and 10,000 for the project, in a
sliding window; a patch costs 3 units, everything else 1. Source:
developers.google.com/workspace/calendar/api/guides/quota.

Each budget is a bucket in the database, shared by all workers. A bucket that holds C units and
refills by R a second lets at most C + 60 R pass in any minute: that sum is what stays below
Google's number.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sophiie.common.sql import execute, send
from sophiie.sync.guests import must_write_guests
from sophiie.sync.models import MirroredEvent, QuotaBucket

PATCH_UNITS = 3
PROJECT = "project"


@dataclass(frozen=True)
class Budget:
    """Units at once, and units a second after that."""

    capacity: float
    rate: float


USER_BUDGET = Budget(capacity=290, rate=5)  # 590 in any minute
PROJECT_BUDGET = Budget(capacity=1000, rate=148)  # 9,880
# What many at once may not use up: a single change of somebody else must still find room.
KEPT_FROM_BACKFILL = 0.3

# Both buckets at this moment, the project's held last. A new bucket is full. Two workers' clocks
# may differ: time never runs backwards for a bucket.
_REFILL = """
    INSERT INTO sync_quotabucket AS bucket (scope, level, counted_at) VALUES
        (%(user)s, %(user_capacity)s, %(moment)s),
        (%(project)s, %(project_capacity)s, %(moment)s)
    ON CONFLICT (scope) DO UPDATE SET
        counted_at = greatest(bucket.counted_at, excluded.counted_at),
        level = least(
            excluded.level,
            bucket.level
            + CASE bucket.scope WHEN %(project)s THEN %(project_rate)s ELSE %(user_rate)s END
            * greatest(0, extract(epoch FROM excluded.counted_at - bucket.counted_at))
        )
    RETURNING scope, level
"""
_SPEND = "UPDATE sync_quotabucket SET level = level - %(units)s WHERE scope = ANY(%(scopes)s)"


def cost(row: MirroredEvent) -> int:
    """Units that bringing Google to the wanted state will most likely cost.

    Before guests are exchanged the event is read; they are taken off before it is deleted.
    """
    if row.wanted and not row.shown_revision:
        return 1
    if row.wanted:
        return PATCH_UNITS + must_write_guests(row)
    return 2 + PATCH_UNITS if row.sent_guests else 1


def affordable(rows: list[MirroredEvent], google_sub: str, moment: datetime) -> int:
    """Pays for as many of the rows as both budgets allow, in order; returns how many.

    Called at the end of the transaction that claims the rows, so that the buckets are held for a
    moment only; the project's last, because all workers share it.
    """
    many = all(row.backfill for row in rows)
    user = f"user:{google_sub}"
    levels = _levels(user, moment)
    kept = KEPT_FROM_BACKFILL * PROJECT_BUDGET.capacity if many else 0
    room = min(levels[user], levels[PROJECT] - kept)
    count, spent = 0, 0
    for row in rows:
        if spent + cost(row) > room:
            break
        count, spent = count + 1, spent + cost(row)
    if spent:
        send(_SPEND, scopes=[user, PROJECT], units=spent)
    return count


def pause_for(rows: list[MirroredEvent]) -> timedelta:
    """How long until the next row can be paid for, about."""
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
    """The units in the user's and the project's bucket; holds both until the transaction ends."""
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
