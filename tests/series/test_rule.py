"""The days of a rule, held against `dateutil` and against a slow model, and its two forms."""

from __future__ import annotations

import calendar
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import islice

import pytest
from dateutil.rrule import rrulestr
from hypothesis import given, settings
from hypothesis import strategies as st

from sophiie.series.errors import InvalidSeries
from sophiie.series.rule import Frequency, Rule, ShortMonths, read
from tests.conftest import SYDNEY
from tests.series.making import FIRST, rule, wall

days = st.dates(date(2027, 1, 1), date(2059, 1, 1))
weekdays = st.integers(0, 6)
ends = st.one_of(
    st.just({}),
    st.fixed_dictionaries({"count": st.integers(1, 366)}),
    st.fixed_dictionaries({"until": days}),
)


@st.composite
def rules(draw: st.DrawFn) -> Rule:
    frequency = draw(st.sampled_from(Frequency))
    more: dict[str, object] = dict(draw(ends))
    if frequency == Frequency.WEEKLY:
        more["weekdays"] = tuple(draw(st.sets(weekdays, min_size=1)))
        more["week_start"] = draw(weekdays)
    elif frequency == Frequency.MONTHLY and draw(st.booleans()):
        more |= {"nth": draw(st.sampled_from((1, 2, 3, 4, -1))), "weekday": draw(weekdays)}
    elif frequency == Frequency.MONTHLY:
        more["day"] = draw(st.integers(1, 31))
        more["short_months"] = draw(st.sampled_from(ShortMonths))
    return Rule(frequency=frequency, interval=draw(st.integers(1, 99)), **more)  # type: ignore[arg-type]


def slow_days(rule: Rule, first: date) -> Iterator[date]:
    """Looks at every day of forty years and more and asks whether it is one of the rule."""
    for n in range(40 * 365):
        day = first + timedelta(days=n)
        if rule.until is not None and day > rule.until:
            return
        if is_of(rule, first, day):
            yield day


def is_of(rule: Rule, first: date, day: date) -> bool:
    if rule.frequency == Frequency.DAILY:
        return (day - first).days % rule.interval == 0
    if rule.frequency == Frequency.WEEKLY:
        weeks = (week_of(rule, day) - week_of(rule, first)) // 7
        return weeks % rule.interval == 0 and day.weekday() in rule.weekdays
    months = (day.year - first.year) * 12 + day.month - first.month
    if months % rule.interval:
        return False
    length = calendar.monthrange(day.year, day.month)[1]
    if rule.nth is not None:
        nth = (day.day - 1) // 7 + 1
        is_last = day.day + 7 > length
        return day.weekday() == rule.weekday and (is_last if rule.nth == -1 else nth == rule.nth)
    assert rule.day is not None
    if rule.short_months == ShortMonths.LAST_DAY:
        return day.day == min(rule.day, length)
    return day.day == rule.day


def week_of(rule: Rule, day: date) -> int:
    """The ordinal of the day on which the week of this day begins."""
    return day.toordinal() - (day.weekday() - rule.week_start) % 7


@settings(max_examples=25)
@given(rules(), days)
def test_a_rule_has_the_days_of_the_slow_model(rule: Rule, first: date) -> None:
    horizon = first + timedelta(days=40 * 365)

    def some(found: Iterator[date]) -> list[date]:
        return [day for day in islice(found, 400) if day < horizon]

    assert some(rule.days(first)) == some(slow_days(rule, first))


@given(rules(), days)
def test_what_a_rule_says_means_the_same_to_others(rule: Rule, first: date) -> None:
    """Everybody's reading of RFC 5545, but for the last day of short months, which it lacks."""
    if rule.day is not None and rule.short_months == ShortMonths.LAST_DAY:
        return
    begins = wall(f"{first} 00:00")  # UNTIL means that day's beginning to `dateutil`
    theirs = islice(rrulestr(rule.as_text(), dtstart=begins), 50)
    ours = islice(rule.days(first), min(50, rule.count or 50))
    last = date(2099, 12, 31)  # ours end with the century
    assert [at.date() for at in theirs if at.date() <= last] == list(ours)


@given(rules(), days)
def test_a_rule_survives_being_written(rule: Rule, first: date) -> None:
    begins = wall(f"{first} 09:00")
    again = read(rule.as_text(), first=begins, zone=SYDNEY, short_months=rule.short_months)
    assert again == rule


@given(rules(), days, st.integers(-20, 20))
def test_a_moved_rule_has_as_many_days_in_step(rule: Rule, first: date, by: int) -> None:
    """Whoever moves one visit moves the others by as much: days and weeks keep their distances."""
    if rule.frequency == Frequency.MONTHLY:
        return
    rule = rule.ending()
    before = list(islice(rule.days(first), 60))
    here = before[0]
    moved = rule.moved(here, here + timedelta(days=by))
    after = islice(moved.days(here + timedelta(days=by)), len(before))
    assert list(after) == [day + timedelta(days=by) for day in before]


READ = {
    "weekday of the first": ("FREQ=WEEKLY", "FREQ=WEEKLY;BYDAY=TU"),
    "day of the first": ("FREQ=MONTHLY;COUNT=3", "FREQ=MONTHLY;BYMONTHDAY=12;COUNT=3"),
    "with its name": ("RRULE:FREQ=DAILY;INTERVAL=2", "FREQ=DAILY;INTERVAL=2"),
    "in small letters": ("freq=weekly;byday=th,tu;count=4", "FREQ=WEEKLY;BYDAY=TU,TH;COUNT=4"),
    "a plus": ("FREQ=MONTHLY;BYDAY=+2TU", "FREQ=MONTHLY;BYDAY=2TU"),
    "the last Friday": ("FREQ=MONTHLY;BYDAY=-1FR", "FREQ=MONTHLY;BYDAY=-1FR"),
    "until an instant": ("FREQ=DAILY;UNTIL=20270131T220000Z", "FREQ=DAILY;UNTIL=20270201"),
    "until just before": ("FREQ=DAILY;UNTIL=20270131T215959Z", "FREQ=DAILY;UNTIL=20270131"),
}


@pytest.mark.parametrize(("text", "means"), READ.values(), ids=[*READ])
def test_what_a_rule_leaves_out_is_that_of_the_first_visit(text: str, means: str) -> None:
    assert rule(text).as_text() == means


def test_the_last_day_of_the_month_can_be_written_as_others_do() -> None:
    found = rule("FREQ=MONTHLY;BYMONTHDAY=-1")
    assert list(islice(found.days(date(2027, 1, 1)), 3)) == [
        date(2027, 1, 31),
        date(2027, 2, 28),
        date(2027, 3, 31),
    ]


def test_the_29th_of_february_is_stated() -> None:
    yearly = "FREQ=MONTHLY;INTERVAL=12;BYMONTHDAY=29"
    leap = wall("2028-02-29 09:00")
    skip = rule(yearly, first=leap)
    assert [d.year for d in islice(skip.days(leap.date()), 3)] == [2028, 2032, 2036]
    last = rule(yearly, first=leap, short_months=ShortMonths.LAST_DAY)
    assert list(islice(last.days(leap.date()), 2)) == [date(2028, 2, 29), date(2029, 2, 28)]


@pytest.mark.parametrize(
    "text", ["FREQ=WEEKLY;COUNT=0", "FREQ=WEEKLY;COUNT=-3", "FREQ=", "COUNT=2"]
)
def test_what_is_no_rule_is_refused(text: str) -> None:
    with pytest.raises(InvalidSeries):
        rule(text, first=FIRST)
