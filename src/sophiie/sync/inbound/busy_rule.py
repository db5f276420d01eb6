"""Whether an event in Google makes somebody busy, and when: one pure rule.

Every event makes busy unless it is cancelled, marked as free, declined by the account, a birthday
or a working location. A tentative or unanswered event counts as busy: that is our decision, and a
person can decline it or mark it as free. The same rule judges types of events that are new to us.
Unknown is not free: where nobody can tell when an event is, the widest reading counts.

Source: the reference of events (`transparency`, `eventType`, `attendees`, `start`, `end`) and the
guides to status events and to the dates of events.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from sophiie.common.wall_time import start_of_day
from sophiie.common.zone_rules import zone as rules_of

EARLIEST, LATEST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
# The clocks of the world are at most so far ahead of UTC, and behind it.
MOST_AHEAD, MOST_BEHIND = timedelta(hours=14), timedelta(hours=12)


class Stretch(NamedTuple):
    """A stretch of time between two instants in UTC, up to but not including `end`."""

    start: datetime
    end: datetime


class Unclear(Stretch):
    """The widest reading of an event that cannot be understood. An edge of which nothing is known
    lies as far away as an instant can."""


class NotBusy(StrEnum):
    """Why an event takes no time: the first reason in this list that applies."""

    CANCELLED = "cancelled"
    WORKING_LOCATION = "working location"
    BIRTHDAY = "birthday"
    FREE = "marked as free"
    DECLINED = "declined"
    NO_LENGTH = "no length"


def busy_time(event: Any, *, zone: str, account: str) -> Stretch | NotBusy:
    """When the event makes the account busy, or the reason why it does not.

    `event` is an item as `CalendarClient.changes` returns it, `zone` the calendar's time zone
    (IANA) and `account` the address of the Google account. Never raises: of what cannot be
    understood, `Unclear` is the widest reading, which the caller reports. Such events exist in real
    calendars and must not stop a poll.

    An all-day event lasts from the start of its first day to the start of the day named as its end,
    by the clocks of `zone`, wherever the person is.
    """
    if not isinstance(event, dict):
        return Unclear(EARLIEST, LATEST)
    if reason := _taking_no_time(event, account):
        return reason
    start, end = (_edge(event.get(name), zone) for name in ("start", "end"))
    if start.kind and event["start"] == event.get("end"):
        return NotBusy.NO_LENGTH
    if not (start.is_clear and end.is_clear and start.kind == end.kind):
        return _widest(start, end)
    # A time that can be read in two ways keeps busy in both.
    if start.earliest < end.latest:
        return Stretch(start.earliest, end.latest)
    return NotBusy.NO_LENGTH if start.earliest == end.latest else _widest(start, end)


def _taking_no_time(event: dict[str, Any], account: str) -> NotBusy | None:
    # First, because Google may send nothing but the id of a deleted event.
    if event.get("status") == "cancelled":
        return NotBusy.CANCELLED
    match event.get("eventType"):
        case "workingLocation":
            return NotBusy.WORKING_LOCATION
        case "birthday":
            return NotBusy.BIRTHDAY
    if event.get("transparency") == "transparent":
        return NotBusy.FREE
    attendees = event.get("attendees")
    if isinstance(attendees, list) and any(_says_no(guest, account) for guest in attendees):
        return NotBusy.DECLINED
    return None


def _says_no(guest: Any, account: str) -> bool:
    """Whether this is the account's own row among the guests, and it declined.

    The row carries `self`. On a secondary calendar it sometimes does not, so the address counts as
    well where there is one.
    """
    if not isinstance(guest, dict) or guest.get("responseStatus") != "declined":
        return False
    address = str(guest.get("email") or "")
    return guest.get("self") is True or "" != address.casefold() == account.casefold()


class _Edge(NamedTuple):
    """Where an event begins or ends: between two instants. `kind`: "date", "dateTime", "" if
    neither is to be had. `is_clear` unless it is a guess."""

    earliest: datetime
    latest: datetime
    kind: str
    is_clear: bool


_UNKNOWN = _Edge(EARLIEST, LATEST, "", is_clear=False)


def _edge(time: Any, zone: str) -> _Edge:
    """What an EventDateTime says, which holds exactly one of `date` and `dateTime`."""
    if not isinstance(time, dict):
        return _UNKNOWN
    kinds = [kind for kind in ("date", "dateTime") if time.get(kind) is not None]
    try:
        found = [_EDGES[kind](time, zone) for kind in kinds]
    except (ArithmeticError, AttributeError, LookupError, OSError, TypeError, ValueError):
        return _UNKNOWN
    if len(found) == 1:
        return found[0]
    return _Edge(found[0].earliest, found[1].latest, "", is_clear=False) if found else _UNKNOWN


def _day(time: dict[str, Any], zone: str) -> _Edge:
    day = date.fromisoformat(time["date"])
    if _clocks(zone) is None:
        return _anywhere(datetime(day.year, day.month, day.day, tzinfo=UTC), "date")
    start = start_of_day(day, zone)
    return _Edge(start, start, "date", is_clear=True)


def _instant(time: dict[str, Any], zone: str) -> _Edge:
    """A `dateTime`. Without an offset, which Google rarely leaves out, it has two meanings where
    the clocks pass it twice or skip it."""
    if "T" not in time["dateTime"]:
        raise ValueError("a date in place of a time")
    moment = datetime.fromisoformat(time["dateTime"])
    if moment.tzinfo is None:
        clocks = _clocks(time.get("timeZone") or zone)
        if clocks is None:
            return _anywhere(moment.replace(tzinfo=UTC), "dateTime")
        moment = moment.replace(tzinfo=clocks)
    readings = [moment.replace(fold=choice).astimezone(UTC) for choice in (0, 1)]
    return _Edge(min(readings), max(readings), "dateTime", is_clear=True)


_EDGES = {"date": _day, "dateTime": _instant}


def _clocks(zone: Any) -> ZoneInfo | None:
    """None for a zone that our data does not know, or that is not said."""
    try:
        return rules_of(zone)
    except (AttributeError, LookupError, OSError, TypeError, ValueError):
        return None


def _anywhere(shown: datetime, kind: str) -> _Edge:
    """When clocks show this, somewhere in the world."""
    return _Edge(shown - MOST_AHEAD, shown + MOST_BEHIND, kind, is_clear=False)


def _widest(start: _Edge, end: _Edge) -> Unclear:
    if start.earliest < end.latest:
        return Unclear(start.earliest, end.latest)
    # It ends before it begins, or as it begins, and one of the two is no time of day.
    return Unclear(end.earliest, start.latest if start.latest > end.earliest else LATEST)
