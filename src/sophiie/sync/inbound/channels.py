"""Opens, renews and stops the channels over which Google reports that a calendar changed.

Every polled calendar gets a channel, where Google can reach us. Channels never replace polling:
notifications get lost without a trace. But once a first message has come over a channel, polls are
only a net under it (`schedule.py`), and one that misses changes is replaced. A channel is renewed
under a new name before it ends, and the old one is stopped only then; in between both report.
`webhook.py` handles the notifications.
"""

from __future__ import annotations

import asyncio
import hashlib
import random
import secrets
from datetime import datetime, timedelta
from uuid import UUID

import aiohttp
from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from sophiie.calendar_link.models import CalendarLink, LinkState
from sophiie.common.clock import now
from sophiie.common.horizon import SKEW, over
from sophiie.common.in_thread import in_thread
from sophiie.common.logs import log
from sophiie.common.patrol import Patrol
from sophiie.common.reasons import NO_REASON, columns
from sophiie.google.app import google_session
from sophiie.google.calendar import Channel
from sophiie.google.errors import GoogleError
from sophiie.sync.inbound.poll_claim import READABLE
from sophiie.sync.messages import NO_NOTIFICATIONS, NOTIFICATIONS_REFUSED, answer_of
from sophiie.sync.models import PushChannel, WatchedCalendar
from sophiie.sync.quota.metered_client import Throttled, metered_client
from sophiie.sync.quota.units import Use

logger = log(__name__)

TEND_SECONDS = 1.0
AT_ONCE = 4
RETRY = timedelta(hours=1)
POSTPONED = timedelta(seconds=10)
# Longer than Google may take to answer.
UNANSWERED = timedelta(minutes=5)
NOT_SUPPORTED = "pushNotSupportedForRequestedResource"

_calendars, _channels = Patrol(WatchedCalendar), Patrol(PushChannel)


async def tend_regularly(http: aiohttp.ClientSession) -> None:
    while True:
        await tend(http)
        await asyncio.sleep(TEND_SECONDS)


async def tend(http: aiohttp.ClientSession) -> None:
    """One round: opens channels that are due, lost or about to end, and stops surplus ones."""
    due = await in_thread(_due)
    surplus = await in_thread(_surplus)
    opened = [_open(http, watched) for watched in due]
    await asyncio.gather(*opened, *(_stop(http, channel) for channel in surplus))


async def stop_channels(link_id: UUID, *, patience: float) -> None:
    """Stops the channels of a link that is about to lose its grant; best effort. One that is left
    ends by itself, and its notifications are dropped."""
    channels = await in_thread(lambda: list(PushChannel.objects.filter(link=link_id)))
    if not channels:
        return
    try:
        async with asyncio.timeout(patience), google_session() as http:
            await asyncio.gather(*(_stop(http, channel) for channel in channels))
    except TimeoutError:
        logger.warning("channels not stopped in time", link_id=str(link_id))


async def _open(http: aiohttp.ClientSession, watched: WatchedCalendar) -> None:
    token = secrets.token_urlsafe(32)
    channel = await in_thread(_record, watched, token)
    if channel is None:
        return  # another worker does it
    try:
        opened = await metered_client(
            watched.link_id, http, waited_for=False, use=Use.CHANNEL
        ).watch(
            watched.calendar_id,
            channel_id=str(channel.id),
            token=token,
            address=settings.PUSH_ADDRESS,
        )
    except Throttled:
        await in_thread(_postpone, channel)
    except GoogleError as error:
        logger.warning("no channel", link_id=str(watched.link_id), reason=error.reason)
        await in_thread(_note_refusal, channel, error)
    else:
        await in_thread(_note_opened, channel, opened)


async def _stop(http: aiohttp.ClientSession, channel: PushChannel) -> None:
    if channel.resource_id:
        try:
            # Never throttled: it is one call in days, and an unlinking may be waiting for it.
            client = metered_client(channel.link_id, http, waited_for=True, use=Use.CHANNEL)
            await client.stop(str(channel.id), channel.resource_id)
        except GoogleError as error:
            logger.info("channel not stopped", link_id=str(channel.link_id), reason=error.reason)
    await in_thread(_note_stopped, channel)


def _due() -> list[WatchedCalendar]:
    """Calendars whose channel is to be opened or renewed: by the index, and of a few more those
    whose renewal lies where only a wrong clock can have put it."""
    if not settings.PUSH_ADDRESS:
        return []
    moment = now()
    # Only the renewal of a channel may lie far ahead, and it lies before that channel's end. The
    # end is Google's word, so it is right whatever our clock says.
    renewed = PushChannel.objects.filter(
        link=OuterRef("link"),
        calendar_id=OuterRef("calendar_id"),
        expires_at__gt=OuterRef("push_next_at"),
    )
    is_wanted = Q(unwatchable=False, link__state__in=READABLE)
    wanted = WatchedCalendar.objects.filter(is_wanted)
    far = _calendars.next().filter(is_wanted, ~Exists(renewed), push_next_at__gt=moment + RETRY)
    found = [
        *wanted.filter(push_next_at=None)[:AT_ONCE],
        *wanted.filter(push_next_at__lte=moment).order_by("push_next_at", "pk")[:AT_ONCE],
        *far.order_by("pk")[:AT_ONCE],
    ]
    return found[:AT_ONCE]


