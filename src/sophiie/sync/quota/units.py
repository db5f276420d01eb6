"""Counts the units of Google's quotas that were used, and for what: they cost money.

Each process counts in memory and adds its counts to the database every few seconds, so a call costs
no statement of its own. What a process had counted when it was killed is lost; nothing but figures
depends on it. The buckets (`buckets.py`) decide what may be asked.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from sophiie.common.clock import now
from sophiie.common.sql import execute
from sophiie.common.wall_time import in_zone, start_of_day
from sophiie.sync.due import QUOTA_ZONE
from sophiie.sync.models import UnitsUsed

PROJECT = "project"
FLUSH_SECONDS = 5.0


class Use(StrEnum):
    """What units are used for."""

    POLL = "polls"  # nobody waits for them
    AWAITED = "awaited"  # a booking or a person does
    WRITE = "writes"  # with what is read on the way
    CHANNEL = "channels"
    LINKING = "linking"


class Span(StrEnum):
    """How long counts are gathered, and how long they are kept."""

    MINUTE = "minute"
    HOUR = "hour"
    DAY = "day"

    @property
    def kept_for(self) -> timedelta:
        return {
            Span.MINUTE: timedelta(hours=2),
            Span.HOUR: timedelta(days=2),
            Span.DAY: timedelta(days=62),
        }[self]


class _Key(NamedTuple):
    scope: str
    span: str
    since: datetime
    kind: str


_counted: Counter[_Key] = Counter()
_lock = threading.Lock()
_flushed_at = time.monotonic()

# In the order of its key, so that two processes never wait for each other.
_ADD = """
    INSERT INTO sync_unitsused AS used (scope, span, since, kind, units)
    SELECT * FROM unnest(
        %(scope)s::text[], %(span)s::text[], %(since)s::timestamptz[], %(kind)s::text[],
        %(units)s::bigint[]
    ) AS new (scope, span, since, kind, units) ORDER BY 1, 2, 3, 4
    ON CONFLICT (scope, span, since, kind) DO UPDATE SET units = used.units + excluded.units
    RETURNING 1
"""


def note(link_id: UUID, use: Use, units: int = 1) -> None:
    """Counts units that were used for a link. Call it outside of transactions."""
    moment = now()
    day = day_of(moment)
    with _lock:
        for span in Span:
            _counted[
                _Key(PROJECT, span, day if span == Span.DAY else _start(moment, span), use)
            ] += units
        _counted[_Key(str(link_id), Span.DAY, day, use)] += units
    if time.monotonic() - _flushed_at > FLUSH_SECONDS:
        flush()


def is_flush_due() -> bool:
    return bool(_counted) and time.monotonic() - _flushed_at > FLUSH_SECONDS


def flush() -> None:
    """Adds what this process has counted to the database."""
    global _counted, _flushed_at
    with _lock:
        counted, _counted = _counted, Counter()
        _flushed_at = time.monotonic()
    if not counted:
        return
    keys = list(counted)
    try:
        execute(
            _ADD,
            scope=[key.scope for key in keys],
            span=[str(key.span) for key in keys],
            since=[key.since for key in keys],
            kind=[str(key.kind) for key in keys],
            units=[counted[key] for key in keys],
        )
    except Exception:
        with _lock:
            _counted.update(counted)
        raise


def prune() -> int:
    """Deletes counts that no report shows any more."""
    moment, deleted = now(), 0
    for span in Span:
        old = UnitsUsed.objects.filter(span=span, since__lt=moment - span.kept_for)
        deleted += old.delete()[0]
    return deleted


def day_of(moment: datetime) -> datetime:
    """When the day of Google's quotas began."""
    return start_of_day(in_zone(moment, QUOTA_ZONE).date(), QUOTA_ZONE)


def _start(moment: datetime, span: Span) -> datetime:
    minute = moment.replace(second=0, microsecond=0)
    return minute if span == Span.MINUTE else minute.replace(minute=0)
