"""Asks Google what a calendar holds, or what changed in it. Stores nothing.

An event of ours that is missing is looked up by its id before anything is believed. If many are
missing at once, and nowhere else to be found, nothing is believed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from sophiie.common.logs import log
from sophiie.google.calendar import CalendarClient, Changes
from sophiie.google.errors import EventGone, SyncTokenExpired
from sophiie.google.marks import event_id_of, series_named_by
from sophiie.sync.inbound.elsewhere import found_elsewhere
from sophiie.sync.inbound.mass_deletion import Doubt, find_doubt
from sophiie.sync.inbound.poll_claim import Poll

logger = log(__name__)

CALLS_AT_ONCE = 4
MAX_ZONE = 100

Item = dict[str, Any]


@dataclass(frozen=True)
class FetchResult:
    """What Google answered: `everything` in the window, or what changed since the last token.

    `lost`: events of ours of which Google knows nothing, not even that they were deleted. `whole`:
    those that were read with all their fields, which foreign events never are. With a `doubt` the
    items are those that were listed; `gone` are the events of ours that it is about.
    `whole_series`: every occurrence of these that exists is among the items.
    """

    items: list[Item] = field(repr=False)
    everything: bool
    sync_token: str
    access_role: str
    time_zone: str
    title: str = ""
    lost: frozenset[str] = frozenset()
    whole: frozenset[str] = frozenset()
    doubt: Doubt | None = None
    gone: frozenset[str] = frozenset()
    whole_series: frozenset[str] = frozenset()


async def fetch(client: CalendarClient, poll: Poll) -> FetchResult:
    """Makes the calls of one poll. Raises `GoogleError`."""
    changes, everything = await _changes(client, poll)
    fetched = {str(item["id"]): item for item in changes.items}
    # Of an event that a person turned into a series, Google lists only the occurrences.
    series = {series_named_by(item) for item in changes.items} & poll.known.etags.keys()
    there = {event_id_of(item) for item in changes.items if not is_deleted(item)}
    missing = poll.known.upcoming - fetched.keys() - there if everything else frozenset()
    deleted = {i for i in poll.known.upcoming & fetched.keys() if is_deleted(fetched[i])} - there
    gone, all_of_them = missing | deleted, len(poll.known.upcoming)
    doubt = find_doubt(len(gone), all_of_them, meant=poll.meant_missing)
    if doubt is not None:
        gone -= await found_elsewhere(client, poll, gone, changes.items)
        doubt = find_doubt(len(gone), all_of_them, meant=poll.meant_missing)
    lost: set[str] = set()
    whole: set[str] = set()
    if doubt is None:
        unclear = (missing | series | poll.known.unjudged) - fetched.keys()
        unclear |= _changed_by_others(poll, fetched)
        for event_id, item in await _read_back(client, poll.calendar_id, unclear):
            fetched[event_id] = item or {"id": event_id, "status": "cancelled"}
            if item is not None:
                whole.add(event_id)
            else:
                lost.add(event_id)
    return FetchResult(
        items=list(fetched.values()),
        everything=everything,
        sync_token=changes.next_sync_token,
        access_role=changes.access_role,
        time_zone=_kept(changes.time_zone),
        title=changes.title,
        lost=frozenset(lost),
        whole=frozenset(whole),
        # An increment says itself of each event that it was deleted.
        doubt=doubt and replace(doubt, list_is_whole=not everything),
        gone=gone if doubt else frozenset(),
    )


def _changed_by_others(poll: Poll, listed: Mapping[str, Item]) -> set[str]:
    """Our events that are not the version we wrote: what they say may have changed as well."""
    etags = poll.known.etags
    ours = listed.keys() & etags.keys()
    return {i for i in ours if not is_deleted(listed[i]) and listed[i].get("etag") != etags[i]}


async def deleted_lately(client: CalendarClient, poll: Poll) -> set[str]:
    """The ids of events and series that Google says were deleted. Raises `GoogleError`.

    For a full poll that lacks much, because a full list does not name deletions. Google reports a
    deleted event for a while; one that an error left out it does not.
    """
    start, end = poll.window
    changes = await client.changes(
        poll.calendar_id, time_min=start, time_max=end, with_deleted=True
    )
    deleted = [item for item in changes.items if is_deleted(item)]
    return {str(item["id"]) for item in deleted} | {event_id_of(item) for item in deleted}


def is_deleted(item: Item) -> bool:
    return item.get("status") == "cancelled"


async def _changes(client: CalendarClient, poll: Poll) -> tuple[Changes, bool]:
    """What changed; everything in the window if Google no longer knows the token (410), or if the
    calendar's time zone is another one: then its all-day events are other times."""
    if poll.token:
        try:
            changes = await client.changes(poll.calendar_id, sync_token=poll.token)
        except SyncTokenExpired:
            logger.info("sync token expired", link_id=str(poll.link_id))
        else:
            if _kept(changes.time_zone) in ("", poll.time_zone):
                return changes, False
            logger.info("time zone of the calendar changed", link_id=str(poll.link_id))
    start, end = poll.window
    return await client.changes(poll.calendar_id, time_min=start, time_max=end), True


def _kept(time_zone: str) -> str:
    return time_zone[:MAX_ZONE]


async def _read_back(
    client: CalendarClient, calendar_id: str, event_ids: Iterable[str]
) -> list[tuple[str, Item | None]]:
    """Each of these events as it is now, or None if Google knows nothing of it; a few at a time."""

    async def read(event_id: str) -> Item | None:
        try:
            return await client.get(calendar_id, event_id)
        except EventGone as error:
            return None if error.status != 410 else {"id": event_id, "status": "cancelled"}

    found: list[tuple[str, Item | None]] = []
    left = sorted(event_ids)
    while left:
        few, left = left[:CALLS_AT_ONCE], left[CALLS_AT_ONCE:]
        answers = await asyncio.gather(*map(read, few), return_exceptions=True)
        for event_id, answer in zip(few, answers, strict=True):
            if isinstance(answer, BaseException):
                raise answer
            found.append((event_id, answer))
    return found