def _surplus() -> list[PushChannel]:
    """Channels that ended or were never confirmed by Google, and of a few more those that were
    replaced, or whose calendar is no longer polled."""
    moment = now()
    if not settings.PUSH_ADDRESS:
        return list(PushChannel.objects.order_by("created_at")[:AT_ONCE])
    over_now = Q(expires_at__lte=moment)
    unconfirmed = over("created_at", moment - UNANSWERED, at_most=UNANSWERED + SKEW)
    newer = PushChannel.objects.filter(
        link=OuterRef("link"),
        calendar_id=OuterRef("calendar_id"),
    ).filter(
        # By Google's clock: ours may have been set between the two.
        Q(expires_at__gt=OuterRef("expires_at"))
        | Q(expires_at=OuterRef("expires_at"), created_at__gt=OuterRef("created_at"))
    )
    watched = WatchedCalendar.objects.filter(
        link=OuterRef("link"), calendar_id=OuterRef("calendar_id")
    )
    next_ones: QuerySet[PushChannel] = _channels.next()
    # Each by itself: together they would be one walk through all links and calendars.
    sought = (
        PushChannel.objects.filter(over_now | Q(expires_at=None) & unconfirmed),
        next_ones.filter(link__state__in=(LinkState.UNLINKING, LinkState.UNLINKED)),
        next_ones.filter(~Exists(watched)),
        next_ones.filter(Exists(newer)),
    )
    found = [channel for some in sought for channel in some.order_by("created_at")[:AT_ONCE]]
    return list(dict.fromkeys(found))[:AT_ONCE]


def _record(watched: WatchedCalendar, token: str) -> PushChannel | None:
    """Notes that a channel is about to be opened; None if another worker was quicker."""
    moment = now()
    with transaction.atomic():
        mine = WatchedCalendar.objects.filter(pk=watched.pk, push_next_at=watched.push_next_at)
        if not mine.update(push_next_at=moment + RETRY):
            return None
        return PushChannel.objects.create(
            link_id=watched.link_id,
            calendar_id=watched.calendar_id,
            token_digest=digest(token),
            created_at=moment,
        )


def _note_opened(channel: PushChannel, opened: Channel) -> None:
    """The channel works. A poll at once catches what changed before."""
    moment = now()
    with transaction.atomic():
        # The row is gone if the calendar was unlinked meanwhile.
        PushChannel.objects.filter(pk=channel.pk).update(
            resource_id=opened.resource_id[:200], expires_at=opened.expires_at
        )
        _watched(channel).update(
            push_next_at=_renewal(moment, opened.expires_at),
            next_read_at=moment,
            **columns(WatchedCalendar, "push_problem", NO_REASON),
        )
    logger.info("channel opened", link_id=str(channel.link_id), until=opened.expires_at.isoformat())


def _note_stopped(channel: PushChannel) -> None:
    """Where no channel is left, polling finds the changes from now on."""
    moment = now()
    channel.delete()
    others = PushChannel.objects.filter(link=channel.link_id, calendar_id=channel.calendar_id)
    if not others.filter(expires_at__gt=moment).exists():
        _watched(channel).filter(is_net=True).update(is_net=False, next_read_at=moment)


def _postpone(channel: PushChannel) -> None:
    """The quotas had no room, so nothing was asked. Polling goes on, so no time is lost."""
    channel.delete()
    _watched(channel).update(push_next_at=now() + POSTPONED)


def _note_refusal(channel: PushChannel, error: GoogleError) -> None:
    """Polling goes on. We try again, unless Google offers no channel for this calendar."""
    channel.delete()
    none_ever = error.reason == NOT_SUPPORTED
    why = NOTIFICATIONS_REFUSED.with_values(answer=answer_of(error))
    _watched(channel).update(
        unwatchable=none_ever,
        **columns(WatchedCalendar, "push_problem", NO_NOTIFICATIONS if none_ever else why),
    )


def _watched(channel: PushChannel) -> QuerySet[WatchedCalendar]:
    return WatchedCalendar.objects.filter(link=channel.link_id, calendar_id=channel.calendar_id)


def _renewal(moment: datetime, expires_at: datetime) -> datetime:
    """Well before the end, and spread out: channels opened together are renewed apart."""
    part = random.uniform(0.7, 0.85)  # noqa: S311 - no secret
    return moment + max((expires_at - moment) * part, timedelta(minutes=1))


def digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def are_pushed(link: CalendarLink) -> set[str]:
    """The calendars of a link whose changes Google reports at the moment."""
    alive = PushChannel.objects.filter(link=link, expires_at__gt=now())
    return set(alive.values_list("calendar_id", flat=True))
