"""The worker's code without its process, and a hand that reaches in between any two of its steps.

A step is one piece of database work or one HTTP call. What the hand does there is a plain
function: it may raise `Killed`, and from then on nothing of this worker takes a further step,
not even the clean-up, as if the process had been killed. Or it lets others act meanwhile: a
person, or a second worker, while the first one stands still.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager, suppress
from contextvars import ContextVar, copy_context
from datetime import timedelta
from typing import Any
from uuid import UUID

import aiohttp
from django.db import connection, connections
from django.db.models.functions import Now

from sophiie.appointments.signals import booking_ahead
from sophiie.calendar_link.models import CalendarLink, Revocation
from sophiie.common import in_thread as database_threads
from sophiie.common.clock import now
from sophiie.common.in_thread import in_thread
from sophiie.google.app import google_session
from sophiie.sync import receivers
from sophiie.sync.inbound.calendars import due_links
from sophiie.sync.inbound.poller import poll_link
from sophiie.sync.models import (
    GuestReview,
    MirroredEvent,
    MirrorState,
    QuotaBucket,
    WatchedCalendar,
)
from sophiie.sync.outbound.drain import drain
from sophiie.sync.outbound.sweep import sweep
from sophiie.sync.outbox.guest_review import review_guests


class Killed(BaseException):
    """SIGKILL, for one worker of several in this process."""


class Hand:
    """Does something once, at the n-th point between a worker's steps."""

    def __init__(self, at: int, act: Callable[[], None]) -> None:
        self._left, self._act, self._dead = at, act, False
        self._lock = threading.Lock()
        self.acted = False

    def between_steps(self) -> None:
        with self._lock:
            if self._dead:
                raise Killed
            self._left -= 1
            if self._left != 0:
                return
            self.acted = True
            try:
                self._act()
            except Killed:
                self._dead = True
                raise
            finally:
                connections.close_all()


def die() -> None:
    raise Killed


_hand: ContextVar[Hand | None] = ContextVar("hand", default=None)


class _WatchedThreads:
    """The product's database threads, with a point before and after each piece of work."""

    def __init__(self, threads: ThreadPoolExecutor) -> None:
        self._threads = threads

    def submit(self, work: Callable[[], Any], /) -> Future[Any]:
        hand = _hand.get()
        if hand is None:
            return self._threads.submit(work)

        def watched() -> Any:
            hand.between_steps()
            result = work()
            hand.between_steps()
            return result

        return self._threads.submit(watched)


class _WatchedHttp:
    """The worker's HTTP session, with a point before each request and after its answer came."""

    def __init__(self, http: aiohttp.ClientSession) -> None:
        self._http = http

    @asynccontextmanager
    async def request(self, *words: Any, **more: Any) -> AsyncIterator[aiohttp.ClientResponse]:
        await self._between_steps()
        async with self._http.request(*words, **more) as answer:
            await self._between_steps()
            yield answer

    async def _between_steps(self) -> None:
        if hand := _hand.get():
            await asyncio.to_thread(hand.between_steps)


@contextmanager
def watched_threads() -> Any:
    """While inside, a hand can reach between the steps of workers started by `work`.

    Bookings do not read calendars here: this is about the mirror, and a call of theirs would be
    one more that nobody in an example accounts for.
    """
    threads = database_threads._threads
    database_threads._threads = _WatchedThreads(threads)  # type: ignore[assignment]
    booking_ahead.disconnect(dispatch_uid="freshness")
    try:
        yield
    finally:
        database_threads._threads = threads
        receivers.connect()


@contextmanager
def bookings_read_calendars() -> Any:
    """While inside, a booking renews old copies of its people's calendars, as it does outside of
    this machine."""
    receivers.connect()
    try:
        yield
    finally:
        booking_ahead.disconnect(dispatch_uid="freshness")


def work(
    *,
    hand: Hand | None = None,
    workers: int = 1,
    reading: bool = False,
    only_due: bool = False,
    meanwhile: Callable[[], Awaitable[Any]] | None = None,
) -> None:
    """One round of what the worker process does: guests, the sweep, then the jobs that wait.

    `workers` of them take the same jobs at the same time; with `reading` the calendars are read
    beside that, with `only_due` those that are due, and `meanwhile` happens as well.
    """

    async def round_() -> None:
        asyncio.get_running_loop().set_exception_handler(_forget_the_dead)
        _hand.set(hand)
        async with google_session() as session:
            http: Any = _WatchedHttp(session)
            await in_thread(review_guests)
            await sweep(http)
            # All of it is known before any of it begins: whoever is killed between leaves nothing
            # that was begun and never awaited.
            jobs = await in_thread(take_jobs) * workers
            read = await in_thread(_links) if reading else []
            due = await in_thread(due_links) if only_due else []
            works: list[Awaitable[Any]] = [
                *(drain(link, http=http) for link in jobs),
                *(poll_link(link, http) for link in read),
                *(poll_link(link, http, only_due=True) for link in due),
            ]
            await asyncio.gather(*works, *([meanwhile()] if meanwhile else []))

    with suppress(Killed):
        copy_context().run(asyncio.run, round_())


def _links() -> list[UUID]:
    return list(CalendarLink.objects.order_by("id").values_list("id", flat=True))


def _forget_the_dead(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    if not isinstance(context.get("exception"), Killed):
        loop.default_exception_handler(context)


def take_jobs() -> list[UUID]:
    """The links that a job waits for. Taken from the queue as by a worker that then dies."""
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM procrastinate_jobs WHERE status = 'todo' RETURNING args->>'link_id'"
        )
        return sorted({UUID(link_id) for (link_id,) in cursor.fetchall()})


def leases_run_out() -> None:
    """What a killed worker held ends by itself, by the database's clock."""
    past = Now() - timedelta(seconds=1)
    CalendarLink.objects.exclude(lease_until=None).update(lease_until=past)
    CalendarLink.objects.exclude(refreshing_until=None).update(refreshing_until=past)
    WatchedCalendar.objects.exclude(reading_until=None).update(reading_until=past)
    GuestReview.objects.update(claimed_until=None)


def pauses_pass() -> None:
    """Whatever waits for its next attempt is due now."""
    past = now() - timedelta(seconds=1)
    MirroredEvent.objects.filter(state=MirrorState.PENDING).update(next_attempt_at=past)
    CalendarLink.objects.exclude(parked_until=None).update(parked_until=past)
    QuotaBucket.objects.all().delete()
    CalendarLink.objects.update(parked_until=None)
    Revocation.objects.update(next_attempt_at=past)


def an_hour_passes() -> None:
    """Sophiie's access tokens are too old to be used."""
    CalendarLink.objects.exclude(access_token_expires_at=None).update(access_token_expires_at=now())
