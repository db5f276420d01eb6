"""Reading what changed in a link's chosen calendar, and noting what became of our events there.

1. Claim the calendar, so that no other process reads it at the same time; note what we think its
   events look like at this moment.
2. Ask Google: everything in the window the first time and once a day, what changed since the last
   reading otherwise. No transaction is open. An event that should be there and is not is read back
   by its id before anything is believed.
3. Store what follows, and where to go on, in one transaction: `judging.py`.

Nothing is ever written to Google from here, and nothing of an appointment changes.
"""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import aiohttp
from django.conf import settings
from django.db import transaction
from django.db.models import F, FilteredRelation, Q

from sophiie.calendar_link import problems
from sophiie.calendar_link.google_app import google_app
from sophiie.calendar_link.models import CalendarLink, LinkState
from sophiie.calendar_link.tokens import LinkTokens, mark_needs_reconnect
from sophiie.common.clock import now
from sophiie.common.in_thread import in_thread
from sophiie.common.logs import log
from sophiie.google.calendar import WRITE_ROLES, CalendarClient, Changes
from sophiie.google.errors import AccessLost, EventGone, GoogleError, SyncTokenExpired
from sophiie.sync.judging import Known, judge, known_events
from sophiie.sync.models import WatchedCalendar

logger = log(__name__)

READABLE = (LinkState.BACKFILLING, LinkState.ACTIVE)
CLAIM = timedelta(minutes=2)
PAST, AHEAD = timedelta(days=1), timedelta(days=400)
# A window does not roll by itself: events that come into it are told again by a full reading.
FULL_READING_EVERY = timedelta(days=1)
MANY_GONE = 5
MOST_AT_ONCE = 4
IDLE_SECONDS = 1.0
BUSY_SECONDS = 0.2


class NotReadable(Exception):
    """The link was unlinked, or has to be mended, while it was being read."""


class MassDisappearance(Exception):
    """So much is gone at once that it looks like an error, not like somebody's wish."""


@dataclass(frozen=True)
class Reading:
    """One reading that has begun; `token` is "" when everything in the window is read."""

    watched_id: UUID
    link_id: UUID
    calendar_id: str
    token_before: str
    token: str
    moment: datetime
    known: Known = field(repr=False)

    @property
    def window(self) -> tuple[datetime, datetime]:
        return self.moment - PAST, self.moment + AHEAD


class _TokensWhileReadable:
    """The link's access tokens, for as long as it may be read: looked at before every call."""

    def __init__(self, http: aiohttp.ClientSession, link_id: UUID) -> None:
        self._tokens, self._link_id = LinkTokens(http, link_id), link_id

    async def access_token(self, *, rejected: str = "") -> str:
        if not await in_thread(_may_be_read, self._link_id):
            raise NotReadable
        return await self._tokens.access_token(rejected=rejected)


async def poll_regularly(http: aiohttp.ClientSession) -> None:
    """Reads every calendar whose time has come, a few at a time; a slow one delays no other."""
    running: set[asyncio.Task[bool]] = set()
    try:
        while True:
            for link_id in await in_thread(due_links, MOST_AT_ONCE - len(running)):
                running.add(asyncio.create_task(read_changes(link_id, http, only_due=True)))
            await asyncio.sleep(BUSY_SECONDS if running else IDLE_SECONDS)
            done = {task for task in running if task.done()}
            running -= done
            for task in done:
                task.result()
    finally:
        for task in running:
            task.cancel()


async def read_changes(
    link_id: UUID, http: aiohttp.ClientSession, *, only_due: bool = False
) -> bool:
    """Reads the chosen calendar of a link once; False when that did not happen or not succeed.

    With `only_due` nothing is done when somebody else has just read it.
    """
    reading = await in_thread(_begin, link_id, only_due)
    if reading is None:
        return False
    try:
        client = CalendarClient(http, google_app().api_url, _TokensWhileReadable(http, link_id))
        reading, changes = await _changes(client, reading)
        items = await _with_missing(client, reading, changes)
    except NotReadable:
        await in_thread(_end, reading, "")
        return False
    except (GoogleError, MassDisappearance) as error:
        await in_thread(_record_failure, reading, error)
        return False
    except Exception as error:  # a bug of ours must not end the reading of the other calendars
        logger.exception("reading crashed", link_id=str(link_id))
        await in_thread(_record_failure, reading, error)
        return False
    return await in_thread(_store, reading, changes, items)


def due_links(most: int = 100) -> list[UUID]:
    """Links whose chosen calendar is to be read now, the longest unread first."""
    moment = now()
    watched = FilteredRelation(
        "watched_calendars", condition=Q(watched_calendars__calendar_id=F("calendar_id"))
    )
    due = Q(watched__next_read_at__lte=moment) & (
        Q(watched__reading_until=None) | Q(watched__reading_until__lt=moment)
    )
    links = (
        CalendarLink.objects.annotate(watched=watched)
        .filter(Q(watched=None) | due, state__in=READABLE)
        .exclude(calendar_id="")
        .order_by(F("watched__next_read_at").asc(nulls_first=True), "id")
    )
    return list(links.values_list("id", flat=True)[: max(most, 0)])


def forget(link: CalendarLink) -> None:
    """Erases how far a link's calendars were read, for an unlinking."""
    WatchedCalendar.objects.filter(link=link).delete()


def _may_be_read(link_id: UUID) -> bool:
    return CalendarLink.objects.filter(pk=link_id, state__in=READABLE).exists()


