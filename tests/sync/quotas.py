"""What is left of Google's quotas, and polls that nobody waits for."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from asgiref.sync import async_to_sync

from sophiie.calendar_link.models import CalendarLink
from sophiie.common.clock import now
from sophiie.google.app import google_session
from sophiie.sync.inbound.poller import poll_link
from sophiie.sync.models import (
    QuotaBucket,
    WatchedCalendar,
)
from sophiie.sync.quota.buckets import PROJECT, PROJECT_BUDGET


def leave(level: float, *, project: float = PROJECT_BUDGET.capacity) -> None:
    """So much is left in every account's bucket; for a minute nothing is refilled."""
    counted = now() + timedelta(minutes=1)
    QuotaBucket.objects.exclude(scope=PROJECT).update(level=level, counted_at=counted)
    QuotaBucket.objects.filter(scope=PROJECT).update(level=project, counted_at=counted)


def left(found: CalendarLink) -> float:
    return QuotaBucket.objects.get(scope=f"user:{found.google_sub}").level


def poll(*links: CalendarLink) -> list[bool]:
    """What workers do when these links' calendars are due: readings that nobody waits for."""
    WatchedCalendar.objects.update(next_read_at=now())

    async def read() -> list[bool]:
        async with google_session() as http:
            reads = [poll_link(one.id, http, only_due=True) for one in links]
            return list(await asyncio.gather(*reads))

    return async_to_sync(read)()
