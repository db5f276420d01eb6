"""Once a day what should be in a calendar is compared with what is there."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
import time_machine

from google_simulator.testing import RunningSimulator
from sophiie.accounts.models import Member
from sophiie.appointments.booking import book, change
from sophiie.appointments.models import Appointment
from sophiie.calendar_link.models import CalendarLink
from sophiie.common.clock import now
from sophiie.ops.status import report
from sophiie.sync.inbound import poll_claim
from sophiie.sync.models import MirroredEvent, MirrorState, WatchedCalendar
from tests.conftest import details, tomorrow_at
from tests.mirroring import drain_all, read_all
from tests.sync.drifting import (
    ALICE,
    calls,
    drift_of,
    event_id_of,
    mirrored,
    move_in_google,
    nothing_drifted,
    read_everything,
    watched,
)

pytestmark = pytest.mark.django_db(transaction=True)


def titles(google: RunningSimulator) -> list[str]:
    return sorted(event["summary"] for event in google.events(ALICE))


def believed_shown(appointment: Appointment, revision: int = 1) -> None:
    """Google answered to a write that then was not there."""
    MirroredEvent.objects.filter(appointment=appointment).update(
        state=MirrorState.SYNCED,
        sent=True,
        wanted_revision=revision,
        shown_revision=revision,
        synced_at=now(),
        etag='"of the write that was lost"',
    )


def test_one_call_when_all_is_well(
    watched_link: CalendarLink, alice: Member, google: RunningSimulator
) -> None:
    for number in range(12):
        book(by=alice, details=details(start=tomorrow_at(1 + number)), assignees=[alice])
    drain_all()
    read_all()
    google.clear_calls()
    assert read_everything() == [True]
    assert calls(google) == ["list"]
    at = watched()
    assert at.reconciled_at is not None
    assert (at.repaired, at.orphans) == (0, 0)
    drain_all()
    assert calls(google) == ["list"]


def test_a_lost_row_is_made_again_for_the_event_that_is_there(
    watched_link: CalendarLink, alice: Member, google: RunningSimulator
) -> None:
    appointment = mirrored(alice)
    event_id = event_id_of(appointment)
    MirroredEvent.objects.all().delete()
    assert read_everything() == [True]
    assert watched().repaired == 1
    drain_all()
    assert event_id_of(appointment) == event_id
    assert len(google.events(ALICE)) == 1
    assert read_everything() == [True]
    assert (watched().repaired, watched().orphans) == (0, 0)


def test_what_was_never_noted_arrives(
    watched_link: CalendarLink, alice: Member, google: RunningSimulator
) -> None:
    appointment = book(by=alice, details=details(title="Forgotten"), assignees=[alice])
    MirroredEvent.objects.all().delete()
    changed = mirrored(alice, title="Before", start=tomorrow_at(5))
    called_off = mirrored(alice, title="Off", start=tomorrow_at(7))
    Appointment.objects.filter(pk=changed.pk).update(title="After", revision=2)
    Appointment.objects.filter(pk=called_off.pk).update(status="cancelled", revision=2)
    read_everything()
    assert watched().repaired == 3
    drain_all()
    assert titles(google) == ["After", "Forgotten"]
    assert event_id_of(appointment)


def test_an_event_that_never_arrived_is_written_again(
    watched_link: CalendarLink, alice: Member, google: RunningSimulator
) -> None:
    appointment = book(by=alice, details=details(), assignees=[alice])
    believed_shown(appointment)
    assert read_everything() == [True]
    assert watched().repaired == 1
    assert nothing_drifted()
    drain_all()
    assert titles(google) == [appointment.title]
    read_everything()
    assert watched().repaired == 0


def test_an_earlier_version_of_ours_is_written_again(
    watched_link: CalendarLink, alice: Member, google: RunningSimulator
) -> None:
    appointment = mirrored(alice)
    later = {"start": tomorrow_at(7), "end": tomorrow_at(8)}
    change(by=alice, appointment_id=appointment.id, changes=later)
    with time_machine.travel((now() + timedelta(minutes=2)).timestamp(), tick=True):
        believed_shown(appointment, revision=2)
        google.clear_calls()
        read_everything()
    assert watched().repaired == 1
    assert nothing_drifted()
    drain_all()
    (event,) = google.events(ALICE)
    assert datetime.fromisoformat(event["start"]["dateTime"]) == tomorrow_at(7)
    assert calls(google) == ["list", "get", "patch"]  # read whole, because it may be a person's


@pytest.mark.parametrize("act", ["moved", "deleted", "moved an earlier version"])
@pytest.mark.parametrize("googles_clock", [timedelta(0), timedelta(seconds=-20)])
def test_what_a_person_did_is_shown_and_left(
    watched_link: CalendarLink,
    alice: Member,
    google: RunningSimulator,
    act: str,
    googles_clock: timedelta,
) -> None:
    """However far Google's clock is behind ours, within reason."""
    appointment = mirrored(alice)
    google.set_clock((now() + googles_clock).isoformat())
    read_all()
    if act == "moved an earlier version":
        later = {"start": tomorrow_at(7), "end": tomorrow_at(8)}
        change(by=alice, appointment_id=appointment.id, changes=later)
        believed_shown(appointment, revision=2)
    if act == "deleted":
        google.delete_event(ALICE, ALICE, event_id_of(appointment))
    else:
        move_in_google(google, appointment)
    read_everything()
    read_everything()
    assert watched().repaired == 0
    assert drift_of(appointment)
    google.clear_calls()
    drain_all()
    assert calls(google) == []


