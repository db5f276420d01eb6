"""Whether an event makes somebody busy, and when: a table of what real calendars hold."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sophiie.common.wall_time import zone_choices
from sophiie.sync.inbound.busy_rule import (
    EARLIEST,
    LATEST,
    NotBusy,
    Stretch,
    Unclear,
    busy_time,
)

ACCOUNT = "alice@example.com"
SYDNEY = "Australia/Sydney"


def event(**changes: Any) -> dict[str, Any]:
    """A plain event of an hour as Google answers it; a field set to None is not there."""
    plain: dict[str, Any] = {
        "id": "foreign_20261124T000000Z",
        "status": "confirmed",
        "start": {"dateTime": "2026-11-24T10:00:00+11:00", "timeZone": SYDNEY},
        "end": {"dateTime": "2026-11-24T11:00:00+11:00", "timeZone": SYDNEY},
        "eventType": "default",
    }
    return {name: value for name, value in {**plain, **changes}.items() if value is not None}


def times(start: str, end: str, **more: str) -> dict[str, Any]:
    return event(start={"dateTime": start, **more}, end={"dateTime": end, **more})


def days(first: str, until: str) -> dict[str, Any]:
    return event(start={"date": first}, end={"date": until})


def judged(item: Any, *, zone: str = SYDNEY, account: str = ACCOUNT) -> Stretch | NotBusy:
    return busy_time(item, zone=zone, account=account)


def stretch(start: str, end: str) -> Stretch:
    return Stretch(datetime.fromisoformat(f"{start}Z"), datetime.fromisoformat(f"{end}Z"))


HOUR = stretch("2026-11-23T23:00", "2026-11-24T00:00")
ME = {"self": True, "email": ACCOUNT}


@pytest.mark.parametrize(
    "item",
    [
        event(),
        event(status=None, eventType=None),  # left out at their defaults
        event(transparency="opaque"),
        event(status="tentative"),
        event(eventType="focusTime"),
        event(eventType="outOfOffice"),
        event(eventType="fromGmail"),
        event(eventType="somethingOfTheYear2030"),
        *(
            event(attendees=[{"self": True, "responseStatus": answer}])
            for answer in ("needsAction", "tentative", "accepted")
        ),
        # Somebody else's no is not mine: told without addresses, and with them.
        event(attendees=[{"responseStatus": "declined"}, {"self": True}]),
        event(attendees=[{"email": "bob@example.com", "responseStatus": "declined"}]),
        event(attendees=[{"self": False, "responseStatus": "declined"}]),
    ],
)
def test_what_takes_time_is_busy(item: dict[str, Any]) -> None:
    assert judged(item) == HOUR


@pytest.mark.parametrize(
    ("item", "reason"),
    [
        (event(status="cancelled"), NotBusy.CANCELLED),
        ({"id": "a", "status": "cancelled"}, NotBusy.CANCELLED),  # all that is told of a deletion
        (event(transparency="transparent"), NotBusy.FREE),
        (event(eventType="outOfOffice", transparency="transparent"), NotBusy.FREE),
        (event(eventType="workingLocation"), NotBusy.WORKING_LOCATION),
        (event(eventType="workingLocation", transparency="opaque"), NotBusy.WORKING_LOCATION),
        (event(eventType="birthday"), NotBusy.BIRTHDAY),
        (event(attendees=[{"self": True, "responseStatus": "declined"}]), NotBusy.DECLINED),
        # On a secondary calendar the account's own row came back without `self`.
        (
            event(attendees=[{"email": "Alice@Example.com", "responseStatus": "declined"}]),
            NotBusy.DECLINED,
        ),
        (event(end=event()["start"]), NotBusy.NO_LENGTH),
        (days("2026-11-24", "2026-11-24"), NotBusy.NO_LENGTH),
        # The same instant in two zones.
        (times("2026-11-24T10:00:00+11:00", "2026-11-23T23:00:00Z"), NotBusy.NO_LENGTH),
    ],
)
def test_what_takes_no_time_says_why(item: dict[str, Any], reason: NotBusy) -> None:
    assert judged(item) is reason


def test_nobody_declines_for_an_account_without_an_address() -> None:
    item = event(attendees=[{"email": "", "responseStatus": "declined"}])
    assert judged(item, account="") == HOUR


@pytest.mark.parametrize(
    ("item", "zone", "expected"),
    [
        # An ordinary day, and three in a row; the end is no part of it.
        (days("2026-11-24", "2026-11-25"), SYDNEY, ("2026-11-23T13:00", "2026-11-24T13:00")),
        (days("2026-11-24", "2026-11-27"), SYDNEY, ("2026-11-23T13:00", "2026-11-26T13:00")),
        (days("2026-11-24", "2026-11-25"), "UTC", ("2026-11-24T00:00", "2026-11-25T00:00")),
        (
            days("2026-11-24", "2026-11-25"),
            "Asia/Kathmandu",
            ("2026-11-23T18:15", "2026-11-24T18:15"),
        ),
        # Days of 23 and 25 hours, in the south and in the north.
        (days("2026-10-04", "2026-10-05"), SYDNEY, ("2026-10-03T14:00", "2026-10-04T13:00")),
        (days("2026-04-05", "2026-04-06"), SYDNEY, ("2026-04-04T13:00", "2026-04-05T14:00")),
        (
            days("2026-03-29", "2026-03-30"),
            "Europe/London",
            ("2026-03-29T00:00", "2026-03-29T23:00"),
        ),
        (
            days("2026-10-25", "2026-10-26"),
            "Europe/London",
            ("2026-10-24T23:00", "2026-10-26T00:00"),
        ),
        # Half an hour.
        (
            days("2026-10-04", "2026-10-05"),
            "Australia/Lord_Howe",
            ("2026-10-03T13:30", "2026-10-04T13:00"),
        ),
        # Midnight does not exist, as the first day and as the end; and it happens twice.
        (
            days("2026-09-06", "2026-09-07"),
            "America/Santiago",
            ("2026-09-06T04:00", "2026-09-07T03:00"),
        ),
        (
            days("2026-09-05", "2026-09-06"),
            "America/Santiago",
            ("2026-09-05T04:00", "2026-09-06T04:00"),
        ),
        (
            days("2025-11-02", "2025-11-03"),
            "America/Havana",
            ("2025-11-02T04:00", "2025-11-03T05:00"),
        ),
        # Google's own names for zones that nobody chooses from a list.
        (days("2026-11-24", "2026-11-25"), "Etc/GMT+5", ("2026-11-24T05:00", "2026-11-25T05:00")),
    ],
)
def test_an_all_day_event_lasts_as_long_as_the_days_of_its_calendar(
    item: dict[str, Any], zone: str, expected: tuple[str, str]
) -> None:
    assert judged(item, zone=zone) == stretch(*expected)


def test_a_day_that_an_island_skipped_has_no_length() -> None:
    assert judged(days("2011-12-30", "2011-12-31"), zone="Pacific/Apia") is NotBusy.NO_LENGTH


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        (
            times("2026-11-24T10:00:00+01:00", "2026-11-24T10:30:00+01:00"),
            ("2026-11-24T09:00", "2026-11-24T09:30"),
        ),
        # UTC in both spellings; start and end in zones of their own (a flight).
        (
            times("2026-11-24T10:00:00Z", "2026-11-24T11:00:00+00:00"),
            ("2026-11-24T10:00", "2026-11-24T11:00"),
        ),
        (
            times("2026-11-24T22:00:00+11:00", "2026-11-24T07:00:00-08:00"),
            ("2026-11-24T11:00", "2026-11-24T15:00"),
        ),
        # The offset decides, whatever zone is named beside it.
        (
            times("2026-11-24T10:00:00Z", "2026-11-24T11:00:00Z", timeZone="Nowhere/City"),
            ("2026-11-24T10:00", "2026-11-24T11:00"),
        ),
        # Across the change of the clocks: two hours on the wall, one hour of time; and back.
        (
            times("2026-10-04T01:30:00+10:00", "2026-10-04T03:30:00+11:00"),
            ("2026-10-03T15:30", "2026-10-03T16:30"),
        ),
        (
            times("2026-04-05T01:30:00+11:00", "2026-04-05T03:30:00+10:00"),
            ("2026-04-04T14:30", "2026-04-04T17:30"),
        ),
        # The second of two half past ones in London.
        (
            times("2026-10-25T01:30:00Z", "2026-10-25T02:30:00Z"),
            ("2026-10-25T01:30", "2026-10-25T02:30"),
        ),
        # Without offset: in the zone named beside it, else in the calendar's.
        (
            times("2026-11-24T10:00:00", "2026-11-24T11:00:00", timeZone="Europe/Rome"),
            ("2026-11-24T09:00", "2026-11-24T10:00"),
        ),
        (
            times("2026-11-24T10:00:00", "2026-11-24T11:00:00"),
            ("2026-11-23T23:00", "2026-11-24T00:00"),
        ),
        # … and read in two ways: busy in both. Passed twice, and skipped.
        (
            times("2026-04-05T02:15:00", "2026-04-05T02:45:00"),
            ("2026-04-04T15:15", "2026-04-04T16:45"),
        ),
        (
            times("2026-10-04T02:15:00", "2026-10-04T02:45:00"),
            ("2026-10-03T15:15", "2026-10-03T16:45"),
        ),
    ],
)
def test_a_timed_event_lasts_from_instant_to_instant(
    item: dict[str, Any], expected: tuple[str, str]
) -> None:
    assert judged(item) == stretch(*expected)


def test_an_event_without_length_in_a_doubled_hour_stays_without() -> None:
    assert judged(times("2026-04-05T02:15:00", "2026-04-05T02:15:00")) is NotBusy.NO_LENGTH


START = event()["start"]
BAD = [
    *(None, [], "event", 7, {}),
    event(end=None),
    event(start=None),
    event(end={}),
    event(end="2026-11-24T11:00:00+11:00"),
    event(end=[START]),
    event(end={"dateTime": None}),
    event(end={"dateTime": 1795482000}),
    event(end={"dateTime": "soon"}),
    event(end={"dateTime": "2026-11-25"}),
    event(end={"dateTime": "2026-11-24T25:00:00+11:00"}),
    event(end={"dateTime": ["T"]}),
    event(end={"dateTime": "2026-11-24T11:00:00", "timeZone": "Nowhere/City"}),
    event(end={"dateTime": "2026-11-24T11:00:00", "timeZone": 11}),
    event(end={"dateTime": "2026-11-24T09:00:00+11:00"}),  # before the start
    event(end={"date": "2026-11-25"}),  # one a date, the other a time
    event(start={"date": "2026-11-24"}),
    event(start={**START, "date": "2026-11-24"}),
    event(start={**START, "date": "2026-11-24"}, end={**event()["end"], "date": "2026-11-25"}),
    days("2026-11-25", "2026-11-24"),
    days("2026-02-29", "2026-03-01"),
    days("someday", "2026-03-01"),
    days("0001-01-01", "0001-01-02"),  # before the first instant there is
    event(start={"date": 20261124}, end={"date": 20261125}),
    event(start={"dateTime": "0001-01-01T00:00:00+11:00"}),
    event(end={"dateTime": "9999-12-31T23:59:59-11:00"}),
]


@pytest.mark.parametrize("item", BAD)
def test_what_cannot_be_understood_is_said_and_keeps_busy(item: Any) -> None:
    found = judged(item)
    assert isinstance(found, Unclear)
    assert found.start < found.end


ODD_ZONES = ["", "Nowhere/City", "America", "../etc/passwd", "\x00"]


@pytest.mark.parametrize("zone", ODD_ZONES)
def test_without_the_calendars_zone_a_day_is_taken_as_it_is_anywhere(zone: str) -> None:
    """It begins first on Kiritimati, 14 hours ahead of UTC, and ends last 12 hours behind it."""
    found = judged(days("2026-11-24", "2026-11-25"), zone=zone)
    assert isinstance(found, Unclear)
    assert found == stretch("2026-11-23T10:00", "2026-11-25T12:00")
    assert judged(event(), zone=zone) == HOUR
    assert judged(days("2026-11-24", "2026-11-24"), zone=zone) is NotBusy.NO_LENGTH


@pytest.mark.parametrize("zone", ODD_ZONES)
@pytest.mark.parametrize("own", [{}, {"timeZone": "Mars/Olympus"}])
def test_a_time_without_offset_in_an_unknown_zone_is_taken_as_it_is_anywhere(
    zone: str, own: dict[str, str]
) -> None:
    found = judged(times("2026-11-24T10:00:00", "2026-11-24T11:00:00", **own), zone=zone)
    assert isinstance(found, Unclear)
    assert found == stretch("2026-11-23T20:00", "2026-11-24T23:00")


def test_of_an_edge_that_is_not_known_nothing_is_assumed() -> None:
    assert judged(event(end={"dateTime": "soon"})) == (HOUR.start, LATEST)
    assert judged(event(start=None)) == (EARLIEST, HOUR.end)
    assert judged("event") == (EARLIEST, LATEST)


def test_an_event_that_ends_before_it_begins_keeps_busy_in_between() -> None:
    found = judged(event(end={"dateTime": "2026-11-24T09:00:00+11:00"}))
    assert isinstance(found, Unclear)
    assert found == stretch("2026-11-23T22:00", "2026-11-23T23:00")


def test_a_date_and_a_time_are_taken_from_the_one_to_the_other() -> None:
    found = judged(event(start={"date": "2026-11-24"}))
    assert isinstance(found, Unclear)
    assert found == stretch("2026-11-23T13:00", "2026-11-24T00:00")


@pytest.mark.parametrize(
    "attendees", [None, {}, "alice", 3, [None], ["declined"], [{"self": "yes"}], [{"email": 5}]]
)
def test_guests_that_cannot_be_understood_free_nobody(attendees: Any) -> None:
    assert judged(event(attendees=attendees)) == HOUR


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=6,
)
ODD_TIME = st.fixed_dictionaries({}, optional=dict.fromkeys(("date", "dateTime", "timeZone"), JSON))


@given(
    item=st.fixed_dictionaries(
        {"start": ODD_TIME | JSON, "end": ODD_TIME | JSON},
        optional=dict.fromkeys(("status", "transparency", "eventType", "attendees"), JSON),
    ),
    zone=st.sampled_from([SYDNEY, "", "Nowhere/City"]) | st.text(max_size=8),
)
def test_whatever_is_told_there_is_an_answer(item: Any, zone: str) -> None:
    found = judged(item, zone=zone)
    assert isinstance(found, NotBusy) or found.start < found.end


@given(
    day=st.dates(date(1970, 1, 2), date(2037, 12, 30)),
    length=st.integers(1, 10),
    zone=st.sampled_from(zone_choices()),
)
def test_days_in_a_row_leave_no_gap_and_do_not_overlap(day: date, length: int, zone: str) -> None:
    """One event of several days is the same time as one event for each of them."""
    until = day + timedelta(days=length)
    whole = judged(days(day.isoformat(), until.isoformat()), zone=zone)
    parts = [
        judged(
            days((day + timedelta(days=n)).isoformat(), (day + timedelta(days=n + 1)).isoformat()),
            zone=zone,
        )
        for n in range(length)
    ]
    shown = [part for part in parts if isinstance(part, Stretch)]  # an island may skip a day
    if not isinstance(whole, Stretch):
        assert not shown
        return
    assert all(before.end == after.start for before, after in pairwise(shown))
    assert (shown[0].start, shown[-1].end) == whole
    assert whole.start.tzinfo is UTC
