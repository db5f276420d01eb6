"""Bringing Google to the wanted state of one event, whatever happened before.

The event id was stored before anything was sent, so every step here can be repeated: a lost
answer, a crash or a second worker ends in the same one event.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from sophiie.google.errors import AlreadyExists, CalendarLost, EventGone, Forbidden, Unreachable
from sophiie.sync.guard import GuardedCalendar
from sophiie.sync.models import MirroredEvent
from sophiie.sync.render import Content, is_ours, render_event, without_empty

# A 404 to an insert means the calendar; right after sharing or creating one Google may lag.
CALENDAR_LAG_ATTEMPTS = 3


@dataclass(frozen=True)
class Shown:
    """What Google shows now: the revision (0: no event), where to see it, and its version there."""

    revision: int
    html_link: str = ""
    etag: str = ""


async def remove(calendar: GuardedCalendar, row: MirroredEvent) -> Shown:
    """No event any more. One that is gone already is as good."""
    if row.sent:
        with suppress(EventGone):
            await calendar.delete(row.calendar_id, row.event_id)
    return Shown(revision=0)


async def show(
    calendar: GuardedCalendar,
    row: MirroredEvent,
    content: Content,
    *,
    new_id: Callable[[MirroredEvent], Awaitable[None]],
) -> Shown:
    """One event that shows the wanted revision.

    1. Shown before: patch; also brings back an event that was deleted in Google.
    2. Not shown yet: insert under the stored id.
    3. The id exists: read it back; ours (a lost answer, or our own deletion) is patched.
    4. The id cannot be used any more (trash emptied, not ours): `new_id` stores another in the
       mapping, which is inserted.
    """
    fields = render_event(content)
    try:
        event = await _show_under_stored_id(calendar, row, content, fields)
    except (EventGone, Forbidden):
        await new_id(row)
        event = await _insert(calendar, row, fields)
    return Shown(
        revision=row.wanted_revision,
        html_link=str(event.get("htmlLink", "")),
        etag=str(event.get("etag", "")),
    )


class _Unusable(EventGone):
    """The id belongs to something that is not ours."""


async def _show_under_stored_id(
    calendar: GuardedCalendar, row: MirroredEvent, content: Content, fields: dict[str, Any]
) -> dict[str, Any]:
    if not row.shown_revision:
        try:
            return await _insert(calendar, row, fields)
        except AlreadyExists:
            event = await calendar.read(row.calendar_id, row.event_id)
            deleted = event.get("status") == "cancelled"
            if not deleted and not is_ours(event, content.appointment_id):
                raise _Unusable("This event id is used by another event.") from None
    return await calendar.patch(row.calendar_id, row.event_id, fields)


async def _insert(
    calendar: GuardedCalendar, row: MirroredEvent, fields: dict[str, Any]
) -> dict[str, Any]:
    try:
        return await calendar.insert(row.calendar_id, row.event_id, without_empty(fields))
    except EventGone as error:
        if row.attempts < CALENDAR_LAG_ATTEMPTS:
            raise Unreachable(str(error), status=error.status, reason=error.reason) from None
        raise CalendarLost(str(error), status=error.status, reason=error.reason) from None
