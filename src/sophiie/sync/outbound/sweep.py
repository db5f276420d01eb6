"""The safety net under the queue: finds work whose wake-up was lost or whose time has come."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

import aiohttp
from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from sophiie.calendar_link.lease import LEASE
from sophiie.calendar_link.models import MIRRORING, CalendarLink, Revocation
from sophiie.calendar_link.revocation import revocations_due, revoke
from sophiie.calendar_link.unlink import end_overdue_unlinkings
from sophiie.common.batches import delete_in_batches
from sophiie.common.clock import now
from sophiie.common.horizon import SKEW, over
from sophiie.common.in_thread import in_thread
from sophiie.sync.due import longest_pause
from sophiie.sync.jobs import defer_drain
from sophiie.sync.models import MirroredEvent, MirrorState, SyncAttempt
from sophiie.sync.outbound.outcome import REFUSAL_PAUSE

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
        rows = MirroredEvent.objects.select_for_update(of=("self",), skip_locked=True)
        refused = rows.filter(
            Q(appointment__end__gt=moment) | Q(wanted=False),
            _is_written_ahead(moment)
            | over("next_attempt_at", moment, at_most=REFUSAL_PAUSE + SKEW),
            state=MirrorState.FAILED,
            next_attempt_at__isnull=False,
        )
        # Optional parts that were left out, of events that are there.
        left_out = rows.filter(
            over("left_out_next_at", moment, at_most=REFUSAL_PAUSE + SKEW),
            appointment__end__gt=moment,
            wanted=True,
            state=MirrorState.SYNCED,
        )
        tried = _make_due(refused)
        return tried + _make_due(left_out, next_attempt_at=moment, left_out_next_at=None)


def _make_due(rows: QuerySet[MirroredEvent], **values: datetime | None) -> int:
    ids = [row.pk for row in rows.only("pk")[:AT_ONCE]]
    if not ids:
        return 0
    return MirroredEvent.objects.filter(pk__in=ids).update(state=MirrorState.PENDING, **values)


def wake_due_links() -> list[UUID]:
    """Wakes a worker for each link that has something due, may be written to, and is not leased."""
    moment = now()
    pause = longest_pause(moment)
    pending = MirroredEvent.objects.filter(
        link=OuterRef("pk"), state=MirrorState.PENDING, hosted_elsewhere=False
    )
    due = Exists(pending.filter(over("next_attempt_at", moment, at_most=pause)))
    not_parked = Q(parked_until=None) | over("parked_until", moment, at_most=pause)
    links = CalendarLink.objects.filter(
        Exists(pending.filter(_is_written_ahead(moment))) | (due & not_parked),
        LEASE.is_free(),
        state__in=MIRRORING,
    )
    found = list(links.order_by("id").values_list("id", flat=True))
    for link_id in found:
        defer_drain(link_id)
    return found


def _is_written_ahead(moment: datetime) -> Q:
    """Rows of a time that is still to come: the clock was set back, and nothing waits for that."""
    return Q(updated_at__gt=moment)
