"""What a reading tells of when the member is busy, put into the copy of that calendar.

Our own mirrored events are left out: the appointments they stand for say themselves when their
assignees are not free. They are known by the mapping of the business, in whichever calendar they
are found, because a guest's copy has the id of the event that it is a copy of.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sophiie.busy_time import snapshot
from sophiie.busy_time.models import BusyCalendar, BusyPeriod
from sophiie.busy_time.snapshot import Period
from sophiie.common import live
from sophiie.common.ids import is_event_id
from sophiie.common.logs import log
from sophiie.common.reasons import NO_REASON, keep
from sophiie.google import marks
from sophiie.sync.inbound.busy_rule import NotBusy, Stretch, busy_time
from sophiie.sync.inbound.fetch import FetchResult
from sophiie.sync.inbound.poll_claim import Poll
from sophiie.sync.models import MirroredEvent, WatchedCalendar

logger = log(__name__)

MAX_ID = 1100

Item = dict[str, Any]


@dataclass
class _Sorted:
    """The items of a reading by what they mean: busy, not (any more), not to be understood."""

    busy: list[Period] = field(default_factory=list)
    free: set[str] = field(default_factory=set)
    not_understood: set[str] = field(default_factory=set)


def store_busy_time(poll: Poll, fetched: FetchResult, watched: WatchedCalendar) -> None:
    """Brings the copy up to date, in the reading's transaction.

    A reading that is in doubt only adds: an error must not free anything. What cannot be
    understood changes nothing, and is counted.
    """
    calendar = snapshot.held_copy(poll.member_id, poll.calendar_id)
    if calendar is None:  # it counts no more
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
        # Known to be right when Google was asked, not when its answer is stored.
        calendar.checked_at = poll.moment
        keep(calendar, "problem", NO_REASON)
    else:  # a list that lacks so much may lack what is new as well
        keep(calendar, "problem", fetched.doubt.reason)
    calendar.save()
    if changed:
        live.announce(poll.business_id, busy=poll.member_id)


def _apply(calendar: BusyCalendar, fetched: FetchResult, found: _Sorted) -> bool:
    """An increment. It is not bound to the window, so what lies outside is left out here."""
    inside, outside = [], set()
    for period in found.busy:
        if _overlaps(period, (calendar.known_from, calendar.known_until)):
            inside.append(period)
        else:
            outside.add(period.event_id)
    # With an event that is told as one of a series the single event that it was is gone; with one
    # that is told as single, or as deleted, the series that it was.
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
    ours = _own_events(poll.business_id, fetched.items)
    found = _Sorted()
    for item in fetched.items:
        event_id = str(item["id"])
        series_id = str(item.get("recurringEventId") or "")
        time = busy_time(item, zone=fetched.time_zone or poll.zone, account=poll.google_email)
        if time == NotBusy.BAD_DATA or max(len(event_id), len(series_id)) > MAX_ID:
            found.not_understood.add(event_id)
        elif isinstance(time, Stretch) and not _is_ours(event_id, series_id, time, ours):
            found.busy.append(Period(event_id, series_id, time.start, time.end))
        else:
            found.free.add(event_id)
    return found


def _own_events(
    business_id: UUID, items: Iterable[Item]
) -> Mapping[str, tuple[datetime, datetime]]:
    """Those of the events that are in a mapping of the business: when their appointments are."""
    ids = {marks.event_id_of(item) for item in items}
    rows = MirroredEvent.objects.filter(
        event_id__in=[event_id for event_id in ids if is_event_id(event_id)],
        appointment__business=business_id,
    )
    found = rows.values_list("event_id", "appointment__start", "appointment__end")
    return {event_id: (start, end) for event_id, start, end in found}


def _is_ours(
    event_id: str,
    series_id: str,
    time: Stretch,
    ours: Mapping[str, tuple[datetime, datetime]],
) -> bool:
    """Whether the event stands for an appointment.

    Where a person made a series of one, the occurrence at the appointment's time still does, the
    others are theirs.
    """
    if event_id in ours:
        return True
    start, end = ours.get(series_id, (time.end, time.start))
    return time.start < end and start < time.end


@dataclass(frozen=True)
class Freed:
    """What the member would be free of if a reading were believed, events and series, out of
    `all_of_them` that are still to come."""

    ids: frozenset[str]
    all_of_them: int


def freed_by(poll: Poll, fetched: FetchResult) -> Freed:
    """What a reading of everything does not show any more. An event that is there under another
    name is not gone."""
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
