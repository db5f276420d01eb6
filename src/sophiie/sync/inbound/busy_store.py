"""Stores when the member is busy, as a poll of one calendar found it, in our copy of that calendar.

Events that stand for a live appointment at its time (`ours.py`) are left out: the appointment says
itself when its assignees are not free.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sophiie.busy_time import snapshot
from sophiie.busy_time.models import BusyCalendar, BusyPeriod
from sophiie.busy_time.snapshot import Period
from sophiie.common import live
from sophiie.common.logs import log
from sophiie.common.reasons import NO_REASON, keep
from sophiie.google.marks import event_id_of
from sophiie.sync.inbound.busy_rule import NotBusy, Stretch, Unclear, busy_time
from sophiie.sync.inbound.fetch import FetchResult, is_deleted
from sophiie.sync.inbound.ours import OurEvents
from sophiie.sync.inbound.poll_claim import Poll
from sophiie.sync.left_in_google import Stray, note_strays
from sophiie.sync.models import WatchedCalendar

logger = log(__name__)

MAX_ID = 1100
TOO_LONG = "long:"

Item = dict[str, Any]
Window = tuple[datetime | None, datetime | None]


@dataclass
class _Sorted:
    """The items of a poll by what they mean: busy, or not (any more), of which some only stand for
    an appointment from afar. For `unclear` many of the busy ones, which cannot be understood, the
    widest reading counts."""

    busy: list[Period] = field(default_factory=list)
    free: set[str] = field(default_factory=set)
    strays: dict[str, Stray] = field(default_factory=dict)
    unclear: int = 0


def store_busy_time(poll: Poll, fetched: FetchResult, watched: WatchedCalendar) -> None:
    """Brings the copy up to date, in the poll's transaction.

    A list that may lack something only adds, because an error must not free anything. What cannot
    be understood keeps busy for as long as it may last, and is counted.
    """
    calendar = snapshot.held_copy(poll.member_id, poll.calendar_id)
    if calendar is None:  # it no longer counts
        return
    is_whole = fetched.doubt is None or fetched.doubt.list_is_whole
    if fetched.everything and is_whole:
        calendar.known_from, calendar.known_until = poll.window
    window = (calendar.known_from, calendar.known_until)
    found = _sorted_out(poll, fetched, window)
    if found.unclear:
        logger.warning("events not understood", link_id=str(poll.link_id), events=found.unclear)
    if not is_whole:
        changed = snapshot.apply(calendar, [p for p in found.busy if _overlaps(p, window)])
    elif fetched.everything:
        changed = snapshot.replace(calendar, [p for p in found.busy if _overlaps(p, window)])
        calendar.time_zone, watched.not_understood = fetched.time_zone, found.unclear
    else:
        changed = _apply(calendar, fetched, found)
        watched.not_understood += found.unclear
    if is_whole:
        # The copy was right when Google was asked, not when its answer is stored.
        calendar.checked_at = poll.moment
        keep(calendar, "problem", NO_REASON)
    elif fetched.doubt is not None:  # a list that lacks so much may also lack what is new
        keep(calendar, "problem", fetched.doubt.reason)
    calendar.save()
    note_strays(watched, found.strays, everything=fetched.everything and is_whole)
    if changed:
        live.announce(poll.business_id, busy=poll.member_id)


def _apply(calendar: BusyCalendar, fetched: FetchResult, found: _Sorted) -> bool:
    """Applies an increment. Google sends it without bounds, so we leave out what is outside."""
    inside, outside = [], set()
    for period in found.busy:
        if _overlaps(period, (calendar.known_from, calendar.known_until)):
            inside.append(period)
        else:
            outside.add(period.event_id)
    # A single event that became a series is gone as a single event. A series that became a single
    # event, or was deleted, is gone as a series.
    masters = {
        key_in_copy(item["recurringEventId"]) for item in fetched.items if _is_instance(item)
    }
    singles = {
        key_in_copy(item["id"])
        for item in fetched.items
        if not _is_instance(item) and not _is_master(item)
    }
    return snapshot.apply(
        calendar,
        inside,
        gone=found.free | outside | masters,
        gone_series=singles | {key_in_copy(series_id) for series_id in fetched.whole_series},
    )


def key_in_copy(name: Any) -> str:
    """The name of an event or a series in the copy: its own, or, if that is too long, a digest."""
    text = str(name)
    if len(text) <= MAX_ID and "\0" not in text:
        return text
    return f"{TOO_LONG}{hashlib.sha256(text.encode(errors='replace')).hexdigest()}"


def _overlaps(period: Period, window: Window) -> bool:
    first, last = window
    return first is not None and last is not None and period.start < last and period.end > first


def _is_instance(item: Item) -> bool:
    return bool(item.get("recurringEventId"))


def _is_master(item: Item) -> bool:
    """A series that was read whole, because it is one of our events: Google lists its occurrences
    as well, and they say when it is."""
    return bool(item.get("recurrence")) and not is_deleted(item)


def _sorted_out(poll: Poll, fetched: FetchResult, window: Window) -> _Sorted:
    items = [item for item in fetched.items if not _is_master(item)]
    ours = OurEvents.among(items, business_id=poll.business_id, calendar_id=poll.calendar_id)
    found = _Sorted()
    for item in items:
        event_id = key_in_copy(item["id"])
        series_id = key_in_copy(item.get("recurringEventId") or "")
        time = busy_time(item, zone=fetched.time_zone or poll.time_zone, account=poll.google_email)
        if isinstance(time, NotBusy):
            found.free.add(event_id)
            continue
        if ours.hold(item, time):
            found.free.add(event_id)
            if stray := ours.stray(item):
                found.strays[event_id_of(item)] = stray
            continue
        if isinstance(time, Unclear):
            found.unclear += 1
            time = _within(window, time)
        found.busy.append(Period(event_id, series_id, time.start, time.end))
    return found


def _within(window: Window, time: Stretch) -> Stretch:
    """The part of it that lies where anything is known; a stretch outside stays as it is."""
    first, last = window
    start, end = max(time.start, first or time.start), min(time.end, last or time.end)
    return Stretch(start, end) if start < end else time


@dataclass(frozen=True)
class Freed:
    """The events and series that would no longer keep the member busy if a poll were believed, out
    of `all_of_them` still to come."""

    ids: frozenset[str]
    all_of_them: int


def freed_by(poll: Poll, fetched: FetchResult) -> Freed:
    """What a full poll no longer shows. An event that exists under another id is not gone."""
    found = _sorted_out(poll, fetched, poll.window)
    there = {period.event_id for period in found.busy} | found.free
    times = {(period.start, period.end) for period in found.busy}
    coming: dict[str, bool] = {}
    for row in _still_to_come(poll):
        name = row.series_id or row.event_id
        seen = row.event_id in there or (row.during.lower, row.during.upper) in times
        coming[name] = coming.get(name, False) or seen
    gone = frozenset(name for name, seen in coming.items() if not seen)
    return Freed(gone, len(coming))


def _still_to_come(poll: Poll) -> Collection[BusyPeriod]:
    return BusyPeriod.objects.filter(
        calendar__member=poll.member_id,
        calendar__calendar_id=poll.calendar_id,
        during__endswith__gt=poll.moment,
        during__startswith__lt=poll.window[1],
    )
