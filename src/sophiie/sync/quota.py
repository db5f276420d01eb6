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

from django.db import connection

from sophiie.sync.models import MirroredEvent

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


def cost(row: MirroredEvent) -> int:
    """Units that bringing Google to the wanted state will most likely cost."""
    return PATCH_UNITS if row.wanted and row.shown_revision else 1


def affordable(rows: list[MirroredEvent], google_sub: str, moment: datetime) -> int:
    """Pays for as many of the rows as both budgets allow, in order; returns how many.

    Called at the end of the transaction that claims the rows, so that the buckets are held for a
    moment only; the project's last, because all workers share it.
    """
    many = all(row.backfill for row in rows)
    user = _level(f"user:{google_sub}", USER_BUDGET, moment)
    project = _level(PROJECT, PROJECT_BUDGET, moment)
    room = min(user, project - (KEPT_FROM_BACKFILL * PROJECT_BUDGET.capacity if many else 0))
    count, spent = 0, 0
    for row in rows:
        if spent + cost(row) > room:
            break
        count, spent = count + 1, spent + cost(row)
    _spend(f"user:{google_sub}", user - spent, moment)
    _spend(PROJECT, project - spent, moment)
    return count


def pause_for(rows: list[MirroredEvent]) -> timedelta:
    """How long until the next row can be paid for, about."""
    return timedelta(seconds=cost(rows[0]) / USER_BUDGET.rate)


def _level(scope: str, budget: Budget, moment: datetime) -> float:
    """The units in a bucket at this moment; holds its row until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO sync_quotabucket (scope, level, counted_at) VALUES (%s, %s, %s)"
            " ON CONFLICT (scope) DO NOTHING",
            [scope, budget.capacity, moment],
        )
        cursor.execute(
            "SELECT level, counted_at FROM sync_quotabucket WHERE scope = %s FOR UPDATE", [scope]
        )
        level: float
        level, counted_at = cursor.fetchone()
    seconds: float = max(0.0, (moment - counted_at).total_seconds())
    return min(budget.capacity, level + seconds * budget.rate)


def _spend(scope: str, level: float, moment: datetime) -> None:
    with connection.cursor() as cursor:
        # Two workers' clocks may differ: time never runs backwards for a bucket.
        cursor.execute(
            "UPDATE sync_quotabucket SET level = %s, counted_at = greatest(counted_at, %s)"
            " WHERE scope = %s",
            [level, moment, scope],
        )
