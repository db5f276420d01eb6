"""The worker's code without the worker's process."""

from __future__ import annotations

import asyncio

from asgiref.sync import async_to_sync

from sophiie.calendar_link.models import CalendarLink
from sophiie.common.clock import now
from sophiie.common.in_thread import in_thread
from sophiie.google.app import google_session
from sophiie.sync.inbound.poller import due_links, poll_link
from sophiie.sync.models import MirroredEvent, MirrorState
from sophiie.sync.outbound.drain import drain
from sophiie.sync.outbound.sweep import sweep
from sophiie.sync.outbox.guest_review import review_guests


def drain_all() -> None:
    """Works off what is due for every link, once; who is whose guest is looked at before."""
    review_guests()
    async_to_sync(_drain_all)()


def sweep_once() -> None:
    """One round of the worker's sweep."""
    async_to_sync(_sweep_once)()


def due_now() -> None:
    """Lets the pauses between attempts pass."""
    MirroredEvent.objects.filter(state=MirrorState.PENDING).update(next_attempt_at=now())
    CalendarLink.objects.update(parked_until=None)


def _nobody_waits() -> bool:
    """So that no turn ends by the clock, which on a slow machine comes too early."""
    return False


async def _drain_all() -> None:
    ids = await in_thread(lambda: list(CalendarLink.objects.values_list("id", flat=True)))
    async with google_session() as http:
        for link_id in ids:
            await drain(link_id, http=http, others_wait=_nobody_waits)


async def _sweep_once() -> None:
    async with google_session() as http:
        await sweep(http)


def read_all() -> list[bool]:
    """Reads the chosen calendar of every link once, due or not; whether each was read."""
    return async_to_sync(_read_all)()


def read_one(link: CalendarLink) -> bool:
    """Reads the calendars of one link; whether all of them were read."""
    return async_to_sync(_read_one)(link)


def read_due(times: int = 1) -> list[bool]:
    """What `times` workers do who find the same links due."""

    async def read() -> list[bool]:
        due = await in_thread(due_links)
        async with google_session() as http:
            reads = [poll_link(link_id, http, only_due=True) for link_id in due * times]
            return list(await asyncio.gather(*reads))

    return async_to_sync(read)()


async def _read_one(link: CalendarLink) -> bool:
    async with google_session() as http:
        return await poll_link(link.id, http)


async def _read_all() -> list[bool]:
    ids = await in_thread(lambda: list(CalendarLink.objects.values_list("id", flat=True)))
    async with google_session() as http:
        return [await poll_link(link_id, http) for link_id in ids]
