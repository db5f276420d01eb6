"""When the rest of a series is after a change of its rule or its time: pure, like `planning.py`.

A series keeps its number of visits: what is left after a change is as many as before, unless the
rule says another number, and then those that have been count as well.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import islice

from django.utils.translation import gettext as _

from sophiie.series.errors import InvalidSeries
from sophiie.series.planning import ClockAnswers, Timing
from sophiie.series.rule import FIRST_DAY, LAST_DAY, Frequency, Rule


@dataclass(frozen=True, kw_only=True)
class NewTime:
    """What is to change; None stays. `start` is when the visit that was pointed at is to begin, on
    the clocks of the series' zone."""

    rule: Rule | None = None
    start: datetime | None = None
    length: timedelta | None = None
    left_out: frozenset[date] | None = None
    answers: ClockAnswers | None = None

    @property
    def is_any(self) -> bool:
        return any(
            value is not None for value in (self.rule, self.start, self.length, self.left_out)
        )

    def later_than(self, day: date) -> timedelta:
        """By how many days the visit of this day, which was pointed at, moves."""
        return timedelta() if self.start is None else self.start.date() - day


AS_BEFORE = NewTime()


@dataclass(frozen=True, kw_only=True)
class Rest:
    """What is left of a series before a change: it begins with visit `number` on `day` and has
    `count` visits, or no end. `pointed_at` is the day of the visit that a new start is about."""

    number: int
    day: date
    pointed_at: date
    count: int | None


def new_timing(old: Timing, change: NewTime, rest: Rest) -> Timing:
    """The timing of the rest of a series. Raises `InvalidSeries`."""
    moved_to = rest.pointed_at if change.start is None else change.start.date()
    timing = replace(
        old,
        first=datetime.combine(rest.day, (change.start or old.first).time()),
        length=change.length or old.length,
        left_out=old.left_out if change.left_out is None else change.left_out,
        answers=change.answers or old.answers,
    )
    if change.rule is not None:
        day = rest.day + (moved_to - rest.pointed_at)
        rule = _with_count_left(change.rule, rest.number)
        return replace(timing, rule=rule, first=datetime.combine(day, timing.first.time()))
    if moved_to != rest.pointed_at:
        return _moved(timing, rest, moved_to)
    if old.rule.count is not None:
        timing = replace(timing, rule=old.rule.ending(count=rest.count))
    return timing


def _with_count_left(rule: Rule, number: int) -> Rule:
    if rule.count is None:
        return rule
    left = rule.count - (number - 1)
    if left < 1:
        words = _("COUNT includes the visits before: it is %(least)s at least.")
        raise InvalidSeries({"rule": words % {"least": number}})
    return rule.ending(count=left)


def _moved(timing: Timing, rest: Rest, moved_to: date) -> Timing:
    """The same visits on other days, as many as before, and left out are the days that take the
    place of those that were."""
    rule = timing.rule.moved(rest.pointed_at, moved_to)
    day = _first_day(rule, rest, moved_to)
    timing = replace(
        timing,
        rule=rule.ending(count=rest.count),
        first=datetime.combine(day, timing.first.time()),
        left_out=frozenset(_moved_days(timing.left_out, rule, rest, moved_to)),
    )
    if rule.until is None or rest.count is None:
        return timing
    return replace(timing, rule=rule.ending(until=_last_day(timing, rest.count)))


def _last_day(timing: Timing, count: int) -> date:
    """Raises `InvalidSeries` if all days left are left out or after the year 2099."""
    days = (day for day in timing.rule.days(timing.first.date()) if day not in timing.left_out)
    found = list(islice(days, count))
    if not found:
        raise InvalidSeries({"rule": _("This rule leads to no visit.")})
    return found[-1]


def _first_day(rule: Rule, rest: Rest, moved_to: date) -> date:
    """Where the moved rule begins. In months nobody can just add days: it begins in the month of
    the first visit, or as many months later as the visit was moved."""
    if rule.frequency != Frequency.MONTHLY or rest.day == rest.pointed_at:
        return rest.day + (moved_to - rest.pointed_at)
    return _month_of(rest.day, _months(rest.pointed_at, moved_to))


def _months(before: date, after: date) -> int:
    return (after.year - before.year) * 12 + after.month - before.month


def _month_of(day: date, later: int) -> date:
    """The first day of the month so many months later."""
    year, month = divmod(day.year * 12 + day.month - 1 + later, 12)
    return date(year, month + 1, 1)


def _moved_days(left_out: Collection[date], rule: Rule, rest: Rest, moved_to: date) -> set[date]:
    left_out = [day for day in left_out if FIRST_DAY <= day <= LAST_DAY]
    if rule.frequency != Frequency.MONTHLY:
        return {day + (moved_to - rest.pointed_at) for day in left_out}
    later = _months(rest.pointed_at, moved_to)
    months = {_month_of(day, later) for day in left_out}
    return {day for month in months for day in _in_month(rule, month)}


def _in_month(rule: Rule, month: date) -> list[date]:
    every_month = replace(rule, interval=1, count=None, until=_month_of(month, 1))
    return [day for day in every_month.days(month) if day.month == month.month]
