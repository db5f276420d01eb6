"""The hours outside working time that the calendar page shades, and the days of a work week."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sophiie.accounts.models import Business, Member
from sophiie.accounts.people import active_members
from sophiie.availability.hours import joined, without, working_time
from sophiie.availability.plans import plan_of
from sophiie.common.clock import now
from sophiie.web.calendar.people import Person


@dataclass(frozen=True)
class Closed:
    """A stretch outside the working hours of one member or, with None, of the whole team."""

    member_id: UUID | None
    start: datetime
    end: datetime


def closed_hours(business: Business, start: datetime, end: datetime) -> list[Closed]:
    """The stretches to shade, for each member and for the team, in two queries."""
    team = list(active_members(business))
    hours = plan_of(business, team, start, end).hours
    # Most of a team has the same hours, which are worked out once.
    worked = {kept: working_time(kept, start, end) for kept in set(hours.values())}
    closed = [
        Closed(member_id, *stretch)
        for member_id, kept in hours.items()
        for stretch in without(start, end, worked[kept])
    ]
    somebody = joined(stretch for stretches in worked.values() for stretch in stretches)
    return [Closed(None, *stretch) for stretch in without(start, end, somebody)] + closed


_MONDAY_TO_FRIDAY = range(5)


def work_days(business: Business, people: Iterable[Person]) -> list[int]:
    """The days on which somebody of the team usually works, as JavaScript counts: Sunday is 0.

    Monday to Friday for a team that never works.
    """
    team = [Member(pk=person.id) for person in people if person.active]
    hours = plan_of(business, team, now(), now()).hours.values()
    worked = {day for kept in hours for day, spans in enumerate(kept.week) if spans}
    return sorted((day + 1) % 7 for day in worked or _MONDAY_TO_FRIDAY)
