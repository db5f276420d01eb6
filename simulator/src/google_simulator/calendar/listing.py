"""events.list and events.instances: filters, order, pages, sync tokens (facts 3.2, 3.9, 3.10, 4).

A listing is made of *candidates* (everything, or what changed since a sync token), which the
filters thin out; they are sorted by a key that later changes do not disturb, and a page token
names the last key that was given out. The version at the first page travels along and becomes
the sync token of the last page, so that a change made between two pages is reported again.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from google_simulator import times
from google_simulator.calendar import editing
from google_simulator.calendar.call import CalendarCall
from google_simulator.calendar.list_query import ListQuery
from google_simulator.calendar.recurrence import (
    dropped_instances,
    instances,
    occurrences,
    span_of,
)
from google_simulator.calendar.rendering import Reader, bare_cancellation, render, tombstone
from google_simulator.http.answer import Answer
from google_simulator.model import Calendar, Event, Json

Key = list[Any]
TOLD_SECONDS = 183 * 86_400


def list_events(call: CalendarCall) -> Answer:
    """One page of a calendar's events."""
    calendar = call.calendar
    query = ListQuery.read(call)
    etag = f'"p{query.digest}.{calendar.token_floor}.{_newest(calendar)}"'
    unchanged_is_said = call.simulator.switches["list_not_modified"] == "on"
    if unchanged_is_said and call.knows(etag) and query.after is None:
        return Answer(304, None, {"ETag": etag})
    rows = sorted(_keyed(query, calendar), key=lambda row: row[0])
    page, after = _page(call, query, rows)
    reader = Reader.of(call)
    body = _envelope(call, calendar, etag)
    body["items"] = [_item(query, calendar, event, reader) for event in page]
    if after is None:
        # With `orderBy` or a search no token would be of use, and Google gives none.
        if not query.searches:
            body["nextSyncToken"] = query.sync_token_at_end(calendar, call)
    else:
        body["nextPageToken"] = query.page_token_after(after, call)
    return Answer(200, body, {"ETag": etag})


def _newest(calendar: Calendar) -> int:
    return next(reversed(calendar.events.values())).version if calendar.events else 0


def _envelope(call: CalendarCall, calendar: Calendar, etag: str) -> Json:
    entry = call.simulator.world.entries_of(call.account.email).get(calendar.id)
    body: Json = {
        "kind": "calendar#events",
        "etag": etag,
        "summary": calendar.summary,
        "description": calendar.description or "",
        "updated": times.with_milliseconds((_newest(calendar) or calendar.version) / 1_000_000),
        "timeZone": call.text("timeZone") or calendar.time_zone,
        "accessRole": call.role,
        "defaultReminders": entry.default_reminders if entry else [],
    }
    return body


# -- candidates and filters ----------------------------------------------------------------


def _keyed(query: ListQuery, calendar: Calendar) -> Iterator[tuple[Key, Event]]:
    for event in _candidates(query, calendar):
        yield _sort_key(query, calendar, event), event


def _candidates(query: ListQuery, calendar: Calendar) -> Iterator[Event]:
    for event in _touched(query, calendar):
        yield from _dropped(query, calendar, event)
        if event.is_series and query.single_events:
            yield from _singly(query, calendar, event)
        elif _is_wanted(query, calendar, event):
            yield event


def _touched(query: ListQuery, calendar: Calendar) -> Iterator[Event]:
    """Everything, or what changed after the sync token: events stand in order of change."""
    if query.since is None:
        yield from (event for event in calendar.events.values() if event.order <= query.version)
        return
    for event in reversed(calendar.events.values()):
        if event.version <= query.since:
            return
        if event.version <= query.version:
            yield event


def _dropped(query: ListQuery, calendar: Calendar, event: Event) -> Iterator[Event]:
    """What a shortened series no longer has, if increments report that at all (facts 4)."""
    if query.since is None or not (query.single_events and query.shortened_series_singly):
        return
    for instance in dropped_instances(event, query.since):
        is_told = _is_told_as_cancelled(query, calendar, event, instance)
        if instance.id not in calendar.events and is_told:
            yield instance


def _is_told_as_cancelled(
    query: ListQuery, calendar: Calendar, series: Event, instance: Event
) -> bool:
    """Google reports about six months of cancelled instances, not all of them (facts 4).

    The six months begin now, or with the series if it lies wholly ahead or wholly behind.
    """
    begins = span_of(series, calendar)[0]
    planned = occurrences(series) if series.is_series else []
    where = times.zone(calendar.time_zone)
    last = times.instant_of(planned[-1].start, where) if planned else query.now
    anchor = begins if last < query.now else max(begins, query.now)
    start = span_of(instance, calendar)[0]
    return anchor <= start < anchor + TOLD_SECONDS


