"""The hours that the calendar page shades: when nobody works."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sophiie.accounts.models import Business


@dataclass(frozen=True)
class Closed:
    """A stretch outside working hours: of one member, or of the whole team."""

    member_id: UUID | None
    start: datetime
    end: datetime


def closed_hours(business: Business, start: datetime, end: datetime) -> list[Closed]:
    """What to shade in the period. Nothing, as long as nobody can say when they work."""
    return []
