"""Reading the calendars of a link: which are due, who reads them, and in which order things happen.

1. Claim a calendar, so that no other process reads it at the same time; note what we think our
   events there look like at this moment: `poll_claim.py`.
2. Ask Google: everything in the window the first time and once a day, what changed since the last
   reading otherwise: `fetch.py`. No transaction is open.
3. Store what follows, and where to go on, in one transaction: `busy_store.py` for when the member
   is busy, and, of the chosen calendar, `detect_drift.py` for what became of our own events.
4. After a reading of everything compare it with all that should be there: `full_compare.py`.

Nothing is ever written to Google from here, and nothing of an appointment changes.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from uuid import UUID

import aiohttp
from django.db import transaction

from sophiie.calendar_link import problems
from sophiie.calendar_link.google_app import google_app
from sophiie.calendar_link.tokens import LinkTokens, mark_needs_reconnect
from sophiie.common import live
from sophiie.common.clock import now
from sophiie.common.in_thread import in_thread
from sophiie.common.logs import log
from sophiie.google.app import google_session
from sophiie.google.calendar import WRITE_ROLES, AccessTokens, CalendarClient
from sophiie.google.errors import GoogleError
from sophiie.sync.counters import Outcome, count
from sophiie.sync.inbound import poll_claim
from sophiie.sync.inbound.busy_store import freed_by, store_busy_time
from sophiie.sync.inbound.calendar_names import new_name, rename
from sophiie.sync.inbound.calendars import calendars_to_read, due_links
from sophiie.sync.inbound.detect_drift import detect_drift
from sophiie.sync.inbound.fetch import FetchResult, deleted_lately, fetch
from sophiie.sync.inbound.full_compare import reconcile
from sophiie.sync.inbound.mass_deletion import ask_no_more, ask_the_person, doubt
from sophiie.sync.inbound.poll_claim import NotReadable, Poll
from sophiie.sync.quota.metered_client import PaidTokens, PutOff

logger = log(__name__)

MAX_AT_ONCE = 4
CALENDARS_AT_ONCE = 3
IDLE_SECONDS = 1.0
BUSY_SECONDS = 0.2
WAIT_SECONDS = 0.1


async def poll_regularly(http: aiohttp.ClientSession) -> None:
    """Reads every calendar whose time has come, a few at a time; a slow one delays no other."""
    running: set[asyncio.Task[bool]] = set()
    try:
        while True:
            for link_id in await in_thread(due_links, MAX_AT_ONCE - len(running)):
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
    """Reads the calendars of a link once; False when one of them was not read, or not believed.

    Where another process is reading, its result is waited for. With `only_due` nothing is done
    when somebody else has just read, or does, or when the quotas have no room. Cancelled at any
    moment, it leaves no claim behind.
    """
    places = asyncio.Semaphore(CALENDARS_AT_ONCE)

    async def read(calendar_id: str) -> bool:
        async with places:
            return await _read(link_id, calendar_id, http, only_due=only_due)

    calendars = await in_thread(calendars_to_read, link_id)
    results = await asyncio.gather(*map(read, calendars), return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return bool(results) and all(results)


async def look_again(link_id: UUID, *, patience: float) -> bool:
    """Reads the calendars of a link now, for somebody who waits; False if that did not succeed
    within so many seconds."""
    try:
        async with asyncio.timeout(patience), google_session() as http:
            return await read_changes(link_id, http)
    except TimeoutError:
        return False


async def _read(
    link_id: UUID, calendar_id: str, http: aiohttp.ClientSession, *, only_due: bool
) -> bool:
    asked_at = now()
    while True:
        try:
            async with _claimed(link_id, calendar_id, only_due=only_due) as poll:
                if poll is not None:
                    return await _read_claimed(poll, http, waited_for=not only_due)
        except NotReadable:
            return False
        if only_due:
            return False
        await asyncio.sleep(WAIT_SECONDS)
        if await in_thread(poll_claim.was_read_since, link_id, calendar_id, asked_at):
            return True


@asynccontextmanager
async def _claimed(
    link_id: UUID, calendar_id: str, *, only_due: bool
) -> AsyncIterator[Poll | None]:
    """Holds the claim on a reading; None when somebody else has it.

    What ends early, also by a cancellation, gives it back: the next one would wait for nothing.
    """
    # Shielded: a thread is not cancelled, and may be claiming at this moment.
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
    try:
        outcome = await _outcome(poll, http, waited_for=waited_for)
    finally:
        await in_thread(count, outcome, seconds=time.monotonic() - began)
    return outcome.is_success


async def _outcome(poll: Poll, http: aiohttp.ClientSession, *, waited_for: bool) -> Outcome:
    paid = PaidTokens(LinkTokens(http, poll.link_id), poll.link_id, waited_for=waited_for)
    client = CalendarClient(http, google_app().api_url, _TokensWhileReading(paid, poll))
    try:
        fetched = await _doubted(client, poll, await fetch(client, poll))
        name = await new_name(client, poll, fetched, waited_for=waited_for)
    except PutOff:
        await in_thread(poll_claim.put_off, poll)
        return Outcome.PUT_OFF
    except GoogleError as error:
        await in_thread(poll_claim.record_failure, poll, error)
        return Outcome.FAILED
    except NotReadable:
        raise
    except Exception as error:  # a bug of ours must not end the reading of the other calendars
        logger.exception("reading crashed", link_id=str(poll.link_id))
        await in_thread(poll_claim.record_failure, poll, error)
        return Outcome.FAILED
    outcome = await in_thread(_store, poll, fetched)
    if name and outcome != Outcome.GIVEN_UP:
        await in_thread(rename, poll, fetched, name)
    return outcome


async def _doubted(client: CalendarClient, poll: Poll, fetched: FetchResult) -> FetchResult:
    """The same, with a doubt if much that kept the member busy is gone and nobody deleted it."""
    if fetched.doubt is not None or not fetched.everything:
        return fetched  # an increment says of each event that it was deleted
    freed = await in_thread(freed_by, poll, fetched)
    gone, meant = freed.ids, poll.meant_missing
    if doubt(len(gone), freed.all_of_them, meant=meant):
        gone = gone - await deleted_lately(client, poll)
    return replace(fetched, doubt=doubt(len(gone), freed.all_of_them, meant=meant, own=False))


class _TokensWhileReading:
    """The link's access tokens, for as long as it may be read: looked at before every call."""

    def __init__(self, tokens: AccessTokens, poll: Poll) -> None:
        self._tokens, self._reading = tokens, poll

    async def access_token(self, *, rejected: str = "") -> str:
        token = await self._tokens.access_token(rejected=rejected)
        if not await in_thread(poll_claim.keep, self._reading):
            raise NotReadable
        return token


