"""Lengths and times as people say them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from sophiie.availability.words import at, length, times
from tests.conftest import SYDNEY

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
# Monday 30 November 2026, midnight in Sydney.
MONDAY = datetime(2026, 11, 29, 13, tzinfo=UTC)


@pytest.mark.parametrize(
    ("time", "said"),
    [
        (MINUTE, "1 minute"),
        (59 * MINUTE, "59 minutes"),
        (HOUR, "1 hour"),
        (90 * MINUTE, "90 minutes"),
        (2 * HOUR, "2 hours"),
        (23 * HOUR, "23 hours"),
        (DAY, "1 day"),
        (25 * HOUR, "25 hours"),
        (DAY + 30 * MINUTE, "1470 minutes"),
        (2 * DAY, "2 days"),
        (7 * DAY, "7 days"),
        (2 * HOUR + timedelta(seconds=30), "2 hours"),
    ],
)
def test_a_length_is_said_in_the_largest_unit_that_divides_it(time: timedelta, said: str) -> None:
    assert length(time) == said


@pytest.mark.parametrize(
    ("start", "end", "said"),
    [
        (9 * HOUR, 10 * HOUR, "09:00–10:00 on Monday 30 November 2026"),
        (timedelta(), DAY, "all day, Mon 30 November"),
        (timedelta(), 2 * DAY, "all day, Mon 30 November to Tue 1 December"),
        (
            23 * HOUR,
            25 * HOUR,
            "from 23:00 on Monday 30 November 2026 to 01:00 on Tuesday 1 December 2026",
        ),
        (
            HOUR,
            DAY,
            "from 01:00 on Monday 30 November 2026 to 00:00 on Tuesday 1 December 2026",
        ),
    ],
)
def test_the_day_is_said_once_if_both_ends_are_on_it(
    start: timedelta, end: timedelta, said: str
) -> None:
    assert times(MONDAY + start, MONDAY + end, SYDNEY) == said


def test_a_time_is_said_in_the_clocks_of_a_zone() -> None:
    assert at(MONDAY, SYDNEY) == "00:00 on Monday 30 November 2026"
    assert at(MONDAY, "UTC") == "13:00 on Sunday 29 November 2026"
