"""An event is ours, and not busy time, only where it stands for a live appointment at its time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from asgiref.sync import async_to_sync

from google_simulator.testing import RunningSimulator
from sophiie.accounts.models import Member
from sophiie.appointments.booking import book, cancel, change, delete, reinstate
from sophiie.appointments.clashes import clashes_of
from sophiie.appointments.errors import Conflict
from sophiie.appointments.models import Appointment
from sophiie.calendar_link.models import CalendarLink
from sophiie.sync.actions import drift
from sophiie.sync.actions.preflight import preflight
from sophiie.sync.models import MirroredEvent
from tests.conftest import details, tomorrow_at
from tests.linking import link
from tests.mirroring import drain_all, read_all
from tests.sync.busy_calendars import busy_times, event, hour, link_with
from tests.sync.drifting import (
    ALICE,
    edit_in_google,
    event_id_of,
    mirrored,
    move_in_google,
    read_everything,
    repeat_in_google,
)

pytestmark = pytest.mark.django_db(transaction=True)


def at_one() -> datetime:
    return tomorrow_at(1)


def restored(google: RunningSimulator, appointment: Appointment) -> None:
    google.patch_event(ALICE, ALICE, event_id_of(appointment), {"status": "confirmed"})


def times(start: datetime, hours: float = 1) -> dict[str, Any]:
    end = start + timedelta(hours=hours)
    return {
        "start": {"dateTime": start.isoformat(), "timeZone": "UTC"},
        "end": {"dateTime": end.isoformat(), "timeZone": "UTC"},
    }


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("end", [cancel, delete])
def test_the_event_of_an_appointment_that_is_off_keeps_busy_when_restored(
    watched_link: CalendarLink,
    alice: Member,
    google: RunningSimulator,
    end: Callable[..., Any],
    full: bool,
) -> None:
    appointment = mirrored(alice, start=at_one())
    read_all()
    end(by=alice, appointment_id=appointment.id)
    drain_all()
    read_all()
    assert busy_times(alice) == []
    restored(google, appointment)
    assert (read_everything() if full else read_all()) == [True]
    assert busy_times(alice) == [hour(at_one())]
    with pytest.raises(Conflict):
        book(by=alice, details=details(start=at_one()), assignees=[alice])


def test_a_restored_event_is_in_nobodys_way_when_its_appointment_comes_back(
    watched_link: CalendarLink, alice: Member, google: RunningSimulator
) -> None:
    appointment = mirrored(alice, start=at_one())
    cancel(by=alice, appointment_id=appointment.id)
    drain_all()
    restored(google, appointment)
    read_all()
    reinstate(by=alice, appointment_id=appointment.id)
    drain_all()
    read_everything()
    assert busy_times(alice) == []
    assert len(google.events(ALICE)) == 1


@pytest.mark.parametrize(
    ("later", "hours"),
    [(3, 1), (0, 3), (-1, 2), (0, 0.5)],
    ids=["dragged", "lengthened", "begun sooner", "shortened"],
)
@pytest.mark.parametrize("full", [False, True])
def test_until_somebody_decides_both_times_are_taken(
    watched_link: CalendarLink,
    alice: Member,
    google: RunningSimulator,
    later: int,
    hours: float,
    full: bool,
) -> None:
    appointment, start = mirrored(alice, start=at_one()), tomorrow_at(1 + later)
    edit_in_google(google, appointment, **times(start, hours))
    assert (read_everything() if full else read_all()) == [True]
    assert busy_times(alice) == [hour(start, hours)]
    for taken in (at_one(), start):
        with pytest.raises(Conflict):
            book(by=alice, details=details(start=taken), assignees=[alice])
    drift.put_back(alice, appointment.id)
    drain_all()
    read_all()
    assert busy_times(alice) == []


def test_an_appointment_is_never_in_its_own_way(
    watched_link: CalendarLink, alice: Member, google: RunningSimulator
) -> None:
    """Its event lies half over it: that is drift, and no clash; and its time can be used."""
    appointment = mirrored(alice, start=at_one())
    edit_in_google(google, appointment, **times(at_one() + timedelta(minutes=30)))
    read_all()
    assert len(busy_times(alice)) == 1
    assert clashes_of([appointment]) == {}
    changed = drift.use_googles_version(alice, appointment.id)
    assert changed.start == at_one() + timedelta(minutes=30)
    drain_all()
    read_everything()
    assert busy_times(alice) == []


def test_somebody_elses_appointment_is_in_the_way_of_a_dragged_event(
    watched_link: CalendarLink, alice: Member, google: RunningSimulator
) -> None:
    mine, other = mirrored(alice, start=at_one()), mirrored(alice, start=tomorrow_at(4))
    move_in_google(google, mine)
    read_all()
    found = clashes_of([mine, other])
    assert list(found) == [other.id]


def test_all_occurrences_but_the_appointments_own_keep_busy(
    watched_link: CalendarLink, alice: Member, google: RunningSimulator
) -> None:
    appointment = mirrored(alice, start=at_one())
    repeat_in_google(google, appointment, "RRULE:FREQ=DAILY;COUNT=3")
    read_all()
    assert busy_times(alice) == [hour(tomorrow_at(1, days=n)) for n in (2, 3)]
    edit_in_google(google, appointment, **times(tomorrow_at(5)))
    read_everything()
    assert busy_times(alice) == [hour(tomorrow_at(5, days=n)) for n in (1, 2, 3)]


def test_a_change_of_one_occurrence_frees_no_other(
    watched_link: CalendarLink, alice: Member, google: RunningSimulator
) -> None:
    appointment = mirrored(alice, start=at_one())
    repeat_in_google(google, appointment, "RRULE:FREQ=DAILY;COUNT=4")
    read_all()
    third = f"{event_id_of(appointment)}_{tomorrow_at(1, days=3):%Y%m%dT%H%M%SZ}"
    google.patch_event(ALICE, ALICE, third, times(tomorrow_at(8, days=3)))
    read_all()
    expected = [hour(tomorrow_at(1, days=2)), hour(tomorrow_at(8, days=3))]
    assert busy_times(alice) == [*expected, hour(tomorrow_at(1, days=4))]


def test_moved_to_another_calendar_it_keeps_busy_where_the_appointment_is_not(
    alice: Member, google: RunningSimulator
) -> None:
    other = google.create_calendar(ALICE, "Other")["id"]
    link_with(alice, google, other)
    appointment = mirrored(alice, start=at_one())
    read_all()
    google.move_event(ALICE, ALICE, event_id_of(appointment), other)
    read_all()
    assert busy_times(alice) == []  # the appointment itself keeps that time
    change(by=alice, appointment_id=appointment.id, changes={"start": tomorrow_at(6)} | end_at(7))
    google.patch_event(ALICE, other, event_id_of(appointment), {"summary": "Touched"})
    read_all()
    assert busy_times(alice) == [hour(at_one())]


def end_at(hour_of_day: int) -> dict[str, Any]:
    return {"end": tomorrow_at(hour_of_day)}


def test_an_appointment_of_another_business_on_the_same_account_keeps_busy(
    watched_link: CalendarLink, alice: Member, charlie: Member, google: RunningSimulator
) -> None:
    link(charlie, google, account=ALICE)
    book(by=charlie, details=details(start=at_one()), assignees=[charlie])
    mirrored(alice, start=tomorrow_at(5))
    read_all()
    assert busy_times(alice) == [hour(at_one())]
    assert busy_times(charlie) == [hour(tomorrow_at(5))]


def test_an_event_that_sophiie_is_about_to_move_is_not_busy_where_it_was(
    watched_link: CalendarLink, alice: Member, google: RunningSimulator
) -> None:
    """Nobody has touched it, and the change is on its way."""
    appointment = mirrored(alice, start=at_one())
    changes = {"start": tomorrow_at(6), "end": tomorrow_at(7)}
    change(by=alice, appointment_id=appointment.id, changes=changes)
    read_all()
    assert busy_times(alice) == []
    move_in_google(google, appointment)  # now somebody has
    read_all()
    assert busy_times(alice) == [hour(tomorrow_at(4))]
    drain_all()
    read_all()
    assert busy_times(alice) == []


def test_before_the_choice_the_same_rule_holds(alice: Member, google: RunningSimulator) -> None:
    found = link(alice, google)
    moved, off = mirrored(alice, start=at_one()), mirrored(alice, start=tomorrow_at(8))
    book(by=alice, details=details(title="Over it", start=tomorrow_at(4)), assignees=[alice])
    edit_in_google(google, moved, **times(tomorrow_at(4)))
    assert async_to_sync(preflight)(found, ALICE).clashes == 1
    cancel(by=alice, appointment_id=off.id)
    drain_all()
    book(by=alice, details=details(title="Next", start=tomorrow_at(8)), assignees=[alice])
    drain_all()
    assert async_to_sync(preflight)(found, ALICE).clashes == 1
    restored(google, off)
    assert async_to_sync(preflight)(found, ALICE).clashes == 2


def test_a_foreign_event_with_our_marks_keeps_busy(
    watched_link: CalendarLink, alice: Member, google: RunningSimulator
) -> None:
    """Marks prove nothing where there is a mapping: anybody may copy them."""
    appointment = mirrored(alice, start=at_one())
    private = google.event(ALICE, ALICE, event_id_of(appointment))["extendedProperties"]
    event(google, tomorrow_at(9), id="0" * 32, extendedProperties=private)
    read_all()
    assert busy_times(alice) == [hour(tomorrow_at(9))]
    assert MirroredEvent.objects.count() == 1
