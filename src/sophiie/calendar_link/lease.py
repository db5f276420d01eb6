"""The lease on a link: one worker at a time, and never longer than it lives.

A lease is a stretch of time by the database's clock, renewed while the work goes on. A killed
worker's lease simply runs out. It makes work exclusive in the normal case; that nothing is doubled
even when two workers hold it for a moment is the doing of the event ids, not of the lease. A worker
that stood still for longer than its lease notices by its own clock, and sends nothing any more.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from uuid import UUID, uuid4

from django.db import DatabaseError
from django.db.models import Q
from django.db.models.functions import Now

from sophiie.calendar_link.models import CalendarLink
from sophiie.common.horizon import ahead, over
from sophiie.common.in_thread import in_thread
from sophiie.common.logs import log
from sophiie.google.patience import pause

logger = log(__name__)

LEASE = timedelta(seconds=10)
RENEW_SECONDS = 3.0


class LeaseOver(Exception):
    """Too much time has passed since the last renewal: another worker may be at it by now."""


class Lease:
    """One stretch of holding a link, as its holder's own clock sees it."""

    def __init__(self, begun: float) -> None:
        self.holder = uuid4()
        self._until = begun + LEASE.total_seconds()

    def is_over(self) -> bool:
        """Whether it may have run out, as after a long standstill; once over it stays so."""
        return time.monotonic() >= self._until

    def renewed(self, begun: float) -> None:
        """Another full stretch, counted from the moment before the database was asked for it."""
        if not self.is_over():
            self._until = begun + LEASE.total_seconds()


@asynccontextmanager
async def leased(link_id: UUID, *, states: tuple[str, ...]) -> AsyncIterator[Lease | None]:
    """Holds the lease on a link in one of `states` while the block runs.

    Yields None when somebody else holds it or the link is in another state. Whoever works under
    it asks `is_over()` before each thing that must not be done late.
    """
    lease = Lease(time.monotonic())
    if not await in_thread(_take, link_id, lease.holder, states):
        yield None
        return
    renewal = asyncio.create_task(_keep(link_id, lease))
    try:
        yield lease
    finally:
        renewal.cancel()
        with suppress(asyncio.CancelledError):
            await renewal
        await in_thread(_release, link_id, lease.holder)


async def wait_until_free(link_id: UUID) -> None:
    """Waits until nobody holds the lease; at most as long as a lease lasts without renewal.

    Raises `Unreachable` when the holder's call takes longer than somebody here may wait.
    """
    # The holder is another process, so there is no event to wait for.
    while await in_thread(_is_held, link_id):
        await pause(0.05)


def _take(link_id: UUID, holder: UUID, states: tuple[str, ...]) -> bool:
    taken = CalendarLink.objects.filter(
        Q(lease_until=None) | over("lease_until", Now(), at_most=LEASE),
        pk=link_id,
        state__in=states,
    ).update(lease_holder=holder, lease_until=Now() + LEASE)
    return bool(taken)


async def _keep(link_id: UUID, lease: Lease) -> None:
    while not lease.is_over():
        await asyncio.sleep(RENEW_SECONDS)
        begun = time.monotonic()
        try:
            if await in_thread(_renew, link_id, lease.holder):
                lease.renewed(begun)
        except DatabaseError:  # the next round may reach it again before the lease runs out
            logger.warning("lease not renewed", link_id=str(link_id))


def _renew(link_id: UUID, holder: UUID) -> bool:
    held = CalendarLink.objects.filter(pk=link_id, lease_holder=holder)
    return bool(held.update(lease_until=Now() + LEASE))


def _release(link_id: UUID, holder: UUID) -> None:
    CalendarLink.objects.filter(pk=link_id, lease_holder=holder).update(
        lease_holder=None, lease_until=None
    )


def _is_held(link_id: UUID) -> bool:
    held = ahead("lease_until", Now(), at_most=LEASE)
    return CalendarLink.objects.filter(held, pk=link_id).exists()
