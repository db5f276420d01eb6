"""The net under the queue: finds work whose wake-up was lost or whose time has come."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import aiohttp
from django.conf import settings

from sophiie.calendar_link.lease import LEASE
from sophiie.calendar_link.models import Revocation
from sophiie.calendar_link.revocation import revocations_due, revoke
from sophiie.calendar_link.unlink import end_overdue_unlinkings
from sophiie.common.batches import delete_in_batches
from sophiie.common.clock import now
from sophiie.common.horizon import SKEW, sql_ahead
from sophiie.common.in_thread import in_thread
from sophiie.common.sql import execute
from sophiie.sync.due import DUE, due_at
from sophiie.sync.jobs import defer_drain
from sophiie.sync.models import MirrorState, SyncAttempt
from sophiie.sync.outbound.outcome import REFUSAL_PAUSE


def prune_ledger() -> int:
    """Forgets attempts that are too old to explain anything."""
    kept = timedelta(days=settings.LEDGER_DAYS)
    return delete_in_batches(SyncAttempt.objects.filter(at__lt=now() - kept))


async def sweep(http: aiohttp.ClientSession) -> None:
    """One round: wakes every link that has something due and that nobody works on."""
    for revocation in await in_thread(_look_around):
        await revoke(http, revocation)


def _look_around() -> list[Revocation]:
    try_refused_again()
    wake_due_links()
    end_overdue_unlinkings()
    return revocations_due()


_WAITS = sql_ahead("row.next_attempt_at", at_most=REFUSAL_PAUSE + SKEW)
_REFUSED_AND_DUE = f"""
    UPDATE sync_mirroredevent SET state = '{MirrorState.PENDING}' WHERE id IN (
        SELECT row.id FROM sync_mirroredevent row
        JOIN appointments_appointment appointment ON appointment.id = row.appointment_id
        WHERE row.state = '{MirrorState.FAILED}' AND row.next_attempt_at IS NOT NULL
        AND (row.updated_at > %(moment)s OR NOT {_WAITS})
        AND (appointment."end" > %(moment)s OR NOT row.wanted)
        FOR UPDATE OF row SKIP LOCKED LIMIT 500
    )
    RETURNING id
"""  # noqa: S608 - no values


def try_refused_again() -> int:
    """Gives what Google refused a while ago another chance, unless it is over."""
    return len(execute(_REFUSED_AND_DUE, moment=now()))


def wake_due_links() -> list[UUID]:
    moment = now()
    held = sql_ahead("link.lease_until", at_most=LEASE, moment="statement_timestamp()")
    free = f"{held} IS NOT TRUE"
    due = f"SELECT DISTINCT row.link_id {DUE} AND {free} ORDER BY row.link_id"
    links = [link_id for (link_id,) in execute(due, **due_at(moment))]
    for link_id in links:
        defer_drain(link_id)
    return links