def orphan(business: UUID, **more: Any) -> dict[str, Any]:
    start = more.pop("start", tomorrow_at(9))
    marks = {"sophiieBusiness": str(business), "sophiieAppointment": str(uuid4())}
    return {
        "id": uuid4().hex,
        "summary": "Left behind",
        "extendedProperties": {"private": marks},
        "start": {"dateTime": start.isoformat()},
        "end": {"dateTime": (start + timedelta(hours=1)).isoformat()},
        **more,
    }


def test_events_of_ours_that_belong_to_nothing_are_counted_and_left(
    watched_link: CalendarLink, alice: Member, google: RunningSimulator
) -> None:
    business = alice.business_id
    google.insert_event(ALICE, ALICE, orphan(business))
    # None of these: a copy that a person made, another installation's, what is over, what is ours.
    google.insert_event(ALICE, ALICE, orphan(business, id="copiedvh00000000000000000a"))
    google.insert_event(ALICE, ALICE, orphan(uuid4()))
    google.insert_event(
        ALICE, ALICE, orphan(business, start=datetime.now(UTC) - timedelta(hours=3))
    )
    mirrored(alice)
    before = google.digest()
    read_everything()
    drain_all()
    assert watched().orphans == 1
    assert google.digest() == before
    assert len(google.events(ALICE)) == 5
    assert "events of ours that belong to no appointment: 1" in report()


def test_readings_of_everything_do_not_meet_at_midnight(watched_link: CalendarLink) -> None:
    """Calendars read at the same moment, after an outage, go apart again."""
    begun = now()

    def due_after(hours: float) -> int:
        moment = begun + timedelta(hours=hours)
        calendars = [WatchedCalendar(window_start=begun - poll_claim.PAST) for _ in range(200)]
        return sum(poll_claim.window_is_old(calendar, moment) for calendar in calendars)

    assert due_after(17.9) == 0
    assert 50 < due_after(21) < 150
    assert due_after(24) == 200


def test_a_reminder_set_in_google_is_nobodys_business(
    watched_link: CalendarLink, alice: Member, google: RunningSimulator
) -> None:
    """It makes another version of the event, but says of no other time at which it changed."""
    appointment = mirrored(alice)
    read_all()
    reminders = {"useDefault": False, "overrides": [{"method": "popup", "minutes": 5}]}
    google.patch_event(ALICE, ALICE, event_id_of(appointment), {"reminders": reminders})
    MirroredEvent.objects.update(synced_at=now() + timedelta(seconds=5))
    read_everything()
    assert watched().repaired == 0
    assert nothing_drifted()
