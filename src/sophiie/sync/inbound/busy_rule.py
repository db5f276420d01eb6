"""Whether an event in Google makes somebody busy, and when: one pure rule.

Every event makes busy unless it is cancelled, marked as free, declined by the account, a birthday
or a working location. A tentative or unanswered event counts as busy: that is our decision, and a
person can decline it or mark it as free. The same rule judges types of events that are new to us.

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
    """A stretch of time between two instants in UTC, up to but not including `end`."""

    start: datetime
    end: datetime


class NotBusy(StrEnum):
    """Why an event takes no time: the first reason in this list that applies."""

    CANCELLED = "cancelled"
    WORKING_LOCATION = "working location"
    BIRTHDAY = "birthday"
    FREE = "marked as free"
    DECLINED = "declined"
    BAD_DATA = "bad data"
    NO_LENGTH = "no length"


def busy_time(event: Any, *, zone: str, account: str) -> Stretch | NotBusy:
    """When the event makes the account busy, or the reason why it does not.

    `event` is an item as `CalendarClient.changes` returns it, `zone` the calendar's time zone
    (IANA) and `account` the address of the Google account. Never raises: whatever cannot be
    understood is `NotBusy.BAD_DATA`, which the caller logs. Such events exist in real calendars and
    must not stop a poll.

    An all-day event lasts from the start of its first day to the start of the day named as its end,
    by the clocks of `zone`, wherever the person is.
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


def _edges(start: Any, end: Any, zone: str) -> tuple[datetime, datetime]:
    """The instants at which an event begins and ends; raises what Python raises for garbage."""
    if _is_all_day(start) != _is_all_day(end):
        raise ValueError("one end is a date, the other a time")
    if _is_all_day(start):
        days = date.fromisoformat(start["date"]), date.fromisoformat(end["date"])
        return start_of_day(days[0], zone), start_of_day(days[1], zone)
    if start == end:
        return _readings(start, zone)[0], _readings(end, zone)[0]
    # An ambiguous time makes busy in both of its meanings.
    return min(_readings(start, zone)), max(_readings(end, zone))


def _is_all_day(time: dict[str, Any]) -> bool:
    """Whether an EventDateTime is a date; it holds exactly one of `date` and `dateTime`."""
    has_date, has_time = (time.get(name) is not None for name in ("date", "dateTime"))
    if has_date == has_time:
        raise ValueError("neither a date nor a time, or both")
    return has_date


def _readings(time: dict[str, Any], zone: str) -> tuple[datetime, datetime]:
    """Both meanings of a `dateTime`. They differ only for a time without offset that the clocks
    pass twice or skip, which is rare: Google answers with an offset."""
    if "T" not in time["dateTime"]:
        raise ValueError("a date in place of a time")
    moment = datetime.fromisoformat(time["dateTime"])
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=rules_of(time.get("timeZone") or zone))
    first, second = (moment.replace(fold=choice).astimezone(UTC) for choice in (0, 1))
    return first, second
