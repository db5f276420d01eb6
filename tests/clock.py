"""What time it is in the tests: a pytest plugin (see docs/how-to/testing.md).

Every test begins at the same instant, an ordinary Tuesday, and time goes on from there; the
present day decides nothing. `--date` puts another instant in its place. A test with a parameter
`begins_at` begins there, one marked `every_date` on each of `DATES`; those that start real
processes keep the real clock.
"""

from __future__ import annotations

from collections.abc import Generator
from datetime import UTC, datetime

import pytest
import time_machine

# 13:17 in Sydney, 02:17 in London.
ORDINARY = datetime(2026, 12, 1, 2, 17, tzinfo=UTC)

# Days on which something is wrong more easily than on others: the nights when the clocks change
# in Sydney, London and Lord Howe, the ends of years and Februaries, and in Sydney each day of
# the week.
DATES = {
    "Sydney before its clocks go forward": "2026-10-03T13:30Z",  # Saturday, 23:30
    "Lord Howe before its clocks go forward": "2026-10-03T15:15Z",  # and 45 minutes before Sydney's
    "Lord Howe in the doubled half hour": "2027-04-03T15:10Z",  # and Sydney in the doubled hour
    "Sydney after its clocks went back": "2027-04-03T20:00Z",
    "London before its clocks go forward": "2027-03-28T00:59Z",
    "London in the doubled hour": "2026-10-25T01:30Z",
    "Saturday": "2026-11-28T03:00Z",
    "Monday, just begun": "2026-11-29T13:00Z",
    "Wednesday at 23:59": "2026-12-09T12:59Z",
    "New Year's Eve in Sydney at 23:59": "2026-12-31T12:59Z",  # Thursday
    "New Year's Eve in London at 23:30": "2026-12-31T23:30Z",  # Friday in Sydney
    "New Year's Eve in London at 23:59": "2026-12-31T23:59Z",
    "28 February of a leap year": "2028-02-27T22:00Z",
    "29 February": "2028-02-28T22:00Z",  # Tuesday
}

# The folders about processes as they are: the clock of a child process is the machine's.
REAL_CLOCK_FOLDERS = {"contract", "database", "google_simulator", "hostile", "ops"}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--date",
        help="the instant at which every test begins, in UTC: '2027-04-03 20:00'",
    )


def pytest_configure(config: pytest.Config) -> None:
    try:
        beginning(config)
    except ValueError:
        raise pytest.UsageError("Write the date as '2027-04-03 20:00', in UTC.") from None
    config.addinivalue_line("markers", "every_date: the test is run on each date of tests/clock.py")
    config.addinivalue_line("markers", "real_clock: the test keeps the machine's clock")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if metafunc.definition.get_closest_marker("every_date") and not metafunc.config.option.date:
        metafunc.fixturenames.append("begins_at")
        metafunc.parametrize("begins_at", DATES.values(), ids=DATES.keys())


@pytest.hookimpl(wrapper=True)
def pytest_collection(session: pytest.Session) -> Generator[None, object, object]:
    """What modules compute when they are imported is of the same day."""
    with _standing_at(beginning(session.config)):
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    if keeps_the_real_clock(item):
        return (yield)
    parameters = item.callspec.params if hasattr(item, "callspec") else {}
    own = parameters.get("begins_at")
    with _standing_at(_instant(own) if own else beginning(item.config)):
        return (yield)


def beginning(config: pytest.Config) -> datetime:
    """The instant at which tests begin that say nothing else."""
    return _instant(config.option.date) if config.option.date else ORDINARY


def must_be_real() -> None:
    """Called where real processes start: they would live on another day than their test."""
    if time_machine.escape_hatch.is_travelling():
        raise AssertionError("Mark tests that start real processes with `real_clock`.")


def keeps_the_real_clock(item: pytest.Item) -> bool:
    folder = item.path.parent.name
    return folder in REAL_CLOCK_FOLDERS or item.get_closest_marker("real_clock") is not None


def _standing_at(moment: datetime) -> time_machine.travel:
    # As a number: an aware moment would also change the zone of this process.
    return time_machine.travel(moment.timestamp())


def _instant(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)
