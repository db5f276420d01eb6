"""Reads a series whole when an increment names any part of it, because the rest may be missing.

Of a deleted series Google lists some months of cancelled occurrences, often no more than their
ids; of one that was made shorter it may not list those that went. So one occurrence in an increment
leads to one look at its series, and everything that the copy has of the series is replaced.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from sophiie.busy_time import snapshot
from sophiie.common.in_thread import in_thread
from sophiie.google.calendar import CalendarClient
from sophiie.google.errors import EventGone, Unreachable
from sophiie.google.marks import series_named_by
from sophiie.sync.inbound.busy_store import TOO_LONG, key_in_copy
from sophiie.sync.inbound.fetch import FetchResult, Item, fetch
from sophiie.sync.inbound.poll_claim import Poll

# With more of them it costs less to read everything. So does one whose name the copy does not keep.
MAX_SERIES = 8


async def with_whole_series(
    client: CalendarClient, poll: Poll, fetched: FetchResult
) -> FetchResult:
    """The increment, with every series that it names read whole. Raises `GoogleError`."""
    if fetched.everything:
        return fetched
    named = {series_id for item in fetched.items if (series_id := series_named_by(item))}
    touched = await in_thread(_in_copy, poll, fetched.items, named)
    if len(touched) > MAX_SERIES or any(name.startswith(TOO_LONG) for name in touched):
        return await fetch(client, replace(poll, token=""))
    items = [item for item in fetched.items if series_named_by(item) not in touched]
    for series_id in sorted(touched):
        items += await _occurrences(client, poll, series_id)
    return replace(fetched, items=items, whole_series=touched)


def _in_copy(poll: Poll, items: Iterable[Item], named: set[str]) -> frozenset[str]:
    """The series that the copy holds a part of. One that is itself an item goes anyway."""
    ids = {key_in_copy(item["id"]) for item in items}
    names = {key_in_copy(series_id) for series_id in named}
    found = snapshot.series_of(poll.member_id, poll.calendar_id, events=ids, series=names)
    return frozenset(found - ids)


async def _occurrences(client: CalendarClient, poll: Poll, series_id: str) -> list[Item]:
    start, end = poll.window
    try:
        return await client.instances(poll.calendar_id, series_id, time_min=start, time_max=end)
    except EventGone as error:
        # Google may lag, and then nothing is free yet.
        if await client.is_there(poll.calendar_id, series_id):
            raise Unreachable(str(error), status=error.status, reason=error.reason) from None
        return []
