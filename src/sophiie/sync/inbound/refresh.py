"""Before a booking: the calendars of its people are read again where our copy is too old.

A fresh copy costs no call. An old one costs one small reading, all members at the same time,
within a budget; what cannot be read in time stays old, and the booking says so. Runs before the
booking's transaction, never inside it.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Collection
from datetime import timedelta
from uuid import UUID

import aiohttp
from django.conf import settings

from sophiie.calendar_link.models import CalendarLink
from sophiie.common.clock import now
from sophiie.common.logs import log
from sophiie.common.sql import execute
from sophiie.google.app import google_session
from sophiie.sync.inbound.poll_claim import READABLE
from sophiie.sync.inbound.poller import read_changes

logger = log(__name__)

# A person who waits at the telephone: one slow answer of Google fits in, an outage does not.
BUDGET_SECONDS = 2.0
# Bookings that wait at once keep a thread each; the others go on with the copy as old as it is.
MAX_AT_ONCE = 6
PLACE_SECONDS = 0.25
# What is fresh now must still be so when the booking looks at it, which may have waited that long
# for the members' locks (`locking.LOCK_TIMEOUT_MILLISECONDS`).
MARGIN_SECONDS = 5.0

_places = threading.BoundedSemaphore(MAX_AT_ONCE)


def renew_old_copies(member_ids: Collection[UUID]) -> None:
    """Reads what is too old to rely on, and returns when that is done or the budget is used up.

    A reading that takes longer goes on by itself: ending it would leave its claim behind, and the
    next booking finds what it has read. While many go on so, Google is slow, and nobody waits.
    """
    links = _links_with_old_copies(member_ids)
    if not links:
        return
    started = time.monotonic()
    if not _places.acquire(timeout=PLACE_SECONDS):
        logger.info("calendars not read for a booking: many are being read", links=len(links))
        return
    poll = threading.Thread(target=_read_now, args=(links,), name="freshness", daemon=True)
    try:
        poll.start()
    except RuntimeError:  # no thread is to be had: the copy stays old, and the place is given back
        _places.release()
        logger.warning("calendars not read for a booking: no thread", links=len(links))
        return
    poll.join(BUDGET_SECONDS)
    logger.info(
        "calendars read for a booking",
        links=len(links),
        in_time=not poll.is_alive(),
        milliseconds=round((time.monotonic() - started) * 1000),
    )


_OLD = """
    SELECT DISTINCT member_id FROM busy_time_busycalendar
    WHERE member_id = ANY(%(members)s) AND (
        checked_at IS NULL OR checked_at < %(oldest)s OR checked_at > %(moment)s
    )
"""


def _links_with_old_copies(member_ids: Collection[UUID]) -> list[UUID]:
    """The links that can be read, of those members of whom a copy is too old or missing."""
    usable = timedelta(seconds=max(settings.BUSY_MAX_AGE_SECONDS - MARGIN_SECONDS, 0))
    moment, members = now(), list(member_ids)
    found = execute(_OLD, members=members, oldest=moment - usable, moment=moment)
    old = [member_id for (member_id,) in found]
    if not old:
        return []
    links = CalendarLink.objects.filter(member__in=old, state__in=READABLE)
    return list(links.values_list("id", flat=True))


def _read_now(links: Collection[UUID]) -> None:
    try:
        asyncio.run(_read_all(links))
    finally:
        _places.release()


async def _read_all(links: Collection[UUID]) -> None:
    async with google_session(connections=len(links) * 2) as http:
        await asyncio.gather(*(_read(link_id, http) for link_id in links))


async def _read(link_id: UUID, http: aiohttp.ClientSession) -> None:
    try:
        # If a worker, or another booking, reads it right now, it waits for that instead.
        await read_changes(link_id, http)
    except Exception:  # the booking goes on and finds the copy as old as it is
        logger.exception("calendar not read for a booking", link_id=str(link_id))
