"""Stores when the member is busy, as a poll of one calendar found it, in our copy of that calendar.

Our own mirrored events (`ours.py`) are left out: the appointments they stand for say themselves
when their assignees are not free.
"""

from __future__ import annotations

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
from sophiie.sync.inbound.busy_rule import NotBusy, Stretch, busy_time
from sophiie.sync.inbound.fetch import FetchResult
from sophiie.sync.inbound.ours import is_ours, own_events
from sophiie.sync.inbound.poll_claim import Poll
from sophiie.sync.models import WatchedCalendar

logger = log(__name__)

MAX_ID = 1100

Item = dict[str, Any]


@dataclass
class _Sorted:
    """The items of a poll by what they mean: busy, free, or not understood."""

    busy: list[Period] = field(default_factory=list)
    free: set[str] = field(default_factory=set)
    not_understood: set[str] = field(default_factory=set)


def store_busy_time(poll: Poll, fetched: FetchResult, watched: WatchedCalendar) -> None:
    """Brings the copy up to date, in the poll's transaction.

    A poll that is in doubt only adds, because an error must not free anything. What cannot be
    understood changes nothing and is counted.
    """
    calendar = snapshot.held_copy(poll.member_id, poll.calendar_id)
    if calendar is None:  # it no longer counts
        return
    found = _sorted_out(poll, fetched)
    if found.not_understood:
        logger.warning(
            "events not understood",
            link_id=str(poll.link_id),
            events=len(found.not_understood),
        )
    if fetched.doubt is not None:
        window = (calendar.known_from, calendar.known_until)
        changed = snapshot.apply(calendar, [p for p in found.busy if _overlaps(p, window)])
    elif fetched.everything:
        calendar.known_from, calendar.known_until = poll.window
        changed = snapshot.replace(calendar, found.busy, keep=found.not_understood)
        watched.not_understood = len(found.not_understood)
    else:
        changed = _apply(calendar, fetched, found)
        watched.not_understood += len(found.not_understood)
    if fetched.doubt is None or not fetched.everything:
        # The copy was right when Google was asked, not when its answer is stored.
        calendar.checked_at = poll.moment
        keep(calendar, "problem", NO_REASON)
    else:  # a list that lacks so much may also lack what is new
        keep(calendar, "problem", fetched.doubt.reason)
    calendar.save()
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
    masters = {str(item["recurringEventId"]) for item in fetched.items if _is_instance(item)}
    singles = {str(item["id"]) for item in fetched.items if not _is_instance(item)}
    return snapshot.apply(
        calendar,
        inside,
        gone=found.free | outside | masters,
        gone_series=singles - found.not_understood,
    )


def _overlaps(period: Period, window: tuple[datetime | None, datetime | None]) -> bool:
    first, last = window
    return first is not None and last is not None and period.start < last and period.end > first


def _is_instance(item: Item) -> bool:
    return bool(item.get("recurringEventId"))


def _sorted_out(poll: Poll, fetched: FetchResult) -> _Sorted:
    own = own_events(poll.business_id, fetched.items)
    found = _Sorted()
    for item in fetched.items:
        event_id = str(item["id"])
        series_id = str(item.get("recurringEventId") or "")
        time = busy_time(item, zone=fetched.time_zone or poll.zone, account=poll.google_email)
        if time == NotBusy.BAD_DATA or max(len(event_id), len(series_id)) > MAX_ID:
            found.not_understood.add(event_id)
        elif isinstance(time, Stretch) and not is_ours(item, time, own):
            found.busy.append(Period(event_id, series_id, time.start, time.end))
        else:
            found.free.add(event_id)
    return found


@dataclass(frozen=True)
class Freed:
    """The events and series that would no longer keep the member busy if a poll were believed, out
    of `all_of_them` still to come."""

    ids: frozenset[str]
    all_of_them: int


def freed_by(poll: Poll, fetched: FetchResult) -> Freed:
    """What a full poll no longer shows. An event that exists under another id is not gone."""
    found = _sorted_out(poll, fetched)
    there = {period.event_id for period in found.busy} | found.free | found.not_understood
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
