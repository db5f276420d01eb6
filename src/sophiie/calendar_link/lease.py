"""The lease on a link: one worker at a time, and never longer than it lives.

A lease is a stretch of time in the database, renewed while the work goes on. A killed worker's
lease simply runs out. It makes work exclusive in the normal case; that nothing is doubled even
when two workers hold it for a moment is the doing of the event ids, not of the lease.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from uuid import UUID, uuid4

from django.db import DatabaseError
from django.db.models import Q

from sophiie.calendar_link.models import CalendarLink
from sophiie.common.clock import now
from sophiie.common.in_thread import in_thread
from sophiie.common.logs import log

logger = log(__name__)

LEASE = timedelta(seconds=10)
RENEW_SECONDS = 3.0


@asynccontextmanager
async def leased(link_id: UUID, *, states: tuple[str, ...]) -> AsyncIterator[UUID | None]:
    """Holds the lease on a link in one of `states` while the block runs; yields its holder id.

    Yields None when somebody else holds it or the link is in another state.
    """
    holder = uuid4()
    if not await in_thread(_take, link_id, holder, states):
        yield None
        return
    renewal = asyncio.create_task(_keep(link_id, holder))
    try:
        yield holder
    finally:
        renewal.cancel()
        with suppress(asyncio.CancelledError):
            await renewal
        await in_thread(_release, link_id, holder)


async def wait_until_free(link_id: UUID) -> None:
    """Waits until nobody holds the lease; at most as long as a lease lasts without renewal."""
    # The holder is another process, so there is no event to wait for.
    while await in_thread(_is_held, link_id):  # noqa: ASYNC110
        await asyncio.sleep(0.05)


def _take(link_id: UUID, holder: UUID, states: tuple[str, ...]) -> bool:
    moment = now()
    taken = CalendarLink.objects.filter(
        Q(lease_until=None) | Q(lease_until__lt=moment), pk=link_id, state__in=states
    ).update(lease_holder=holder, lease_until=moment + LEASE)
    return bool(taken)


async def _keep(link_id: UUID, holder: UUID) -> None:
    while True:
        await asyncio.sleep(RENEW_SECONDS)
        try:
            await in_thread(_renew, link_id, holder)
        except DatabaseError:  # the next round may reach it again before the lease runs out
            logger.warning("lease not renewed", link_id=str(link_id))


def _renew(link_id: UUID, holder: UUID) -> None:
    CalendarLink.objects.filter(pk=link_id, lease_holder=holder).update(lease_until=now() + LEASE)


def _release(link_id: UUID, holder: UUID) -> None:
    CalendarLink.objects.filter(pk=link_id, lease_holder=holder).update(
        lease_holder=None, lease_until=None
    )


def _is_held(link_id: UUID) -> bool:
    return CalendarLink.objects.filter(pk=link_id, lease_until__gte=now()).exists()