def _singly(query: ListQuery, calendar: Calendar, series: Event) -> Iterator[Event]:
    if series.cancelled and not query.deleted_series_singly:
        if _is_wanted(query, calendar, series):
            yield series
        return
    for instance in instances(series, calendar):
        if _is_wanted(query, calendar, instance):
            yield instance


def _is_wanted(query: ListQuery, calendar: Calendar, event: Event) -> bool:
    if event.cancelled and not _shows_cancelled(query, calendar, event):
        return False
    series = _deleted_series_of(query, calendar, event)
    if series is not None and not _is_told_as_cancelled(query, calendar, series, event):
        return False
    if not query.matches(event):
        return False
    return query.in_window(lambda: _reach(calendar, event))


def _deleted_series_of(query: ListQuery, calendar: Calendar, event: Event) -> Event | None:
    """The deleted series of an instance that an increment lists by itself."""
    singly = query.deleted_series_singly and query.single_events
    if query.since is None or not singly or not event.cancelled:
        return None
    series = calendar.events.get(event.series_id or "")
    return series if series is not None and series.cancelled else None


def _shows_cancelled(query: ListQuery, calendar: Calendar, event: Event) -> bool:
    if event.trash_emptied and query.since is None:
        return False
    if query.show_deleted:
        return True
    series = calendar.events.get(event.series_id or "")
    return not query.single_events and series is not None and not series.cancelled


def _reach(calendar: Calendar, event: Event) -> list[tuple[float, float]]:
    """The stretches of time an event covers; a series covers many."""
    if not event.is_series:
        return [span_of(event, calendar)]
    return [span_of(instance, calendar) for instance in instances(event, calendar)]


def _sort_key(query: ListQuery, calendar: Calendar, event: Event) -> Key:
    start = span_of(event, calendar)[0]
    if query.order_by == "startTime":
        return [start, event.id]
    if query.order_by == "updated" or query.since is not None:
        return [event.version, start, event.id]
    return [event.order, start, event.id]


# -- pages ---------------------------------------------------------------------------------


def _page(
    call: CalendarCall, query: ListQuery, rows: list[tuple[Key, Event]]
) -> tuple[list[Event], tuple[Key, bool] | None]:
    """The events of this page and, if there are more, where the next one goes on."""
    paging = call.simulator.switches["paging"]
    remaining = rows if query.after is None else [row for row in rows if row[0] > query.after]
    if paging == "empty" and not query.skipped and remaining:
        return [], (query.after or [-1], True)
    size = query.max_results
    if paging == "short":
        size = max(1, size // 2)
    page = remaining[:size]
    more = len(remaining) > size
    return [event for _, event in page], ((page[-1][0], False) if more else None)


def _item(query: ListQuery, calendar: Calendar, event: Event, reader: Reader) -> Json:
    if event.cancelled:
        if query.since is not None:
            orphan = _deleted_series_of(query, calendar, event) is not None
            return tombstone(event, sparse=orphan and query.sparse_instances)
        if event.series_id and not query.show_deleted:
            return bare_cancellation(event)
    return render(event, calendar, reader)


# -- instances -----------------------------------------------------------------------------


def list_instances(call: CalendarCall) -> Answer:
    """The occurrences of one series; with an instance's id, that one alone (facts 3.9)."""
    calendar = call.calendar
    query = ListQuery.read_for_instances(call)
    named = editing.find(calendar, call.path["eventId"])
    etag = f'"p{_newest(calendar)}"'
    if named.is_series:
        found = [*instances(named, calendar), *editing.exceptions_of(calendar, named.id)]
    else:
        found = [named]
    rows = [
        (_sort_key(query, calendar, event), event) for event in found
        if _is_wanted(query, calendar, event)
    ]  # fmt: skip
    rows.sort(key=lambda row: row[0])
    page, after = _page(call, query, rows)
    reader = Reader.of(call)
    body = _envelope(call, calendar, etag)
    body["items"] = [render(event, calendar, reader) for event in page]
    if after is not None:
        body["nextPageToken"] = query.page_token_after(after, call)
    return Answer(200, body, {"ETag": etag})
