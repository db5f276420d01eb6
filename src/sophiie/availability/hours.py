"""When a member works: a week, the days that differ from it, and both as instants.

Pure: no database, no clock. A wall time is the first moment at which the member's clocks show it or
a later one (`wall_time.first_moment`). So when the clocks go forward, a span that begins in the
skipped hour begins after it, and one that lies entirely in it does not happen. When they go back, a
span begins and ends with the first pass of the doubled hour.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Any

from sophiie.common.shown_clock import clock
from sophiie.common.wall_time import first_moment, in_zone

Stretch = tuple[datetime, datetime]


@dataclass(frozen=True, order=True)
class Span:
    """From one wall time to another; an end at or before the start is on the following day."""

    starts: time
    ends: time

    @property
    def ends_next_day(self) -> bool:
        return self.ends <= self.starts

    def on(self, day: date, zone: str) -> Stretch:
        last = day + timedelta(days=1) if self.ends_next_day else day
        return (
            first_moment(datetime.combine(day, self.starts), zone),
            first_moment(datetime.combine(last, self.ends), zone),
        )

    def __str__(self) -> str:
        return f"{clock(self.starts)}–{clock(self.ends)}"


Spans = tuple[Span, ...]
Week = tuple[Spans, ...]  # Monday to Sunday

_NINE_TO_FIVE = (Span(time(9), time(17)),)
USUAL_WEEK: Week = (_NINE_TO_FIVE,) * 5 + ((), ())


class DayKind(StrEnum):
    WEEKDAY = "weekday"
    OTHER_HOURS = "other_hours"
    DAY_OFF = "day_off"
    HOLIDAY = "holiday"


@dataclass(frozen=True)
class Special:
    """Days that differ from the week; see `models.SpecialDay`."""

    first_day: date
    last_day: date
    spans: Spans = ()
    name: str = ""
    for_everybody: bool = False

    @property
    def kind(self) -> DayKind:
        if self.for_everybody:
            return DayKind.HOLIDAY
        return DayKind.OTHER_HOURS if self.spans else DayKind.DAY_OFF


@dataclass(frozen=True)
class Day:
    kind: DayKind
    spans: Spans
    name: str = ""


# The most specific entry wins: hours given for a date, then the member's absence, then the
# business's holiday, then the week.
_PARTICULAR = (DayKind.OTHER_HOURS, DayKind.DAY_OFF, DayKind.HOLIDAY)


@dataclass(frozen=True)
class Hours:
    """Everything that decides when one member works."""

    zone: str
    week: Week = USUAL_WEEK
    special: tuple[Special, ...] = field(default=())

    def on(self, day: date) -> Day:
        """What applies on a calendar day. A span belongs to the day on which it begins."""
        found = [s for s in self.special if s.first_day <= day <= s.last_day]
        for kind in _PARTICULAR:
            if of_kind := [s for s in found if s.kind == kind]:
                spans = tuple(span for special in of_kind for span in special.spans)
                return Day(kind, spans, of_kind[0].name)
        return Day(DayKind.WEEKDAY, self.week[day.weekday()])


def working_time(hours: Hours, start: datetime, end: datetime) -> list[Stretch]:
    """When the member works from `start` to `end`: instants in order, none touching the next."""
    day, last = in_zone(start, hours.zone).date(), in_zone(end, hours.zone).date()
    day -= timedelta(days=1)  # a span that begins there may run into the period
    stretches = []
    while day <= last:
        stretches += [span.on(day, hours.zone) for span in hours.on(day).spans]
        day += timedelta(days=1)
    return joined((max(a, start), min(b, end)) for a, b in stretches)


def joined(stretches: Iterable[Stretch]) -> list[Stretch]:
    """The same time in order, without empty stretches; those that touch become one."""
    merged: list[Stretch] = []
    for start, end in sorted(stretches):
        if start >= end:
            continue
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def without(start: datetime, end: datetime, stretches: Iterable[Stretch]) -> list[Stretch]:
    """What is left of the time from `start` to `end` without these stretches (in order)."""
    left, here = [], start
    for begin, stop in stretches:
        if begin > here:
            left.append((here, min(begin, end)))
        here = max(here, stop)
    if here < end:
        left.append((here, end))
    return [(a, b) for a, b in left if a < b]


# How spans are stored in JSON.


def spans_as_json(spans: Spans) -> list[list[str]]:
    return [[f"{span.starts:%H:%M}", f"{span.ends:%H:%M}"] for span in sorted(spans)]


def spans_from_json(value: list[list[str]]) -> Spans:
    return tuple(Span(time.fromisoformat(a), time.fromisoformat(b)) for a, b in value)


def week_as_json(week: Week) -> list[list[list[str]]]:
    return [spans_as_json(spans) for spans in week]


def week_from_json(value: list[Any]) -> Week:
    return tuple(spans_from_json(spans) for spans in value)
