"""The safety net under the queue: finds work whose wake-up was lost or whose time has come."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import aiohttp
from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from sophiie.calendar_link.lease import LEASE
from sophiie.calendar_link.models import MIRRORING, CalendarLink, Revocation
from sophiie.calendar_link.revocation import revocations_due, revoke
from sophiie.calendar_link.unlink import end_overdue_unlinkings
from sophiie.common.batches import delete_in_batches
from sophiie.common.clock import now
from sophiie.common.in_thread import in_thread
from sophiie.sync.jobs import defer_drain
from sophiie.sync.models import MirroredEvent, MirrorState, SyncAttempt

AT_ONCE = 500


def prune_ledger() -> int:
    """Deletes attempts that are too old to explain anything."""
    kept = timedelta(days=settings.LEDGER_DAYS)
    return delete_in_batches(SyncAttempt.objects.filter(at__lt=now() - kept))


async def sweep(http: aiohttp.ClientSession) -> None:
    """One round: wakes every link that has something due and no worker."""
    for revocation in await in_thread(_look_around):
        await revoke(http, revocation)


def _look_around() -> list[Revocation]:
    try_refused_again()
    wake_due_links()
    end_overdue_unlinkings()
    return revocations_due()


def try_refused_again() -> int:
    """Gives what Google refused a while ago another chance, unless the appointment is over."""
    moment = now()
    with transaction.atomic():
        refused = MirroredEvent.objects.select_for_update(of=("self",), skip_locked=True).filter(
            Q(appointment__end__gt=moment) | Q(wanted=False),
            state=MirrorState.FAILED,
            next_attempt_at__lte=moment,
        )
        ids = [row.pk for row in refused.only("pk")[:AT_ONCE]]
        if ids:
            MirroredEvent.objects.filter(pk__in=ids).update(state=MirrorState.PENDING)
    return len(ids)


def wake_due_links() -> list[UUID]:
    """Wakes a worker for each link that has something due, may be written to, and is not leased."""
    moment = now()
    due = MirroredEvent.objects.filter(
        link=OuterRef("pk"), state=MirrorState.PENDING, next_attempt_at__lte=moment
    )
    links = CalendarLink.objects.filter(
        Exists(due),
        LEASE.is_free(moment),
        Q(parked_until=None) | Q(parked_until__lte=moment),
        state__in=MIRRORING,
    )
    found = list(links.order_by("id").values_list("id", flat=True))
    for link_id in found:
        defer_drain(link_id)
    return found
