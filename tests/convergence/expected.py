"""What the machine knows without asking the product: the appointments as people last left them."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime
from html import unescape
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sophiie.calendar_link.models import Covers

# Who works where. Charlie's business is another one, perhaps with the same Google account.
BUSINESSES = {"Alice": "Harbour Plumbing", "Bob": "Harbour Plumbing", "Charlie": "Thames Salon"}
LINK_TEXT = "Open in Sophiie"


@dataclass(frozen=True)
class Expected:
    """An appointment, from the words of those who booked and changed it."""

    id: UUID
    by: str
    team: frozenset[str]
    title: str
    start: datetime
    end: datetime
    timezone: str
    location: str
    notes: str = ""
    cancelled: bool = False
    deleted: bool = False

    @property
    def business(self) -> str:
        return BUSINESSES[self.by]

    @property
    def is_on(self) -> bool:
        return not (self.cancelled or self.deleted)

    def changed(self, **changes: Any) -> Expected:
        return replace(self, **changes)

    def reinstated(self) -> Expected:
        """A deleted one comes back as it was; a cancelled one is scheduled again."""
        return replace(self, deleted=False) if self.deleted else replace(self, cancelled=False)

    def is_covered(self, *, member: str, covers: str) -> bool:
        """The rule of the product's specification, written a second time on purpose."""
        if not self.is_on or self.business != BUSINESSES[member]:
            return False
        if covers == Covers.ALL or member in self.team:
            return True
        return covers == Covers.MINE and member == self.by

    def is_shown_by(self, event: dict[str, Any], *, privacy: str) -> bool:
        """Whether the event says what the appointment says, and no more than it may."""
        return (
            event.get("summary") == self.title
            and event.get("location", "") == self.location
            and lines_of(event.get("description", "")) == self._lines(privacy)
            and "recurrence" not in event
            and self.is_at_its_time(event)
        )

    def is_at_its_time(self, event: dict[str, Any]) -> bool:
        return self._same_time(event["start"], self.start) and self._same_time(
            event["end"], self.end
        )

    def _lines(self, privacy: str) -> list[str]:
        if privacy != "full":
            return [LINK_TEXT]
        return [f"With: {', '.join(sorted(self.team))}", *self.notes.splitlines(), LINK_TEXT]

    def _same_time(self, shown: dict[str, Any], wanted: datetime) -> bool:
        if shown.get("timeZone") != self.timezone or "dateTime" not in shown:
            return False
        return datetime.fromisoformat(shown["dateTime"]) == wanted.astimezone(
            ZoneInfo(self.timezone)
        )


def lines_of(description: str) -> list[str]:
    """What a person reads in a description, which is HTML."""
    text = unescape(re.sub(r"<[^>]+>", "", description))
    return [line.strip() for line in text.splitlines() if line.strip()]
