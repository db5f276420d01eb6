"""How fresh our knowledge of a member's time is."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from django.conf import settings

from sophiie.common.clock import now
from sophiie.common.reasons import NO_REASON, Reason, read
from sophiie.common.sql import execute


class Freshness(StrEnum):
    FRESH = "fresh"
    STALE = "stale"  # too old for a booking to rely on; the next poll may mend it
    UNREADABLE = "unreadable"  # … and the last poll failed, or there never was one
    NOT_LINKED = "not_linked"


@dataclass(frozen=True)
class Knowledge:
    """What is known of one member's calendars.

    `checked_at` is that of the calendar polled longest ago; None if one of them was never polled,
    or there are none. Nothing is known outside `known_from` to `known_until`; both are None without
    a calendar. `problem` says why the last poll failed.
    """

    state: Freshness
    checked_at: datetime | None = None
    known_from: datetime | None = None
    known_until: datetime | None = None
    problem: Reason = NO_REASON

    @property
    def is_reliable(self) -> bool:
        """Whether a booking may rely on it without another poll. Unreadable is not free."""
        return self.state in (Freshness.FRESH, Freshness.NOT_LINKED)

    def covers(self, start: datetime, end: datetime) -> bool:
        """Whether this stretch is known. Without a calendar everything is."""
        if self.state == Freshness.NOT_LINKED:
            return True
        if self.known_from is None or self.known_until is None:
            return False
        return self.known_from <= start and end <= self.known_until


NOT_LINKED = Knowledge(Freshness.NOT_LINKED)


class _Copy(NamedTuple):
    """The copy of one calendar."""

    checked_at: datetime | None
    known_from: datetime | None
    known_until: datetime | None
    problem: Reason


# In SQL, as part of every booking and every search for free time: it took a booking from 28 to
# 16 ms, with the other statements of its kind (docs/reference/benchmarks.md, "Bookings").
_COPIES = """
    SELECT member_id, checked_at, known_from, known_until, problem, problem_reason
    FROM busy_time_busycalendar WHERE member_id = ANY(%(members)s) ORDER BY id
"""


def knowledge_of(member_ids: Collection[UUID]) -> dict[UUID, Knowledge]:
    """What is known of each of these members, in one query."""
    calendars: dict[UUID, list[_Copy]] = {member_id: [] for member_id in member_ids}
    for row in execute(_COPIES, members=list(calendars)):
        member_id, checked_at, known_from, known_until, text, stored = row
        copy = _Copy(checked_at, known_from, known_until, read(stored, text))
        calendars[member_id].append(copy)
    moment = now()
    return {member_id: _knowledge(known, moment) for member_id, known in calendars.items()}


def _knowledge(calendars: list[_Copy], moment: datetime) -> Knowledge:
    if not calendars:
        return NOT_LINKED
    known = [c for c in calendars if c.checked_at and c.known_from and c.known_until]
    problem = next((c.problem for c in calendars if c.problem), NO_REASON)
    if len(known) < len(calendars):
        return Knowledge(Freshness.UNREADABLE, problem=problem)
    oldest = min(c.checked_at for c in known if c.checked_at)
    state = Freshness.FRESH
    newest = max(c.checked_at for c in known if c.checked_at)
    # What seems to be known of the future was noted by a clock that was wrong.
    if oldest < moment - timedelta(seconds=settings.BUSY_MAX_AGE_SECONDS) or newest > moment:
        state = Freshness.UNREADABLE if problem else Freshness.STALE
    return Knowledge(
        state,
        checked_at=oldest,
        known_from=max(c.known_from for c in known if c.known_from),
        known_until=min(c.known_until for c in known if c.known_until),
        problem=problem,
    )