def _begin(link_id: UUID, only_due: bool) -> Reading | None:
    """Claims the reading, unless another process has it; the claim is committed at once."""
    link = CalendarLink.objects.filter(pk=link_id, state__in=READABLE).first()
    if link is None or not link.calendar_id:
        return None
    moment = now()
    watched, _ = WatchedCalendar.objects.get_or_create(
        link=link, calendar_id=link.calendar_id, defaults={"next_read_at": moment}
    )
    unclaimed = WatchedCalendar.objects.filter(
        Q(reading_until=None) | Q(reading_until__lt=moment), pk=watched.pk
    )
    if only_due:
        unclaimed = unclaimed.filter(next_read_at__lte=moment)
    if not unclaimed.update(reading_until=moment + CLAIM):
        return None
    watched.refresh_from_db()
    anew = watched.window_start is None or watched.window_start + PAST <= (
        moment - FULL_READING_EVERY
    )
    return Reading(
        watched_id=watched.pk,
        link_id=link.pk,
        calendar_id=link.calendar_id,
        token_before=watched.sync_token,
        token="" if anew else watched.sync_token,
        moment=moment,
        known=known_events(link.pk, link.calendar_id, moment, until=moment + AHEAD),
    )


async def _changes(client: CalendarClient, reading: Reading) -> tuple[Reading, Changes]:
    """What Google tells; everything anew if it no longer knows the token (410)."""
    if reading.token:
        try:
            return reading, await client.changes(reading.calendar_id, sync_token=reading.token)
        except SyncTokenExpired:
            logger.info("sync token expired", link_id=str(reading.link_id))
            reading = replace(reading, token="")
    start, end = reading.window
    everything = await client.changes(reading.calendar_id, time_min=start, time_max=end)
    return reading, everything


async def _with_missing(
    client: CalendarClient, reading: Reading, changes: Changes
) -> list[dict[str, Any]]:
    """The items, and those of our events that have to be looked at one by one.

    A full reading tells of no deletions, so what it does not show is read back by its id.
    """
    told = {str(item["id"]): item for item in changes.items}
    unseen = set() if reading.token else reading.known.upcoming - told.keys()
    deleted = {i for i in reading.known.upcoming & told.keys() if _is_deleted(told[i])}
    gone, all_of_them = len(unseen | deleted), len(reading.known.upcoming)
    if gone >= MANY_GONE and gone * 2 > all_of_them:
        raise MassDisappearance(
            f"{gone} of {all_of_them} upcoming appointments are gone from this calendar at once. "
            "That looks like a mistake, so Sophiie has noted nothing."
        )
    # Of an event that a person made a series of, only the occurrences are told.
    series = {str(item.get("recurringEventId", "")) for item in changes.items}
    series &= reading.known.etags.keys()
    for event_id in sorted((unseen | series | reading.known.unjudged) - told.keys()):
        try:
            told[event_id] = await client.get(reading.calendar_id, event_id)
        except EventGone:
            told[event_id] = {"id": event_id, "status": "cancelled"}
    return list(told.values())


def _is_deleted(item: dict[str, Any]) -> bool:
    return item.get("status") == "cancelled"


def _store(reading: Reading, changes: Changes, items: list[dict[str, Any]]) -> bool:
    """What follows from the reading, and where the next one goes on: both or neither."""
    moment = now()
    with transaction.atomic():
        watched = WatchedCalendar.objects.select_for_update().filter(pk=reading.watched_id).first()
        if watched is None or watched.sync_token != reading.token_before:
            return False  # unlinked, or somebody else has read on: what we have is old
        judge(reading.link_id, reading.calendar_id, items, reading.known, moment)
        watched.sync_token = changes.next_sync_token
        if not reading.token:
            watched.window_start, watched.window_end = reading.window
        watched.read_at, watched.error = moment, ""
        watched.reading_until, watched.next_read_at = None, _next_time(moment)
        watched.save()
    if changes.access_role and changes.access_role not in WRITE_ROLES:
        mark_needs_reconnect(reading.link_id, problems.CALENDAR_GONE)
    return True


def _record_failure(reading: Reading, error: Exception) -> None:
    """Nothing is believed and the token stays, so that the next reading tells it all again."""
    logger.warning(
        "calendar not read",
        link_id=str(reading.link_id),
        error=type(error).__name__,
        reason=getattr(error, "reason", ""),
    )
    words = _words(error)
    # A calendar that Google does not find may be one that it does not find yet: asked twice.
    again = WatchedCalendar.objects.filter(pk=reading.watched_id, error=words).exists()
    _end(reading, words, getattr(error, "retry_after", None))
    if isinstance(error, AccessLost):
        mark_needs_reconnect(reading.link_id, problems.PERMISSION_MISSING)
    elif isinstance(error, EventGone) and again:
        mark_needs_reconnect(reading.link_id, problems.CALENDAR_GONE)


def _words(error: Exception) -> str:
    match error:
        case EventGone():
            return problems.CALENDAR_GONE
        case MassDisappearance():
            return str(error)
        case GoogleError():
            return f"The calendar could not be read: {error}"[:300]
        case _:
            return "Something went wrong inside Sophiie; it was logged."


def _end(reading: Reading, error: str, retry_after: float | None = None) -> None:
    moment = now()
    earliest = moment + timedelta(seconds=min(retry_after or 0.0, 3600.0))
    WatchedCalendar.objects.filter(pk=reading.watched_id).update(
        error=error,
        reading_until=None,
        next_read_at=max(_next_time(moment), earliest),
    )


def _next_time(moment: datetime) -> datetime:
    """After the interval, give or take a quarter: Google asks that polling be spread."""
    seconds = settings.BUSY_POLL_SECONDS * random.uniform(0.75, 1.25)  # noqa: S311 - no secret
    return moment + timedelta(seconds=seconds)
