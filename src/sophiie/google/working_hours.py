"""Working hours as Google tells them: a part of an account's primary calendar."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_MINUTES_OF_A_DAY = 24 * 60


@dataclass(frozen=True)
class WorkingHours:
    """When somebody works, by the clocks of the zone: day of the week (Monday is 0), first minute
    of that day, and the minute after the last."""

    time_zone: str
    periods: tuple[tuple[int, int, int], ...]


def hours_in(calendar: Mapping[str, Any]) -> WorkingHours | None:
    """Those that calendars.get answers; None where there are none or they are switched off."""
    told = calendar.get("workingHours")
    if not isinstance(told, dict) or not told.get("workingHoursEnabled"):
        return None
    times = told.get("availableTimes")
    periods = [_period(one) for one in times] if isinstance(times, list) else []
    known = tuple(period for period in periods if period)
    return WorkingHours(str(calendar.get("timeZone", "")), known) if known else None


def _period(told: Any) -> tuple[int, int, int] | None:
    """One period; None for one that cannot be."""
    if not isinstance(told, dict) or told.get("dayOfWeek") not in _DAYS:
        return None
    start, end = told.get("periodStart", 0), told.get("periodEnd")
    if not (isinstance(start, int) and isinstance(end, int)):
        return None
    if not 0 <= start < end <= _MINUTES_OF_A_DAY:
        return None
    return _DAYS.index(told["dayOfWeek"]), start, end
