"""Looking for events of ours that are not where they were: they are no deletions.

A person moves them to another calendar of the account, or an import gives them other ids. Asked
only when so many are gone that the person would be asked.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

from sophiie.common.in_thread import in_thread
from sophiie.google import marks
from sophiie.google.calendar import CalendarClient, MarkedEvent
from sophiie.google.errors import EventGone, Forbidden
from sophiie.sync.inbound.poll_claim import Poll
from sophiie.sync.models import MirroredEvent

# Calendars of an account in which is looked.
MAX_CALENDARS = 10

Item = dict[str, Any]
Times = tuple[datetime, datetime]


async def found_elsewhere(
    client: CalendarClient, poll: Poll, gone: Collection[str], items: Iterable[Item]
) -> set[str]:
    """Those of `gone` that are in another calendar of the account, or here under another id.

    `items` are those of the poll. Raises `GoogleError`.
    """
    found = _at_the_same_times(poll, gone, items)
    if left := set(gone) - found:
        found |= await _under_another_id(client, poll, left)
    if left := set(gone) - found:
        for calendar_id in await _other_calendars(client, poll):
            found |= left & {event.id for event in await _marked(client, poll, calendar_id)}
    return found


def _at_the_same_times(poll: Poll, gone: Collection[str], items: Iterable[Item]) -> set[str]:
    taken = {
        times
        for item in items
        if item.get("status") != "cancelled"
        and marks.event_id_of(item) not in poll.known.etags
        and (times := _times(item))
    }
    return {event_id for event_id in gone if poll.known.times.get(event_id) in taken}


def _times(item: Item) -> Times | None:
    try:
        start, end = (datetime.fromisoformat(item[name]["dateTime"]) for name in ("start", "end"))
    except (KeyError, TypeError, ValueError):
        return None
    return (start, end) if start.tzinfo and end.tzinfo else None


async def _under_another_id(client: CalendarClient, poll: Poll, gone: Collection[str]) -> set[str]:
    there = await _marked(client, poll, poll.calendar_id)
    # An event that a row stands for is that row's, be it of another member.
    mapped = await in_thread(_mapped, [event.id for event in there])
    shown = {event.private.get(marks.APPOINTMENT) for event in there if event.id not in mapped}
    return {event_id for event_id in gone if poll.known.appointments.get(event_id) in shown}


def _mapped(event_ids: Collection[str]) -> set[str]:
    rows = MirroredEvent.objects.filter(event_id__in=event_ids)
    return set(rows.values_list("event_id", flat=True))


async def _other_calendars(client: CalendarClient, poll: Poll) -> list[str]:
    listed = [calendar.id for calendar in await client.calendars() if calendar.writable]
    return [listed_id for listed_id in listed if listed_id != poll.calendar_id][:MAX_CALENDARS]


async def _marked(client: CalendarClient, poll: Poll, calendar_id: str) -> list[MarkedEvent]:
    try:
        return await client.marked_events(calendar_id, marks.BUSINESS, str(poll.business_id))
    except (EventGone, Forbidden):
        return []
