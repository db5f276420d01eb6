"""Works off a link's outbox."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from uuid import UUID

import aiohttp
from django.conf import settings

from sophiie.calendar_link.client import client_for
from sophiie.calendar_link.lease import Lease, LeaseOver, leased
from sophiie.calendar_link.models import MIRRORING
from sophiie.common.ids import new_event_id
from sophiie.common.in_thread import in_thread
from sophiie.common.logs import log
from sophiie.common.tracing import span, traced
from sophiie.google.errors import GoogleError, Unreachable
from sophiie.sync.jobs import defer_drain
from sophiie.sync.models import MirroredEvent
from sophiie.sync.outbound.after_restore import look_first
from sophiie.sync.outbound.apply import remove, show
from sophiie.sync.outbound.claim import Work, claim_due, seconds_until_due
from sophiie.sync.outbound.guard import GuardedCalendar
from sophiie.sync.outbound.outcome import Result, record
from sophiie.sync.quota.buckets import Urgency, cost, take
from sophiie.sync.quota.units import Use, note

logger = log(__name__)

# Calls of one link at the same time: Google advises against many writes to one calendar at once.
CALLS_AT_ONCE = 4
# A drain keeps its place in the worker no longer than this when others wait.
TURN_SECONDS = 0.5


@traced("drain")
async def drain(
    link_id: UUID,
    *,
    http: aiohttp.ClientSession,
    others_wait: Callable[[], bool] = lambda: True,
) -> None:
    """Works until nothing is due for this link, or its turn is over.

    1. Take the lease. If another worker has it, that one sees our work when it looks once more.
    2. Claim what is due and can be paid for from the quotas, single changes before a backfill.
       This counts the attempt and notes that an event may exist from now on.
    3. Bring Google to the wanted state, a few rows at a time.
    4. Record the results, and claim the next rows.
    5. Release the lease and look once more, because something may have come in between.

    A link with much to do gives way to others that wait, and queues up again. If the worker is
    killed at any line, or stands still for longer than the lease, the rows are still due after it.
    """
    end = time.monotonic() + TURN_SECONDS

    def turn_is_over() -> bool:
        return time.monotonic() > end and others_wait()

    while True:
        async with leased(link_id, states=MIRRORING) as lease:
            if lease is None:
                return
            calendar = _calendar(link_id, http, lease)
            batch = await in_thread(claim_due, link_id)
            while batch:
                before = calendar.units_used
                results, owed = await _work_off(batch, calendar)
                used = calendar.units_used - before
                if lease.is_over():
                    return
                then_claim = not turn_is_over()
                batch = await in_thread(_record, results, owed, used, then_claim=then_claim)
        wait = await in_thread(seconds_until_due, link_id)
        if wait is None or wait > settings.MIRROR_COALESCE_SECONDS:
            return
        if turn_is_over():
            await in_thread(defer_drain, link_id)
            return
        await asyncio.sleep(wait)


def _calendar(link_id: UUID, http: aiohttp.ClientSession, lease: Lease) -> GuardedCalendar:
    """The link's calendars, for as long as the lease lasts. `claim_due` has paid for the calls."""
    return GuardedCalendar(client_for(link_id, http, before_call=lease.check), link_id)


async def _work_off(batch: list[Work], calendar: GuardedCalendar) -> tuple[list[Result], int]:
    """The results, and how many units they cost beyond what was paid for: a lost answer, or an
    event that somebody deleted, takes more calls than could be foreseen."""
    calendar.admit(work.row for work in batch)
    paid_until = calendar.units_used + sum(cost(work.row) for work in batch)
    results: list[Result] = []
    left = iter(batch)

    async def one_after_another() -> None:
        for work in left:
            results.append(await _try(calendar, work))

    await asyncio.gather(*(one_after_another() for _ in range(CALLS_AT_ONCE)))
    return results, max(0, calendar.units_used - paid_until)


def _record(results: list[Result], owed: int, used: int, *, then_claim: bool) -> list[Work]:
    """Records a batch and claims the next, in one trip to a thread."""
    record(results)
    link_id = results[0].row.link_id
    note(link_id, Use.WRITE, used)
    if owed:
        take(link_id, Urgency.MADE, units=owed)
    return claim_due(link_id) if then_claim else []


async def _try(calendar: GuardedCalendar, work: Work) -> Result:
    """Tries one row; a failure concerns that row alone."""
    row = work.row
    with span(
        "show event" if row.wanted else "remove event",
        link_id=row.link_id,
        appointment_id=row.appointment_id,
        event_id=row.event_id,
        attempt=row.attempts,
    ) as tracing:
        result = await _tried(calendar, work)
        tracing.note(failure=type(result.failure).__name__ if result.failure else None)
    return result


async def _tried(calendar: GuardedCalendar, work: Work) -> Result:
    try:
        if (unwritten := await look_first(calendar, work)) is not None:
            shown = unwritten
        elif work.row.wanted:
            shown = await show(calendar, work.row, work.content, new_id=_take_new_id)
        else:
            shown = await remove(calendar, work.row)
    except GoogleError as error:
        _log(work, "attempt failed", reason=error.reason, status=error.status)
        return Result(work, failure=error)
    except LeaseOver as error:  # never recorded: the batch is dropped
        return Result(work, failure=error)
    except Exception as error:  # a bug of ours must not stop the other appointments
        logger.exception("attempt crashed", mirrored_event_id=str(work.row.id))
        return Result(work, failure=error)
    _log(work, "event shown" if shown.revision else "event removed", revision=shown.revision)
    return Result(work, shown=shown)


async def _take_new_id(row: MirroredEvent) -> None:
    """Stores another event id for the row before it is used.

    A worker that was overtaken must not replace the id that the other one just used.
    """
    other = new_event_id()
    mapping = MirroredEvent.objects.filter(pk=row.pk, event_id=row.event_id)
    if not await in_thread(mapping.update, event_id=other, shown_revision=0):
        raise Unreachable("Another worker was quicker.", reason="overtaken")
    row.event_id, row.shown_revision = other, 0


def _log(work: Work, event: str, **more: object) -> None:
    logger.info(
        event,
        link_id=work.row.link_id,
        appointment_id=work.row.appointment_id,
        event_id=work.row.event_id,
        attempt=work.row.attempts,
        **more,
    )
