"""Polls the calendars of a link: which are due, who polls them, and in which order things happen.

1. Claim a calendar, so that no other process polls it at the same time; note what we think our
   events there look like at this moment: `poll_claim.py`.
2. Ask Google: for everything in the window the first time and once a day, otherwise for what
   changed since the last poll: `fetch.py`. No transaction is open.
3. Store what follows, and where to go on, in one transaction: `busy_store.py` for when the member
   is busy and, for the chosen calendar, `detect_drift.py` for what became of our own events.
4. After a full poll compare the calendar with all that should be there: `full_compare.py`.

Nothing here writes to Google or changes an appointment.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from uuid import UUID

import aiohttp
from django.db import DatabaseError, transaction

from sophiie.calendar_link import problems
from sophiie.calendar_link.client import client_for
from sophiie.calendar_link.tokens import mark_needs_reconnect
from sophiie.common import live
from sophiie.common.clock import now
from sophiie.common.in_thread import in_thread
from sophiie.common.logs import log
from sophiie.common.tracing import span
from sophiie.google.app import google_session
from sophiie.google.calendar import WRITE_ROLES, CalendarClient
from sophiie.google.errors import GoogleError
from sophiie.sync.counters import Outcome, count
from sophiie.sync.inbound import poll_claim
from sophiie.sync.inbound.busy_store import freed_by, store_busy_time
from sophiie.sync.inbound.calendar_names import new_name, rename
from sophiie.sync.inbound.calendars import calendars_to_poll, due_links
from sophiie.sync.inbound.detect_drift import detect_drift
from sophiie.sync.inbound.fetch import FetchResult, deleted_lately, fetch
from sophiie.sync.inbound.full_compare import reconcile
from sophiie.sync.inbound.mass_deletion import ask_no_more, ask_the_person, find_doubt
from sophiie.sync.inbound.poll_claim import NotReadable, Poll
from sophiie.sync.inbound.schedule import judge_channel, plan_next
from sophiie.sync.inbound.series import with_whole_series
from sophiie.sync.quota.metered_client import CallMeter, Throttled

logger = log(__name__)

MAX_AT_ONCE = 4
CALENDARS_AT_ONCE = 3
IDLE_SECONDS = 1.0
BUSY_SECONDS = 0.2
WAIT_SECONDS = 0.1


async def poll_regularly(http: aiohttp.ClientSession) -> None:
    """Polls every calendar that is due, a few at a time; a slow one delays no other."""
    running: set[asyncio.Task[bool]] = set()
    try:
        while True:
            for link_id in await in_thread(due_links, MAX_AT_ONCE - len(running)):
                running.add(asyncio.create_task(poll_link(link_id, http, only_due=True)))
            await asyncio.sleep(BUSY_SECONDS if running else IDLE_SECONDS)
            done = {task for task in running if task.done()}
            running -= done
            for task in done:
                task.result()
    finally:
        for task in running:
            task.cancel()


async def poll_link(link_id: UUID, http: aiohttp.ClientSession, *, only_due: bool = False) -> bool:
    """Polls the calendars of a link once; False if a poll failed or was not believed.

    Waits for the result of another process that is polling. With `only_due` it does not wait: it
    skips calendars that somebody else polls or has just polled, and gives up when the quotas have
    no room. Leaves no claim behind, even when cancelled.
    """
    places = asyncio.Semaphore(CALENDARS_AT_ONCE)

    async def read(calendar_id: str) -> bool:
        async with places:
            return await _read(link_id, calendar_id, http, only_due=only_due)

    calendars = await in_thread(calendars_to_poll, link_id)
    results = await asyncio.gather(*map(read, calendars), return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return bool(results) and all(results)


async def look_again(link_id: UUID, *, patience: float) -> bool:
    """Polls the calendars of a link now, for a person who waits; False if that did not succeed
    within so many seconds."""
    try:
        async with asyncio.timeout(patience), google_session() as http:
            return await poll_link(link_id, http)
    except TimeoutError:
        return False


async def _read(
    link_id: UUID, calendar_id: str, http: aiohttp.ClientSession, *, only_due: bool
) -> bool:
    before = (
        await in_thread(poll_claim.last_read_at, link_id, calendar_id) if not only_due else None
    )
    has_waited = False

    async def was_read() -> bool:
        return await in_thread(poll_claim.last_read_at, link_id, calendar_id) != before

    while True:
        try:
            async with _claimed(link_id, calendar_id, only_due=only_due) as poll:
                if poll is not None:
                    # Whoever was waited for may have ended after the last look.
                    if has_waited and await was_read():
                        return True
                    return await _read_claimed(poll, http, waited_for=not only_due)
        except NotReadable:
            return False
        if only_due:
            return False
        has_waited = True
        await asyncio.sleep(WAIT_SECONDS)
        if await was_read():
            return True


@asynccontextmanager
async def _claimed(
    link_id: UUID, calendar_id: str, *, only_due: bool
) -> AsyncIterator[Poll | None]:
    """Holds the claim on a calendar while the block runs; None when somebody else has it.

    A poll that ends early, or is cancelled, releases it, or the next reader waits for an abandoned
    claim.
    """
    # Shielded: a thread cannot be cancelled, and may be claiming at this moment.
    beginning = asyncio.ensure_future(
        in_thread(poll_claim.begin, link_id, calendar_id, only_due=only_due)
    )
    try:
        yield await asyncio.shield(beginning)
    except BaseException:
        (begun,) = await asyncio.gather(beginning, return_exceptions=True)
        if isinstance(begun, Poll):
            await in_thread(poll_claim.release, begun)
        raise


async def _read_claimed(poll: Poll, http: aiohttp.ClientSession, *, waited_for: bool) -> bool:
    began, outcome = time.monotonic(), Outcome.GIVEN_UP
    extending = asyncio.create_task(_keep(poll))
    try:
        with span("poll", link_id=poll.link_id, waited_for=waited_for) as tracing:
            outcome = await _outcome(poll, http, waited_for=waited_for)
            tracing.note(outcome=outcome.name.lower())
    finally:
        extending.cancel()
        await in_thread(count, outcome, seconds=time.monotonic() - began)
    return outcome.is_success


async def _keep(poll: Poll) -> None:
    """Extends the claim while the poll goes on, until it is no longer ours."""
    while True:
        await asyncio.sleep(poll_claim.EXTEND_SECONDS)
        with suppress(DatabaseError):  # the next round may reach it again before it runs out
            if not await in_thread(poll_claim.extend, poll):
                return


async def _outcome(poll: Poll, http: aiohttp.ClientSession, *, waited_for: bool) -> Outcome:
    meter = CallMeter(poll.link_id, waited_for=waited_for)

    async def before_call() -> None:
        await meter.pay()
        if not await in_thread(poll_claim.extend, poll):
            raise NotReadable

    client = client_for(poll.link_id, http, before_call=before_call)
    try:
        fetched = await with_whole_series(client, poll, await fetch(client, poll))
        fetched = await _with_doubt(client, poll, fetched)
        name = await new_name(client, poll, fetched, waited_for=waited_for)
    except Throttled:
        await in_thread(poll_claim.postpone, poll)
        return Outcome.THROTTLED
    except GoogleError as error:
        await in_thread(poll_claim.record_failure, poll, error)
        return Outcome.FAILED
    except NotReadable:
        raise
    except Exception as error:  # a bug of ours must not stop the other calendars
        logger.exception("reading crashed", link_id=str(poll.link_id))
        await in_thread(poll_claim.record_failure, poll, error)
        return Outcome.FAILED
    outcome = await in_thread(_store, poll, fetched)
    if name and outcome != Outcome.GIVEN_UP:
        await in_thread(rename, poll, fetched, name)
    return outcome


async def _with_doubt(client: CalendarClient, poll: Poll, fetched: FetchResult) -> FetchResult:
    """Adds a `Doubt` when many busy events vanished without being deleted, and settles whether a
    list that lacks many of our events is whole all the same."""
    if not fetched.everything:
        return fetched  # an incremental poll names each deleted event
    freed = await in_thread(freed_by, poll, fetched)
    gone, meant, own = freed.ids, poll.meant_missing, fetched.doubt
    if own is not None or find_doubt(len(gone), freed.all_of_them, meant=meant):
        deleted = await deleted_lately(client, poll)
        gone = gone - deleted
        if own is not None and fetched.gone <= deleted:
            own = replace(own, list_is_whole=True)
    busy = find_doubt(len(gone), freed.all_of_them, meant=meant, own=False)
    if own is not None and busy is not None:
        own = replace(own, list_is_whole=False)
    return replace(fetched, doubt=own or busy)


def _store(poll: Poll, fetched: FetchResult) -> Outcome:
    """Stores what follows from the poll and where the next one goes on: both or neither."""
    moment, repaired = now(), 0
    with transaction.atomic():
        watched = poll_claim.held(poll)
        if watched is None:
            return Outcome.GIVEN_UP  # unlinked, or somebody else polls: our answer is old
        said = (watched.error, watched.missing, watched.read_at is None)
        if fetched.doubt is not None:
            ask_the_person(watched, fetched.doubt, moment)
        else:
            if poll.is_chosen:
                repaired = detect_drift(poll, fetched, moment)
            if fetched.everything:
                watched.window_start, watched.window_end = poll.window
            ask_no_more(watched)
        store_busy_time(poll, fetched, watched)
        next_poll = plan_next(poll, fetched, watched, moment)
        if fetched.doubt is None:
            watched.sync_token, watched.read_at = fetched.sync_token, moment
        poll_claim.ended(watched, moment, next_poll.pause, is_net=next_poll.is_net)
        watched.save()
        if said != (watched.error, watched.missing, watched.read_at is None):
            live.announce(poll.business_id, link=poll.link_id)
    judge_channel(next_poll, moment)
    if poll.is_chosen and fetched.access_role and fetched.access_role not in WRITE_ROLES:
        mark_needs_reconnect(poll.link_id, problems.CALENDAR_GONE)
    if fetched.doubt is not None:
        logger.warning("much is missing", link_id=str(poll.link_id), gone=fetched.doubt.gone)
        return Outcome.DOUBTED
    if fetched.everything and poll.is_chosen:
        reconcile(poll, fetched.items, repaired=repaired)
    return Outcome.EVERYTHING if fetched.everything else Outcome.CHANGES
