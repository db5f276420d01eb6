"""What open pages hear of a poll, and nothing else, because each then asks anew."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection

from google_simulator.testing import RunningSimulator
from sophiie.accounts.models import Member
from sophiie.appointments.booking import book
from sophiie.calendar_link.models import CalendarLink
from sophiie.common import live
from sophiie.common.clock import now
from sophiie.sync.models import MirroredEvent, MirrorState
from tests.conftest import details, tomorrow_at
from tests.mirroring import read_all
from tests.sync.busy_calendars import event
from tests.sync.drifting import ALICE, mirrored, move_in_google, read_everything
from tests.sync.test_full_compare import believed_shown

pytestmark = pytest.mark.django_db(transaction=True)
Heard = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def heard(watched_link: CalendarLink) -> Iterator[Heard]:
    """What was said since it was called last, apart from the business, in order and once each."""
    with connection.copy().cursor() as listening:
        listening.execute(f"LISTEN {live.CHANNEL}")
        business = str(watched_link.member.business_id)

        def since() -> list[dict[str, Any]]:
            listening.execute("SELECT 1")
            said = [json.loads(one.payload) for one in listening.connection.notifies(timeout=0)]
            # Threads of earlier tests may still have something to say, of their own business.
            said = [one for one in said if one.pop("business") == business]
            return [one for place, one in enumerate(said) if one not in said[:place]]

        yield since
        listening.connection.close()


def test_a_poll_that_finds_nothing_says_nothing(heard: Heard) -> None:
    assert read_all() == [True]
    assert read_everything() == [True]
    assert heard() == []


def test_other_busy_time_is_said_of_its_member(
    heard: Heard, alice: Member, google: RunningSimulator
) -> None:
    made = event(google, tomorrow_at(3))
    read_all()
    assert heard() == [{"busy": str(alice.id)}]
    google.patch_event(ALICE, ALICE, made, {"summary": "Another title"})
    read_all()
    read_everything()
    assert heard() == []
    google.delete_event(ALICE, ALICE, made)
    read_all()
    assert heard() == [{"busy": str(alice.id)}]


def test_a_failure_and_its_end_are_said_once_each_of_the_link(
    heard: Heard, watched_link: CalendarLink, google: RunningSimulator
) -> None:
    of_link = [{"link": str(watched_link.id)}]
    google.fault(method="calendar.events.list", status=503)
    assert read_all() == [False]
    assert heard() == of_link
    assert read_all() == [False]
    assert heard() == []
    google.clear_faults()
    assert read_all() == [True]
    assert heard() == of_link
    assert read_all() == [True]
    assert heard() == []


def test_another_name_of_the_calendar_is_said_of_the_link(
    heard: Heard, watched_link: CalendarLink, google: RunningSimulator
) -> None:
    google.change_calendar(ALICE, ALICE, summary="Renamed")
    event(google, tomorrow_at(3))
    read_all()
    assert {"link": str(watched_link.id)} in heard()
    read_everything()
    assert heard() == []


def test_drift_is_said_of_its_appointment_as_often_as_it_changes(
    heard: Heard, alice: Member, google: RunningSimulator
) -> None:
    appointment = mirrored(alice)
    of_appointment = {"appointment": str(appointment.id)}
    read_all()
    heard()
    move_in_google(google, appointment)
    read_all()
    assert of_appointment in heard()
    read_everything()
    assert heard() == []


def test_what_is_written_again_is_said_of_its_appointment(
    heard: Heard, alice: Member, google: RunningSimulator
) -> None:
    appointment = book(by=alice, details=details(), assignees=[alice])
    believed_shown(appointment)
    heard()
    read_everything()
    assert heard() == [{"appointment": str(appointment.id)}]


def test_what_was_restored_and_what_went_again_is_said_of_its_appointment(
    heard: Heard, alice: Member, google: RunningSimulator
) -> None:
    appointment = mirrored(alice)
    read_all()
    long_ago = now().replace(year=now().year - 1)
    MirroredEvent.objects.update(wanted=False, state=MirrorState.SYNCED, synced_at=long_ago)
    (event_id,) = MirroredEvent.objects.values_list("event_id", flat=True)
    google.patch_event(ALICE, ALICE, event_id, {"colorId": "3"})
    heard()
    read_all()
    of_appointment = {"appointment": str(appointment.id)}
    assert of_appointment in heard()
    google.delete_event(ALICE, ALICE, event_id)
    read_all()
    assert of_appointment in heard()
