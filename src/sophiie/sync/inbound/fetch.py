"""Asking Google what a calendar holds, or what changed in it. Nothing is stored here.

An event of ours that should be there and is not is read back by its id before anything is
believed; and if much is gone at once, nothing is.
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
from sophiie.sync.inbound.mass_deletion import Doubt, doubt
from sophiie.sync.inbound.poll_claim import Poll

logger = log(__name__)

CALLS_AT_ONCE = 4

Item = dict[str, Any]


@dataclass(frozen=True)
class FetchResult:
    """What Google told: `everything` in the window, or what changed since the token was given.

    `lost`: events of ours of which Google knows nothing, not even that they were deleted. With a
    `doubt` the items are those that were listed, and nothing follows from what is not among them.
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
    """One reading's worth of calls. Raises `GoogleError`."""
    changes, everything = await _changes(client, poll)
    fetched = {str(item["id"]): item for item in changes.items}
    missing = poll.known.upcoming - fetched.keys() if everything else frozenset()
    deleted = {i for i in poll.known.upcoming & fetched.keys() if is_deleted(fetched[i])}
    doubted = doubt(len(missing | deleted), len(poll.known.upcoming), meant=poll.meant_missing)
    lost: set[str] = set()
    if doubted is None:
        # Of an event that a person made a series of, only the occurrences are fetched.
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
        doubt=doubted,
    )


async def deleted_lately(client: CalendarClient, poll: Poll) -> set[str]:
    """The ids of events and series that Google says were deleted. Raises `GoogleError`.

    For a reading of everything, which tells of no deletions, if it lacks much: an event that was
    deleted is told of for a while, one that an error left out is not.
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
    """Each of these events as it is now, a few at a time; None: Google knows nothing of it."""

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
