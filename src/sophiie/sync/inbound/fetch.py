"""Asks Google what a calendar holds, or what changed in it. Stores nothing.

An event of ours that is missing is looked up by its id before anything is believed. If many are
missing at once, nothing is believed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from sophiie.common.logs import log
from sophiie.google.calendar import CalendarClient, Changes
from sophiie.google.errors import EventGone, SyncTokenExpired
from sophiie.google.marks import event_id_of
from sophiie.sync.inbound.mass_deletion import Doubt, find_doubt
from sophiie.sync.inbound.poll_claim import Poll

logger = log(__name__)

CALLS_AT_ONCE = 4

Item = dict[str, Any]


@dataclass(frozen=True)
class FetchResult:
    """What Google answered: `everything` in the window, or what changed since the last token.

    `lost`: events of ours of which Google knows nothing, not even that they were deleted. With a
    `doubt` nothing follows from what is missing among the items.
    """

    items: list[Item] = field(repr=False)
    everything: bool
    sync_token: str
    access_role: str
    time_zone: str
    title: str = ""
    lost: frozenset[str] = frozenset()
    doubt: Doubt | None = None


async def fetch(client: CalendarClient, poll: Poll) -> FetchResult:
    """Makes the calls of one poll. Raises `GoogleError`."""
    changes, everything = await _changes(client, poll)
    fetched = {str(item["id"]): item for item in changes.items}
    missing = poll.known.upcoming - fetched.keys() if everything else frozenset()
    deleted = {i for i in poll.known.upcoming & fetched.keys() if is_deleted(fetched[i])}
    gone = len(missing | deleted)
    doubt = find_doubt(gone, len(poll.known.upcoming), meant=poll.meant_missing)
    lost: set[str] = set()
    if doubt is None:
        # Of an event that a person turned into a series, Google lists only the occurrences.
        series = {str(item.get("recurringEventId", "")) for item in changes.items}
        series &= poll.known.etags.keys()
        unclear = (missing | series | poll.known.unjudged) - fetched.keys()
        for event_id, item in await _read_back(client, poll.calendar_id, unclear):
            fetched[event_id] = item or {"id": event_id, "status": "cancelled"}
            if item is None:
                lost.add(event_id)
    return FetchResult(
        items=list(fetched.values()),
        everything=everything,
        sync_token=changes.next_sync_token,
        access_role=changes.access_role,
        time_zone=changes.time_zone,
        title=changes.title,
        lost=frozenset(lost),
        doubt=doubt,
    )


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
    """What changed; everything in the window if Google no longer knows the token (410)."""
    if poll.token:
        try:
            return await client.changes(poll.calendar_id, sync_token=poll.token), False
        except SyncTokenExpired:
            logger.info("sync token expired", link_id=str(poll.link_id))
    start, end = poll.window
    return await client.changes(poll.calendar_id, time_min=start, time_max=end), True


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
