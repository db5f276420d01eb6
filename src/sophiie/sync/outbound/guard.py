"""The write guard: everything that writes to a Google calendar goes through it.

It knows the mapping of one link from the database and refuses every other id. A refusal is a bug of
ours; it is counted, and the count should stay at zero.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from prometheus_client import Counter

from sophiie.common.in_thread import in_thread
from sophiie.common.logs import log
from sophiie.google.calendar import CalendarClient, MarkedEvent
from sophiie.sync.models import MirroredEvent

logger = log(__name__)

refused_writes = Counter("sophiie_refused_writes", "Writes to Google refused by the write guard")


class NotOurs(Exception):
    """A write to an event that is not in the mapping of this link and calendar."""


class GuardedCalendar:
    """Writes for one link, to its own mirrored events and to nothing else."""

    def __init__(self, client: CalendarClient, link_id: UUID) -> None:
        self._client, self._link_id = client, link_id
        self._ours: set[tuple[str, str]] = set()

    async def insert(self, calendar_id: str, event_id: str, body: dict[str, Any]) -> dict[str, Any]:
        await self._check("insert", calendar_id, event_id)
        return await self._client.insert(calendar_id, {**body, "id": event_id})

    async def patch(
        self, calendar_id: str, event_id: str, body: dict[str, Any], *, if_match: str = ""
    ) -> dict[str, Any]:
        await self._check("patch", calendar_id, event_id)
        return await self._client.patch(calendar_id, event_id, body, if_match=if_match)

    async def delete(self, calendar_id: str, event_id: str, *, if_match: str = "") -> None:
        await self._check("delete", calendar_id, event_id)
        await self._client.delete(calendar_id, event_id, if_match=if_match)

    async def read(self, calendar_id: str, event_id: str) -> dict[str, Any]:
        return await self._client.get(calendar_id, event_id)

    async def read_with_guests(self, calendar_id: str, event_id: str) -> dict[str, Any]:
        """An event of ours with all its guests."""
        await self._check("reading the guests", calendar_id, event_id)
        return await self._client.get(calendar_id, event_id, with_guests=True)

    async def marked(self, calendar_id: str, name: str, value: str) -> list[MarkedEvent]:
        """Events of ours with this mark, known to the mapping or not."""
        return await self._client.marked_events(calendar_id, name, value)

    async def look_at(self, calendar_id: str) -> None:
        """Whether the calendar is there for us: `EventGone` when it is not."""
        await self._client.look_at(calendar_id)

    @property
    def units_used(self) -> int:
        """What all calls so far have cost of Google's quotas."""
        return self._client.units_used

    def admit(self, rows: Iterable[MirroredEvent]) -> None:
        """Adopts the mapping of rows that the database has just returned.

        This saves a query for each write; ids that are not among them are looked up.
        """
        self._ours |= {
            (row.calendar_id, row.event_id) for row in rows if row.link_id == self._link_id
        }

    async def _check(self, act: str, calendar_id: str, event_id: str) -> None:
        if (calendar_id, event_id) not in self._ours:
            self._ours |= await in_thread(_mapping, self._link_id, event_id)
        if (calendar_id, event_id) not in self._ours:
            refused_writes.inc()
            logger.error(
                "write refused by the guard",
                act=act,
                link_id=str(self._link_id),
                event_id=event_id,
            )
            raise NotOurs(f"{act} of an event that is not in this link's mapping")


def _mapping(link_id: UUID, event_id: str) -> set[tuple[str, str]]:
    rows = MirroredEvent.objects.filter(link=link_id, event_id=event_id)
    return set(rows.values_list("calendar_id", "event_id"))
