"""How the reading of all calendars stands, in a few numbers: for metrics and `sophiie status`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings

from sophiie.common.clock import now
from sophiie.common.sql import execute
from sophiie.sync.counters import Notification, Outcome, counted
from sophiie.sync.inbound.poll_claim import READABLE

# As `busy_time.knowledge` judges, of each calendar by itself. A broken link has a number of its own
# elsewhere, so the age of what it left behind does not hide that of the others.
_COPIES = """
    SELECT count(*) FILTER (WHERE readable AND NOT old),
        count(*) FILTER (WHERE readable AND old AND problem = ''),
        count(*) FILTER (WHERE NOT readable OR old AND problem <> ''),
        min(checked_at) FILTER (WHERE can_be_read)
    FROM (
        SELECT checked_at, problem, known_from IS NOT NULL AND known_until IS NOT NULL AS readable,
            coalesce(checked_at < %(oldest)s, true) AS old,
            EXISTS (
                SELECT FROM calendar_link_calendarlink link
                WHERE link.member_id = calendar.member_id AND link.state = ANY(%(states)s)
            ) AS can_be_read
        FROM busy_time_busycalendar calendar
    ) AS copies
"""
# A channel is renewed when 85 hundredths of its life are over, at the latest.
_CHANNELS = """
    SELECT count(*), count(*) FILTER (
        WHERE created_at + (expires_at - created_at) * 0.9 <= %(moment)s
    )
    FROM sync_pushchannel WHERE expires_at > %(moment)s
"""
_WITHOUT_CHANNEL = """
    SELECT count(*) FILTER (WHERE push_problem <> '' AND NOT unwatchable),
        count(*) FILTER (WHERE unwatchable)
    FROM sync_watchedcalendar
"""


@dataclass(frozen=True)
class Readings:
    """Those that ended in one way: how many, and how long all of them took together."""

    times: int = 0
    seconds: float = 0.0


@dataclass(frozen=True)
class ReadingTotals:
    """Since the beginning: `readings` by outcome and `notifications`. At this moment all else.

    Of the calendars that count as busy so many copies are `fresh`, `stale` or `unreadable`, and
    the oldest of those that can be read is `oldest_seconds` old. Of the channels `active` some are
    `expiring`: they should have been renewed by now. For so many calendars Google has `refused` a
    channel, or has `none` to give.
    """

    readings: Mapping[Outcome, Readings]
    notifications: Mapping[Notification, int]
    fresh: int
    stale: int
    unreadable: int
    oldest_seconds: float
    channels_active: int
    channels_expiring: int
    channels_refused: int
    channels_none: int

    @property
    def average_seconds(self) -> float:
        """How long a reading took that was stored."""
        stored = [self.readings[outcome] for outcome in Outcome if outcome.is_success]
        times = sum(readings.times for readings in stored)
        return sum(readings.seconds for readings in stored) / times if times else 0.0


def reading_totals() -> ReadingTotals:
    """In four small queries, however many members there are."""
    moment, tallies = now(), counted()
    oldest_reliable = moment - timedelta(seconds=settings.BUSY_MAX_AGE_SECONDS)
    states = [state.value for state in READABLE]
    ((fresh, stale, unreadable, oldest),) = execute(_COPIES, oldest=oldest_reliable, states=states)
    ((active, expiring),) = execute(_CHANNELS, moment=moment)
    ((refused, none),) = execute(_WITHOUT_CHANNEL)
    return ReadingTotals(
        readings={
            outcome: Readings(tallies[outcome].times, tallies[outcome].seconds)
            if outcome in tallies
            else Readings()
            for outcome in Outcome
        },
        notifications={
            what: tallies[what].times if what in tallies else 0 for what in Notification
        },
        fresh=fresh,
        stale=stale,
        unreadable=unreadable,
        oldest_seconds=(moment - oldest).total_seconds() if oldest else 0.0,
        channels_active=active,
        channels_expiring=expiring,
        channels_refused=refused,
        channels_none=none,
    )
