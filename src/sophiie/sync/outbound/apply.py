"""Brings Google to the wanted state of one event, whatever happened before.

The event id was stored before anything was sent, so every step here can be repeated: after a lost
answer, a crash or a second worker there is still exactly one event.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from sophiie.google.errors import (
    AlreadyExists,
    CalendarLost,
    EventGone,
    Forbidden,
    GoogleError,
    Unreachable,
)
from sophiie.sync.models import MirroredEvent
from sophiie.sync.outbound.guard import GuardedCalendar
from sophiie.sync.outbound.render import Content, is_ours, render_event, without_empty
from sophiie.sync.outbox.guests import must_write_guests, with_our_guests, without_our_guests

# A 404 to an insert concerns the calendar. Right after sharing or creating one, Google may lag.
CALENDAR_LAG_ATTEMPTS = 3


@dataclass(frozen=True)
class Shown:
    """What Google shows now: the revision (0: no event), where to see it, and its version there."""

    revision: int
    html_link: str = ""
    etag: str = ""


async def remove(calendar: GuardedCalendar, row: MirroredEvent) -> Shown:
    """Deletes the event; one that is gone already is fine.

    A deletion that mails nobody leaves the event in the guests' calendars, so our guests are taken
    off first. Source: `sendUpdates` in the reference of events.delete.
    """
    if row.sent:
        try:
            if row.sent_guests:
                await _take_guests_off(calendar, row)
            await calendar.delete(row.calendar_id, row.event_id)
        except EventGone as error:
            if error.status != 410:
                await _make_sure_it_is_gone(calendar, row)
    return Shown(revision=0)


async def _take_guests_off(calendar: GuardedCalendar, row: MirroredEvent) -> None:
    event = await calendar.read_with_guests(row.calendar_id, row.event_id)
    left = without_our_guests(row, event)
    if _is_live(event) and len(left) < len(event.get("attendees") or []):
        await calendar.patch(
            row.calendar_id, row.event_id, {"attendees": left}, if_match=str(event["etag"])
        )


async def _make_sure_it_is_gone(calendar: GuardedCalendar, row: MirroredEvent) -> None:
    """A 404 may also mean that Google lags, or that the whole calendar is out of sight for a while:
    then the event comes back with the calendar."""
    event = await _read(calendar, row)
    if _is_live(event):
        raise Unreachable(
            "Google did not find an event that is there.", status=404, reason="notFoundYet"
        )
    if not event:
        await _check_calendar(calendar, row)


async def _check_calendar(calendar: GuardedCalendar, row: MirroredEvent) -> None:
    try:
        await calendar.look_at(row.calendar_id)
    except EventGone as error:
        raise CalendarLost(str(error), status=error.status, reason=error.reason) from None


async def show(
    calendar: GuardedCalendar,
    row: MirroredEvent,
    content: Content,
    *,
    new_id: Callable[[MirroredEvent], Awaitable[None]],
) -> Shown:
    """Makes one event show the wanted revision.

    1. Shown before: patch it. This also brings back an event that was deleted in Google.
    2. Not shown yet, or the patch was refused: insert it under the stored id.
    3. The id exists already: read the event, and patch it if it is ours (a lost answer, or our own
       deletion).
    4. The id is no longer usable (trash emptied, or not ours): `new_id` stores another one in the
       mapping, under which the event is inserted.

    A refused patch alone does not prove 4: Google also answers 404 while it lags or the calendar is
    out of sight, and 403 for passing reasons. A new id would then double the event.
    """
    fields = render_event(content)
    try:
        event = await _show_under_stored_id(calendar, row, content, fields)
    except _Unusable:
        await new_id(row)
        event = await _insert(calendar, row, fields)
    return Shown(
        revision=row.wanted_revision,
        html_link=str(event.get("htmlLink", "")),
        etag=str(event.get("etag", "")),
    )


class _Unusable(Exception):
    """The id belongs to something that is not ours, or to an event that is gone for good."""


async def _show_under_stored_id(
    calendar: GuardedCalendar, row: MirroredEvent, content: Content, fields: dict[str, Any]
) -> dict[str, Any]:
    refusal: GoogleError | None = None
    if row.shown_revision:
        try:
            return await _patch(calendar, row, fields)
        except (EventGone, Forbidden) as error:
            refusal = error
    try:
        return await _insert(calendar, row, fields)
    except AlreadyExists:
        there = await _read(calendar, row)
    live = _is_live(there)
    if live and not row.shown_revision and not is_ours(there, content.appointment_id):
        raise _Unusable
    if refusal is None:
        try:
            return await _patch(calendar, row, fields)
        except (EventGone, Forbidden) as error:
            refusal = error
    if live:
        raise Unreachable(str(refusal), status=refusal.status, reason=refusal.reason)
    raise _Unusable


async def _patch(
    calendar: GuardedCalendar, row: MirroredEvent, fields: dict[str, Any]
) -> dict[str, Any]:
    """Writes only Sophiie's own fields. A patch replaces the whole list of guests, so the list is
    sent only when our guests changed, and with everybody whom people have added."""
    if not must_write_guests(row):
        return await calendar.patch(row.calendar_id, row.event_id, fields)
    there = await calendar.read_with_guests(row.calendar_id, row.event_id)
    fields = {**fields, "attendees": with_our_guests(row, there)}
    etag = str(there.get("etag", ""))
    return await calendar.patch(row.calendar_id, row.event_id, fields, if_match=etag)


async def _read(calendar: GuardedCalendar, row: MirroredEvent) -> dict[str, Any]:
    """The event as Google has it; {} when it has none."""
    try:
        return await calendar.read(row.calendar_id, row.event_id)
    except EventGone:
        return {}


def _is_live(event: dict[str, Any]) -> bool:
    return bool(event) and event.get("status") != "cancelled"


async def _insert(
    calendar: GuardedCalendar, row: MirroredEvent, fields: dict[str, Any]
) -> dict[str, Any]:
    body = without_empty(fields)
    if row.guests:
        body["attendees"] = [{"email": email} for email in row.guests]
    try:
        return await calendar.insert(row.calendar_id, row.event_id, body)
    except EventGone as error:
        if row.attempts < CALENDAR_LAG_ATTEMPTS:
            raise Unreachable(str(error), status=error.status, reason=error.reason) from None
        raise CalendarLost(str(error), status=error.status, reason=error.reason) from None
