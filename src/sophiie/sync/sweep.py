"""The net under the queue: finds work whose wake-up was lost or whose time has come."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import aiohttp
from django.db.models import Q

from sophiie.calendar_link.revocation import revocations_due, revoke
from sophiie.calendar_link.unlink import end_overdue_unlinkings
from sophiie.common.clock import now
from sophiie.common.in_thread import in_thread
from sophiie.sync.due import due_rows
from sophiie.sync.models import SyncAttempt
from sophiie.sync.wake import defer_drain

LEDGER_KEPT = timedelta(days=30)


def prune_ledger() -> int:
    """Forgets attempts that are too old to explain anything."""
    deleted, _ = SyncAttempt.objects.filter(at__lt=now() - LEDGER_KEPT).delete()
    return deleted


async def sweep(http: aiohttp.ClientSession) -> None:
    """One round: wakes every link that has something due and that nobody works on."""
    await in_thread(wake_due_links)
    await in_thread(end_overdue_unlinkings)
    for revocation in await in_thread(revocations_due):
        await revoke(http, revocation)


def wake_due_links() -> list[UUID]:
    moment = now()
    due = (
        due_rows(moment)
        .filter(Q(link__lease_until=None) | Q(link__lease_until__lt=moment))
        .values_list("link_id", flat=True)
        .distinct()
    )
    links = sorted(due)
    for link_id in links:
        defer_drain(link_id)
    return links
