"""When a calendar is polled again, and when everything in it: pure rules."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from sophiie.busy_time.snapshot import Period
from sophiie.google.errors import DayUsedUp, EventGone, RateLimited, Unreachable
from sophiie.sync.inbound import poll_claim
from sophiie.sync.inbound.busy_rule import Stretch
from sophiie.sync.inbound.busy_store import TOO_LONG, _overlaps, _within, key_in_copy
from sophiie.sync.inbound.ours import _Standing
from sophiie.sync.inbound.poll_claim import AHEAD, PAST, PAUSE, Poll, ended
from sophiie.sync.models import WatchedCalendar

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)
SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)


def poll_of(*, is_chosen: bool) -> Poll:
    one = UUID(int=1)
    return Poll(
        watched_id=one,
        reader=one,
        link_id=one,
        member_id=one,
        business_id=one,
        calendar_id="c",
        is_chosen=is_chosen,
        google_email="a@example.com",
        token="",
        moment=NOW,
    )


def test_a_poll_knows_from_yesterday_until_well_over_a_year_ahead() -> None:
    poll = poll_of(is_chosen=True)
    assert poll.window == (NOW - timedelta(days=1), NOW + timedelta(days=400))
    assert (timedelta(days=1), timedelta(days=400)) == (PAST, AHEAD)


def test_polls_are_spread_around_their_interval(settings: Any) -> None:
    settings.BUSY_POLL_SECONDS = 100
    waits = [poll_claim.after_failure().total_seconds() for _ in range(200)]
    assert 75 <= min(waits) < 85
    assert 115 < max(waits) <= 125
    assert poll_claim.longest_interval() == timedelta(seconds=125)
    settings.BUSY_POLL_SECONDS = 1
    assert poll_claim.longest_interval() == timedelta(seconds=3)  # what was only put off


@pytest.mark.parametrize(
    ("due", "is_kept"), [(-HOUR, True), (timedelta(), True), (PAUSE, True), (PAUSE + SECOND, False)]
)
def test_what_a_notification_asked_for_meanwhile_stays_due(due: timedelta, is_kept: bool) -> None:
    watched = WatchedCalendar(reader=UUID(int=1), reading_until=NOW, next_read_at=NOW + due)
    ended(watched, NOW, HOUR)
    assert (watched.reader, watched.reading_until) == (None, None)
    assert (watched.next_read_at == NOW + due) is is_kept
    if not is_kept:
        assert watched.next_read_at == NOW + HOUR


@pytest.mark.parametrize(("pace", "hours"), [(0, 18), (500, 21), (999, 23.99)])
def test_everything_is_read_once_a_day_at_each_calendars_own_pace(pace: int, hours: float) -> None:
    watched = WatchedCalendar(id=UUID(int=pace), window_start=NOW - PAST)
    last, due = NOW + timedelta(hours=hours - 0.02), NOW + timedelta(hours=hours + 0.02)
    assert not poll_claim.window_is_old(watched, NOW)
    assert not poll_claim.window_is_old(watched, last)
    assert poll_claim.window_is_old(watched, due)
    # Of a clock that was far ahead, and never read at all.
    assert poll_claim.window_is_old(watched, NOW - HOUR)
    assert poll_claim.window_is_old(WatchedCalendar(id=UUID(int=pace)), NOW)


def test_how_long_google_is_left_alone() -> None:
    asked = poll_claim._asked_patience
    assert asked(RateLimited("?", retry_after=40), NOW) == 40 * SECOND
    assert asked(RateLimited("?", retry_after=1e9), NOW) == HOUR
    assert asked(Unreachable("?"), NOW) == timedelta()
    assert asked(ZeroDivisionError(), NOW) == timedelta()
    # Nine in London is one in the morning in California.
    rest = asked(DayUsedUp("?"), NOW)
    assert timedelta(hours=23) <= rest <= timedelta(hours=23, minutes=5)


def test_a_calendar_that_is_not_found_is_another_matter_if_events_are_written_there() -> None:
    codes = {
        poll_claim._reason(EventGone("?"), poll_of(is_chosen=is_chosen), timedelta()).code
        for is_chosen in (True, False)
    }
    assert len(codes) == 2


@pytest.mark.parametrize("length", [1, 1100])
def test_an_id_goes_by_its_own_name_in_the_copy(length: int) -> None:
    assert key_in_copy("x" * length) == "x" * length


def test_ids_that_cannot_be_stored_have_a_digest_each() -> None:
    odd = ["x" * 1101, "x" * 1102, "a\0b", "\ud800" + "x" * 1100]
    found = {key_in_copy(name) for name in odd}
    assert len(found) == len(odd)
    assert all(key.startswith(TOO_LONG) and len(key) < 100 for key in found)


WINDOW = (NOW, NOW + 10 * HOUR)


@pytest.mark.parametrize(
    ("first", "last", "inside"),
    [(-1, 0, False), (-1, 1, True), (0, 1, True), (9, 10, True), (9, 12, True), (10, 11, False)],
)
def test_what_only_touches_the_known_time_is_not_in_it(first: int, last: int, inside: bool) -> None:
    period = Period("a", "", NOW + first * HOUR, NOW + last * HOUR)
    assert _overlaps(period, WINDOW) is inside
    for unknown in ((None, None), (None, WINDOW[1]), (WINDOW[0], None)):
        assert not _overlaps(period, unknown)


@pytest.mark.parametrize(
    ("first", "last", "kept"),
    [(-5, 5, (0, 5)), (5, 50, (5, 10)), (-5, 50, (0, 10)), (2, 3, (2, 3)), (-5, -2, (-5, -2))],
)
def test_the_widest_reading_ends_where_nothing_is_known(
    first: int, last: int, kept: tuple[int, int]
) -> None:
    found = _within(WINDOW, Stretch(NOW + first * HOUR, NOW + last * HOUR))
    assert found == Stretch(NOW + kept[0] * HOUR, NOW + kept[1] * HOUR)
    outside = Stretch(NOW - HOUR, NOW + HOUR)
    assert _within((None, None), outside) == outside


PLACE = Stretch(NOW, NOW + HOUR)
MOVED = Stretch(NOW + HOUR, NOW + 2 * HOUR)


def covers(item: dict[str, Any], time: Stretch, **more: Any) -> bool:
    plain: dict[str, Any] = {"is_live": True, "calendar_id": "c", "etag": '"1"'}
    standing = _Standing(UUID(int=1), *PLACE, **{**plain, **more})
    return standing.covers(item, "c", time)


def test_an_event_stands_for_a_live_appointment_at_its_time_and_no_other() -> None:
    assert covers({}, PLACE)
    assert covers({}, PLACE, calendar_id="another")
    assert not covers({}, MOVED)
    assert not covers({}, Stretch(NOW, NOW + 2 * HOUR))
    assert not covers({}, PLACE, is_live=False)
    part_of_a_second = NOW.replace(microsecond=5)
    standing = _Standing(UUID(int=1), part_of_a_second, NOW + HOUR, is_live=True)
    assert standing.covers({}, "c", PLACE)


def test_our_own_last_version_counts_until_the_write_that_is_under_way() -> None:
    ours = {"etag": '"1"'}
    assert covers(ours, MOVED, is_being_written=True)
    assert covers(ours, PLACE, is_live=False, is_being_written=True)
    assert not covers(ours, MOVED)
    assert not covers({"etag": '"2"'}, MOVED, is_being_written=True)
    assert not covers(ours, MOVED, is_being_written=True, calendar_id="another")
    assert not covers({}, MOVED, is_being_written=True, etag="")
    assert not covers({"etag": ""}, MOVED, is_being_written=True, etag="")
