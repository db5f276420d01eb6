"""Times and lengths as people say them, in the clocks of a zone."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from sophiie.common.wall_time import in_zone

_UNITS = (("day", 24 * 60), ("hour", 60), ("minute", 1))


def length(time: timedelta) -> str:
    """A length in the largest unit that it is whole in: "2 hours", "90 minutes"."""
    minutes = int(time.total_seconds()) // 60
    name, size = next((n, s) for n, s in _UNITS if not minutes % s)
    return f"{minutes // size} {name}" + ("" if minutes // size == 1 else "s")


def day_words(day: date) -> str:
    return f"{day:%A} {day.day} {day:%B %Y}"


def at(moment: datetime, zone: str) -> str:
    wall = in_zone(moment, zone)
    return f"{wall:%H:%M} on {day_words(wall.date())}"


def times(start: datetime, end: datetime, zone: str) -> str:
    """From when to when; the day once, if both are on it."""
    first, last = in_zone(start, zone), in_zone(end, zone)
    if first.date() == last.date():
        return f"{first:%H:%M}–{last:%H:%M} on {day_words(first.date())}"
    return f"from {at(start, zone)} to {at(end, zone)}"
