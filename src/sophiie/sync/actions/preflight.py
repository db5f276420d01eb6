"""Shows, before Save, what would happen if a calendar were chosen. Does none of it.

How many appointments would be added is known here. What the calendar holds is asked of Google, with
one list of times and no longer than a person waits. If that fails, the page says so and nothing
else depends on it.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from sophiie.appointments.models import Appointment
from sophiie.calendar_link.models import CalendarLink
from sophiie.common.clock import now
from sophiie.common.in_thread import in_thread
from sophiie.common.logs import log
from sophiie.google.app import google_session
from sophiie.google.calendar import Changes
from sophiie.google.errors import GoogleError
from sophiie.sync.inbound.busy_rule import Stretch, Unclear, busy_time
from sophiie.sync.inbound.ours import OurEvents
from sophiie.sync.outbox.coverage import assignee_ids, planned_for
from sophiie.sync.quota.metered_client import metered_client
from sophiie.sync.quota.units import Use

logger = log(__name__)

PATIENCE_SECONDS = 4.0
AHEAD = timedelta(days=400)
CLASHES_NAMED = 5


@dataclass(frozen=True)
class Preflight:
    """What choosing the calendar would do, as far as we know now.

    It would hold `upcoming` appointments; `there_already` of them have their event there. Of the
    member's own, `clashes` overlap something that makes busy there; only the first are in
    `first_clashes`. Appointments after `compared_until` were not compared. If the calendar could
    not be `read`, clashes and existing events are unknown.
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
    """Looks at one of the calendars of the link's account. Whatever Google answers, or fails to
    answer, is not an error."""
    moment = now()
    horizon = moment + AHEAD
    planned = await in_thread(planned_for, link, moment)
    near = [appointment for appointment in planned if appointment.start < horizon]
    if not near:
        return Preflight(upcoming=len(planned))
    changes = await _read(link, calendar_id, near, horizon)
    if changes is None:
        return Preflight(upcoming=len(planned), read=False)
    there, foreign = await in_thread(_sorted_out, link, calendar_id, changes)
    clashes = _overlapping(_own(link, near), _merged(foreign))
    return Preflight(
        upcoming=len(planned),
        there_already=sum(appointment.id in there for appointment in planned),
        clashes=len(clashes),
        first_clashes=clashes[:CLASHES_NAMED],
        compared_until=horizon if len(near) < len(planned) else None,
    )


def _own(link: CalendarLink, appointments: Iterable[Appointment]) -> list[Appointment]:
    """Those to which the member is assigned: for all others they need not be free."""
    return [a for a in appointments if link.member_id in assignee_ids(a)]


async def _read(
    link: CalendarLink, calendar_id: str, appointments: Sequence[Appointment], horizon: datetime
) -> Changes | None:
    """What the calendar holds at the time of these appointments; None if Google does not say."""
    end = min(horizon, max(appointment.end for appointment in appointments))
    try:
        async with asyncio.timeout(PATIENCE_SECONDS), google_session() as http:
            client = metered_client(link.id, http, waited_for=True, use=Use.LINKING)
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
    link: CalendarLink, calendar_id: str, changes: Changes
) -> tuple[set[UUID], list[Stretch]]:
    """The appointments whose event this link would find there, and when the member is busy there:
    by the same rules as after the choice."""
    items, business_id = changes.items, link.member.business_id
    ours = OurEvents.among(items, business_id=business_id, calendar_id=calendar_id, lost_too=True)
    there = {found for item in items if (found := ours.adoptable_by(link, item))}
    busy, unclear = [], 0
    for item in items:
        time = busy_time(item, zone=changes.time_zone, account=link.google_email)
        if isinstance(time, Stretch) and not ours.hold(item, time):
            busy.append(time)
        unclear += isinstance(time, Unclear)
    if unclear:
        logger.warning("events not understood", link_id=str(link.id), events=unclear)
    return there, busy


def _merged(stretches: Iterable[Stretch]) -> list[Stretch]:
    """The same times in order, none touching another."""
    merged: list[Stretch] = []
    for stretch in sorted(stretches):
        if merged and stretch.start <= merged[-1].end:
            merged[-1] = Stretch(merged[-1].start, max(merged[-1].end, stretch.end))
        else:
            merged.append(stretch)
    return merged


def _overlapping(appointments: Iterable[Appointment], busy: list[Stretch]) -> list[Appointment]:
    """Those that overlap one of the stretches. Touching is not overlapping."""
    starts = [stretch.start for stretch in busy]
    found = []
    for appointment in appointments:
        before_its_end = bisect_left(starts, appointment.end)
        if before_its_end and busy[before_its_end - 1].end > appointment.start:
            found.append(appointment)
    return found
