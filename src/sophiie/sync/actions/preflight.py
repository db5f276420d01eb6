"""What would happen if a calendar were chosen: told before Save, and nothing of it is done.

How many appointments would be added or moved is known here. What is in the calendar is asked of
Google with one windowed reading of times, within a time in which a person still waits; if that
does not succeed, this is said and nothing else depends on it.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sophiie.appointments.models import Appointment
from sophiie.calendar_link.google_app import google_app
from sophiie.calendar_link.models import CalendarLink, LinkState
from sophiie.calendar_link.tokens import LinkTokens
from sophiie.common.clock import now
from sophiie.common.ids import is_event_id
from sophiie.common.in_thread import in_thread
from sophiie.common.logs import log
from sophiie.google import marks
from sophiie.google.app import google_session
from sophiie.google.calendar import CalendarClient, Changes
from sophiie.google.errors import GoogleError
from sophiie.sync.inbound.busy_rule import Stretch, Unclear, busy_time
from sophiie.sync.models import MirroredEvent
from sophiie.sync.outbox.coverage import assignee_ids, planned_for
from sophiie.sync.quota.metered_client import PaidTokens

logger = log(__name__)

PATIENCE_SECONDS = 4.0
AHEAD = timedelta(days=400)
CLASHES_NAMED = 5


@dataclass(frozen=True)
class Preflight:
    """What choosing the calendar would do, as far as it is known at this moment.

    `upcoming` appointments would be in it, for `there_already` of them the event is there. Of those
    that are the member's own, `clashes` overlap something that keeps busy there; only the first
    are in `first_clashes`. `compared_until`: what begins later was not compared. If the calendar
    could not be `read`, nothing is known of clashes and of what is there already.
    """

    upcoming: int
    there_already: int = 0
    clashes: int = 0
    first_clashes: list[Appointment] = field(default_factory=list)
    compared_until: datetime | None = None
    read: bool = True

    @property
    def coming(self) -> int:
        """How many appointments would get an event that is not there yet."""
        return self.upcoming - self.there_already

    @property
    def more_clashes(self) -> int:
        return self.clashes - len(self.first_clashes)


async def preflight(link: CalendarLink, calendar_id: str) -> Preflight:
    """Looks at one of the calendars of the link's account. Nothing that Google answers, or does
    not answer, is an error."""
    moment = now()
    horizon = moment + AHEAD
    planned = await in_thread(planned_for, link, moment)
    near = [appointment for appointment in planned if appointment.start < horizon]
    if not near:
        return Preflight(upcoming=len(planned))
    changes = await _read(link, calendar_id, near, horizon)
    if changes is None:
        return Preflight(upcoming=len(planned), read=False)
    there, foreign = await in_thread(_sorted_out, link, changes.items)
    clashes = _overlapping(_own(link, near), _busy_times(link, foreign, changes.time_zone))
    return Preflight(
        upcoming=len(planned),
        there_already=sum(appointment.id in there for appointment in planned),
        clashes=len(clashes),
        first_clashes=clashes[:CLASHES_NAMED],
        compared_until=horizon if len(near) < len(planned) else None,
    )


def _own(link: CalendarLink, appointments: Iterable[Appointment]) -> list[Appointment]:
    """Those to which the member goes; for others they need not be free."""
    return [a for a in appointments if link.member_id in assignee_ids(a)]


async def _read(
    link: CalendarLink, calendar_id: str, appointments: Sequence[Appointment], horizon: datetime
) -> Changes | None:
    """What the calendar holds at the time of these appointments; None if that is not told."""
    end = min(horizon, max(appointment.end for appointment in appointments))
    try:
        async with asyncio.timeout(PATIENCE_SECONDS), google_session() as http:
            tokens = PaidTokens(LinkTokens(http, link.id), link.id, waited_for=True)
            client = CalendarClient(http, google_app().api_url, tokens)
            return await client.changes(calendar_id, time_min=appointments[0].start, time_max=end)
    except (GoogleError, TimeoutError) as error:
        logger.warning(
            "calendar not read before the choice",
            link_id=str(link.id),
            error=type(error).__name__,
            reason=getattr(error, "reason", ""),
        )
        return None


def _sorted_out(
    link: CalendarLink, items: Iterable[dict[str, Any]]
) -> tuple[set[UUID], list[dict[str, Any]]]:
    """The appointments whose event this link would find there, and the events not of our making.

    Ours are those in a mapping of the business, in whichever calendar: a guest's copy has the id
    of the event that it is a copy of. And those with our mark, whose mapping was lost.
    """
    business_id = link.member.business_id
    ids = {marks.event_id_of(item) for item in items}
    mapped: dict[str, UUID] = {}
    others: set[str] = set()
    for row in MirroredEvent.objects.filter(
        appointment__business=business_id, event_id__in=[i for i in ids if is_event_id(i)]
    ).select_related("link"):
        mapped[row.event_id] = row.appointment_id
        if row.link_id != link.id and row.link.state != LinkState.UNLINKED:
            others.add(row.event_id)
    there, foreign = set(), []
    for item in items:
        event_id = marks.event_id_of(item)
        appointment_id = mapped.get(event_id) or marks.appointment_of(
            event_id, marks.marks_on(item), business_id=business_id
        )
        if appointment_id is None:
            foreign.append(item)
        elif event_id not in others:  # another member's event stays theirs
            there.add(appointment_id)
    return there, foreign


def _busy_times(
    link: CalendarLink, items: Iterable[dict[str, Any]], time_zone: str
) -> list[Stretch]:
    """When these events keep the member busy: in order, and none touching another."""
    judged = [busy_time(item, zone=time_zone, account=link.google_email) for item in items]
    if unclear := sum(isinstance(found, Unclear) for found in judged):
        logger.warning("events not understood", link_id=str(link.id), events=unclear)
    merged: list[Stretch] = []
    for stretch in sorted(found for found in judged if isinstance(found, Stretch)):
        if merged and stretch.start <= merged[-1].end:
            merged[-1] = Stretch(merged[-1].start, max(merged[-1].end, stretch.end))
        else:
            merged.append(stretch)
    return merged


def _overlapping(appointments: Iterable[Appointment], busy: list[Stretch]) -> list[Appointment]:
    """Those that share time with one of the stretches; one that begins as another ends does not."""
    starts = [stretch.start for stretch in busy]
    found = []
    for appointment in appointments:
        before_its_end = bisect_left(starts, appointment.end)
        if before_its_end and busy[before_its_end - 1].end > appointment.start:
            found.append(appointment)
    return found
