"""Working hours as instants: days on which clocks change, midnight, exceptions, holidays."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest

from sophiie.availability.hours import (
    USUAL_WEEK,
    DayKind,
    Hours,
    Span,
    Special,
    joined,
    spans_from_json,
    week_as_json,
    week_from_json,
    without,
    working_time,
)
from sophiie.common.wall_time import first_moment, in_zone, start_of_day, steady_stretches

DAY = timedelta(days=1)


def spans(*texts: str) -> tuple[Span, ...]:
    return spans_from_json([text.split("-") for text in texts])


def every_day(*texts: str) -> tuple[tuple[Span, ...], ...]:
    return (spans(*texts),) * 7


def worked(hours: Hours, day: str) -> list[str]:
    """The working time of a local day, in the clocks of the member."""
    first = date.fromisoformat(day)
    start, end = start_of_day(first, hours.zone), start_of_day(first + DAY, hours.zone)
    found = working_time(hours, start, end)
    return [f"{in_zone(a, hours.zone):%H:%M}-{in_zone(b, hours.zone):%H:%M}" for a, b in found]


def test_the_usual_week_is_nine_to_five_without_the_weekend() -> None:
    hours = Hours("Australia/Sydney")
    assert worked(hours, "2026-11-27") == ["09:00-17:00"]
    assert worked(hours, "2026-11-28") == worked(hours, "2026-11-29") == []
    assert worked(hours, "2026-11-30") == ["09:00-17:00"]


@pytest.mark.parametrize(
    ("zone", "before", "after"),
    [
        ("Australia/Sydney", "2027-04-03", "2027-04-05"),
        ("Australia/Sydney", "2027-10-02", "2027-10-04"),
        ("Europe/London", "2027-03-27", "2027-03-29"),
        ("America/New_York", "2027-11-06", "2027-11-08"),
        ("Australia/Lord_Howe", "2027-10-02", "2027-10-04"),
    ],
)
def test_nine_is_nine_before_and_after_the_clocks_change(
    zone: str, before: str, after: str
) -> None:
    """Who adds days to an instant is an hour off for half of the year."""
    hours = Hours(zone, every_day("09:00-17:00"))
    first, last = (start_of_day(date.fromisoformat(d), zone) for d in (before, after))
    found = working_time(hours, first, last + DAY)
    assert len(found) == 3
    assert [f"{in_zone(a, zone):%H:%M}" for a, _ in found] == ["09:00"] * 3
    assert [b - a for a, b in found] == [timedelta(hours=8)] * 3
    assert found[0][0] + 2 * DAY != found[2][0]


@pytest.mark.parametrize(
    ("zone", "day", "span", "expected", "minutes"),
    [
        # Forward: 02:00 to 03:00 does not exist.
        ("Australia/Sydney", "2027-10-03", "01:00-02:30", ["01:00-03:00"], 60),
        ("Australia/Sydney", "2027-10-03", "02:30-04:00", ["03:00-04:00"], 60),
        ("Australia/Sydney", "2027-10-03", "02:15-02:45", [], 0),
        ("Australia/Sydney", "2027-10-03", "00:00-06:00", ["00:00-06:00"], 300),
        ("Europe/London", "2027-03-28", "00:30-01:30", ["00:30-02:00"], 30),
        ("America/New_York", "2027-03-14", "02:30-04:00", ["03:00-04:00"], 60),
        ("Australia/Lord_Howe", "2027-10-03", "01:45-02:15", ["01:45-02:30"], 15),
        ("America/Santiago", "2027-09-05", "00:30-02:00", ["01:00-02:00"], 60),
        # Back: 02:00 to 03:00 happens twice, and the first of them counts.
        ("Australia/Sydney", "2027-04-04", "01:00-02:30", ["01:00-02:30"], 90),
        ("Australia/Sydney", "2027-04-04", "02:30-04:00", ["02:30-04:00"], 150),
        ("Australia/Sydney", "2027-04-04", "02:15-02:45", ["02:15-02:45"], 30),
        ("Europe/London", "2027-10-31", "00:30-01:30", ["00:30-01:30"], 60),
        ("Australia/Lord_Howe", "2027-04-04", "01:00-03:00", ["01:00-03:00"], 150),
    ],
)
def test_a_span_in_the_hour_that_is_missing_or_doubled(
    zone: str, day: str, span: str, expected: list[str], minutes: int
) -> None:
    hours = Hours(zone, every_day(span))
    assert worked(hours, day) == expected
    start = start_of_day(date.fromisoformat(day), zone)
    found = working_time(hours, start, start_of_day(date.fromisoformat(day) + DAY, zone))
    assert sum((b - a for a, b in found), timedelta()) == timedelta(minutes=minutes)


def test_a_day_that_never_was_has_no_hours() -> None:
    """Samoa went from Thursday the 29th to Saturday the 31st."""
    hours = Hours("Pacific/Apia", every_day("09:00-17:00"))
    start = datetime(2011, 12, 29, tzinfo=UTC)
    found = working_time(hours, start, start + 4 * DAY)
    assert [in_zone(a, "Pacific/Apia").day for a, _ in found] == [28, 29, 31, 1, 2]


def test_a_night_shift_belongs_to_the_day_on_which_it_begins() -> None:
    friday = (*((),) * 4, spans("22:00-06:00"), (), ())
    hours = Hours("Australia/Sydney", friday)
    assert worked(hours, "2026-11-27") == ["22:00-00:00"]
    assert worked(hours, "2026-11-28") == ["00:00-06:00"]
    off = Hours("Australia/Sydney", friday, (Special(date(2026, 11, 28), date(2026, 11, 28)),))
    assert worked(off, "2026-11-28") == ["00:00-06:00"]
    off = Hours("Australia/Sydney", friday, (Special(date(2026, 11, 27), date(2026, 11, 27)),))
    assert worked(off, "2026-11-28") == []


def test_a_night_shift_is_one_stretch_whole_days_are_one_week() -> None:
    hours = Hours("Australia/Sydney", every_day("00:00-00:00"))
    start = datetime(2027, 4, 1, tzinfo=UTC)
    assert working_time(hours, start, start + 7 * DAY) == [(start, start + 7 * DAY)]


def test_several_spans_a_day_and_those_that_touch_are_one() -> None:
    hours = Hours("UTC", every_day("13:00-17:00", "08:00-12:00", "17:00-18:00"))
    assert worked(hours, "2026-11-27") == ["08:00-12:00", "13:00-18:00"]


def test_the_most_particular_word_counts() -> None:
    day = date(2026, 12, 25)
    holiday = Special(day, day, name="Christmas Day", for_everybody=True)
    off = Special(date(2026, 12, 20), date(2026, 12, 31))
    other = Special(day, day, spans("10:00-12:00"))
    another = Special(day, day, spans("15:00-16:00"))

    def on(*special: Special) -> tuple[DayKind, tuple[Span, ...]]:
        found = Hours("UTC", USUAL_WEEK, special).on(day)
        return found.kind, found.spans

    assert on() == (DayKind.WEEKDAY, spans("09:00-17:00"))
    assert on(holiday) == (DayKind.HOLIDAY, ())
    assert on(holiday, off) == (DayKind.DAY_OFF, ())
    assert on(off, other, holiday) == (DayKind.OTHER_HOURS, spans("10:00-12:00"))
    assert on(other, another) == (DayKind.OTHER_HOURS, spans("10:00-12:00", "15:00-16:00"))
    assert Hours("UTC", USUAL_WEEK, (off,)).on(date(2027, 1, 1)).kind == DayKind.WEEKDAY
    boxing = Special(day, day, name="Office closed", for_everybody=True)
    assert Hours("UTC", USUAL_WEEK, (holiday, boxing)).on(day).name == "Christmas Day"


def test_a_date_is_meant_in_the_members_zone() -> None:
    """A day off in New York begins when Sydney has afternoon."""
    day = date(2026, 12, 1)
    hours = Hours("America/New_York", every_day("00:00-00:00"), (Special(day, day),))
    start = datetime(2026, 11, 30, tzinfo=UTC)
    assert working_time(hours, start, start + 4 * DAY) == [
        (start, datetime(2026, 12, 1, 5, tzinfo=UTC)),
        (datetime(2026, 12, 2, 5, tzinfo=UTC), start + 4 * DAY),
    ]


def test_a_week_survives_being_kept() -> None:
    week = (*every_day("22:00-06:00", "09:00-12:30")[:6], ())
    assert week_from_json(week_as_json(week)) == tuple(tuple(sorted(d)) for d in week)


def test_what_is_left_of_a_time() -> None:
    at = [datetime(2026, 1, 1, hour, tzinfo=UTC) for hour in range(10)]
    assert joined([(at[3], at[4]), (at[1], at[2]), (at[2], at[3]), (at[5], at[5])]) == [
        (at[1], at[4])
    ]
    assert without(at[0], at[9], []) == [(at[0], at[9])]
    assert without(at[0], at[9], [(at[0], at[2]), (at[4], at[9])]) == [(at[2], at[4])]
    assert without(at[2], at[4], [(at[0], at[9])]) == []
    assert without(at[2], at[6], [(at[3], at[4])]) == [(at[2], at[3]), (at[4], at[6])]


@pytest.mark.parametrize(
    ("zone", "wall", "expected"),
    [
        ("Australia/Sydney", "2027-10-03T02:30", "2027-10-02T16:00+00:00"),
        ("Australia/Sydney", "2027-10-03T03:00", "2027-10-02T16:00+00:00"),
        ("Australia/Sydney", "2027-04-04T02:30", "2027-04-03T15:30+00:00"),
        ("Europe/London", "2027-03-28T01:00", "2027-03-28T01:00+00:00"),
        ("America/Santiago", "2027-09-05T00:00", "2027-09-05T04:00+00:00"),
        ("Asia/Kathmandu", "2027-09-05T09:00", "2027-09-05T03:15+00:00"),
    ],
)
def test_the_first_moment_of_a_wall_time(zone: str, wall: str, expected: str) -> None:
    assert first_moment(datetime.fromisoformat(wall), zone) == datetime.fromisoformat(expected)


def test_a_year_is_cut_where_the_clocks_change() -> None:
    start, end = datetime(2027, 1, 1, tzinfo=UTC), datetime(2028, 1, 1, tzinfo=UTC)
    hours = timedelta(hours=1)
    assert steady_stretches(start, end, "Australia/Sydney") == [
        (start, datetime(2027, 4, 3, 16, tzinfo=UTC), 11 * hours),
        (datetime(2027, 4, 3, 16, tzinfo=UTC), datetime(2027, 10, 2, 16, tzinfo=UTC), 10 * hours),
        (datetime(2027, 10, 2, 16, tzinfo=UTC), end, 11 * hours),
    ]
    assert steady_stretches(start, end, "UTC") == [(start, end, timedelta())]
    assert steady_stretches(start, start, "UTC") == []
    change = datetime(2027, 4, 3, 16, tzinfo=UTC)
    assert steady_stretches(change, end, "Australia/Sydney")[0][0] == change
    assert [s[1] for s in steady_stretches(start, change, "Australia/Sydney")] == [change]


def test_time_is_never_lost_at_the_ends_of_a_period() -> None:
    hours = Hours("Europe/London", every_day("22:00-06:00"))
    middle = datetime(2026, 11, 27, 2, 30, tzinfo=UTC)
    assert working_time(hours, middle, middle + timedelta(hours=1)) == [
        (middle, middle + timedelta(hours=1))
    ]
    assert working_time(hours, middle, middle) == []
    assert Span(time(9), time(9)).ends_next_day
