"""The worker process: Procrastinate's jobs, the sweep, and a heartbeat that others can read."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable, Sequence

import aiohttp
from django.db.utils import InterfaceError, OperationalError
from procrastinate import App
from procrastinate.contrib.django import app
from procrastinate.contrib.django.utils import connector_params
from procrastinate.exceptions import ConnectorException
from procrastinate.jobs import Status
from procrastinate.psycopg_connector import PsycopgConnector

from sophiie.accounts.sessions import forget_ended_sessions
from sophiie.appointments.holds import let_go_of_expired
from sophiie.calendar_link.reminders import send_due_reminders
from sophiie.common import stopping
from sophiie.common.in_thread import in_thread
from sophiie.common.logs import log
from sophiie.google.app import google_session
from sophiie.sync import push
from sophiie.sync.guest_review import review_guests
from sophiie.sync.places import Places
from sophiie.sync.sweep import prune_ledger, sweep
from sophiie.sync.watch import poll_regularly

logger = log(__name__)

SWEEP_SECONDS = 1.0
PAUSE_AFTER_FAILURE_SECONDS = 1.0
CLEANING_SECONDS = 30.0
HOUSE_SECONDS = 60.0


Chores = Sequence[Callable[[], object]]


async def run_worker(*, concurrency: int, chores: Chores = ()) -> None:
    """Works until SIGTERM or SIGINT; outlives a database that goes away for a while.

    `chores` is house-keeping that others ask for, done beside the worker's own.
    """
    stop = asyncio.Event()
    stopping.begin()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    places = Places(concurrency)
    async with google_session(connections=concurrency * 4) as http:
        logger.info("worker started", concurrency=concurrency, process=os.getpid())
        tasks = [
            asyncio.create_task(_forever(lambda: _work_jobs(http, concurrency, places))),
            asyncio.create_task(_forever(lambda: _sweep_regularly(http))),
            asyncio.create_task(_forever(lambda: _keep_house(chores))),
            asyncio.create_task(_forever(_review_guests_regularly)),
            asyncio.create_task(_forever(lambda: poll_regularly(http))),
            asyncio.create_task(_forever(lambda: push.tend_regularly(http))),
        ]
        await stop.wait()
        logger.info("worker stops")
        stopping.ask_to_stop()
        places.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _forever(work: Callable[[], Awaitable[None]]) -> None:
    while True:
        try:
            await work()
        except (ConnectorException, OperationalError, InterfaceError, OSError) as error:
            logger.warning("database not reachable", error=type(error).__name__)
        except Exception:
            logger.exception("worker loop crashed")
        await asyncio.sleep(PAUSE_AFTER_FAILURE_SECONDS)


async def _work_jobs(http: aiohttp.ClientSession, concurrency: int, places: Places) -> None:
    connector = PsycopgConnector(kwargs=connector_params(), min_size=1, max_size=concurrency + 2)
    async with app.with_connector(connector).open_async() as worker_app:
        cleaning = asyncio.create_task(_clear_abandoned_jobs(worker_app))
        try:
            await worker_app.run_worker_async(
                concurrency=concurrency,
                fetch_job_polling_interval=1.0,
                delete_jobs="always",
                install_signal_handlers=False,
                additional_context={"http": http, "places": places},
                task_middleware=[],  # theirs tidies up after a use of the database that is not ours
                shutdown_graceful_timeout=5.0,
            )
        finally:
            cleaning.cancel()


async def _clear_abandoned_jobs(worker_app: App) -> None:
    """Jobs of killed workers are dropped: the outbox knows what they were for."""
    while True:
        for job in await worker_app.job_manager.get_stalled_jobs():
            await worker_app.job_manager.finish_job(job, status=Status.FAILED, delete_job=True)
        await asyncio.sleep(CLEANING_SECONDS)


async def _keep_house(chores: Chores) -> None:
    """What may wait a little: reminders by e-mail, old rows of the ledger, holds that ran out,
    sessions that ended and what was typed in them."""
    while True:
        await in_thread(send_due_reminders)
        await in_thread(prune_ledger)
        await in_thread(let_go_of_expired)
        await in_thread(forget_ended_sessions)
        for chore in chores:
            await in_thread(chore)
        await asyncio.sleep(HOUSE_SECONDS)


async def _review_guests_regularly() -> None:
    while True:
        await in_thread(review_guests)
        await asyncio.sleep(SWEEP_SECONDS)


async def _sweep_regularly(http: aiohttp.ClientSession) -> None:
    while True:
        await sweep(http)
        await asyncio.sleep(SWEEP_SECONDS)
