"""Wall-clock times on the days when clocks are changed, in both hemispheres."""

from datetime import UTC, date, datetime, timedelta

import pytest

from sophiie.common.wall_time import (
    TimeDoesNotExist,
    TimeIsAmbiguous,
    instant_of,
    is_zone,
    local_day,
    start_of_day,
    zone_choices,
)


def wall(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("text", "zone", "expected"),
    [
        ("2026-11-24 09:00", "Australia/Sydney", "2026-11-23T22:00+00:00"),
        ("2026-06-24 09:00", "Australia/Sydney", "2026-06-23T23:00+00:00"),
        ("2026-11-24 09:00", "Asia/Kathmandu", "2026-11-24T03:15+00:00"),
        ("2026-11-24 09:00", "UTC", "2026-11-24T09:00+00:00"),
    ],
)
def test_a_wall_time_is_read_in_its_zone(text: str, zone: str, expected: str) -> None:
    assert instant_of(wall(text), zone) == datetime.fromisoformat(expected)


@pytest.mark.parametrize(
    ("text", "zone", "before", "after"),
    [
        ("2026-10-04 02:30", "Australia/Sydney", "02:00", "03:00"),
        ("2026-03-29 01:00", "Europe/London", "01:00", "02:00"),
        ("2026-03-08 02:59", "America/New_York", "02:00", "03:00"),
        ("2026-10-04 02:15", "Australia/Lord_Howe", "02:00", "02:30"),  # half an hour
    ],
)
def test_a_skipped_time_is_named_with_the_change(
    text: str, zone: str, before: str, after: str
) -> None:
    with pytest.raises(TimeDoesNotExist) as caught:
        instant_of(wall(text), zone)
    assert f"from {before} to {after}" in str(caught.value)
    assert zone in str(caught.value)


@pytest.mark.parametrize(
    ("text", "zone"),
    [("2026-04-05 02:30", "Australia/Sydney"), ("2026-10-25 01:30", "Europe/London")],
)
def test_a_doubled_time_has_to_be_chosen(text: str, zone: str) -> None:
    with pytest.raises(TimeIsAmbiguous) as caught:
        instant_of(wall(text), zone)
    # Python never calls a doubled time equal to one in another zone: compare in UTC.
    first, second = (choice.astimezone(UTC) for choice in caught.value.choices)
    assert instant_of(wall(text), zone, fold=0) == first
    assert instant_of(wall(text), zone, fold=1) == second
    assert second - first == timedelta(hours=1)


@pytest.mark.parametrize(
    ("day", "zone", "hours"),
    [
        (date(2026, 10, 4), "Australia/Sydney", 23),
        (date(2026, 4, 5), "Australia/Sydney", 25),
        (date(2026, 3, 29), "Europe/London", 23),
        (date(2026, 11, 24), "Europe/London", 24),
    ],
)
def test_a_day_has_the_hours_its_clocks_give_it(day: date, zone: str, hours: int) -> None:
    start, end = local_day(day, zone)
    assert end - start == timedelta(hours=hours)


@pytest.mark.parametrize(
    ("day", "zone", "expected"),
    [
        (date(2026, 11, 24), "Australia/Sydney", "2026-11-23T13:00+00:00"),
        # Midnight does not exist: the clocks go from 00:00 to 01:00.
        (date(2026, 9, 6), "America/Santiago", "2026-09-06T04:00+00:00"),
        # Nor here: from 23:30 to 00:30, so the day begins at half past twelve.
        (date(1919, 3, 31), "America/Toronto", "1919-03-31T04:30+00:00"),
        # Midnight happens twice; the day begins with the first.
        (date(2025, 11, 2), "America/Havana", "2025-11-02T04:00+00:00"),
        # A day that the island skipped, and the one that came in its place.
        (date(2011, 12, 30), "Pacific/Apia", "2011-12-30T10:00+00:00"),
        (date(2011, 12, 31), "Pacific/Apia", "2011-12-30T10:00+00:00"),
    ],
)
def test_a_day_begins_with_its_first_instant(day: date, zone: str, expected: str) -> None:
    assert start_of_day(day, zone) == datetime.fromisoformat(expected)


@pytest.mark.parametrize(
    "name", ["UTC", "Etc/UTC", "GMT", "Etc/GMT", "Zulu", "Etc/Universal", "Etc/GMT-0", "UCT"]
)
def test_common_time_is_a_zone_by_each_of_its_names(name: str) -> None:
    assert is_zone(name)
    assert instant_of(datetime.fromisoformat("2027-07-06T09:00"), name).isoformat() == (
        "2027-07-06T09:00:00+00:00"
    )


def test_zones_are_places_and_utc() -> None:
    assert is_zone("Australia/Sydney")
    assert is_zone("UTC")
    assert not is_zone("Mars/Phobos")
    assert not is_zone("EST")
    assert not is_zone("../etc/passwd")
    assert not is_zone("Etc/GMT+5")
    assert "Australia/Sydney" in zone_choices()
    assert "Australia/NSW" not in zone_choices()
