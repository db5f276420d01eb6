"""Wall-clock times and instants: what happens on the days when the clocks change.

A person says "02:30 on 4 October in Sydney". On two days a year such a time may not exist, or may
exist twice; nothing here guesses silently.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from importlib.resources import files
from zoneinfo import ZoneInfo, available_timezones

from django.utils.dateformat import format as as_text
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from sophiie.common.shown_clock import clock
from sophiie.common.zone_rules import forgets_with_the_rules
from sophiie.common.zone_rules import zone as rules_of


class TimeDoesNotExist(Exception):
    """The clocks skip this wall time."""

    def __init__(self, wall: datetime, zone: str, before: time, after: time) -> None:
        self.wall, self.zone, self.before, self.after = wall, zone, before, after
        super().__init__(
            _(
                "%(time)s does not exist on %(day)s in %(zone)s: the clocks go forward from "
                "%(before)s to %(after)s."
            )
            % {
                "time": clock(wall),
                "day": _day(wall),
                "zone": zone,
                "before": clock(before),
                "after": clock(after),
            }
        )


class TimeIsAmbiguous(Exception):
    """The clocks pass this wall time twice; `choices` are both instants, the earlier first."""

    def __init__(self, wall: datetime, zone: str, choices: tuple[datetime, datetime]) -> None:
        self.wall, self.zone, self.choices = wall, zone, choices
        super().__init__(
            _(
                "%(time)s happens twice on %(day)s in %(zone)s, because the clocks go back: "
                "choose the first or the second."
            )
            % {"time": clock(wall), "day": _day(wall), "zone": zone}
        )


def _day(wall: datetime) -> str:
    return as_text(wall, pgettext("date as Django writes it", "j F Y"))


# Under these the world's common time goes; other names of no place are POSIX leftovers.
_COMMON_TIME = frozenset(
    {
        *("UTC", "UCT", "GMT", "Greenwich", "Universal", "Zulu", "GMT0", "GMT+0", "GMT-0"),
        *("Etc/UTC", "Etc/UCT", "Etc/GMT", "Etc/Greenwich", "Etc/Universal", "Etc/Zulu"),
        *("Etc/GMT0", "Etc/GMT+0", "Etc/GMT-0"),
    }
)


@lru_cache(maxsize=1)
def zone_names() -> frozenset[str]:
    """The IANA names that count as zones: places, and the common time by each of its names."""
    return frozenset(
        name
        for name in available_timezones()
        if name in _COMMON_TIME
        or ("/" in name and not name.startswith(("Etc/", "SystemV/", "posix")))
    )


@lru_cache(maxsize=1)
def zone_choices() -> tuple[str, ...]:
    """The zones to offer in a list: one for each place, without the old spellings.

    Source: `zone.tab` of the IANA time zone database.
    """
    table = files("tzdata.zoneinfo").joinpath("zone.tab").read_text()
    rows = [line.split("\t") for line in table.splitlines() if not line.startswith("#")]
    return ("UTC", *sorted({row[2] for row in rows} & zone_names()))


def is_zone(name: str) -> bool:
    return name in zone_names()


def in_zone(instant: datetime, zone: str) -> datetime:
    """The instant as the clocks of `zone` show it."""
    return instant.astimezone(rules_of(zone))


def instant_of(wall: datetime, zone: str, *, fold: int | None = None) -> datetime:
    """The instant (UTC) at which the clocks of `zone` show the naive time `wall`.

    `fold` 0 or 1 chooses the first or second of an ambiguous time. Raises `TimeDoesNotExist`, or
    `TimeIsAmbiguous` when `fold` is None and a choice is needed.
    """
    first, second = (_read_as(wall, zone, choice) for choice in (0, 1))
    if first == second:
        return first
    if first > second:  # in a gap, fold=0 takes the offset before the change and lands later
        raise TimeDoesNotExist(wall, zone, *_gap(wall, zone))
    if fold is None:
        raise TimeIsAmbiguous(wall, zone, (in_zone(first, zone), in_zone(second, zone)))
    return second if fold else first


def instant_near(wall: datetime, zone: str, *, near: datetime) -> datetime:
    """The instant (UTC) nearest to `near` at which the clocks of `zone` show `wall`; of a time that
    they skip, the nearest one at which they would show it."""
    choices = [_read_as(wall, zone, fold) for fold in (0, 1)]
    return min(choices, key=lambda choice: abs(choice - near))


def _read_as(wall: datetime, zone: str, fold: int) -> datetime:
    return wall.replace(tzinfo=rules_of(zone), fold=fold).astimezone(UTC)


def _gap(wall: datetime, zone: str) -> tuple[time, time]:
    """The wall times at which the gap around `wall` begins and ends."""
    start = wall.replace(second=0, microsecond=0)
    while not exists(start - timedelta(minutes=1), zone):
        start -= timedelta(minutes=1)
    end = wall.replace(second=0, microsecond=0)
    while not exists(end, zone):
        end += timedelta(minutes=1)
    return start.time(), end.time()


def exists(wall: datetime, zone: str) -> bool:
    """Whether clocks ever show this time: when they go forward, they skip some."""
    tz = rules_of(zone)
    return wall.replace(tzinfo=tz).astimezone(UTC).astimezone(tz).replace(tzinfo=None) == wall


def is_shown_once(wall: datetime, zone: str) -> bool:
    """Whether this time means exactly one instant, so that there is nothing to ask."""
    try:
        instant_of(wall, zone)
    except (TimeDoesNotExist, TimeIsAmbiguous):
        return False
    return True


def local_day(day: date, zone: str) -> tuple[datetime, datetime]:
    """The instants at which the calendar day `day` begins and ends in `zone` (23 to 25 hours)."""
    return start_of_day(day, zone), start_of_day(day + timedelta(days=1), zone)


def whole_days(start: datetime, end: datetime, zone: str) -> tuple[date, date] | None:
    """The first and the last day, if the time is made of whole calendar days in `zone`."""
    first, after = in_zone(start, zone).date(), in_zone(end, zone).date()
    if first < after and start == start_of_day(first, zone) and end == start_of_day(after, zone):
        return first, after - timedelta(days=1)
    return None


def start_of_day(day: date, zone: str) -> datetime:
    """The first instant (UTC) of a calendar day.

    If the clocks skip midnight, it is the moment of the change; of a doubled midnight, it is the
    first. Raises `OverflowError` at the very ends of the calendar.
    """
    return first_moment(datetime.combine(day, time()), zone)


@lru_cache(maxsize=20_000)  # months of working hours ask for the same few thousand
def first_moment(wall: datetime, zone: str) -> datetime:
    """The first instant (UTC) at which the clocks of `zone` show the naive time `wall`, or later.

    So a skipped time becomes the moment of the change, and of a doubled time the first counts.
    Raises `OverflowError` at the very ends of the calendar.
    """
    tz = rules_of(zone)
    first, second = (_read_as(wall, zone, choice) for choice in (0, 1))
    if first <= second:
        return first

    def shown(seconds: int) -> bool:
        return (second + timedelta(seconds=seconds)).astimezone(tz).replace(tzinfo=None) >= wall

    # In a gap the two readings lie on both sides of the change, or one is on it.
    gap = range(int((first - second).total_seconds()))
    return second + timedelta(seconds=bisect_left(gap, True, key=shown))


def steady_stretches(
    start: datetime, end: datetime, zone: str
) -> list[tuple[datetime, datetime, timedelta]]:
    """Cuts the period where the clocks of `zone` change: instants (UTC) with the offset between
    them."""
    tz, stretches = rules_of(zone), []
    here, offset = start.astimezone(UTC), _ahead(start, tz)
    begin = here
    while here < end:
        # Clocks never change twice within a day.
        after = min(here + timedelta(days=1), end.astimezone(UTC))
        if (new := _ahead(after, tz)) != offset:
            seconds = range(int((after - here).total_seconds()))
            change = here + timedelta(
                seconds=bisect_left(seconds, True, key=_changed_since(here, offset, tz))
            )
            stretches.append((begin, change, offset))
            begin, offset = change, new
        here = after
    if begin < here:
        stretches.append((begin, here, offset))
    return stretches


def _ahead(instant: datetime, tz: ZoneInfo) -> timedelta:
    return instant.astimezone(tz).utcoffset() or timedelta()


def _changed_since(moment: datetime, offset: timedelta, tz: ZoneInfo) -> Callable[[int], bool]:
    return lambda seconds: _ahead(moment + timedelta(seconds=seconds), tz) != offset


for _remembered in (zone_names, zone_choices, first_moment):
    forgets_with_the_rules(_remembered.cache_clear)
