"""Whether an event in Google makes somebody busy, and when: one pure rule.

Busy is what takes time: neither cancelled nor marked as free, not declined by the account, and
neither the place where somebody works nor a birthday. An event that is only tentative, or not
answered yet, counts as busy: that is our decision, a person can decline it or mark it as free.
Types of events that are new to us are judged by the same marks.

Source: the reference of events (`transparency`, `eventType`, `attendees`, `start`, `end`) and the
guides to status events and to the dates of events.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any, NamedTuple

from sophiie.common.wall_time import start_of_day
from sophiie.common.zone_rules import zone as rules_of


class Stretch(NamedTuple):
    """A stretch of time: two instants in UTC, `start` before `end`, which is no part of it."""

    start: datetime
    end: datetime


class NotBusy(StrEnum):
    """Why an event takes no time; of several reasons the first in this list is given."""

    CANCELLED = "cancelled"
    WORKING_LOCATION = "working location"
    BIRTHDAY = "birthday"
    FREE = "marked as free"
    DECLINED = "declined"
    BAD_DATA = "bad data"
    NO_LENGTH = "no length"


def busy_time(event: Any, *, zone: str, account: str) -> Stretch | NotBusy:
    """When the event makes the account busy, or the reason why it does not.

    `event` is an item as `CalendarClient.changes` tells it, `zone` the calendar's time zone (IANA)
    and `account` the address of the Google account. Never raises: whatever cannot be understood
    is `NotBusy.BAD_DATA`, which is for the caller to log. Such events exist in real calendars and
    must not stop a reading.

    An all-day event lasts from the start of its first day to the start of the day named as its
    end, as the clocks of `zone` have it, wherever its maker or its reader is.
    """
    if not isinstance(event, dict):
        return NotBusy.BAD_DATA
    if reason := _taking_no_time(event, account):
        return reason
    try:
        start, end = _edges(event["start"], event["end"], zone)
    except (ArithmeticError, AttributeError, LookupError, OSError, TypeError, ValueError):
        return NotBusy.BAD_DATA
    if start == end:
        return NotBusy.NO_LENGTH
    return Stretch(start, end) if start < end else NotBusy.BAD_DATA


def _taking_no_time(event: dict[str, Any], account: str) -> NotBusy | None:
    # Before all else, because of a deleted event nothing but its id is certain to be told.
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

    The row carries `self`; on a secondary calendar it was seen without, so the address counts as
    well where one is told.
    """
    if not isinstance(guest, dict) or guest.get("responseStatus") != "declined":
        return False
    address = str(guest.get("email") or "")
    return guest.get("self") is True or "" != address.casefold() == account.casefold()


def _edges(start: Any, end: Any, zone: str) -> tuple[datetime, datetime]:
    """The instants at which an event begins and ends; raises what Python raises for garbage."""
    if _is_all_day(start) != _is_all_day(end):
        raise ValueError("one end is a date, the other a time")
    if _is_all_day(start):
        days = date.fromisoformat(start["date"]), date.fromisoformat(end["date"])
        return start_of_day(days[0], zone), start_of_day(days[1], zone)
    if start == end:
        return _readings(start, zone)[0], _readings(end, zone)[0]
    # A time that can be read in two ways keeps busy in both.
    return min(_readings(start, zone)), max(_readings(end, zone))


def _is_all_day(time: dict[str, Any]) -> bool:
    """Whether an EventDateTime is a date; it holds exactly one of `date` and `dateTime`."""
    has_date, has_time = (time.get(name) is not None for name in ("date", "dateTime"))
    if has_date == has_time:
        raise ValueError("neither a date nor a time, or both")
    return has_date


def _readings(time: dict[str, Any], zone: str) -> tuple[datetime, datetime]:
    """The instant of a `dateTime`, twice. The two differ only for a time without offset that the
    clocks pass twice or skip; Google answers with an offset, so that is rare."""
    if "T" not in time["dateTime"]:
        raise ValueError("a date in place of a time")
    moment = datetime.fromisoformat(time["dateTime"])
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=rules_of(time.get("timeZone") or zone))
    first, second = (moment.replace(fold=choice).astimezone(UTC) for choice in (0, 1))
    return first, second
