"""What the machine knows without asking the product: the appointments as people last left them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sophiie.calendar_link.models import Covers


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
    cancelled: bool = False
    deleted: bool = False

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
        if not self.is_on:
            return False
        if covers == Covers.ALL or member in self.team:
            return True
        return covers == Covers.MINE and member == self.by

    def is_shown_by(self, event: dict[str, Any], *, privacy: str) -> bool:
        """Whether the event says what the appointment says, and no more than it may."""
        people = f"With: {', '.join(sorted(self.team))}"
        return (
            event.get("summary") == self.title
            and event.get("location", "") == self.location
            and (people in event.get("description", "")) == (privacy == "full")
            and self._same_time(event["start"], self.start)
            and self._same_time(event["end"], self.end)
        )

    def _same_time(self, shown: dict[str, Any], wanted: datetime) -> bool:
        if shown.get("timeZone") != self.timezone or "dateTime" not in shown:
            return False
        return datetime.fromisoformat(shown["dateTime"]) == wanted.astimezone(
            ZoneInfo(self.timezone)
        )
