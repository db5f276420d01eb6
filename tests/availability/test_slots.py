"""The traps of other calendars, by name, and the rules of a business at their edges."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine

from sophiie.accounts.models import Member
from sophiie.appointments.booking import book, cancel, delete
from sophiie.availability.editing import add_special_days, save_rules, save_week
from sophiie.availability.hours import Span
from sophiie.availability.rules import Rules
from sophiie.availability.slots import find_slots
from sophiie.availability.why_not import why_not
from sophiie.busy_time.models import BusyCalendar, BusyPeriod
from sophiie.common.wall_time import in_zone
from tests.availability.worlds import assign
from tests.conftest import SYDNEY, details

pytestmark = pytest.mark.django_db
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


@pytest.fixture(autouse=True)
def _thursday_noon() -> Iterator[None]:
    """Thursday 26 November 2026, 12:00 in Sydney."""
    with time_machine.travel("2026-11-26T01:00:00Z", tick=False):
        yield


def monday(hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, 30, tzinfo=UTC) + timedelta(hours=hour - 11, minutes=minute)


def clocks(member: Member, *, minutes: int = 60, step: int = 60, **more: Any) -> list[str]:
    """The starts offered on that Monday, as the clocks of Sydney show them."""
    asked: dict[str, Any] = {"start": monday(0), "end": monday(24), **more}
    found = find_slots(
        business=member.business,
        members=[member],
        duration=minutes * MINUTE,
        step=step * MINUTE,
        **asked,
    )
    return [f"{in_zone(slot.start, SYDNEY):%H:%M}" for slot in found.slots]


def rules_against(member: Member, start: datetime, end: datetime) -> list[str]:
    return [str(reason.rule) for reason in why_not(member=member, start=start, end=end)]


def calendar_of(member: Member, **changes: Any) -> BusyCalendar:
    known = {
        "checked_at": datetime.now(UTC),
        "known_from": monday(0) - 60 * 24 * HOUR,
        "known_until": monday(0) + 300 * 24 * HOUR,
    }
    return BusyCalendar.objects.create(member=member, calendar_id="c", **{**known, **changes})


def busy(calendar: BusyCalendar, start: datetime, end: datetime) -> BusyPeriod:
    return BusyPeriod.objects.create(
        calendar=calendar, member=calendar.member, event_id=str(start), during=(start, end)
    )


ALL_DAY = [f"{hour:02}:00" for hour in range(9, 17)]


def test_what_was_booked_a_moment_ago_is_not_offered(alice: Member) -> None:
    """A stale copy of the slots offers taken ones: here nothing is kept between two answers."""
    assert clocks(alice) == ALL_DAY
    made = book(by=alice, details=details(start=monday(10)), assignees=[alice])
    assert clocks(alice) == [c for c in ALL_DAY if c != "10:00"]
    cancel(by=alice, appointment_id=made.id)
    assert clocks(alice) == ALL_DAY


def test_a_deleted_appointment_is_free_again(alice: Member) -> None:
    made = book(by=alice, details=details(start=monday(10)), assignees=[alice])
    delete(by=alice, appointment_id=made.id)
    assert clocks(alice) == ALL_DAY


def test_what_began_before_the_period_and_still_runs_blocks(alice: Member) -> None:
    """An appointment since Friday, and an event since last month."""
    book(
        by=alice,
        details=details(start=monday(9) - 72 * HOUR, end=monday(11)),
        assignees=[alice],
    )
    assert clocks(alice) == ALL_DAY[2:]
    busy(calendar_of(alice), monday(0) - 30 * 24 * HOUR, monday(13))
    assert clocks(alice) == ALL_DAY[4:]
    # Also when the question begins in the middle of it.
    assert clocks(alice, start=monday(12)) == ALL_DAY[4:]


def test_what_ends_when_the_slot_begins_is_not_in_its_way(alice: Member) -> None:
    book(by=alice, details=details(start=monday(9), end=monday(10)), assignees=[alice])
    busy(calendar_of(alice), monday(11), monday(12))
    assert "10:00" in clocks(alice)
    assert rules_against(alice, monday(10), monday(11)) == []


@pytest.mark.parametrize(("left", "offered"), [(0, True), (1, False)])
def test_a_hold_keeps_its_time_to_the_second_and_lets_go_by_itself(
    alice: Member, left: int, offered: bool
) -> None:
    until = datetime.now(UTC) + timedelta(seconds=left)
    assign(alice, (monday(10), monday(11)), held_until=until)
    assert ("10:00" in clocks(alice)) == offered
    assert rules_against(alice, monday(10), monday(11)) == ([] if offered else ["hold"])


def test_a_colleagues_appointment_is_not_mine(alice: Member, bob: Member, charlie: Member) -> None:
    book(by=alice, details=details(start=monday(10)), assignees=[bob])
    assign(charlie, (monday(11), monday(12)))
    assert clocks(alice) == ALL_DAY


def test_buffers_keep_two_appointments_apart_and_both_count(alice: Member) -> None:
    save_rules(by=alice, rules=Rules(buffer_before_minutes=15, buffer_after_minutes=30))
    book(by=alice, details=details(start=monday(12), end=monday(13)), assignees=[alice])
    found = clocks(alice, minutes=30, step=15)
    assert found[:10] == [f"{m // 60:02}:{m % 60:02}" for m in range(540, 651, 15)] + [
        "13:45",
        "14:00",
    ]
    assert rules_against(alice, monday(11), monday(11, 30)) == ["buffer"]
    assert rules_against(alice, monday(13, 30), monday(14)) == ["buffer"]
    # At the edges of the day buffers may lie outside working hours.
    assert found[-1] == "16:30"


def test_what_is_busy_in_google_must_not_reach_into_a_buffer(alice: Member) -> None:
    save_rules(by=alice, rules=Rules(buffer_before_minutes=30, buffer_after_minutes=15))
    busy(calendar_of(alice), monday(12), monday(13))
    found = clocks(alice, minutes=30, step=15)
    assert found[found.index("11:15") + 1] == "13:30"
    assert rules_against(alice, monday(11, 30), monday(12)) == ["buffer"]
    assert rules_against(alice, monday(11, 15), monday(11, 45)) == []
    reasons = why_not(member=alice, start=monday(13, 15), end=monday(13, 45))
    assert [r.detail for r in reasons] == [
        "Alice needs 30 minutes before an appointment and is busy in Google "
        "12:00–13:00 on Monday 30 November 2026."
    ]


def test_of_a_buffer_it_has_to_be_known_too_that_it_is_free(alice: Member) -> None:
    save_rules(by=alice, rules=Rules(buffer_before_minutes=30, buffer_after_minutes=15))
    calendar_of(alice, known_from=monday(10), known_until=monday(13))
    found = clocks(alice, minutes=30, step=15)
    assert (found[0], found[-1]) == ("10:30", "12:15")
    for start in (monday(10, 15), monday(12, 30)):
        end = start + 30 * MINUTE
        assert rules_against(alice, start, end) == ["calendar_unreadable"]


@pytest.mark.parametrize(
    ("known_from", "known_until", "offered"),
    [
        (12, 36, [12, 13, 14, 15, 16, 33, 34, 35]),
        (12, 99, [*range(12, 17), *range(33, 41)]),
        (-99, 12, [9, 10, 11]),
        (-99, 99, [*range(9, 17), *range(33, 41)]),
    ],
)
def test_of_several_days_only_those_are_offered_that_are_known(
    alice: Member, known_from: int, known_until: int, offered: list[int]
) -> None:
    calendar_of(alice, known_from=monday(known_from), known_until=monday(known_until))
    found = find_slots(
        business=alice.business,
        members=[alice],
        start=monday(0),
        end=monday(48),
        duration=HOUR,
        step=HOUR,
    )
    assert [slot.start for slot in found.slots] == [monday(hour) for hour in offered]


def test_notice_counts_from_this_minute(alice: Member) -> None:
    save_rules(by=alice, rules=Rules(notice_minutes=(4 * 24 + 1) * 60 - 60))
    assert clocks(alice) == ALL_DAY[3:]  # it is Thursday noon
    assert rules_against(alice, monday(11), monday(12)) == ["notice"]
    assert rules_against(alice, monday(12), monday(13)) == []


def test_the_window_ends_with_its_last_day(alice: Member) -> None:
    save_rules(by=alice, rules=Rules(window_days=4))
    assert clocks(alice) == ALL_DAY
    tuesday = {"start": monday(24), "end": monday(48)}
    assert clocks(alice, **tuesday) == []
    (reason,) = why_not(member=alice, start=monday(33), end=monday(34))
    assert reason.rule == "window"
    assert "at most 4 days ahead: until Monday 30 November 2026" in reason.detail


def test_a_night_across_the_end_of_the_window_can_still_begin(alice: Member) -> None:
    save_rules(by=alice, rules=Rules(window_days=4))
    night = (Span(datetime.min.time().replace(hour=22), datetime.min.time().replace(hour=6)),)
    save_week(by=alice, member=alice, week=(night,) * 7)
    assert clocks(alice, start=monday(22), end=monday(30), minutes=120) == ["22:00", "23:00"]
    assert rules_against(alice, monday(23), monday(25)) == []
    assert rules_against(alice, monday(24), monday(26)) == ["window"]


def test_a_member_elsewhere_works_in_their_own_clocks(alice: Member, bob: Member) -> None:
    nine = datetime.min.time().replace(hour=9)
    span = (Span(nine, nine.replace(hour=17)),)
    save_week(by=alice, member=alice, week=(span,) * 7, timezone="Australia/Adelaide")
    # Half an hour behind Sydney, but offered on the steps of Sydney's clocks.
    assert clocks(alice) == [f"{hour:02}:00" for hour in range(10, 17)]
    assert clocks(alice, step=30)[0] == "09:30"
    (reason,) = why_not(member=alice, start=monday(9), end=monday(10))
    assert reason.detail == (
        "On Monday 30 November 2026 Alice works 09:00–17:00 (Australia/Adelaide)."
    )
    save_week(by=alice, member=alice, week=((),) * 7, timezone="Australia/Adelaide")
    (reason,) = why_not(member=alice, start=monday(9), end=monday(10))
    assert reason.detail == ("Alice does not work on Monday 30 November 2026 (Australia/Adelaide).")
    saturday = timedelta(days=5)
    (reason,) = why_not(member=bob, start=monday(9) + saturday, end=monday(10) + saturday)
    assert reason.detail == "Bob does not work on Saturday 5 December 2026."


def test_days_off_holidays_and_other_hours(alice: Member, bob: Member) -> None:
    day = monday(0).astimezone(UTC).date() + timedelta(days=1)
    holiday = add_special_days(
        by=alice, member=None, first_day=day, last_day=day, name="Market day"
    )
    assert clocks(alice) == clocks(bob) == []
    (reason,) = why_not(member=bob, start=monday(9), end=monday(10))
    assert (reason.rule, reason.detail) == (
        "holiday",
        "Monday 30 November 2026 is a holiday (Market day).",
    )
    noon = datetime.min.time().replace(hour=12)
    add_special_days(
        by=bob,
        member=bob,
        first_day=day,
        last_day=day,
        spans=(Span(noon, noon.replace(hour=14)),),
    )
    assert clocks(bob) == ["12:00", "13:00"]
    assert rules_against(bob, monday(9), monday(10)) == ["outside_hours"]
    assert holiday.member is None


def test_a_day_off_is_said_without_its_reason(alice: Member) -> None:
    day = monday(0).date() + timedelta(days=1)
    add_special_days(by=alice, member=alice, first_day=day, last_day=day, name="Surgery")
    (reason,) = why_not(member=alice, start=monday(9), end=monday(10))
    assert (reason.rule, reason.detail) == (
        "day_off",
        "Alice has a day off on Monday 30 November 2026.",
    )


def test_the_hours_are_right_on_both_sides_of_a_change_of_the_clocks(alice: Member) -> None:
    """Sydney's clocks go back on Sunday 4 April 2027."""
    friday = datetime(2027, 4, 1, 13, tzinfo=UTC)
    found = find_slots(
        business=alice.business,
        members=[alice],
        start=friday,
        end=friday + timedelta(days=5),
        duration=HOUR,
        step=HOUR,
    )
    shown = [f"{in_zone(slot.start, SYDNEY):%d %H:%M}" for slot in found.slots]
    assert shown == [f"{day} {clock}" for day in ("02", "05", "06") for clock in ALL_DAY]
    assert in_zone(found.slots[0].start, SYDNEY).utcoffset() == 11 * HOUR
    assert in_zone(found.slots[8].start, SYDNEY).utcoffset() == 10 * HOUR


