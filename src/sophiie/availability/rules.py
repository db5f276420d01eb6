"""The booking rules of a business: buffers, notice, window and step.

A value with its defaults and limits; it does not know where it is stored.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sophiie.appointments.rules import MAX_TRAVEL_MINUTES
from sophiie.common.wall_time import in_zone, start_of_day

# The least and the most that each rule may be.
LIMITS = {
    "buffer_before_minutes": (0, 8 * 60),
    "buffer_after_minutes": (0, 8 * 60),
    "notice_minutes": (0, 60 * 24 * 60),
    "window_days": (1, 3 * 365),
    "step_minutes": (5, 24 * 60),
}


@dataclass(frozen=True, kw_only=True)
class Rules:
    """An appointment takes its own time and both its buffers, which never overlap another's.

    So at least the `buffer_after` of one plus the `buffer_before` of the next lies between two
    appointments. One that was booked for a service has the service's buffers. Busy time
    elsewhere has no buffers, but may not reach into those of an appointment. Buffers may lie
    outside working hours.
    """

    buffer_before_minutes: int = 0
    buffer_after_minutes: int = 0
    notice_minutes: int = 0
    window_days: int = 365
    step_minutes: int = 15

    def under(self, terms: Terms) -> Rules:
        """The rules for a time that is asked for on these terms."""
        own = {name: value for name in _OWN if (value := getattr(terms, name)) is not None}
        rules = replace(self, **own)
        if not terms.travel_minutes:
            return rules
        way = rules.buffer_before_minutes + terms.travel_minutes
        return replace(rules, buffer_before_minutes=way)

    @property
    def before(self) -> timedelta:
        return timedelta(minutes=self.buffer_before_minutes)

    @property
    def after(self) -> timedelta:
        return timedelta(minutes=self.buffer_after_minutes)

    def earliest_start(self, moment: datetime) -> datetime:
        return moment + timedelta(minutes=self.notice_minutes)

    def window_end(self, moment: datetime, zone: str) -> datetime:
        """Appointments start before this: the end of the last day that can be booked."""
        today = in_zone(moment, zone).date()
        return start_of_day(today + timedelta(days=self.window_days + 1), zone)


# What a service may have of its own.
_OWN = ("buffer_before_minutes", "buffer_after_minutes", "notice_minutes", "window_days")
# Nothing keeps a greater distance from others, before and after.
GREATEST_BEFORE = timedelta(minutes=LIMITS["buffer_before_minutes"][1] + MAX_TRAVEL_MINUTES)
GREATEST_AFTER = timedelta(minutes=LIMITS["buffer_after_minutes"][1])


@dataclass(frozen=True, kw_only=True)
class Terms:
    """On what terms a time is asked for: a service has its own, where they are not None, in place
    of the business's rules. The way there counts like a buffer before."""

    buffer_before_minutes: int | None = None
    buffer_after_minutes: int | None = None
    notice_minutes: int | None = None
    window_days: int | None = None
    travel_minutes: int = 0
    # How many members it takes at once.
    people: int = 1


USUAL = Terms()
