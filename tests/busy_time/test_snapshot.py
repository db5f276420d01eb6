"""The copy of a calendar: what replaces what, and what only goes with its own calendar."""

from __future__ import annotations

from datetime import timedelta

import pytest

from sophiie.accounts.models import Member
from sophiie.busy_time import snapshot
from sophiie.busy_time.models import BusyCalendar, BusyPeriod
from sophiie.busy_time.snapshot import Period, apply, replace
from sophiie.common.reasons import NO_REASON, read
from sophiie.sync.messages import CRASHED, NOT_THERE
from tests.busy import calendar_of
from tests.conftest import tomorrow_at

pytestmark = pytest.mark.django_db


def period(name: str, hour: int, series: str = "") -> Period:
    return Period(name, series, tomorrow_at(hour), tomorrow_at(hour + 1))


ONE, TWO = period("one", 1), period("two", 2)
WEEKLY = [period(f"weekly_{n}", 5 + n, "weekly") for n in range(3)]


def there(calendar: BusyCalendar) -> set[str]:
    return set(BusyPeriod.objects.filter(calendar=calendar).values_list("event_id", flat=True))


@pytest.fixture
def copy(alice: Member) -> BusyCalendar:
    made = calendar_of(alice)
    replace(made, [ONE, TWO, *WEEKLY])
    return made


def test_a_whole_copy_replaces_the_one_before(copy: BusyCalendar) -> None:
    assert replace(copy, [ONE, TWO, *WEEKLY]) is False
    moved = TWO._replace(end=TWO.end + timedelta(minutes=5))
    assert replace(copy, [ONE, moved]) is True
    assert there(copy) == {"one", "two"}
    assert BusyPeriod.objects.get(event_id="two").during.upper == moved.end
    assert replace(copy, [ONE]) is True
    assert replace(copy, []) is True
    assert there(copy) == set()


def test_an_increment_leaves_what_it_does_not_name(copy: BusyCalendar) -> None:
    assert apply(copy, []) is False
    assert apply(copy, [ONE]) is False
    assert apply(copy, [period("one", 9), period("three", 3)]) is True
    assert there(copy) == {"one", "two", "three", *(p.event_id for p in WEEKLY)}
    assert BusyPeriod.objects.get(event_id="one").during.lower == tomorrow_at(9)


def test_events_and_whole_series_go_and_what_is_new_of_them_stays(copy: BusyCalendar) -> None:
    assert apply(copy, [], gone=["two", "unknown"]) is True
    assert apply(copy, [], gone=["two"]) is False
    # The series was shortened to its second occurrence.
    assert apply(copy, [WEEKLY[1]], gone_series=["weekly"]) is True
    assert there(copy) == {"one", "weekly_1"}
    assert apply(copy, [], gone_series=["weekly"]) is True
    assert there(copy) == {"one"}


def test_another_calendar_with_the_same_event_is_another_copy(
    copy: BusyCalendar, alice: Member
) -> None:
    second = calendar_of(alice)
    replace(second, [ONE, *WEEKLY])
    replace(copy, [])
    apply(copy, [], gone=["one"], gone_series=["weekly"])
    assert there(second) == {"one", *(p.event_id for p in WEEKLY)}
    assert BusyPeriod.objects.filter(member=alice).count() == 4


def test_the_series_that_are_touched(copy: BusyCalendar, alice: Member, bob: Member) -> None:
    def of(member: Member, *, events: tuple[str, ...] = (), series: tuple[str, ...] = ()) -> object:
        return snapshot.series_of(member.id, copy.calendar_id, events=events, series=series)

    assert of(alice, events=("weekly_1", "one")) == {"weekly"}
    assert of(alice, series=("weekly", "other")) == {"weekly"}
    assert of(alice, events=("one",), series=("one",)) == set()
    assert of(bob, events=("weekly_1",), series=("weekly",)) == set()
    assert snapshot.series_of(alice.id, "another", events=["weekly_1"], series=[]) == set()


def test_which_calendars_count(alice: Member, bob: Member) -> None:
    kept, gone, others = calendar_of(alice), calendar_of(alice), calendar_of(bob)
    replace(kept, [ONE])
    replace(gone, [TWO])
    for _ in range(2):
        snapshot.set_counted_calendars(alice.id, [kept.calendar_id, "new"])
        assert snapshot.calendars_that_count(alice.id) == {kept.calendar_id, "new"}
    assert there(kept) == {"one"}
    assert not BusyPeriod.objects.filter(event_id="two").exists()
    assert BusyCalendar.objects.get(calendar_id="new").checked_at is None
    assert snapshot.calendars_that_count(bob.id) == {others.calendar_id}
    assert snapshot.held_copy(alice.id, gone.calendar_id) is None
    assert snapshot.held_copy(bob.id, kept.calendar_id) is None
    assert snapshot.held_copy(alice.id, kept.calendar_id) == kept


def test_a_problem_is_noted_for_one_calendar_or_for_all_of_the_member(
    alice: Member, bob: Member
) -> None:
    first, second, others = calendar_of(alice), calendar_of(alice), calendar_of(bob)

    def problems() -> list[str]:
        found = []
        for calendar in (first, second, others):
            calendar.refresh_from_db()
            found.append(read(calendar.problem_reason, calendar.problem).code)
        return found

    snapshot.note_problem(alice.id, NOT_THERE, calendar_id=second.calendar_id)
    assert problems() == [NO_REASON.code, NOT_THERE.code, NO_REASON.code]
    snapshot.note_problem(alice.id, CRASHED)
    assert problems() == [CRASHED.code, CRASHED.code, NO_REASON.code]
    snapshot.note_problem(alice.id, NO_REASON)
    assert problems() == [NO_REASON.code] * 3
