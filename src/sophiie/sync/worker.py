"""The worker process: Procrastinate's jobs, the sweep, and a heartbeat that others can read."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Sequence

import aiohttp
from django.db.utils import InterfaceError, OperationalError
from procrastinate import App
from procrastinate.contrib.django import app
from procrastinate.exceptions import ConnectorException
from procrastinate.jobs import Status
from procrastinate.psycopg_connector import PsycopgConnector

from sophiie.accounts.mail_sending import send_due
from sophiie.accounts.tidying import forget_what_is_over
from sophiie.appointments.clock_laws import follow_clock_laws
from sophiie.appointments.customers import note_customers
from sophiie.appointments.holds import let_go_of_expired
from sophiie.audit.failures import close_hours
from sophiie.audit.upkeep import prune
from sophiie.calendar_link.reminders import send_due_reminders
from sophiie.calendar_link.tokens import mend_what_can_be_read_again
from sophiie.common import ending
from sophiie.common.after_commit import gathering
from sophiie.common.clock_jumps import ClockWatch
from sophiie.common.direct import direct_parameters
from sophiie.common.in_thread import in_thread
from sophiie.common.logs import log
from sophiie.common.outage import database_outage
from sophiie.common.sparing import pause_after
from sophiie.google.app import google_session
from sophiie.sync import restored
from sophiie.sync.inbound import channels
from sophiie.sync.inbound.calendars import poll_all_soon, were_polled_ahead_of_now
from sophiie.sync.inbound.poller import poll_regularly
from sophiie.sync.left_in_google import poll_strays_of_nothing
from sophiie.sync.outbound.capacity import Places
from sophiie.sync.outbound.sweep import prune_ledger, sweep
from sophiie.sync.outbox.guest_review import review_guests
from sophiie.sync.quota import units
from sophiie.sync.reports.units import warn_near_limits

logger = log(__name__)

SWEEP_SECONDS = 1.0
PAUSE_AFTER_FAILURE_SECONDS = 1.0
CLEANING_SECONDS = 30.0
HOUSE_SECONDS = 60.0
GRACE_SECONDS = 2.5  # for jobs that are at work
STOP_SECONDS = 4.0


Chores = Sequence[Callable[[], object]]


async def run_worker(*, concurrency: int, chores: Chores = ()) -> None:
    """Works until SIGTERM or SIGINT; survives a database that goes away for a while.

    `chores` is house-keeping of other packages, done beside the worker's own. What has not ended in
    time, because the database hangs, is abandoned: `ending.leave` waits for nobody.
    """
    stop = asyncio.Event()
    ending.let_long_work_run()
    loop = asyncio.get_running_loop()
    places = Places(concurrency)
    with gathering(), ending.telling(lambda: loop.call_soon_threadsafe(stop.set)):
        await _work_until(stop, places, concurrency, chores)


async def _work_until(
    stop: asyncio.Event, places: Places, concurrency: int, chores: Chores
) -> None:
    clock, ready = ClockWatch(), asyncio.Event()

    def forever(work: Callable[[], Awaitable[None]]) -> asyncio.Task[None]:
        return asyncio.create_task(_forever(work, ready))

    async with google_session(connections=concurrency * 4) as http:
        logger.info("worker started", concurrency=concurrency, process=os.getpid())
        tasks = [
            asyncio.create_task(_settle(ready)),
            forever(lambda: _work_jobs(http, concurrency, places)),
            forever(lambda: _sweep_regularly(http, clock)),
            forever(lambda: _keep_house(chores)),
            forever(_review_guests_regularly),
            forever(_send_mails_regularly),
            forever(lambda: poll_regularly(http)),
            forever(lambda: channels.tend_regularly(http)),
        ]
        await stop.wait()
        logger.info("worker stops")
        ending.end_long_work()
        places.close()
        for task in tasks:
            task.cancel()
        _, hanging = await asyncio.wait(tasks, timeout=STOP_SECONDS)
        if hanging:
            logger.warning("worker stops without waiting any longer", loops=len(hanging))


async def _settle(ready: asyncio.Event) -> None:
    """Nothing is sent, and no mail leaves, before it is noted that a backup was restored."""

    async def settle() -> None:
        await in_thread(restored.settle)
        ready.set()

    while not ready.is_set():
        await _attempt(settle)


async def _forever(work: Callable[[], Awaitable[None]], ready: asyncio.Event) -> None:
    """Repeats the work, whatever happens, until cancelled.

    A loop that is cancelled while the database is away may end with the database's error instead:
    that is an end all the same.
    """
    me = asyncio.current_task()
    assert me is not None
    await ready.wait()
    while not me.cancelling():
        await _attempt(work)


async def _attempt(work: Callable[[], Awaitable[None]]) -> None:
    """Does the work, and waits a moment if it ends by itself."""
    me = asyncio.current_task()
    assert me is not None
    try:
        await work()
    except (ConnectorException, OperationalError, InterfaceError, OSError) as error:
        if not me.cancelling():
            database_outage.noticed(error)
    except Exception:
        logger.exception("worker loop crashed")
    if not me.cancelling():
        await asyncio.sleep(PAUSE_AFTER_FAILURE_SECONDS)


async def _work_jobs(http: aiohttp.ClientSession, concurrency: int, places: Places) -> None:
    connector = PsycopgConnector(
        kwargs=direct_parameters(), min_size=1, max_size=concurrency + 2, reconnect_timeout=5
    )
    async with app.with_connector(connector).open_async() as worker_app:
        cleaning = asyncio.create_task(_clear_abandoned_jobs(worker_app))
        try:
            await worker_app.run_worker_async(
                concurrency=concurrency,
                fetch_job_polling_interval=1.0,
                delete_jobs="always",
                install_signal_handlers=False,
                additional_context={"http": http, "places": places},
                task_middleware=[],  # the default cleans up connections that we do not use
                shutdown_graceful_timeout=GRACE_SECONDS,
            )
        finally:
            cleaning.cancel()


async def _clear_abandoned_jobs(worker_app: App) -> None:
    """Drops the jobs of killed workers: the outbox knows what is to be done."""
    while True:
        for job in await worker_app.job_manager.get_stalled_jobs():
            await worker_app.job_manager.finish_job(job, status=Status.FAILED, delete_job=True)
        await asyncio.sleep(CLEANING_SECONDS)


async def _keep_house(chores: Chores) -> None:
    """Does what may wait a little: clocks whose law changed, customers of earlier appointments,
    stray events that stand for nothing any more, links whose key is back, reminders by email,
    limits of Google's that are near, old rows of the ledger, of the audit log and of what was used,
    expired holds, ended sessions and what was typed in them, counts of attempts and of failed
    sign-ins."""
    while True:
        await in_thread(follow_clock_laws)
        await in_thread(note_customers)
        await in_thread(poll_strays_of_nothing)
        await in_thread(mend_what_can_be_read_again)
        await in_thread(send_due_reminders)
        await in_thread(prune_ledger)
        await in_thread(units.prune)
        await in_thread(warn_near_limits)
        await in_thread(let_go_of_expired)
        await in_thread(forget_what_is_over)
        await in_thread(close_hours)
        await in_thread(prune)
        for chore in chores:
            await in_thread(chore)
        await asyncio.sleep(HOUSE_SECONDS)


async def _review_guests_regularly() -> None:
    while True:
        await in_thread(review_guests)
        await asyncio.sleep(SWEEP_SECONDS)


async def _send_mails_regularly() -> None:
    while True:
        await in_thread(send_due)
        await asyncio.sleep(SWEEP_SECONDS)


async def _sweep_regularly(http: aiohttp.ClientSession, clock: ClockWatch) -> None:
    if await in_thread(were_polled_ahead_of_now):
        logger.warning("the clock was set back while no worker ran: calendars are read anew")
    while True:
        if clock.jump() < 0:
            await in_thread(poll_all_soon)
        began = time.monotonic()
        await sweep(http)
        if units.is_flush_due():
            await in_thread(units.flush)
        # With very much to do, jobs wake the worker anyway.
        await asyncio.sleep(pause_after(time.monotonic() - began, least=SWEEP_SECONDS))
