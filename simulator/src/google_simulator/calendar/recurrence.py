"""Series and their instances (facts 3.9).

A rule runs on the wall clock of the event's zone, so 9 o'clock stays 9 o'clock across DST; each
occurrence is then given its offset. Days stay days.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from itertools import islice, takewhile

from dateutil.rrule import rrulestr

from google_simulator import times
from google_simulator.model import Calendar, Event, Json

# An endless series is expanded this far; Google's own reach is unknown but was seen at ~700.
MAX_INSTANCES = 730
_UNTIL = re.compile(r"UNTIL=(\d{8})(T\d{6}Z?)?", re.IGNORECASE)
# Calendar repeats by days at the most.
_WITHIN_A_DAY = re.compile(r"FREQ=(SECONDLY|MINUTELY|HOURLY)", re.IGNORECASE)
_PROPERTY = re.compile(r"(RRULE|EXRULE|RDATE|EXDATE)[;:]", re.IGNORECASE)


class BadRecurrence(ValueError):
    """The lines are no recurrence that Calendar knows."""


@dataclass(frozen=True)
class Occurrence:
    """One planned start. `key` is the tail of the instance's id."""

    key: str
    start: Json
    end: Json


def span_of(event: Event, calendar: Calendar) -> tuple[float, float]:
    """Start and end as moments; a tombstone without times lies nowhere."""
    if event._span is None:
        where = times.zone(calendar.time_zone)
        resource = event.resource
        if "start" not in resource or "end" not in resource:
            event._span = (0.0, 0.0)
        else:
            event._span = (
                times.instant_of(resource["start"], where),
                times.instant_of(resource["end"], where),
            )
    return event._span


def check_recurrence(lines: list[str], start: Json) -> None:
    """Raise `BadRecurrence` unless the lines can be expanded."""
    for line in lines:
        if not _PROPERTY.match(line) or _WITHIN_A_DAY.search(line):
            raise BadRecurrence(line)
    try:
        next(_starts(lines, start), None)
    except (ValueError, TypeError, KeyError) as error:
        raise BadRecurrence(str(error)) from error


def occurrences(event: Event) -> list[Occurrence]:
    """All of a series, in order, up to the horizon. Kept until the event changes."""
    if event._series is None:
        event._series = list(_occurrences(event.resource))
    planned: list[Occurrence] = event._series
    return planned


def instances(event: Event, calendar: Calendar) -> Iterator[Event]:
    """The instances that have no exception of their own in the calendar."""
    for occurrence in occurrences(event):
        instance_id = f"{event.id}_{occurrence.key}"
        if instance_id not in calendar.events:
            yield instance_of(event, occurrence)


def instance_of(event: Event, occurrence: Occurrence) -> Event:
    """The event that stands for one occurrence of a series."""
    resource = {name: value for name, value in event.resource.items() if name != "recurrence"}
    resource |= {
        "start": occurrence.start,
        "end": occurrence.end,
        "recurringEventId": event.id,
        "originalStartTime": occurrence.start,
    }
    return Event(
        calendar_id=event.calendar_id,
        id=f"{event.id}_{occurrence.key}",
        resource=resource,
        created_by=event.created_by,
        order=event.order,
        version=event.version,
    )


def dropped_instances(event: Event, since: int) -> Iterator[Event]:
    """The instances that a change after the version `since` took out of the series."""
    for key, version in event.dropped.items():
        if version <= since:
            continue
        moment = datetime.fromisoformat(key)
        original = {"date": moment.date().isoformat()}
        if "T" in key:
            original = {"dateTime": times.rendered(moment)}
        resource = {
            "status": "cancelled",
            "recurringEventId": event.id,
            "originalStartTime": original,
            "start": original,
            "end": original,
        }
        yield Event(
            event.calendar_id,
            f"{event.id}_{key}",
            resource,
            order=event.order,
            version=event.version,
        )


def find_instance(calendar: Calendar, event_id: str) -> Event | None:
    """A planned instance by its id, if its series has one there."""
    series_id, _, key = event_id.rpartition("_")
    series = calendar.events.get(series_id)
    if series is None or not series.is_series:
        return None
    for occurrence in occurrences(series):
        if occurrence.key == key:
            return instance_of(series, occurrence)
    return None


def _occurrences(resource: Json) -> Iterator[Occurrence]:
    start, end = resource["start"], resource["end"]
    if "date" in start:
        length = date.fromisoformat(end["date"]) - date.fromisoformat(start["date"])
        for moment in islice(_starts(resource["recurrence"], start), MAX_INSTANCES):
            day = moment.date()
            yield Occurrence(
                day.strftime("%Y%m%d"),
                {"date": day.isoformat()},
                {"date": (day + length).isoformat()},
            )
        return
    start_zone, end_zone = times.zone(start["timeZone"]), times.zone(end["timeZone"])
    length = _wall(end) - _wall(start)
    for moment in islice(_starts(resource["recurrence"], start), MAX_INSTANCES):
        begins, ends = moment.replace(tzinfo=start_zone), (moment + length).replace(tzinfo=end_zone)
        yield Occurrence(
            times.compact(begins),
            {"dateTime": times.rendered(begins), "timeZone": start["timeZone"]},
            {"dateTime": times.rendered(ends), "timeZone": end["timeZone"]},
        )


def _wall(edge: Json) -> datetime:
    """The wall clock of an edge in its own zone."""
    return (
        datetime.fromisoformat(edge["dateTime"])
        .astimezone(times.zone(edge["timeZone"]))
        .replace(tzinfo=None)
    )


def _starts(lines: list[str], start: Json) -> Iterator[datetime]:
    """Wall clock starts, without zone."""
    where: tzinfo = UTC
    if "date" in start:
        first = datetime.fromisoformat(start["date"])
    else:
        first, where = _wall(start), times.zone(start["timeZone"])
    rules = [_without_zones(line, where) for line in lines]
    every = rrulestr("\n".join(rules), dtstart=first, forceset=True)
    return takewhile(lambda moment: moment.year < times.LAST_YEAR, every)


def _without_zones(line: str, where: tzinfo) -> str:
    """Bring UNTIL, RDATE and EXDATE to the series' wall clock, as dateutil needs it."""
    name, _, value = line.partition(":")
    if name.upper().startswith(("RDATE", "EXDATE")):
        asked = re.search(r"TZID=([^;:]+)", name)
        theirs = times.zone(asked.group(1)) if asked else where
        stamps = [_wall_stamp(stamp, theirs, where) for stamp in value.split(",")]
        return f"{name.split(';')[0].upper()}:{','.join(stamps)}"
    return _UNTIL.sub(lambda found: f"UNTIL={_until(found, where)}", line)


def _until(found: re.Match[str], where: tzinfo) -> str:
    day, clock = found.group(1), found.group(2)
    if clock is None:
        return f"{day}T235959"
    return _wall_stamp(day + clock.upper(), where, where)


def _wall_stamp(stamp: str, theirs: tzinfo, where: tzinfo) -> str:
    stamp = stamp.strip().upper()
    if "T" not in stamp:
        return f"{stamp}T000000"
    moment = datetime.strptime(stamp.rstrip("Z"), "%Y%m%dT%H%M%S").replace(
        tzinfo=UTC if stamp.endswith("Z") else theirs
    )
    return moment.astimezone(where).strftime("%Y%m%dT%H%M%S")
