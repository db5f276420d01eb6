"""Google's way with times: RFC 3339 in, the reader's zone out (facts 3.8)."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, tzinfo
from functools import lru_cache
from typing import TypeVar
from zoneinfo import ZoneInfo, available_timezones

from google_simulator.model import Json

_OFFSET = re.compile(r"(Z|[+-]\d\d:\d\d)$", re.IGNORECASE)
_DATE = re.compile(r"\d{4}-\d\d-\d\d$")


FIRST_YEAR, LAST_YEAR = 2, 9998
Day = TypeVar("Day", date, datetime)


class BadTime(ValueError):
    """A text that is no time; callers know which field to blame."""


def zone(name: object) -> ZoneInfo:
    """A zone by its IANA name; the name comes from outside and may be anything."""
    if not isinstance(name, str) or name not in _known_zones():
        raise BadTime(f"Invalid time zone: {name}")
    return ZoneInfo(name)


@lru_cache(maxsize=1)
def _known_zones() -> frozenset[str]:
    return frozenset(available_timezones())


def parse_instant(text: str) -> datetime:
    """An RFC 3339 time whose offset is mandatory."""
    if not isinstance(text, str) or not _OFFSET.search(text):
        raise BadTime(text)
    try:
        return _convertible(datetime.fromisoformat(text))
    except ValueError as error:
        raise BadTime(text) from error


def parse_date(text: str) -> date:
    """A day as `2027-03-01`."""
    if not isinstance(text, str) or not _DATE.match(text):
        raise BadTime(text)
    try:
        return _convertible(date.fromisoformat(text))
    except ValueError as error:
        raise BadTime(text) from error


def _convertible(moment: Day) -> Day:
    """The first and the last year cannot be shown in every zone."""
    if not FIRST_YEAR <= moment.year <= LAST_YEAR:
        raise BadTime(str(moment))
    return moment


def parse_date_time(text: str, fallback: tzinfo | None, *, fold: int = 0) -> datetime:
    """A time with an offset, or a wall clock time in `fallback`.

    `fold` picks the side when the wall clock shows the time twice or never.
    """
    if not isinstance(text, str) or "T" not in text.upper():
        raise BadTime(text)
    try:
        moment = _convertible(datetime.fromisoformat(text))
    except ValueError as error:
        raise BadTime(text) from error
    if moment.tzinfo is None:
        if fallback is None:
            raise BadTime(text)
        moment = moment.replace(tzinfo=fallback, fold=fold)
    return moment.replace(microsecond=0)


def instant_of(edge: Json, calendar_zone: tzinfo) -> float:
    """The moment of a stored `start` or `end`; a day begins at the calendar's midnight."""
    if "date" in edge:
        day = date.fromisoformat(edge["date"])
        return datetime(day.year, day.month, day.day, tzinfo=calendar_zone).timestamp()
    return datetime.fromisoformat(edge["dateTime"]).timestamp()


def rendered(moment: datetime, zulu: bool = True) -> str:
    """Whole seconds with an offset. Nobody knows whether Google writes UTC as `Z` or `+00:00`."""
    text = moment.isoformat(timespec="seconds")
    return text[:-6] + "Z" if zulu and text.endswith("+00:00") else text


def compact(moment: datetime) -> str:
    """A moment as it stands in the ids of instances."""
    return moment.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def in_zone(seconds: float, where: tzinfo, zulu: bool = True) -> str:
    """A moment as the wall clock of a zone shows it."""
    return rendered(datetime.fromtimestamp(seconds, where), zulu)


def with_milliseconds(seconds: float) -> str:
    """A moment as `updated` spells it."""
    text = datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def without_milliseconds(seconds: float) -> str:
    """A moment as `created` spells it."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
