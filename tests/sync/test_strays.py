"""Which events of our making belong to nothing, and which rows are made up for once a day."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from google_simulator.testing import RunningSimulator
from sophiie.accounts.models import Member
from sophiie.appointments.models import Appointment
from sophiie.calendar_link.models import CalendarLink, LinkState
from sophiie.sync.models import MirroredEvent, MirrorState
from tests.conftest import tomorrow_at
from tests.mirroring import drain_all
from tests.sync.drifting import ALICE, event_id_of, mirrored, read_everything, watched

pytestmark = pytest.mark.django_db(transaction=True)


EARLIER = "earlier@group.calendar.google.com"


def test_what_is_left_in_an_earlier_calendar_comes_to_the_chosen_one(
    watched_link: CalendarLink, alice: Member, google: RunningSimulator
) -> None:
    appointment = mirrored(alice)
    MirroredEvent.objects.update(calendar_id=EARLIER)
    read_everything()
    wanted = MirroredEvent.objects.get(appointment=appointment, wanted=True)
    assert wanted.calendar_id == watched_link.calendar_id


def test_what_was_called_off_is_removed_from_an_earlier_calendar_too(
    watched_link: CalendarLink, alice: Member, google: RunningSimulator
) -> None:
    """Nothing of it is planned and nothing stands in the chosen calendar: yet it differs."""
    appointment = mirrored(alice)
    MirroredEvent.objects.update(calendar_id=EARLIER)
    Appointment.objects.filter(pk=appointment.pk).update(status="cancelled", revision=2)
    read_everything()
    assert watched().repaired == 1
    (row,) = MirroredEvent.objects.filter(appointment=appointment)
    assert (row.wanted, row.calendar_id) == (False, EARLIER)


def test_an_event_that_is_being_removed_is_no_stray(
    watched_link: CalendarLink, alice: Member
) -> None:
    appointment = mirrored(alice)
    Appointment.objects.filter(pk=appointment.pk).update(status="cancelled", revision=2)
    MirroredEvent.objects.update(wanted=False, wanted_revision=2, state=MirrorState.PENDING)
    read_everything()
    assert watched().orphans == 0
    MirroredEvent.objects.update(state=MirrorState.SYNCED)
    read_everything()
    assert watched().orphans == 1


def test_an_all_day_stray_is_not_over(
    watched_link: CalendarLink, alice: Member, google: RunningSimulator
) -> None:
    day = tomorrow_at(0, days=3).date()
    marks = {"sophiieBusiness": str(alice.business_id), "sophiieAppointment": str(uuid4())}
    event: dict[str, Any] = {
        "id": uuid4().hex,
        "summary": "Left behind, for a whole day",
        "extendedProperties": {"private": marks},
        "start": {"date": day.isoformat()},
        "end": {"date": (day + timedelta(days=1)).isoformat()},
    }
    google.insert_event(ALICE, ALICE, event)
    read_everything()
    assert watched().orphans == 1


def is_of_a_link_that_ended(member: Member) -> None:
    """All mapping is of a link of this member that has ended since."""
    ended = CalendarLink.objects.get()
    ended.pk, ended.member, ended.state = UUID(int=7), member, LinkState.UNLINKED
    ended.save(force_insert=True)
    MirroredEvent.objects.update(link=ended)


def test_an_event_of_an_unlinked_link_can_be_adopted(
    watched_link: CalendarLink, alice: Member, bob: Member, google: RunningSimulator
) -> None:
    """The mapping of a link that has ended stands for nothing any more: the event that is there
    serves the living link, instead of a second one beside it."""
    appointment = mirrored(alice)
    event_id = event_id_of(appointment)
    is_of_a_link_that_ended(bob)
    read_everything()
    assert watched().repaired == 1
    drain_all()
    assert MirroredEvent.objects.get(link=watched_link, wanted=True).event_id == event_id
    assert [event["id"] for event in google.events(ALICE)] == [event_id]


def test_what_a_link_left_behind_when_it_ended_is_a_stray(
    watched_link: CalendarLink, alice: Member, bob: Member, google: RunningSimulator
) -> None:
    """Its mapping is still there, but nobody will ever remove the event by it."""
    appointment = mirrored(alice)
    is_of_a_link_that_ended(bob)
    Appointment.objects.filter(pk=appointment.pk).update(status="cancelled", revision=2)
    read_everything()
    assert watched().orphans == 1
    assert len(google.events(ALICE)) == 1
