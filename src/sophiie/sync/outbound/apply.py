"""Brings Google to the wanted state of one event, whatever happened before.

The event id was stored before anything was sent, so every step here can be repeated: after a lost
answer, a crash or a second worker there is still exactly one event.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from sophiie.google.errors import (
    AlreadyExists,
    CalendarLost,
    EventGone,
    Forbidden,
    GoogleError,
    Stale,
    Unreachable,
)
from sophiie.sync.models import MirroredEvent
from sophiie.sync.outbound.guard import GuardedCalendar
from sophiie.sync.outbound.parts import (
    EVERYTHING,
    GUESTS,
    REPETITION,
    body_of,
    differing,
    without_the_refused,
)
from sophiie.sync.outbound.render import Content, is_ours, render_event, without_empty
from sophiie.sync.outbox.guests import must_write_guests, with_our_guests, without_our_guests

# A 404 to an insert concerns the calendar. Right after sharing or creating one, Google may lag.
CALENDAR_LAG_ATTEMPTS = 3
# At which attempt it is believed that an event is gone for good that is not to be found.
ATTEMPTS_TO_FIND = 3


@dataclass(frozen=True)
class Shown:
    """What Google shows now: the revision (0: no event of Sophiie's) and the event as it answered.

    `written` are the parts that were sent and taken, `left_out` those that Google refused, with its
    words. `is_left`: the event is not wanted any more and still there, because it became a series
    or is newer than a restored backup. `unwritten`: nothing was sent, because Google may be further
    than that backup; the row's `shown_fields` for comparing.
    """

    revision: int
    event: dict[str, Any] = field(default_factory=dict)
    written: frozenset[str] = frozenset()
    left_out: dict[str, str] = field(default_factory=dict)
    is_left: bool = False
    unwritten: dict[str, Any] | None = None


async def remove(calendar: GuardedCalendar, row: MirroredEvent) -> Shown:
    """Deletes the event; one that is gone already is fine.

    A deletion that mails nobody leaves the event in the guests' calendars, so our guests are taken
    off first. Source: `sendUpdates` in the reference of events.delete. A series that a person made
    of the event stays until they say that it may go.
    """
    if row.sent:
        try:
            return await _remove_what_is_there(calendar, row)
        except EventGone as error:
            if error.status != 410:
                await _make_sure_it_is_gone(calendar, row)
    return Shown(revision=0)


async def _remove_what_is_there(calendar: GuardedCalendar, row: MirroredEvent) -> Shown:
    """The version that we wrote last goes at once; what others made of it is read before. Ours may
    also be a version of a series that a person made of the event."""
    is_single = REPETITION not in row.drift_fields
    if row.etag and is_single and not row.sent_guests:
        try:
            await calendar.delete(row.calendar_id, row.event_id, if_match=row.etag)
            return Shown(revision=0)
        except Stale:
            pass
    event = await calendar.read_with_guests(row.calendar_id, row.event_id)
    if not _is_live(event):
        return Shown(revision=0)
    if event.get("recurrence") and not row.series_may_go:
        return Shown(revision=0, event=event, is_left=True)
    etag = await _take_guests_off(calendar, row, event)
    await calendar.delete(row.calendar_id, row.event_id, if_match=etag)
    return Shown(revision=0)


async def _take_guests_off(
    calendar: GuardedCalendar, row: MirroredEvent, event: dict[str, Any]
) -> str:
    """Returns the etag of the event without them."""
    etag = str(event.get("etag", ""))
    left = without_our_guests(row, event)
    if len(left) < len(event.get("attendees") or []):
        body = {"attendees": left}
        patched = await calendar.patch(row.calendar_id, row.event_id, body, if_match=etag)
        etag = str(patched.get("etag", ""))
    return etag


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
    out of sight, and 403 for passing reasons. A new id would then double the event. Of an
    event in the emptied trash Google still tells that it is cancelled; where it finds none at all
    under an id that exists, it may only lag, and the third attempt is the first to believe it.
    """
    fields = render_event(content)
    try:
        return await _show_under_stored_id(calendar, row, content, fields)
    except _Unusable:
        await new_id(row)
        return await _insert(calendar, row, fields)


class _Unusable(Exception):
    """The id belongs to something that is not ours, or to an event that is gone for good."""


async def _show_under_stored_id(
    calendar: GuardedCalendar, row: MirroredEvent, content: Content, fields: dict[str, Any]
) -> Shown:
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
    if live or (not there and row.attempts < ATTEMPTS_TO_FIND):
        raise Unreachable(str(refusal), status=refusal.status, reason=refusal.reason)
    raise _Unusable


async def _patch(calendar: GuardedCalendar, row: MirroredEvent, fields: dict[str, Any]) -> Shown:
    """Only what changed in Sophiie since it was sent last, so that what a person wrote into the
    rest of the event stays."""
    parts = differing(row, fields)
    if must_write_guests(row):
        parts |= {GUESTS}

    async def send(parts: frozenset[str]) -> dict[str, Any]:
        return await _patch_parts(calendar, row, fields, parts)

    return await _in_parts(row, parts, send, send)


async def _patch_parts(
    calendar: GuardedCalendar, row: MirroredEvent, fields: dict[str, Any], parts: frozenset[str]
) -> dict[str, Any]:
    """A patch replaces the whole list of guests, so the list is sent only when our guests changed,
    and with everybody whom people have added."""
    body, etag = body_of(fields, parts), ""
    if GUESTS in parts:
        there = await calendar.read_with_guests(row.calendar_id, row.event_id)
        body["attendees"], etag = with_our_guests(row, there), str(there.get("etag", ""))
    return await calendar.patch(row.calendar_id, row.event_id, body, if_match=etag)


Send = Callable[[frozenset[str]], Awaitable[dict[str, Any]]]


async def _in_parts(
    row: MirroredEvent, parts: frozenset[str], send: Send, send_apart: Send
) -> Shown:
    """All the parts at once; where Google refuses that, the mandatory ones without the others, and
    then each of these apart."""
    refused, refusal, taken = parts, "", parts
    while True:
        try:
            event = await send(taken)
            break
        except GoogleError as error:
            fewer = without_the_refused(taken, error)
            if fewer is None:
                raise
            refused, refusal, taken = taken, str(error), fewer
    left_out: dict[str, str] = {}
    for part in sorted(parts - taken):
        if refused == taken | {part}:  # known to be the one
            left_out[part] = refusal
            continue
        try:
            event = await send_apart(frozenset((part,)))
            taken |= {part}
        except GoogleError as error:
            if without_the_refused(frozenset((part,)), error) is None:
                raise
            left_out[part] = str(error)
    return Shown(row.wanted_revision, event, taken, left_out)


async def _read(calendar: GuardedCalendar, row: MirroredEvent) -> dict[str, Any]:
    """The event as Google has it; {} when it has none."""
    try:
        return await calendar.read(row.calendar_id, row.event_id)
    except EventGone:
        return {}


def _is_live(event: dict[str, Any]) -> bool:
    return bool(event) and event.get("status") != "cancelled"


async def _insert(calendar: GuardedCalendar, row: MirroredEvent, fields: dict[str, Any]) -> Shown:
    async def send(parts: frozenset[str]) -> dict[str, Any]:
        body = without_empty(body_of(fields, parts))
        if GUESTS in parts:
            body["attendees"] = [{"email": email} for email in row.guests]
        try:
            return await calendar.insert(row.calendar_id, row.event_id, body)
        except EventGone as error:
            if row.attempts < CALENDAR_LAG_ATTEMPTS:
                raise Unreachable(str(error), status=error.status, reason=error.reason) from None
            raise CalendarLost(str(error), status=error.status, reason=error.reason) from None

    async def send_apart(parts: frozenset[str]) -> dict[str, Any]:
        return await _patch_parts(calendar, row, fields, parts)

    parts = EVERYTHING | {GUESTS} if row.guests else EVERYTHING
    return await _in_parts(row, parts, send, send_apart)
