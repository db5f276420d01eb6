"""Before a booking, polls its people's calendars where our copy is too old.

A fresh copy costs no call. An old one costs one small poll, for all members at the same time and
within a budget; a copy that cannot be renewed in time stays old, and the booking says so. Runs
before the booking's transaction, never inside it.
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
from sophiie.sync.inbound.poller import poll_link

logger = log(__name__)

# As long as a person on the telephone waits: one slow answer of Google fits in, an outage does not.
BUDGET_SECONDS = 2.0
# Each waiting booking occupies a thread. Beyond these, bookings go on with the copy as it is.
MAX_AT_ONCE = 6
PLACE_SECONDS = 0.25
# A copy must still be fresh when the booking looks at it, after waiting up to this long for the
# members' locks (`locking.LOCK_TIMEOUT_MILLISECONDS`).
MARGIN_SECONDS = 5.0

_places = threading.BoundedSemaphore(MAX_AT_ONCE)


def renew_old_copies(member_ids: Collection[UUID]) -> None:
    """Polls what is too old to rely on; returns when that is done or the budget is used up.

    A poll that takes longer goes on by itself: stopping it would leave its claim behind, and the
    next booking finds its result. While many still run, Google is slow and nobody waits for more.
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
    except RuntimeError:  # no thread to be had: the copy stays old and the place is free again
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


# In SQL, as part of every booking; the figures stand in `outbox/record.py`.
_OLD = """
    SELECT DISTINCT member_id FROM busy_time_busycalendar
    WHERE member_id = ANY(%(members)s) AND (
        checked_at IS NULL OR checked_at < %(oldest)s OR checked_at > %(moment)s
    )
"""


def _links_with_old_copies(member_ids: Collection[UUID]) -> list[UUID]:
    """The readable links of those members of whom a copy is too old or missing."""
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
        # If a worker or another booking is polling already, this waits for that.
        await poll_link(link_id, http)
    except Exception:  # the booking goes on with the copy as it is
        logger.exception("calendar not read for a booking", link_id=str(link_id))