def _store(poll: Poll, fetched: FetchResult) -> Outcome:
    """What follows from the reading, and where the next one goes on: both or neither."""
    moment, repaired = now(), 0
    with transaction.atomic():
        watched = poll_claim.held(poll)
        if watched is None:
            return Outcome.GIVEN_UP  # unlinked, or somebody else reads: what we have is old
        said = (watched.error, watched.missing, watched.read_at is None)
        if fetched.doubt is not None:
            ask_the_person(watched, fetched.doubt, moment)
        else:
            if poll.is_chosen:
                repaired = detect_drift(poll, fetched, moment)
            watched.sync_token, watched.read_at = fetched.sync_token, moment
            if fetched.everything:
                watched.window_start, watched.window_end = poll.window
            ask_no_more(watched)
        store_busy_time(poll, fetched, watched)
        poll_claim.ended(watched, moment)
        watched.save()
        if said != (watched.error, watched.missing, watched.read_at is None):
            live.announce(poll.business_id, link=poll.link_id)
    if poll.is_chosen and fetched.access_role and fetched.access_role not in WRITE_ROLES:
        mark_needs_reconnect(poll.link_id, problems.CALENDAR_GONE)
    if fetched.doubt is not None:
        logger.warning("much is missing", link_id=str(poll.link_id), gone=fetched.doubt.gone)
        return Outcome.DOUBTED
    if fetched.everything and poll.is_chosen:
        reconcile(poll, fetched.items, repaired=repaired)
    return Outcome.EVERYTHING if fetched.everything else Outcome.CHANGES
