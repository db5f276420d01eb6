"""What a form proposes: the next free time, other times, other people."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta

import pytest
import time_machine

from sophiie.accounts.models import Member
from sophiie.appointments.booking import book
from sophiie.availability.editing import add_special_days, save_rules, save_week
from sophiie.availability.hours import spans_from_json
from sophiie.availability.proposals import (
    LOOK_AHEAD,
    MAX_INSTEAD,
    free_instead,
    free_then,
    next_free,
    next_working_hour,
)
from sophiie.availability.rules import Rules
from sophiie.availability.slots import MAX_MEMBERS
from sophiie.common.wall_time import in_zone
from tests.availability.test_slots import HOUR, MINUTE, busy, calendar_of, monday
from tests.conftest import SYDNEY, details

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
NOON = monday(12) - 4 * DAY


@pytest.fixture(autouse=True)
def _thursday_noon() -> Iterator[None]:
    """Thursday 26 November 2026, 12:00 in Sydney."""
    with time_machine.travel("2026-11-26T01:00:00Z", tick=False):
        yield


def taken(member: Member, start: datetime, end: datetime | None = None) -> None:
    about = details(start=start, end=end or start + HOUR)
    book(by=member, details=about, assignees=[member], allow_overlap=True)


def works(member: Member, *spans: tuple[str, str], zone: str = "") -> None:
    """Every day at these hours."""
    week = (spans_from_json([list(span) for span in spans]),) * 7
    save_week(by=member, member=member, week=week, timezone=zone)


# -- the next free time --------------------------------------------------------------------------


def following(
    *members: Member, start: datetime, duration: timedelta = HOUR, together: bool = True
) -> datetime | None:
    slot = next_free(
        business=members[0].business,
        members=members,
        start=start,
        duration=duration,
        together=together,
    )
    return slot and slot.start


def test_the_next_free_time_of_all_or_of_any(alice: Member, bob: Member) -> None:
    taken(alice, monday(9))
    book(by=alice, details=details(start=monday(10)), assignees=[bob])
    assert following(alice, start=monday(9)) == monday(10)
    assert following(alice, bob, start=monday(9)) == monday(11)
    assert following(alice, bob, start=monday(9), together=False) == monday(9)


def test_it_is_not_in_the_past_and_not_weeks_away(alice: Member) -> None:
    assert following(alice, start=NOON - 9 * DAY) == NOON
    day = NOON.date()
    add_special_days(
        by=alice, member=None, first_day=day, last_day=day + 13 * DAY, spans=(), name=""
    )
    begins = monday(9) + 10 * DAY  # Thursday in a fortnight
    assert following(alice, start=NOON) == begins
    add_special_days(
        by=alice, member=None, first_day=day, last_day=day + 14 * DAY, spans=(), name=""
    )
    assert following(alice, start=NOON) is None


@pytest.mark.parametrize("lasts", [HOUR, 3 * HOUR])
def test_one_that_begins_at_the_end_of_the_fortnight_may_last(
    alice: Member, lasts: timedelta
) -> None:
    works(alice, ("12:00", "15:00"))
    last = NOON + LOOK_AHEAD
    taken(alice, NOON, last)
    assert following(alice, start=NOON, duration=lasts) == last
    taken(alice, last, last + MINUTE)
    found = following(alice, start=NOON, duration=lasts)
    assert found is None


def test_nobody_and_too_many_have_no_time(alice: Member) -> None:
    def of(members: list[Member]) -> object:
        return next_free(business=alice.business, members=members, start=monday(9), duration=HOUR)

    assert of([]) is None
    assert of([alice] * MAX_MEMBERS)
    assert of([alice] * (MAX_MEMBERS + 1)) is None


# -- where a new appointment begins --------------------------------------------------------------


def working_hour(member: Member, start: datetime) -> datetime | None:
    return next_working_hour(business=member.business, member=member, start=start)


@pytest.mark.parametrize(
    ("asked", "begins"),
    [
        (monday(9), monday(9)),
        (monday(9, 1), monday(10)),
        (monday(3), monday(9)),
        (monday(16), monday(16)),
        (monday(16, 15), monday(33)),
    ],
)
def test_a_new_appointment_begins_at_a_full_working_hour(
    alice: Member, asked: datetime, begins: datetime
) -> None:
    assert working_hour(alice, asked) == begins


def test_where_no_full_hour_is_free_another_will_do(alice: Member) -> None:
    works(alice, ("09:15", "10:45"))
    assert working_hour(alice, monday(9)) == monday(9, 15)


@pytest.mark.parametrize(
    ("spans", "booked", "begins"),
    [
        ([("09:00", "17:00")], [], monday(9)),
        ([("09:15", "17:00")], [], monday(10)),
        ([("09:00", "17:00")], [(monday(9), monday(10))], monday(10)),
        ([("09:00", "17:00")], [(monday(9, 59), monday(10, 30))], monday(11)),
        ([("09:00", "10:00"), ("12:00", "17:00")], [(monday(9), monday(10))], monday(12)),
        ([("09:00", "10:00")], [(monday(9), monday(10))], monday(33)),
        ([("09:30", "10:00"), ("12:30", "13:45")], [], None),  # no full hour fits
        ([("09:30", "11:00")], [], monday(10)),
    ],
)
def test_while_a_calendar_cannot_be_read_the_first_working_hour_has_to_do(
    alice: Member,
    spans: list[tuple[str, str]],
    booked: list[tuple[datetime, datetime]],
    begins: datetime | None,
) -> None:
    works(alice, *spans)
    for start, end in booked:
        taken(alice, start, end)
    calendar_of(alice, checked_at=None)
    assert working_hour(alice, monday(8)) == begins


def test_it_keeps_to_the_notice_and_to_what_is_known_to_be_busy(alice: Member) -> None:
    calendar = calendar_of(alice, known_until=monday(9))
    busy(calendar, monday(9), monday(10))
    assert working_hour(alice, monday(9)) == monday(10)
    save_rules(by=alice, rules=Rules(notice_minutes=4 * 24 * 60))
    assert working_hour(alice, NOON) == monday(12)


@pytest.mark.parametrize("is_readable", [True, False])
def test_nobody_begins_with_a_question_about_summer_time(alice: Member, is_readable: bool) -> None:
    """On 4 April 2027 the clocks of Sydney show the hour from two to three twice."""
    works(alice, ("00:00", "00:00"))
    if not is_readable:
        calendar_of(alice, checked_at=None)
    with time_machine.travel("2027-04-03T14:00:00Z", tick=False):  # one in the morning
        found = working_hour(alice, datetime.fromisoformat("2027-04-03T14:00:00Z"))
    assert found == datetime.fromisoformat("2027-04-03T17:00:00Z")  # three, once


# -- instead of a time that is taken -------------------------------------------------------------


def instead(*members: Member, start: datetime, duration: timedelta = HOUR) -> list[str]:
    found = free_instead(
        business=members[0].business,
        members=members,
        start=start,
        duration=duration,
        timezone=SYDNEY,
    )
    return [f"{in_zone(slot.start, SYDNEY):%a %d %H:%M}" for slot in found]


def test_the_same_hour_on_other_days_and_the_nearest_on_the_day_itself(alice: Member) -> None:
    taken(alice, monday(10))
    assert instead(alice, start=monday(10)) == [
        "Tue 01 10:00",
        "Wed 02 10:00",
        "Thu 03 10:00",
        "Mon 30 09:00",
    ]


def test_a_day_that_has_the_hour_needs_no_other(alice: Member) -> None:
    assert instead(alice, start=monday(10)) == [
        "Mon 30 10:00",
        "Tue 01 10:00",
        "Wed 02 10:00",
        "Thu 03 10:00",
    ]


def test_where_the_hour_is_taken_every_day_the_nearest_times_are_proposed(alice: Member) -> None:
    works(alice, ("09:00", "11:15"))
    for day in range(15):
        taken(alice, monday(10) + day * DAY)
    taken(alice, monday(9))
    found = instead(alice, start=monday(10))
    assert found == ["Tue 01 09:00", "Wed 02 09:00", "Thu 03 09:00", "Fri 04 09:00"]
    assert len(found) == MAX_INSTEAD


def test_of_two_that_are_as_near_the_earlier_is_proposed(alice: Member) -> None:
    taken(alice, monday(10, 30), monday(11, 30))
    assert instead(alice, start=monday(10, 30))[-1] == "Mon 30 09:30"


def test_nothing_that_has_passed_is_proposed_instead(alice: Member) -> None:
    taken(alice, NOON - HOUR, NOON + HOUR)
    assert instead(alice, start=NOON - HOUR)[-1] == "Thu 26 13:00"


def test_a_day_without_any_free_time_is_left_out(alice: Member) -> None:
    taken(alice, monday(9), monday(17))
    assert instead(alice, start=monday(10)) == [
        "Tue 01 10:00",
        "Wed 02 10:00",
        "Thu 03 10:00",
        "Fri 04 10:00",
    ]


# -- other people --------------------------------------------------------------------------------


def free(*members: Member, start: datetime, minutes: int = 60) -> list[str]:
    found = free_then(
        business=members[0].business,
        members=members,
        start=start,
        end=start + minutes * MINUTE,
    )
    return [member.name for member in found]


def test_who_could_take_exactly_this_time(alice: Member, bob: Member) -> None:
    taken(alice, monday(10))
    assert free(bob, alice, start=monday(10)) == ["Bob"]
    assert free(bob, alice, start=monday(10, 30)) == ["Bob"]
    assert free(bob, alice, start=monday(11)) == ["Bob", "Alice"]
    assert free(bob, alice, start=monday(11, 7)) == ["Bob", "Alice"]  # also between the steps
    assert free(bob, alice, start=monday(16, 30)) == []  # they go home at five
    assert free_then(business=alice.business, members=[], start=NOON, end=NOON + HOUR) == []


def test_a_time_of_weeks_that_nobody_can_look_at_is_nobodys(alice: Member) -> None:
    works(alice, ("00:00", "00:00"))
    day = 24 * 60
    assert free(*[alice] * MAX_MEMBERS, start=monday(0), minutes=3 * day) == ["Alice"] * MAX_MEMBERS
    assert free(*[alice] * MAX_MEMBERS, start=monday(0), minutes=5 * day) == []
    extra = [alice] * (MAX_MEMBERS + 1)
    assert len(free(*extra, start=monday(0))) == len(extra)


def test_days_count_by_the_clocks_of_whoever_asks(alice: Member) -> None:
    """Eight in the evening of that Sunday in London is Monday morning in Sydney."""
    taken(alice, monday(9))
    found = free_instead(
        business=alice.business,
        members=[alice],
        start=monday(9),
        duration=HOUR,
        timezone="Europe/London",
    )
    days = [in_zone(slot.start, "Europe/London").date() for slot in found]
    assert date(2026, 11, 29) in days
    assert len(set(days)) == len(days)
