"""The lease on a link: a claim (`common/claims.py`) that is extended for as long as a worker works.

It makes work exclusive in the normal case. If two workers hold it for a moment all the same, it is
the event ids that keep anything from being doubled. A worker that stood still for longer than its
lease notices by its own clock and sends nothing more.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from uuid import UUID

from django.db import DatabaseError
from django.db.models import QuerySet

from sophiie.calendar_link.models import CalendarLink
from sophiie.common.claims import Claim
from sophiie.common.in_thread import in_thread
from sophiie.common.logs import log
from sophiie.google.patience import pause

logger = log(__name__)

LEASE = Claim("lease_until", timedelta(seconds=10), owner="lease_holder")
RENEW_SECONDS = 3.0


class LeaseOver(Exception):
    """Too much time has passed since the last renewal: another worker may be at it by now."""


class Lease:
    """A lease as its holder's own clock sees it."""

    def __init__(self, holder: UUID, begun: float) -> None:
        self.holder = holder
        self._until = begun + LEASE.lasts.total_seconds()

    def is_over(self) -> bool:
        """Whether it may have run out, as after a long standstill; once over it stays over."""
        return time.monotonic() >= self._until

    async def check(self) -> None:
        """Raises `LeaseOver` when it may have run out: for before a call that must not be late."""
        if self.is_over():
            raise LeaseOver

    def renewed(self, begun: float) -> None:
        """It lasts its full time again, counted from before the database was asked."""
        if not self.is_over():
            self._until = begun + LEASE.lasts.total_seconds()


@asynccontextmanager
async def leased(link_id: UUID, *, states: tuple[str, ...]) -> AsyncIterator[Lease | None]:
    """Holds the lease on a link in one of `states` while the block runs.

    Yields None if somebody else holds it or the link is in another state. The worker asks
    `is_over()` before everything that must not be done late.
    """
    begun = time.monotonic()
    holder = await in_thread(_take, link_id, states)
    if holder is None:
        yield None
        return
    lease = Lease(holder, begun)
    renewal = asyncio.create_task(_keep(link_id, lease))
    try:
        yield lease
    finally:
        renewal.cancel()
        with suppress(asyncio.CancelledError):
            await renewal
        await in_thread(LEASE.release, holder, _row(link_id))


async def wait_until_free(link_id: UUID) -> None:
    """Waits until nobody holds the lease, at most as long as a lease lasts without renewal.

    Raises `Unreachable` when the holder's call takes longer than a person here may wait.
    """
    # The holder is another process, so there is no event to wait for.
    while await in_thread(_is_held, link_id):
        await pause(0.05)


def _take(link_id: UUID, states: tuple[str, ...]) -> UUID | None:
    return LEASE.take(_row(link_id).filter(state__in=states))


async def _keep(link_id: UUID, lease: Lease) -> None:
    while not lease.is_over():
        await asyncio.sleep(RENEW_SECONDS)
        begun = time.monotonic()
        try:
            if await in_thread(LEASE.extend, lease.holder, _row(link_id)):
                lease.renewed(begun)
        except DatabaseError:  # the next round may reach it again before the lease runs out
            logger.warning("lease not renewed", link_id=str(link_id))


def _is_held(link_id: UUID) -> bool:
    return _row(link_id).exclude(LEASE.is_free()).exists()


def _row(link_id: UUID) -> QuerySet[CalendarLink]:
    return CalendarLink.objects.filter(pk=link_id)
