"""Working off a link's outbox."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import aiohttp
from django.conf import settings
from django.db import transaction
from django.db.models import Case, F, Min, QuerySet, Value, When

from sophiie.calendar_link.google_app import google_app
from sophiie.calendar_link.lease import leased
from sophiie.calendar_link.models import MIRRORING
from sophiie.calendar_link.tokens import LinkTokens
from sophiie.common.clock import now
from sophiie.common.ids import new_event_id
from sophiie.common.in_thread import in_thread
from sophiie.common.logs import log
from sophiie.google.calendar import CalendarClient
from sophiie.google.errors import GoogleError, Unreachable
from sophiie.sync.due import due_rows, park
from sophiie.sync.guard import GuardedCalendar
from sophiie.sync.models import MirroredEvent
from sophiie.sync.outcome import Result, record
from sophiie.sync.quota import affordable, pause_for
from sophiie.sync.render import Content
from sophiie.sync.show import remove, show
from sophiie.sync.wake import defer_drain

logger = log(__name__)

# Rows claimed and recorded together; unlinking waits for one batch at most.
BATCH = 16
# Calls of one link at the same time: Google asks for few writes to one calendar at once.
CALLS_AT_ONCE = 4
# A drain keeps one of the worker's places no longer than this when others wait.
TURN_SECONDS = 0.5


@dataclass(frozen=True)
class Work:
    """A row whose attempt has begun, with all it takes to render the event."""

    row: MirroredEvent
    content: Content


async def drain(link_id: UUID, *, http: aiohttp.ClientSession) -> None:
    """Works until nothing is due for this link, or its turn is over.

    1. Take the lease; whoever else has it will see our work when it looks once more.
    2. Claim what is due and can be paid for from the quotas, single changes before a backfill:
       counts the attempt and notes that an event may exist from now on.
    3. Bring Google to the wanted state, a few rows at a time.
    4. Record what came of it. Then the next rows.
    5. Give the lease back and look once more: something may have come in between.

    A link with much to do gives way to others after each turn and queues up again. Killed at any
    line, the rows are still due when the lease has run out.
    """
    end = asyncio.get_running_loop().time() + TURN_SECONDS
    while True:
        async with leased(link_id, states=MIRRORING) as holder:
            if holder is None:
                return
            tokens = LinkTokens(http, link_id)
            client = CalendarClient(http, google_app().api_url, tokens)
            calendar = GuardedCalendar(client, link_id)
            while batch := await in_thread(claim_due, link_id):
                await calendar.admit([work.row.event_id for work in batch])
                gate = asyncio.Semaphore(CALLS_AT_ONCE)
                results = await asyncio.gather(*(_attempt(gate, calendar, w) for w in batch))
                await in_thread(record, list(results))
                if asyncio.get_running_loop().time() > end:
                    break
        wait = await in_thread(seconds_until_due, link_id)
        if wait is None or wait > settings.MIRROR_COALESCE_SECONDS:
            return
        if asyncio.get_running_loop().time() > end:
            await in_thread(defer_drain, link_id)
            return
        await asyncio.sleep(wait)


async def _attempt(gate: asyncio.Semaphore, calendar: GuardedCalendar, work: Work) -> Result:
    async with gate:
        return await _try(calendar, work)


async def _try(calendar: GuardedCalendar, work: Work) -> Result:
    """One try for one row; a failure concerns this row alone."""
    try:
        if work.row.wanted:
            shown = await show(calendar, work.row, work.content, new_id=_take_new_id)
        else:
            shown = await remove(calendar, work.row)
    except GoogleError as error:
        _log(work, "attempt failed", reason=error.reason, status=error.status)
        return Result(work.row, failure=error)
    except Exception as error:  # a bug of ours must not stop the other appointments
        logger.exception("attempt crashed", mirrored_event_id=str(work.row.id))
        return Result(work.row, failure=error)
    _log(work, "event shown" if shown.revision else "event removed", revision=shown.revision)
    return Result(work.row, shown=shown)


def claim_due(link_id: UUID) -> list[Work]:
    """The next rows that are due, [] when there are none or the link has to wait."""
    moment = now()
    with transaction.atomic():
        rows = list(
            _due(link_id, moment)
            .select_for_update(of=("self",), skip_locked=True)
            .select_related("appointment", "link")
            .defer("link__refresh_token", "link__access_token")
            .prefetch_related("appointment__assignments__member")
            .order_by("backfill", "next_attempt_at", "id")[:BATCH]
        )
        if not rows:
            return []
        count = affordable(rows, rows[0].link.google_sub, moment)
        if not count:
            park(link_id, moment + pause_for(rows))
            return []
        rows = rows[:count]
        # What was never sent and is not wanted needs no call, and must not count as sent. One
        # update: after a second one of the same row PostgreSQL checks its references anew.
        MirroredEvent.objects.filter(pk__in=[row.pk for row in rows]).update(
            attempts=F("attempts") + 1,
            sent=Case(When(wanted=True, then=Value(True)), default=F("sent")),
        )
    for row in rows:
        row.attempts += 1
    return [Work(row, _content(row)) for row in rows]


def seconds_until_due(link_id: UUID) -> float | None:
    """How long until the next row of the link is due; None if none is, or the link has to wait."""
    moment = now()
    soon = moment + timedelta(seconds=settings.MIRROR_COALESCE_SECONDS)
    first = _due(link_id, soon).aggregate(first=Min("next_attempt_at"))["first"]
    return max(0.0, (first - moment).total_seconds()) if first else None


def _due(link_id: UUID, moment: datetime) -> QuerySet[MirroredEvent]:
    return due_rows(moment).filter(link=link_id)


async def _take_new_id(row: MirroredEvent) -> None:
    """Stores another event id for the row before it is used.

    A worker that was overtaken must not replace the id that the other one has just used.
    """
    other = new_event_id()
    mapping = MirroredEvent.objects.filter(pk=row.pk, event_id=row.event_id)
    if not await in_thread(mapping.update, event_id=other, shown_revision=0):
        raise Unreachable("Another worker was quicker.", reason="overtaken")
    row.event_id, row.shown_revision = other, 0


def _content(row: MirroredEvent) -> Content:
    appointment = row.appointment
    names = sorted(assignment.member.name for assignment in appointment.assignments.all())
    return Content(
        appointment_id=appointment.id,
        business_id=appointment.business_id,
        privacy=row.link.privacy,
        title=appointment.title,
        start=appointment.start,
        end=appointment.end,
        timezone=appointment.timezone,
        location=appointment.location,
        notes=appointment.notes,
        assignees=names,
        customer_name=appointment.customer_name,
        customer_phone=appointment.customer_phone,
        customer_email=appointment.customer_email,
        url=f"{settings.PUBLIC_URL}/appointments/{appointment.id}",
    )


def _log(work: Work, event: str, **more: object) -> None:
    logger.info(
        event,
        link_id=str(work.row.link_id),
        appointment_id=str(work.row.appointment_id),
        event_id=work.row.event_id,
        attempt=work.row.attempts,
        **more,
    )
