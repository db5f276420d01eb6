"""The instants of a series: nine stays nine, and what the clocks do is asked, never guessed."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sophiie.series.errors import ClocksAsk
from sophiie.series.planning import ClockAnswers, Doubled, Skipped, end_of, plan
from sophiie.series.rule import MAX_VISITS
from tests.series.making import HOUR, timing, wall

ZONES = ("Australia/Sydney", "Europe/London", "America/New_York", "Australia/Lord_Howe")
ANSWERED = ClockAnswers(Skipped.LATER, Doubled.FIRST)
starts = st.datetimes(wall("2027-01-01"), wall("2067-01-01"))


def shown(instant: datetime, zone: str) -> datetime:
    """What the clocks show, by the library's own rules."""
    return instant.astimezone(ZoneInfo(zone)).replace(tzinfo=None)


def is_shown_once(moment: datetime, zone: str) -> bool:
    """Tries every offset there is, a quarter of an hour apart."""
    offsets = (timedelta(minutes=15 * n) for n in range(-48, 57))
    return sum(shown((moment - by).replace(tzinfo=UTC), zone) == moment for by in offsets) == 1


@settings(max_examples=40)
@given(starts, st.sampled_from(ZONES), st.sampled_from(["DAILY", "WEEKLY", "MONTHLY"]))
def test_the_clocks_show_the_same_time_at_every_visit(
    first: datetime, zone: str, frequency: str
) -> None:
    first = first.replace(second=0, microsecond=0)
    series = timing(f"FREQ={frequency};COUNT=60", first=first, zone=zone, answers=ANSWERED)
    visits = plan(series)
    assert len(visits) == 60
    assert [visit.number for visit in visits] == list(range(1, 61))
    for visit in visits:
        at = datetime.combine(visit.day, first.time())
        if is_shown_once(at, zone):
            assert shown(visit.start, zone) == at
        assert visit.end - visit.start == HOUR


@settings(max_examples=15)
@given(starts, st.sampled_from(ZONES))
def test_exactly_the_times_that_clocks_do_not_show_once_are_asked_about(
    first: datetime, zone: str
) -> None:
    first = first.replace(minute=first.minute // 15 * 15, second=0, microsecond=0)
    asked: set[date] = set()
    series = timing("FREQ=DAILY;COUNT=366", first=first, zone=zone)
    try:
        plan(series)
    except ClocksAsk as error:
        asked = {question.day for question in error.questions}
    wanted = [first.date() + timedelta(days=n) for n in range(366)]
    unclear = {d for d in wanted if not is_shown_once(datetime.combine(d, first.time()), zone)}
    assert asked == unclear


BEFORE, AFTER = "2027-03-27T01:30+00:00", "2027-03-29T01:30+01:00"
SKIPPED = {
    Skipped.LEAVE_OUT: [BEFORE, AFTER, "2027-03-30T01:30+01:00"],
    Skipped.EARLIER: [BEFORE, "2027-03-28T00:30+00:00", AFTER],
    Skipped.LATER: [BEFORE, "2027-03-28T02:30+01:00", AFTER],
}


@pytest.mark.parametrize(("answer", "expected"), SKIPPED.items(), ids=[*SKIPPED])
def test_a_skipped_time_is_where_the_answer_says(answer: Skipped, expected: list[str]) -> None:
    """And left out means that three visits stay three."""
    first = wall("2027-03-27 01:30")
    series = timing(
        "FREQ=DAILY;COUNT=3", first=first, zone="Europe/London", answers=ClockAnswers(answer)
    )
    found = [v.start.astimezone(ZoneInfo("Europe/London")) for v in plan(series)]
    assert [at.isoformat(timespec="minutes") for at in found] == expected


@pytest.mark.parametrize(
    ("answer", "hour"), [(Doubled.FIRST, 0), (Doubled.SECOND, 1)], ids=["first", "second"]
)
def test_a_doubled_time_is_the_one_that_is_chosen(answer: Doubled, hour: int) -> None:
    """In London 01:30 happens twice on 31 October 2027: at 00:30 and at 01:30 UTC."""
    first = wall("2027-10-31 01:30")
    series = timing(
        "FREQ=DAILY;COUNT=1", first=first, zone="Europe/London", answers=ClockAnswers(None, answer)
    )
    (visit,) = plan(series)
    assert visit.start == datetime(2027, 10, 31, hour, 30, tzinfo=UTC)


def test_days_are_days_of_the_calendar_and_hours_are_hours() -> None:
    """On the night of 28 March 2027 London's clocks go forward."""
    zone = "Europe/London"
    evening = datetime(2027, 3, 27, 22, tzinfo=UTC)
    assert shown(end_of(evening, timedelta(days=1), zone), zone) == wall("2027-03-28 22:00")
    assert shown(end_of(evening, timedelta(hours=8), zone), zone) == wall("2027-03-28 07:00")


def test_left_out_days_do_not_count() -> None:
    christmas = [date(2027, 12, 21), date(2027, 12, 28)]
    first = wall("2027-12-07 09:00")
    visits = plan(timing("FREQ=WEEKLY;COUNT=5", first=first, left_out=christmas))
    assert [visit.day.isoformat() for visit in visits] == [
        "2027-12-07",
        "2027-12-14",
        "2028-01-04",
        "2028-01-11",
        "2028-01-18",
    ]


def test_a_series_without_an_end_is_planned_up_to_its_horizon() -> None:
    visits = plan(timing("FREQ=WEEKLY"), through=date(2027, 2, 2))
    assert [visit.day.day for visit in visits] == [12, 19, 26, 2]
    every_day = plan(timing("FREQ=DAILY"), through=date(2030, 1, 1))
    assert len(every_day) == MAX_VISITS
