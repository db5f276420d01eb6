"""The hours that the calendar page shades: when nobody works."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sophiie.accounts.models import Business
from sophiie.accounts.people import active_members
from sophiie.availability.hours import joined, without, working_time
from sophiie.availability.plans import plan_of


@dataclass(frozen=True)
class Closed:
    """A stretch outside working hours: of one member, or (None) of the whole team."""

    member_id: UUID | None
    start: datetime
    end: datetime


def closed_hours(business: Business, start: datetime, end: datetime) -> list[Closed]:
    """What to shade in the period, for each member and for the team: two queries."""
    team = list(active_members(business))
    hours = plan_of(business, team, start, end).hours
    # Members of the same hours, most of a team, are worked out once.
    worked = {kept: working_time(kept, start, end) for kept in set(hours.values())}
    closed = [
        Closed(member_id, *stretch)
        for member_id, kept in hours.items()
        for stretch in without(start, end, worked[kept])
    ]
    somebody = joined(stretch for stretches in worked.values() for stretch in stretches)
    return [Closed(None, *stretch) for stretch in without(start, end, somebody)] + closed
