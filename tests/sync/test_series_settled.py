"""Of a series that was deleted or changed Google tells little: the rest is looked up at once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from google_simulator.testing import RunningSimulator
from sophiie.accounts.models import Member
from sophiie.appointments.booking import book
from sophiie.busy_time.models import BusyPeriod
from sophiie.calendar_link.models import CalendarLink
from sophiie.sync.inbound.series import MAX_SERIES
from sophiie.sync.models import DriftKind, MirroredEvent
from tests.conftest import details, tomorrow_at
from tests.mirroring import read_all
from tests.sync.busy_calendars import Times, busy_times, event, hour, move
from tests.sync.conftest import Answer, ToldAs
from tests.sync.drifting import ALICE, calls, event_id_of, mirrored, repeat_in_google

pytestmark = pytest.mark.django_db(transaction=True)


def weekly(google: RunningSimulator, count: int = 50, at: int = 3) -> str:
    return event(google, tomorrow_at(at), recurrence=[f"RRULE:FREQ=WEEKLY;COUNT={count}"])


def weeks(count: int, at: int = 3) -> list[Times]:
    return [hour(tomorrow_at(at, days=1 + 7 * number)) for number in range(count)]


def only(most: int, *, bare: bool = True) -> Any:
    """Of what changed no more than so many items are told; of what is gone only the ids."""

    def told(answer: Answer) -> Answer:
        items = answer["items"][:most]
        if bare:
            items = [
                {"id": item["id"], "status": "cancelled"} if _is_gone(item) else item
                for item in items
            ]
        return {**answer, "items": items}

    return told


def _is_gone(item: dict[str, Any]) -> bool:
    return item.get("status") == "cancelled"


@pytest.mark.parametrize("told", [1, 27, 50])
@pytest.mark.parametrize("bare", [True, False])
def test_a_deleted_series_of_which_some_occurrences_are_told_goes_as_a_whole(
    watched_link: CalendarLink,
    alice: Member,
    google: RunningSimulator,
    told_as: ToldAs,
    told: int,
    bare: bool,
) -> None:
    google.switch(deleted_series_singly="instances")
    master, other = weekly(google), weekly(google, at=6)
    read_all()
    assert busy_times(alice) == sorted([*weeks(50), *weeks(50, at=6)])
    google.delete_event(ALICE, ALICE, master)
    told_as(only(told, bare=bare))
    google.clear_calls()
    assert read_all() == [True]
    assert busy_times(alice) == weeks(50, at=6)
    assert calls(google) == ["list", "instances"]
    assert other
    book(by=alice, details=details(start=weeks(50)[40][0]), assignees=[alice])


@pytest.mark.parametrize("told", [1, 30])
def test_a_series_made_shorter_blocks_no_more_than_is_left(
    watched_link: CalendarLink, alice: Member, google: RunningSimulator, told_as: ToldAs, told: int
) -> None:
    master = weekly(google)
    read_all()
    google.patch_event(ALICE, ALICE, master, {"recurrence": ["RRULE:FREQ=WEEKLY;COUNT=30"]})
    told_as(only(told))
    assert read_all() == [True]
    assert busy_times(alice) == weeks(30)


def test_a_series_with_another_rule_blocks_where_it_is_now(
    watched_link: CalendarLink, alice: Member, google: RunningSimulator, told_as: ToldAs
) -> None:
    master = weekly(google, count=8)
    read_all()
    google.patch_event(ALICE, ALICE, master, {"recurrence": ["RRULE:FREQ=DAILY;COUNT=3"]})
    told_as(only(1))
    assert read_all() == [True]
    assert busy_times(alice) == [hour(tomorrow_at(3, days=1 + number)) for number in range(3)]


def test_this_and_all_following_are_cut_off(
    watched_link: CalendarLink, alice: Member, google: RunningSimulator, told_as: ToldAs
) -> None:
    """A person moves the rest of a series: Google cuts it and makes another one."""
    master = weekly(google, count=8)
    read_all()
    google.patch_event(ALICE, ALICE, master, {"recurrence": ["RRULE:FREQ=WEEKLY;COUNT=3"]})
    rest = [(start + timedelta(hours=2), end + timedelta(hours=2)) for start, end in weeks(8)[3:]]
    event(google, rest[0][0], recurrence=["RRULE:FREQ=WEEKLY;COUNT=5"])
    told_as(lambda answer: {**answer, "items": answer["items"][-6:]})
    read_all()
    assert busy_times(alice) == [*weeks(3), *rest]


def test_one_deleted_occurrence_takes_none_of_the_others_along(
    watched_link: CalendarLink, alice: Member, google: RunningSimulator, told_as: ToldAs
) -> None:
    weekly(google, count=5)
    read_all()
    ids = list(BusyPeriod.objects.order_by("during").values_list("event_id", flat=True))
    move(google, ids[1], tomorrow_at(20))
    google.delete_event(ALICE, ALICE, ids[3])
    told_as(only(9))
    read_all()
    expected = [hour(tomorrow_at(20)), *(weeks(5)[number] for number in (0, 2, 4))]
    assert busy_times(alice) == sorted(expected)


def test_a_new_series_costs_no_further_call(
    watched_link: CalendarLink, alice: Member, google: RunningSimulator
) -> None:
    weekly(google, count=5)
    google.clear_calls()
    read_all()
    assert calls(google) == ["list"]


def test_nothing_is_free_while_google_does_not_find_a_series_that_is_there(
    watched_link: CalendarLink, alice: Member, google: RunningSimulator
) -> None:
    weekly(google, count=5)
    read_all()
    first = BusyPeriod.objects.order_by("during")[0].event_id
    google.delete_event(ALICE, ALICE, first)
    google.fault(method="calendar.events.instances", status=404, reason="notFound", count=1)
    assert read_all() == [False]
    assert busy_times(alice) == weeks(5)
    assert read_all() == [True]
    assert busy_times(alice) == weeks(5)[1:]


@pytest.mark.parametrize("status", [404, 410])
def test_a_series_of_which_google_knows_nothing_any_more_is_gone(
    watched_link: CalendarLink,
    alice: Member,
    google: RunningSimulator,
    told_as: ToldAs,
    status: int,
) -> None:
    google.switch(deleted_series_singly="instances")
    master = weekly(google, count=5)
    read_all()
    google.delete_event(ALICE, ALICE, master)
    told_as(only(2))
    google.fault(method="calendar.events.instances", status=status, reason="notFound", count=1)
    assert read_all() == [True]
    assert busy_times(alice) == []


def test_of_many_series_at_once_everything_is_read(
    watched_link: CalendarLink, alice: Member, google: RunningSimulator, told_as: ToldAs
) -> None:
    google.switch(deleted_series_singly="instances")
    masters = [weekly(google, count=3, at=at) for at in range(1, MAX_SERIES + 3)]
    read_all()
    for master in masters[:-1]:
        google.delete_event(ALICE, ALICE, master)
    google.clear_calls()
    assert read_all() == [True]
    assert busy_times(alice) == weeks(3, at=MAX_SERIES + 2)
    assert "instances" not in calls(google)


def test_no_more_is_asked_of_a_series_than_of_other_events(
    watched_link: CalendarLink, alice: Member, google: RunningSimulator
) -> None:
    master = weekly(google, count=5)
    read_all()
    google.patch_event(ALICE, ALICE, master, {"recurrence": ["RRULE:FREQ=WEEKLY;COUNT=3"]})
    read_all()
    (call,) = google.calls(method="calendar.events.instances")
    for word in ("summary", "description", "location", "email", "displayName", "*"):
        assert word not in call["query"]["fields"]


def test_an_event_of_ours_that_was_a_series_and_is_deleted_is_noticed(
    watched_link: CalendarLink, alice: Member, google: RunningSimulator, told_as: ToldAs
) -> None:
    google.switch(deleted_series_singly="instances")
    appointment = mirrored(alice, start=tomorrow_at(3))
    repeat_in_google(google, appointment, "RRULE:FREQ=WEEKLY;COUNT=50")
    read_all()
    assert busy_times(alice) == weeks(50)[1:]
    google.delete_event(ALICE, ALICE, event_id_of(appointment))
    told_as(only(20))
    read_all()
    assert busy_times(alice) == []
    assert MirroredEvent.objects.get().drift_kind == DriftKind.DELETED
