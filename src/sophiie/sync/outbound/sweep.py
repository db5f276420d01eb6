"""The safety net under the queue: finds work whose wake-up was lost or whose time has come."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import aiohttp
from django.conf import settings
from django.db import transaction
from django.db.models import F, Q

from sophiie.calendar_link.lease import LEASE
from sophiie.calendar_link.models import MIRRORING, CalendarLink, LinkState, Revocation
from sophiie.calendar_link.revocation import revocations_due, revoke
from sophiie.calendar_link.unlink import end_overdue_unlinkings
from sophiie.common.batches import delete_in_batches
from sophiie.common.clock import now
from sophiie.common.horizon import SKEW, over
from sophiie.common.in_thread import in_thread
from sophiie.sync.due import longest_pause
from sophiie.sync.jobs import defer_drain
from sophiie.sync.models import MirroredEvent, MirrorState, SyncAttempt
from sophiie.sync.outbound.failures import REFUSAL_PAUSE

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
    refused = Q(state=MirrorState.FAILED, next_attempt_at__isnull=False) & (
        _is_written_ahead(moment) | over("next_attempt_at", moment, at_most=REFUSAL_PAUSE + SKEW)
    )
    # Optional parts that were left out, of events that are there.
    left_out = over("left_out_next_at", moment, at_most=REFUSAL_PAUSE + SKEW) & Q(
        wanted=True, state=MirrorState.SYNCED
    )
    with transaction.atomic():
        tried = _make_due(_held(refused), moment, next_attempt_at=F("next_attempt_at"))
        return tried + _make_due(
            _held(left_out), moment, next_attempt_at=moment, left_out_next_at=None
        )


def _held(which: Q) -> list[MirroredEvent]:
    rows = MirroredEvent.objects.select_for_update(of=("self",), skip_locked=True).filter(which)
    return list(rows.select_related("appointment").only("wanted", "appointment__end")[:AT_ONCE])


def _make_due(rows: list[MirroredEvent], moment: datetime, **values: Any) -> int:
    """Tries them again; what is over is never looked at again, unless somebody changes it."""
    tried = [row.pk for row in rows if row.appointment.end > moment or not row.wanted]
    past = {row.pk for row in rows} - set(tried)
    for pks, changes in (
        (tried, {"state": MirrorState.PENDING, **values}),
        (past, {"next_attempt_at": None, "left_out_next_at": None}),
    ):
        if pks:
            MirroredEvent.objects.filter(pk__in=pks).update(**changes)
    return len(tried)


def wake_due_links() -> list[UUID]:
    """Wakes a worker for each link that has something due, may be written to, and is not leased.

    Begins with the rows that are due, which two indexes hold: it costs what there is to do.
    """
    moment = now()
    pause = longest_pause(moment)
    # What waits for a broken link is due for a long time.
    broken = CalendarLink.objects.filter(state=LinkState.NEEDS_RECONNECT)
    pending = MirroredEvent.objects.filter(
        ~Q(link__in=broken), state=MirrorState.PENDING, hosted_elsewhere=False
    )
    not_parked = Q(parked_until=None) | over("parked_until", moment, at_most=pause)
    free = CalendarLink.objects.filter(LEASE.is_free(), state__in=MIRRORING)
    # Each by itself: together they would read the rows, and not their index alone.
    due = (
        pending.filter(next_attempt_at__lte=moment),
        pending.filter(next_attempt_at__gt=moment + pause),
    )
    links = [
        free.filter(pk__in=pending.filter(_is_written_ahead(moment)).values("link")),
        *(free.filter(not_parked, pk__in=rows.values("link")) for rows in due),
    ]
    found = sorted({link_id for some in links for link_id in some.values_list("pk", flat=True)})
    for link_id in found:
        defer_drain(link_id)
    return found


def _is_written_ahead(moment: datetime) -> Q:
    """Rows of a time that is still to come: the clock was set back, and nothing waits for that."""
    return Q(updated_at__gt=moment)