def test_everything_that_stands_against_a_time_is_said_at_once(alice: Member) -> None:
    save_rules(by=alice, rules=Rules(notice_minutes=10 * 24 * 60, buffer_after_minutes=10))
    calendar = calendar_of(alice, known_until=monday(17, 30))
    busy(calendar, monday(16, 30), monday(17))
    assign(alice, (monday(15, 30), monday(16)))
    assign(alice, (monday(16, 20), monday(16, 30)), held_until=datetime.now(UTC) + HOUR / 2)
    assert rules_against(alice, monday(16, 7), monday(18)) == [
        *("notice", "outside_hours", "buffer", "hold", "busy_in_google"),
        *("calendar_unreadable", "step"),
    ]


def test_a_time_off_the_steps_says_so_honestly(alice: Member) -> None:
    (reason,) = why_not(member=alice, start=monday(10, 7), end=monday(11, 7))
    assert reason.detail == "Appointments start every 15 minutes: at 10:00 or 10:15, for example."


def test_what_has_passed_has_passed(alice: Member) -> None:
    start = datetime.now(UTC) - timedelta(hours=2)
    reasons = why_not(member=alice, start=start, end=start + HOUR)
    assert [reason.detail for reason in reasons] == ["This time has passed."]


def test_exactly_as_many_as_were_asked_for(alice: Member) -> None:
    """Neither too few nor a promise of more: with all eight there is nothing to go on from."""

    def asked(limit: int) -> tuple[int, datetime | None]:
        found = find_slots(
            business=alice.business,
            members=[alice],
            start=monday(0),
            end=monday(24),
            duration=HOUR,
            step=HOUR,
            limit=limit,
        )
        return len(found.slots), found.next_from

    assert asked(len(ALL_DAY)) == (len(ALL_DAY), None)
    assert asked(len(ALL_DAY) + 1) == (len(ALL_DAY), None)
    assert asked(len(ALL_DAY) - 1) == (len(ALL_DAY) - 1, monday(16))


@pytest.mark.parametrize("source", ["appointment", "google"])
def test_a_neighbour_just_outside_the_period_asks_for_its_buffer(
    alice: Member, source: str
) -> None:
    """Asked for from ten to twelve; something ends at ten and something begins at twelve."""
    rules = Rules(buffer_before_minutes=15, buffer_after_minutes=15, step_minutes=30)
    save_rules(by=alice, rules=rules)
    for start in (monday(9), monday(12)):
        if source == "appointment":
            book(by=alice, details=details(start=start), assignees=[alice], allow_overlap=True)
        else:
            calendar = alice.busy_calendars.first() or calendar_of(alice)
            busy(calendar, start, start + HOUR)
    times = clocks(alice, minutes=30, step=30, start=monday(10), end=monday(12))
    assert times == ["10:30", "11:00"]
