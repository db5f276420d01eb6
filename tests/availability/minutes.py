"""The slow, obvious model: every minute is asked by itself whether it is free.

It shares no code with the product: no intervals, no SQL, no arithmetic with zones; a wall time is
found by looking at the clock minute by minute.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
Times = tuple[datetime, datetime]
Walls = tuple[time, time]
Distance = tuple[int | None, int | None, int]  # minutes before and after, and for the way
AS_USUAL: Distance = (None, None, 0)


def minutes(start: datetime, end: datetime) -> Iterable[datetime]:
    while start < end:
        yield start
        start += MINUTE


@dataclass
class Person:
    zone: str = "UTC"
    week: list[list[Walls]] = field(default_factory=lambda: [[] for _ in range(7)])
    off: list[tuple[date, date]] = field(default_factory=list)
    other: list[tuple[date, date, list[Walls]]] = field(default_factory=list)
    appointments: list[Times] = field(default_factory=list)  # blocking, and holds that hold
    distances: list[Distance] = field(default_factory=list)  # of these appointments, in order
    ignored: list[tuple[Times, str]] = field(default_factory=list)  # let go, or not blocking
    busy: list[Times] = field(default_factory=list)
    known: Times | None = None  # None: not linked
    readable: bool = True
    fresh: bool = False  # read just now, and not yesterday


@dataclass
class World:
    zone: str
    people: list[Person]
    moment: datetime
    start: datetime
    end: datetime
    duration: int = 30
    step: int = 15
    before: int = 0
    after: int = 0
    notice: int = 0
    window_days: int = 365
    # On what terms a time is asked for.
    asked: Distance = AS_USUAL
    asked_notice: int | None = None
    asked_window: int | None = None
    asked_people: int = 1
    holidays: list[tuple[date, date]] = field(default_factory=list)

    def offered(self) -> dict[datetime, set[int]]:
        """Every start that can be offered, and to whom."""
        zone = ZoneInfo(self.zone)
        today = self.moment.astimezone(zone).date()
        free = [_Free(self, person) for person in self.people]
        found: dict[datetime, set[int]] = {}
        for start in minutes(self.start, self.end):
            wall = start.astimezone(zone)
            if (wall.hour * 60 + wall.minute) % self.step:
                continue
            if start < self.moment + _or(self.asked_notice, self.notice) * MINUTE:
                continue
            if (wall.date() - today).days > _or(self.asked_window, self.window_days):
                continue
            end = start + self.duration * MINUTE
            if end > self.end:
                continue
            who = {n for n, one in enumerate(free) if one.at(start, end)}
            if len(who) >= self.asked_people:
                found[start] = who
        return found

    def distance(self, own: Distance) -> tuple[timedelta, timedelta]:
        """What has to be free before and after."""
        before, after, way = own
        before, after = _or(before, self.before), _or(after, self.after)
        return (before + way) * MINUTE, after * MINUTE


def _or(own: int | None, usual: int) -> int:
    return usual if own is None else own


class _Free:
    def __init__(self, world: World, person: Person) -> None:
        self.world, self.person = world, person
        self.working = _working_minutes(world, person)
        self.booked = set[datetime]()
        own = [*person.distances, *[AS_USUAL] * len(person.appointments)]
        for (start, end), distance in zip(person.appointments, own, strict=False):
            before, after = world.distance(distance)
            self.booked.update(minutes(start - before, end + after))
        self.busy = {minute for start, end in person.busy for minute in minutes(start, end)}

    def at(self, start: datetime, end: datetime) -> bool:
        person, world = self.person, self.world
        if not person.readable:
            return False
        if not all(minute in self.working for minute in minutes(start, end)):
            return False
        before, after = world.distance(world.asked)
        for minute in minutes(start - before, end + after):
            if minute in self.booked or minute in self.busy:
                return False
            if person.known and not person.known[0] <= minute < person.known[1]:
                return False
        return True


def _working_minutes(world: World, person: Person) -> set[datetime]:
    zone = ZoneInfo(person.zone)
    clock = [
        (minute, minute.astimezone(zone).replace(tzinfo=None))
        for minute in minutes(world.start - 3 * DAY, world.end + 3 * DAY)
    ]

    def first_showing(wall: datetime) -> datetime:
        return next(minute for minute, shown in clock if shown >= wall)

    working: set[datetime] = set()
    day = world.start.astimezone(zone).date() - DAY
    while day <= world.end.astimezone(zone).date():
        for starts, ends in _spans(world, person, day):
            last = day if ends > starts else day + DAY
            begin = first_showing(datetime.combine(day, starts))
            working.update(minutes(begin, first_showing(datetime.combine(last, ends))))
        day += DAY
    return working


def _spans(world: World, person: Person, day: date) -> list[Walls]:
    other = [spans for first, last, spans in person.other if first <= day <= last]
    if other:
        return [span for spans in other for span in spans]
    if any(first <= day <= last for first, last in [*person.off, *world.holidays]):
        return []
    return person.week[day.weekday()]
