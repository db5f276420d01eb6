"""Reads the log of one business, newest first, a page at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from django.db import connection
from django.db.models import Q, QuerySet

from sophiie.audit.acts import Act
from sophiie.audit.models import Entry
from sophiie.audit.origin import ActorKind

# At most so many in one export: some ten megabytes.
MAX_EXPORTED = 50_000
_CHUNK = 1000


@dataclass(frozen=True)
class Place:
    """A place in the log: right after this entry."""

    at: datetime
    id: UUID

    def __str__(self) -> str:
        return f"{self.at.isoformat()}_{self.id}"

    @staticmethod
    def read(text: str) -> Place | None:
        """The place that a cursor of ours names; None for any other text."""
        at, _, entry_id = text.partition("_")
        try:
            place = Place(datetime.fromisoformat(at), UUID(entry_id))
        except ValueError:
            return None
        return place if place.at.tzinfo and 2000 <= place.at.year < 2100 else None


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Which entries of a business are asked for."""

    business_id: UUID
    # What this member did, and what was done to them.
    member_id: UUID | None = None
    actor_kind: ActorKind | None = None
    acts: tuple[Act, ...] = ()
    since: datetime | None = None
    until: datetime | None = None
    behind: Place | None = None

    def entries(self) -> QuerySet[Entry]:
        found = Entry.objects.filter(business_id=self.business_id)
        if self.member_id:
            found = found.filter(Q(actor_id=self.member_id) | Q(subject_id=self.member_id))
        if self.actor_kind:
            found = found.filter(actor_kind=self.actor_kind)
        if self.acts:
            found = found.filter(act__in=self.acts)
        if self.since:
            found = found.filter(at__gte=self.since)
        if self.until:
            found = found.filter(at__lt=self.until)
        if place := self.behind:
            # The second condition implies the first, but the index knows only the first.
            found = found.filter(at__lte=place.at)
            found = found.filter(Q(at__lt=place.at) | Q(id__lt=place.id))
        return found.order_by("-at", "-id")


def page_of(wanted: Wanted, size: int) -> tuple[list[Entry], Place | None]:
    """A page, and the place behind it if there is more."""
    rows = list(wanted.entries()[: size + 1])
    if len(rows) <= size:
        return rows, None
    last = rows[size - 1]
    return rows[:size], Place(last.at, last.id)


def is_too_much_to_export(wanted: Wanted) -> bool:
    return wanted.entries()[MAX_EXPORTED : MAX_EXPORTED + 1].exists()


def all_of(wanted: Wanted) -> Iterator[list[Entry]]:
    """All matching entries, in chunks. Between chunks it holds no connection, because the reader
    may be slow."""
    place: Place | None = None
    while True:
        rows, place = page_of(replace(wanted, behind=place) if place else wanted, _CHUNK)
        if not connection.in_atomic_block:
            connection.close()
        yield rows
        if place is None:
            return
