"""The steps of the clock on which appointments can start."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from itertools import pairwise

import pytest

from sophiie.availability.grid import grid_of, is_on_grid, nearest_steps
from sophiie.common.wall_time import first_moment, in_zone, start_of_day


def steps(day: str, zone: str, minutes: int) -> list[datetime]:
    first = date.fromisoformat(day)
    start, end = start_of_day(first, zone), start_of_day(first + timedelta(days=1), zone)
    step, found = timedelta(minutes=minutes), []
    for piece in grid_of(start, end, zone=zone, step=step):
        here = piece.origin
        while here < piece.end:
            if here >= piece.start:
                found.append(here)
            here += step
    return found


@pytest.mark.parametrize("zone", ["Australia/Sydney", "Asia/Kathmandu", "America/St_Johns", "UTC"])
def test_steps_count_from_midnight_on_the_clocks_of_the_business(zone: str) -> None:
    shown = [f"{in_zone(step, zone):%H:%M}" for step in steps("2026-11-27", zone, 15)]
    assert shown[:5] == ["00:00", "00:15", "00:30", "00:45", "01:00"]
    assert len(shown) == 96


@pytest.mark.parametrize(
    ("zone", "day", "minutes", "around"),
    [
        ("Australia/Sydney", "2027-10-03", 60, ["01:00", "03:00", "04:00"]),
        ("Australia/Sydney", "2027-10-03", 90, ["01:30", "03:00", "04:30"]),
        ("Australia/Sydney", "2027-04-04", 60, ["01:00", "02:00", "02:00", "03:00"]),
        ("Australia/Sydney", "2027-04-04", 45, ["01:30", "02:15", "02:15", "03:00"]),
        ("Australia/Lord_Howe", "2027-10-03", 60, ["01:00", "03:00", "04:00"]),
        ("Australia/Lord_Howe", "2027-04-04", 60, ["01:00", "02:00", "03:00"]),
        ("Australia/Lord_Howe", "2027-04-04", 30, ["01:00", "01:30", "01:30", "02:00"]),
        ("Europe/London", "2027-03-28", 30, ["00:30", "02:00", "02:30"]),
    ],
)
def test_steps_stay_on_the_clock_when_it_changes(
    zone: str, day: str, minutes: int, around: list[str]
) -> None:
    shown = [f"{in_zone(step, zone):%H:%M}" for step in steps(day, zone, minutes)]
    first = shown.index(around[0])
    assert shown[first : first + len(around)] == around


@pytest.mark.parametrize("minutes", [25, 50, 7])
def test_a_step_that_does_not_divide_a_day_begins_anew_at_midnight(minutes: int) -> None:
    found = steps("2027-04-04", "Australia/Sydney", minutes)
    assert f"{in_zone(found[0], 'Australia/Sydney'):%H:%M}" == "00:00"
    next_day = steps("2027-04-05", "Australia/Sydney", minutes)
    assert f"{in_zone(next_day[0], 'Australia/Sydney'):%H:%M}" == "00:00"


def test_it_does_so_also_within_a_longer_period() -> None:
    zone, step = "Australia/Sydney", timedelta(minutes=25)
    start = start_of_day(date(2026, 11, 27), zone)
    pieces = grid_of(start, start + timedelta(days=3), zone=zone, step=step)
    assert [f"{in_zone(piece.origin, zone):%d %H:%M}" for piece in pieces] == [
        *("27 00:00", "28 00:00", "29 00:00")
    ]


@pytest.mark.parametrize("zone", ["Australia/Sydney", "Australia/Lord_Howe", "Asia/Kathmandu"])
@pytest.mark.parametrize("minutes", [5, 15, 25, 45, 60, 90])
@pytest.mark.parametrize("day", ["2027-04-04", "2027-10-03", "2026-11-27"])
def test_the_pieces_are_exactly_the_steps_of_the_clock(zone: str, minutes: int, day: str) -> None:
    step = timedelta(minutes=minutes)
    found = steps(day, zone, minutes)
    assert all(a < b for a, b in pairwise(found))
    here, expected = found[0], []
    while in_zone(here, zone).date() == date.fromisoformat(day):
        if is_on_grid(here, zone=zone, step=step):
            expected.append(here)
        here += timedelta(minutes=1)
    assert found == expected


def test_the_steps_around_a_time() -> None:
    zone, step = "Australia/Sydney", timedelta(minutes=15)

    def near(clock: str) -> list[str]:
        moment = first_moment(datetime.fromisoformat(f"2026-11-27T{clock}"), zone)
        return [
            f"{in_zone(s, zone):%H:%M}" if s else ""
            for s in nearest_steps(moment, zone=zone, step=step)
        ]

    assert near("10:07") == ["10:00", "10:15"]
    assert near("23:55") == ["23:45", ""]
    assert not is_on_grid(datetime.fromisoformat("2026-11-27T10:00:01Z"), zone=zone, step=step)
