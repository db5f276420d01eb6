"""Why a time is not offered, word for word, and what somebody should know who books it anyway."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
import time_machine

from sophiie.accounts.models import Member
from sophiie.appointments.booking import book
from sophiie.availability.editing import add_special_days, save_rules, save_week
from sophiie.availability.hours import Span, spans_from_json
from sophiie.availability.rules import Rules
from sophiie.availability.why_not import Reason, cautions, why_not
from tests.availability.test_slots import HOUR, MINUTE, busy, calendar_of, monday
from tests.conftest import details

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
MONDAY = date(2026, 11, 30)
NINE_TO_FIVE = "On Monday 30 November 2026 Alice works 09:00–17:00"


@pytest.fixture(autouse=True)
def _thursday_noon() -> Iterator[None]:
    """Thursday 26 November 2026, 12:00 in Sydney."""
    with time_machine.travel("2026-11-26T01:00:00Z", tick=False):
        yield


def said(member: Member, start: datetime, end: datetime | None = None, **more: Any) -> list[str]:
    asked = why_not(member=member, start=start, end=end or start + HOUR, **more)
    return [reason.detail for reason in asked]


def reason(member: Member, start: datetime, end: datetime | None = None) -> Reason:
    (only,) = why_not(member=member, start=start, end=end or start + HOUR)
    return only


def rules(by: Member, **changes: int) -> None:
    save_rules(by=by, rules=Rules(**changes))


@pytest.mark.parametrize(
    ("ahead", "words"),
    [
        (-MINUTE, "This time has passed."),
        (
            timedelta(),
            "Appointments are booked at least 2 hours ahead: "
            "from 14:00 on Thursday 26 November 2026.",
        ),
        (2 * HOUR - 15 * MINUTE, "Appointments are booked at least 2 hours ahead"),
        (2 * HOUR, None),
    ],
)
def test_too_soon(alice: Member, ahead: timedelta, words: str | None) -> None:
    rules(alice, notice_minutes=120, step_minutes=5)
    noon = monday(12) - 4 * DAY
    found = said(alice, noon + ahead, noon + ahead + 30 * MINUTE, step=MINUTE)
    assert [text[: len(words or "")] for text in found] == ([words] if words else [])


@pytest.mark.parametrize(("start", "is_too_far"), [(monday(16), False), (monday(33), True)])
def test_too_far_ahead(alice: Member, start: datetime, is_too_far: bool) -> None:
    rules(alice, window_days=4)
    words = "Appointments are booked at most 4 days ahead: until Monday 30 November 2026."
    assert said(alice, start) == ([words] if is_too_far else [])
    if is_too_far:
        assert reason(alice, start).start == monday(24)


@pytest.mark.parametrize(
    ("start", "end", "where"),
    [
        (monday(8), monday(10), [(monday(8), monday(9))]),
        (monday(9), monday(17), []),
        (monday(16), monday(18), [(monday(17), monday(18))]),
        (monday(8), monday(18), [(monday(8), monday(18))]),  # one sentence for the day
        (
            monday(16),
            monday(34),
            [(monday(17), monday(24)), (monday(24), monday(33))],
        ),
    ],
)
def test_outside_hours_is_said_once_for_each_day(
    alice: Member, start: datetime, end: datetime, where: list[tuple[datetime, datetime]]
) -> None:
    found = why_not(member=alice, start=start, end=end)
    assert [(one.start, one.end) for one in found] == where
    if where:
        assert found[0].detail == f"{NINE_TO_FIVE}."


def test_hours_are_said_in_the_clocks_in_which_they_are_meant(alice: Member) -> None:
    week = [spans_from_json([["09:00", "12:00"], ["13:00", "14:00"]])] + [()] * 6
    save_week(by=alice, member=alice, week=tuple(week), timezone="Australia/Perth")
    assert said(alice, monday(8)) == [
        "On Monday 30 November 2026 Alice works 09:00–12:00 and 13:00–14:00 (Australia/Perth)."
    ]
    assert said(alice, monday(32)) == [
        "Alice does not work on Tuesday 1 December 2026 (Australia/Perth)."
    ]
    save_week(by=alice, member=alice, week=tuple(week), timezone="")
    assert said(alice, monday(32)) == ["Alice does not work on Tuesday 1 December 2026."]


def test_days_off_keep_their_reason_to_themselves_and_holidays_have_a_name(
    alice: Member,
) -> None:
    def add(member: Member | None, days: int, name: str) -> None:
        day = MONDAY + days * DAY
        add_special_days(by=alice, member=member, first_day=day, last_day=day, spans=(), name=name)

    add(None, 0, "Founders’ Day")
    add(None, 1, "")
    add(alice, 2, "Dentist")
    assert said(alice, monday(10)) == ["Monday 30 November 2026 is a holiday (Founders’ Day)."]
    assert said(alice, monday(34)) == ["Tuesday 1 December 2026 is a holiday."]
    assert said(alice, monday(58)) == ["Alice has a day off on Wednesday 2 December 2026."]


NINE = "09:00–10:00 on Monday 30 November 2026"
TWELVE = "12:00–13:00 on Monday 30 November 2026"


@pytest.mark.parametrize(
    ("start", "words"),
    [
        (9, f"Alice has an appointment {NINE}."),
        (7.5, f"Alice needs 75 minutes between two appointments and has an appointment {NINE}."),
        (10.5, f"Alice needs 75 minutes between two appointments and has an appointment {NINE}."),
        (10, f"Alice needs 75 minutes between two appointments and has an appointment {NINE}."),
        (
            11,
            "Alice needs 75 minutes between two appointments and has a time held for somebody "
            f"{TWELVE}.",
        ),
        (
            12,
            f"Alice has a time held for somebody {TWELVE}, "
            "until 12:05 on Thursday 26 November 2026 at most.",
        ),
    ],
)
def test_what_is_booked_and_held_is_said_without_a_title(
    alice: Member, start: float, words: str
) -> None:
    booked = book(by=alice, details=details(start=monday(9)), assignees=[alice])
    held = book(by=alice, details=details(start=monday(12)), assignees=[alice], hold_minutes=5)
    rules(alice, buffer_before_minutes=60, buffer_after_minutes=15)
    found = why_not(member=alice, start=monday(0) + start * HOUR, end=monday(1) + start * HOUR)
    assert words in [one.detail for one in found]
    assert {one.appointment_id for one in found} <= {booked.id, held.id, None}


@pytest.mark.parametrize(
    ("start", "end", "words"),
    [
        (monday(11), monday(12, 30), f"Alice is busy in Google {TWELVE}."),
        (
            monday(10),
            monday(12),
            f"Alice needs 45 minutes after an appointment and is busy in Google {TWELVE}.",
        ),
        (
            monday(13),
            monday(14),
            f"Alice needs 30 minutes before an appointment and is busy in Google {TWELVE}.",
        ),
        (
            monday(10),
            monday(11, 30),
            f"Alice needs 45 minutes after an appointment and is busy in Google {TWELVE}.",
        ),
        (
            monday(13, 15),
            monday(14),
            f"Alice needs 30 minutes before an appointment and is busy in Google {TWELVE}.",
        ),
        (monday(13, 30), monday(14), None),
        (monday(9, 15), monday(11, 15), None),
    ],
)
def test_busy_time_in_google_is_said_with_its_times_alone(
    alice: Member, start: datetime, end: datetime, words: str | None
) -> None:
    rules(alice, buffer_before_minutes=30, buffer_after_minutes=45)
    calendar = calendar_of(alice)
    busy(calendar, monday(12), monday(13))
    busy(calendar, monday(12, 15), monday(12, 45))
    assert said(alice, start, end) == ([words] if words else [])


def test_a_calendar_that_cannot_be_read_or_not_so_far(alice: Member) -> None:
    calendar = calendar_of(alice, known_from=monday(0), known_until=monday(12))
    assert said(alice, monday(11)) == []
    far = reason(alice, monday(12))
    assert (far.start, far.end) == (monday(0), monday(12))
    assert far.detail == (
        "The Google calendar of Alice has been read from 00:00 on Monday 30 November 2026 "
        "until 12:00 on Monday 30 November 2026 only."
    )
    calendar.checked_at = None
    calendar.save()
    assert said(alice, monday(11)) == [
        "The Google calendar of Alice cannot be read at the moment, so nobody knows whether "
        "this time is free."
    ]


def test_between_the_steps_the_nearest_are_named(alice: Member) -> None:
    assert said(alice, monday(10, 20)) == [
        "Appointments start every 15 minutes: at 10:15 or 10:30, for example."
    ]
    assert said(alice, monday(10, 20), step=7 * HOUR) == [
        "Appointments start every 7 hours: at 07:00 or 14:00, for example."
    ]
    assert said(alice, monday(10, 20), step=20 * MINUTE) == []


# -- what to know before booking it anyway -------------------------------------------------------


def cautioned(*members: Member, start: datetime) -> list[str]:
    return [one.detail for one in cautions(members=members, start=start, end=start + HOUR)]


def test_what_is_usual_is_no_caution(alice: Member, bob: Member) -> None:
    book(by=alice, details=details(start=monday(10)), assignees=[alice])
    assert cautioned(alice, bob, start=monday(10)) == []
    assert cautioned(start=monday(3)) == []


def test_each_thing_is_said_once_for_the_whole_team(alice: Member, bob: Member) -> None:
    rules(alice, window_days=2)
    far = "Appointments are booked at most 2 days ahead: until Saturday 28 November 2026."
    theirs = [f"On Monday 30 November 2026 {name} works 09:00–17:00." for name in ("Alice", "Bob")]
    assert cautioned(alice, bob, start=monday(18)) == [far, *theirs]
    add_special_days(
        by=alice, member=None, first_day=MONDAY, last_day=MONDAY, spans=(), name="Easter"
    )
    assert cautioned(alice, bob, start=monday(18)) == [
        far,
        "Monday 30 November 2026 is a holiday (Easter).",
    ]


def test_of_the_past_it_is_said_too(alice: Member) -> None:
    assert cautioned(alice, start=monday(10) - 4 * DAY) == ["This time has passed."]


def test_hours_over_midnight_are_both_days(alice: Member) -> None:
    night = (Span(time(22), time(6)),)
    save_week(by=alice, member=alice, week=(night,) * 7, timezone="")
    assert said(alice, monday(23), monday(25)) == []
    words = "works 22:00–06:00."
    assert [text.endswith(words) for text in said(alice, monday(21), monday(23))] == [True]
