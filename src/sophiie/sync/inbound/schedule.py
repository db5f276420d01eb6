"""Plans the next poll of a calendar, by what the last one found and how Google reports changes.

The rules are in `rhythm.py`. Nothing here weakens what a booking may rely on: it looks at the age
of the copy alone (`busy_time/knowledge.py`), and reads at once when that is too high.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db.models import F

from sophiie.common.horizon import SKEW
from sophiie.common.logs import log
from sophiie.google.marks import event_id_of
from sophiie.sync.counters import Surprise, count
from sophiie.sync.inbound import rhythm
from sophiie.sync.inbound.attention import is_bookable, is_looked_at
from sophiie.sync.inbound.fetch import FetchResult
from sophiie.sync.inbound.poll_claim import Poll, after_failure, window_lasts_until
from sophiie.sync.inbound.rhythm import Announcement, News
from sophiie.sync.models import MirroredEvent, PushChannel, WatchedCalendar

logger = log(__name__)


@dataclass(frozen=True)
class Next:
    """The pause until the next poll, and whether it is only the net under `channel`; what the poll
    says of that one."""

    pause: timedelta
    is_net: bool
    announcement: Announcement
    channel: PushChannel | None


def plan_next(poll: Poll, fetched: FetchResult, watched: WatchedCalendar, moment: datetime) -> Next:
    """Plans the next poll and notes on `watched` what follows from this one. In its transaction,
    before it is noted that there was one."""
    channel = living_channel(poll.link_id, poll.calendar_id, moment)
    if fetched.doubt is not None:
        return Next(after_failure(), False, Announcement.NOTHING_NEW, channel)
    plan = rhythm.plan(
        _news(poll, fetched, watched),
        rhythm.Before(watched.read_at, watched.told_at, watched.changed_at, watched.net_width),
        _as_the_rules_see_it(channel),
        _circumstances(poll, watched, moment),
        asked_at=poll.moment,
        moment=moment,
    )
    watched.told_at, watched.changed_at = plan.told_at, plan.changed_at
    watched.net_width = plan.net_width
    return Next(plan.pause, plan.is_net, plan.announcement, channel)


def judge_channel(ended: Next, moment: datetime) -> None:
    """Counts against the channel what it missed, and asks for another one when it is silent
    although things change. After the poll's transaction, because all polls share a counter."""
    if not ended.announcement.is_failure or ended.channel is None:
        return
    count(Surprise.MISSED if ended.announcement == Announcement.NOT else Surprise.LATE)
    if ended.announcement == Announcement.LATE:
        return
    channel = PushChannel.objects.filter(pk=ended.channel.pk)
    channel.update(missed=F("missed") + 1)
    silent = channel.filter(
        missed__gte=rhythm.REPLACED_AFTER, created_at__lt=moment - rhythm.MIN_LIFE
    )
    if silent.exists():
        logger.warning("channel is silent", link_id=str(ended.channel.link_id))
        WatchedCalendar.objects.filter(
            link=ended.channel.link_id, calendar_id=ended.channel.calendar_id, unwatchable=False
        ).update(push_next_at=moment)


def living_channel(link_id: UUID, calendar_id: str, moment: datetime) -> PushChannel | None:
    """The channel over which Google reports a calendar's changes: the one that ends last."""
    if not settings.PUSH_ADDRESS:
        return None
    alive = PushChannel.objects.filter(link=link_id, calendar_id=calendar_id, expires_at__gt=moment)
    return alive.order_by("expires_at", "created_at").last()


def _as_the_rules_see_it(channel: PushChannel | None) -> rhythm.Channel | None:
    if channel is None or channel.expires_at is None:
        return None
    return rhythm.Channel(
        is_proved=channel.proved_at is not None, missed=channel.missed, ends_at=channel.expires_at
    )


def _circumstances(poll: Poll, watched: WatchedCalendar, moment: datetime) -> rhythm.Circumstances:
    seconds = settings.BUSY_POLL_SECONDS
    return rhythm.Circumstances(
        fresh_for=timedelta(seconds=settings.BUSY_MAX_AGE_SECONDS),
        window_ends=window_lasts_until(watched),
        interval=None if seconds is None else timedelta(seconds=seconds),
        is_looked_at=is_looked_at(watched, moment),
        is_bookable=lambda: is_bookable(poll.member_id, moment),
        is_unjudged=lambda: _is_unjudged(poll),
    )


def _is_unjudged(poll: Poll) -> bool:
    """Whether an event of ours waits for the next poll to be understood; see `detect_drift.py`."""
    rows = MirroredEvent.objects.filter(link=poll.link_id, calendar_id=poll.calendar_id)
    return poll.is_chosen and rows.exclude(unjudged_etag="").exists()


def _news(poll: Poll, fetched: FetchResult, watched: WatchedCalendar) -> News | None:
    """What others changed since the last poll. The first poll of all brings no news, and of
    everything in the window only what has changed since the last poll is news."""
    if watched.read_at is None or not fetched.items:
        return None
    ids = {event_id_of(item) for item in fetched.items}
    ours = set(MirroredEvent.objects.filter(event_id__in=ids).values_list("event_id", flat=True))
    times: list[datetime] = []
    is_news = False
    for item in fetched.items:
        event_id, etags = event_id_of(item), poll.known.etags
        if event_id in ours and (
            event_id not in etags or item.get("etag") in (None, etags[event_id])
        ):
            continue
        updated = _updated(item)
        # The occurrences of a series that was read whole have not all changed now.
        if updated is not None and updated >= watched.read_at - SKEW:
            times.append(updated)
        is_news = is_news or bool(times) or not fetched.everything
    return News(min(times, default=None), max(times, default=None)) if is_news else None


def _updated(item: dict[str, object]) -> datetime | None:
    try:
        updated = datetime.fromisoformat(str(item.get("updated")))
    except ValueError:
        return None
    return updated if updated.tzinfo else None
