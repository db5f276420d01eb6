"""When a calendar is asked again: the rules, as pure functions.

`schedule.py` looks up what they need to know. `bench/reading.py` takes ten thousand links through a
day by them, so no other module decides how long a pause is.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from sophiie.common.horizon import SKEW

# Without messages of Google's: how soon after a change, and how seldom when nothing happens.
QUICKEST = timedelta(seconds=60)
SLOWEST = timedelta(minutes=30)
WHILE_LOOKED_AT = timedelta(minutes=5)
# Of the age that a booking accepts: even the longest pause then leaves the copy fresh.
SHARE_OF_FRESHNESS = 0.75
AFTER_FAILURE = timedelta(minutes=5)
SPREAD = 0.25
# Under a channel that works: every 6 to 12 hours, more often while it has to prove itself.
NET = timedelta(hours=9)
NARROWEST_NET = timedelta(hours=1)
NET_SPREAD = 1 / 3
# Google sends messages within seconds.
LATE = timedelta(minutes=5)
ON_ITS_WAY = timedelta(seconds=60)
# So many changes without a message, one after the other, and the channel is replaced; not before
# it has lived for a while, or messages that never arrive would cost more than they can save.
REPLACED_AFTER = 2
MIN_LIFE = timedelta(hours=1)


@dataclass(frozen=True)
class News:
    """What others changed in a calendar since the last poll: when first and last, as Google says.

    Of deleted events it often does not say it.
    """

    first: datetime | None = None
    last: datetime | None = None


@dataclass(frozen=True)
class Channel:
    """The channel that reports a calendar's changes; see `models.PushChannel`."""

    is_proved: bool
    missed: int
    ends_at: datetime


@dataclass(frozen=True)
class Before:
    """What was noted of a calendar before this poll; see `models.WatchedCalendar`."""

    read_at: datetime | None
    told_at: datetime | None = None
    changed_at: datetime | None = None
    net_width: timedelta | None = None


@dataclass(frozen=True)
class Circumstances:
    """What else decides. `interval`: somebody said how often to ask. `window_ends`: when everything
    is to be read again. `is_unjudged`: an event of ours waits for the next poll."""

    fresh_for: timedelta
    window_ends: datetime
    interval: timedelta | None = None
    is_looked_at: bool = False
    is_bookable: Callable[[], bool] = lambda: False
    is_unjudged: Callable[[], bool] = lambda: False


@dataclass(frozen=True)
class Plan:
    """The pause until the next poll, whether that is only the net under a channel, and what is
    noted of the calendar until then."""

    pause: timedelta
    is_net: bool
    announcement: Announcement
    told_at: datetime | None
    changed_at: datetime | None
    net_width: timedelta | None


class Announcement(Enum):
    """How a message announced what a poll found."""

    NOTHING_NEW = "nothing new"
    TOO_NEW = "so new that its message may be on its way"
    IN_TIME = "announced"
    LATE = "announced late"
    NOT = "not announced"

    @property
    def is_failure(self) -> bool:
        return self in (Announcement.LATE, Announcement.NOT)


def judge_announcement(
    news: News | None, *, told_at: datetime | None, moment: datetime
) -> Announcement:
    """Judges a channel by what a poll found. `told_at`: the first message since the poll before."""
    if news is None:
        return Announcement.NOTHING_NEW
    if told_at is not None:
        is_late = news.first is not None and told_at - news.first > LATE
        return Announcement.LATE if is_late else Announcement.IN_TIME
    if news.first is not None and moment - news.first < ON_ITS_WAY:
        return Announcement.TOO_NEW
    return Announcement.NOT


def next_width(
    width: timedelta | None, announcement: Announcement, *, waited: timedelta | None
) -> timedelta:
    """How wide the net becomes: as narrow as can be after a change that was missed or announced
    late, and twice as wide each time it comes up empty.

    `waited`: since the poll before, unless a message asked for this one.
    """
    if width is None or announcement.is_failure:
        return NARROWEST_NET
    if waited is not None and waited >= width * (1 - NET_SPREAD):
        return min(width * 2, NET)
    return width


def plan(
    news: News | None,
    before: Before,
    channel: Channel | None,
    around: Circumstances,
    *,
    asked_at: datetime,
    moment: datetime,
) -> Plan:
    """Plans the next poll after one that went well: Google was asked at `asked_at`, and the answer
    is stored at `moment`."""
    announcement = judge_announcement(news, told_at=before.told_at, moment=moment)
    # A message that came after Google was asked may announce what comes next.
    still_tells = before.told_at is not None and asked_at < before.told_at <= moment + SKEW
    changed_at = before.changed_at
    if news is not None:
        changed_at = min(news.last or moment, moment)
    width = before.net_width
    is_net = False
    if channel is not None and channel.is_proved:
        asked_for = before.told_at is not None or before.read_at is None
        waited = None if asked_for or before.read_at is None else asked_at - before.read_at
        width = next_width(width, announcement, waited=waited)
        missed = channel.missed + (announcement == Announcement.NOT)
        is_net = missed < REPLACED_AFTER and not around.is_unjudged()
    if is_net and channel is not None and width is not None:
        least = min(channel.ends_at, around.window_ends) - moment
        pause = max(min(spread(width, NET_SPREAD), least), QUICKEST)
    elif around.interval is not None:
        pause = spread(around.interval, SPREAD)
    else:
        pause = pause_by_clock(None if changed_at is None else moment - changed_at, around)
    return Plan(
        pause, is_net, announcement, before.told_at if still_tells else None, changed_at, width
    )


def pause_by_clock(quiet: timedelta | None, around: Circumstances) -> timedelta:
    """A pause without messages: as long as nothing has changed so far (`quiet`), within bounds.

    Changes come in bursts, so soon after one the next is likely. A copy on which somebody may soon
    rely is kept as fresh as a booking needs it, or callers would wait for Google.
    """
    pause = SLOWEST if quiet is None else min(max(quiet, QUICKEST), SLOWEST)
    if around.is_looked_at:
        pause = min(pause, WHILE_LOOKED_AT)
    bookable = max(around.fresh_for * SHARE_OF_FRESHNESS, QUICKEST)
    if pause > bookable and around.is_bookable():
        pause = bookable
    return spread(pause, SPREAD)


def spread(pause: timedelta, share: float) -> timedelta:
    """Give or take a share: Google asks that polling be spread."""
    return pause * random.uniform(1 - share, 1 + share)  # noqa: S311 - no secret
