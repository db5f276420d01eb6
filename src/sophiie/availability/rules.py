"""The booking rules of a business: buffers, notice, window and step.

A value with its defaults and limits; it does not know where it is stored.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

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

    So at least `buffer_after` plus `buffer_before` lies between two appointments. Busy time
    elsewhere has no buffers, but may not reach into those of an appointment. Buffers may lie
    outside working hours.
    """

    buffer_before_minutes: int = 0
    buffer_after_minutes: int = 0
    notice_minutes: int = 0
    window_days: int = 365
    step_minutes: int = 15

    @property
    def before(self) -> timedelta:
        return timedelta(minutes=self.buffer_before_minutes)

    @property
    def after(self) -> timedelta:
        return timedelta(minutes=self.buffer_after_minutes)

    @property
    def between(self) -> timedelta:
        """The least time between two appointments."""
        return self.before + self.after

    def earliest_start(self, moment: datetime) -> datetime:
        return moment + timedelta(minutes=self.notice_minutes)

    def window_end(self, moment: datetime, zone: str) -> datetime:
        """Appointments start before this: the end of the last day that can be booked."""
        today = in_zone(moment, zone).date()
        return start_of_day(today + timedelta(days=self.window_days + 1), zone)
