"""Recurring events in Google keep people busy at every occurrence, and only then."""

from __future__ import annotations

from datetime import datetime

import pytest

from google_simulator.testing import RunningSimulator
from sophiie.accounts.models import Member
from sophiie.busy_time.models import BusyPeriod
from sophiie.calendar_link.models import CalendarLink
from tests.conftest import tomorrow_at
from tests.mirroring import read_all
from tests.sync.busy_calendars import busy_times, event, hour, move
from tests.sync.drifting import ALICE, mirrored, read_everything, repeat_in_google

pytestmark = pytest.mark.django_db(transaction=True)


def series(google: RunningSimulator, count: int = 6) -> str:
    return event(google, tomorrow_at(3), recurrence=[f"RRULE:FREQ=DAILY;COUNT={count}"])


def days(count: int) -> list[tuple[datetime, datetime]]:
    return [hour(tomorrow_at(3, days=1 + n)) for n in range(count)]


@pytest.mark.parametrize("known_before", [False, True])
def test_every_occurrence_of_a_series(
    watched_link: CalendarLink, alice: Member, google: RunningSimulator, known_before: bool
) -> None:
    series(google)
    assert read_all() == [True] if known_before else read_everything() == [True]
    assert busy_times(alice) == days(6)


def test_exceptions_of_a_series(
    watched_link: CalendarLink, alice: Member, google: RunningSimulator
) -> None:
    master = series(google)
    read_all()
    ids = sorted(BusyPeriod.objects.values_list("event_id", flat=True))
    move(google, ids[0], tomorrow_at(9))
    google.delete_event(ALICE, ALICE, ids[1])
    read_all()
    expected = sorted([hour(tomorrow_at(9)), *days(6)[2:]])
    assert busy_times(alice) == expected
    read_everything()
    assert busy_times(alice) == expected
    assert set(BusyPeriod.objects.values_list("series_id", flat=True)) == {master}


@pytest.mark.parametrize("told", ["master", "instances"])
def test_a_series_that_is_deleted_goes_as_a_whole(
    watched_link: CalendarLink, alice: Member, google: RunningSimulator, told: str
) -> None:
    google.switch(deleted_series_singly=told)
    event(google, tomorrow_at(20))
    master = series(google)
    read_all()
    assert len(busy_times(alice)) == 7
    google.delete_event(ALICE, ALICE, master)
    assert read_all() == [True]
    assert busy_times(alice) == [hour(tomorrow_at(20))]


def test_another_series_with_a_similar_name_stays(
    watched_link: CalendarLink, alice: Member, google: RunningSimulator
) -> None:
    """Google names what splits off a series after it."""
    master = event(google, tomorrow_at(3), id="abcde", recurrence=["RRULE:FREQ=DAILY;COUNT=2"])
    read_all()
    BusyPeriod.objects.filter(event_id=BusyPeriod.objects.order_by("id")[0].event_id).update(
        event_id="abcde_R20261103T090000_20261103T090000Z", series_id="abcde_R20261103T090000"
    )
    google.delete_event(ALICE, ALICE, master)
    read_all()
    assert len(busy_times(alice)) == 1


def test_a_single_event_becomes_a_series_and_single_again(
    watched_link: CalendarLink, alice: Member, google: RunningSimulator
) -> None:
    made = event(google, tomorrow_at(3))
    read_all()
    google.patch_event(ALICE, ALICE, made, {"recurrence": ["RRULE:FREQ=DAILY;COUNT=3"]})
    read_all()
    assert busy_times(alice) == days(3)
    google.patch_event(ALICE, ALICE, made, {"recurrence": None})
    read_all()
    assert busy_times(alice) == days(1)


def test_other_occurrences_of_a_series_made_of_ours_are_busy(
    watched_link: CalendarLink, alice: Member, google: RunningSimulator
) -> None:
    appointment = mirrored(alice, start=tomorrow_at(3))
    repeat_in_google(google, appointment, "RRULE:FREQ=DAILY;COUNT=3")
    read_all()
    assert busy_times(alice) == days(3)[1:]
