"""*Deleted on purpose?* is asked only of what is gone, and blocks only what is not known."""

from __future__ import annotations

import pytest

from google_simulator.testing import RunningSimulator
from sophiie.accounts.models import Member
from sophiie.appointments.booking import book
from sophiie.appointments.errors import Conflict
from sophiie.appointments.models import Appointment
from sophiie.busy_time.knowledge import Freshness
from sophiie.sync.models import MirroredEvent, WatchedCalendar
from tests.conftest import details, tomorrow_at
from tests.linking import link
from tests.mirroring import drain_all, read_all
from tests.sync.busy_calendars import busy_times, event, hour, knowledge
from tests.sync.conftest import ToldAs
from tests.sync.drifting import (
    ALICE,
    event_id_of,
    nothing_drifted,
    read_everything,
    repeat_in_google,
    times_of,
)

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def six(alice: Member, google: RunningSimulator) -> list[Appointment]:
    """Alice's appointments, all in Google, and read once."""
    link(alice, google)
    booked = [
        book(by=alice, details=details(start=tomorrow_at(at)), assignees=[alice])
        for at in range(1, 7)
    ]
    drain_all()
    read_all()
    return booked


def is_asked() -> bool:
    return WatchedCalendar.objects.get().missing > 0


def assert_bookable(member: Member) -> None:
    assert knowledge(member).state == Freshness.FRESH
    book(by=member, details=details(start=tomorrow_at(12)), assignees=[member])


@pytest.mark.parametrize("full", [True, False])
def test_made_a_series_it_is_no_deletion(
    alice: Member, google: RunningSimulator, six: list[Appointment], full: bool
) -> None:
    for appointment in six:
        repeat_in_google(google, appointment, "RRULE:FREQ=WEEKLY;COUNT=4")
    assert (read_everything() if full else read_all()) == [True]
    assert not is_asked()
    assert not MirroredEvent.objects.filter(drift_kind="deleted").exists()
    assert_bookable(alice)
    again = tomorrow_at(3, days=8)
    with pytest.raises(Conflict):  # the further weeks are the person's
        book(by=alice, details=details(start=again), assignees=[alice])


@pytest.mark.parametrize("full", [True, False])
def test_moved_to_another_calendar_it_is_no_deletion(
    alice: Member, google: RunningSimulator, six: list[Appointment], full: bool
) -> None:
    other = str(google.create_calendar(ALICE, "Private")["id"])
    for appointment in six:
        google.move_event(ALICE, ALICE, event_id_of(appointment), other)
    assert (read_everything() if full else read_all()) == [True]
    assert not is_asked()
    assert_bookable(alice)


@pytest.mark.parametrize("full", [True, False])
@pytest.mark.parametrize("marked", [True, False])
def test_found_under_another_id_it_is_no_deletion(
    alice: Member,
    google: RunningSimulator,
    six: list[Appointment],
    full: bool,
    marked: bool,
) -> None:
    """As after an import: the copies keep their marks, or at least their times."""
    for appointment in six:
        original = google.event(ALICE, ALICE, event_id_of(appointment))
        private = original["extendedProperties"] if marked else {"private": {"x": "y"}}
        google.delete_event(ALICE, ALICE, event_id_of(appointment))
        google.insert_event(ALICE, ALICE, {**times_of(appointment), "extendedProperties": private})
    assert (read_everything() if full else read_all()) == [True]
    assert not is_asked()


@pytest.mark.parametrize("full", [True, False])
def test_what_google_says_was_deleted_is_asked_about_and_blocks_nothing_else(
    alice: Member, google: RunningSimulator, six: list[Appointment], full: bool
) -> None:
    foreign = event(google, tomorrow_at(9))
    read_all()
    for appointment in six:
        google.delete_event(ALICE, ALICE, event_id_of(appointment))
    google.delete_event(ALICE, ALICE, foreign)
    event(google, tomorrow_at(15))
    assert (read_everything() if full else read_all()) == [False]
    assert is_asked()
    assert nothing_drifted()
    assert busy_times(alice) == [hour(tomorrow_at(15))]
    assert knowledge(alice).problem == ""
    assert_bookable(alice)
    with pytest.raises(Conflict):
        book(by=alice, details=details(start=tomorrow_at(15)), assignees=[alice])


def test_a_list_that_lacks_what_nobody_deleted_is_not_believed(
    alice: Member, google: RunningSimulator, six: list[Appointment], told_as: ToldAs
) -> None:
    event(google, tomorrow_at(9))
    read_all()
    checked_at = knowledge(alice).checked_at
    told_as(lambda answer: {**answer, "items": []})
    assert read_everything() == [False]
    assert is_asked()
    assert busy_times(alice) == [hour(tomorrow_at(9))]
    assert knowledge(alice).checked_at == checked_at
    assert "6 of 6 upcoming appointments" in knowledge(alice).problem
