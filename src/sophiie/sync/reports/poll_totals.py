"""How the polling of all calendars goes, in a few numbers: for metrics and `sophiie status`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Count, Exists, Min, OuterRef, Q

from sophiie.busy_time.models import BusyCalendar
from sophiie.calendar_link.models import CalendarLink
from sophiie.common.clock import now
from sophiie.common.sql import execute
from sophiie.sync.counters import Notification, Outcome, Surprise, counted
from sophiie.sync.inbound.poll_claim import READABLE
from sophiie.sync.models import WatchedCalendar

# A channel is renewed before 85 % of its life are over. In SQL: Django multiplies no interval.
_CHANNELS = """
    SELECT count(*), count(*) FILTER (
        WHERE created_at + (expires_at - created_at) * 0.9 <= %(moment)s
    )
    FROM sync_pushchannel WHERE expires_at > %(moment)s
"""


@dataclass(frozen=True)
class Polls:
    """Those with one outcome: how many, and how long all of them took together."""

    times: int = 0
    seconds: float = 0.0


@dataclass(frozen=True)
class PollTotals:
    """`polls` by outcome, `notifications` and `surprises` since the beginning; everything else at
    this moment.

    `fresh`, `stale` and `unreadable` count the copies of calendars that count as busy; the oldest
    copy that a poll can renew is `oldest_seconds` old. `channels_expiring` are those of the active
    that should have been renewed by now. For `channels_refused` calendars Google refused to open a
    channel, for `channels_none` it offers none.
    """

    polls: Mapping[Outcome, Polls]
    notifications: Mapping[Notification, int]
    surprises: Mapping[Surprise, int]
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
        """How long a successful poll took."""
        stored = [self.polls[outcome] for outcome in Outcome if outcome.is_success]
        times = sum(polls.times for polls in stored)
        return sum(polls.seconds for polls in stored) / times if times else 0.0


def poll_totals() -> PollTotals:
    """In four small queries, however many members there are."""
    moment, tallies = now(), counted()
    copies = _copies(moment)
    oldest = copies.pop("oldest")
    ((active, expiring),) = execute(_CHANNELS, moment=moment)
    without = WatchedCalendar.objects.aggregate(
        channels_refused=Count("pk", filter=Q(unwatchable=False) & ~Q(push_problem="")),
        channels_none=Count("pk", filter=Q(unwatchable=True)),
    )
    return PollTotals(
        polls={
            outcome: Polls(tallies[outcome].times, tallies[outcome].seconds)
            if outcome in tallies
            else Polls()
            for outcome in Outcome
        },
        notifications={
            what: tallies[what].times if what in tallies else 0 for what in Notification
        },
        surprises={what: tallies[what].times if what in tallies else 0 for what in Surprise},
        oldest_seconds=max(0.0, (moment - oldest).total_seconds()) if oldest else 0.0,
        channels_active=active,
        channels_expiring=expiring,
        **copies,
        **without,
    )


def _copies(moment: datetime) -> dict[str, Any]:
    """How fresh the copies are, each judged by itself as `busy_time.knowledge` does.

    A broken link has a number of its own elsewhere, so the age of the copies that it left behind
    does not hide that of the others.
    """
    known = Q(known_from__isnull=False, known_until__isnull=False)
    age = timedelta(seconds=settings.BUSY_MAX_AGE_SECONDS)
    # One that seems to be from the future was stored by a clock that was wrong.
    recent = Q(checked_at__range=(moment - age, moment))
    pollable = CalendarLink.objects.filter(member=OuterRef("member"), state__in=READABLE)
    return BusyCalendar.objects.annotate(is_polled=Exists(pollable)).aggregate(
        fresh=Count("pk", filter=known & recent),
        stale=Count("pk", filter=known & ~recent & Q(problem="")),
        unreadable=Count("pk", filter=~known | (~recent & ~Q(problem=""))),
        oldest=Min("checked_at", filter=Q(is_polled=True)),
    )
