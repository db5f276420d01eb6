"""An optional part never sinks the whole: time and title are written without it, and it apart."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from google_simulator.testing import RunningSimulator
from sophiie.accounts.models import Member
from sophiie.appointments.booking import book, change
from sophiie.appointments.models import Appointment
from sophiie.calendar_link.models import CalendarLink
from sophiie.common.clock import now
from sophiie.sync.models import MirroredEvent
from tests.conftest import ApiCaller, details, tomorrow_at
from tests.linking import browser_of
from tests.mirroring import drain_all, read_all, sweep_once
from tests.sync.drifting import ALICE, drift_of

pytestmark = pytest.mark.django_db(transaction=True)
NO_INVITATIONS: dict[str, Any] = {
    "status": 403,
    "reason": "quotaExceeded",
    "domain": "usageLimits",
    "message": "Calendar usage limits exceeded.",
    "body": '"attendees"',
}
REFUSED: dict[str, Any] = {"status": 400, "reason": "invalid", "message": "Invalid value"}


def row_of(appointment: Appointment) -> MirroredEvent:
    return MirroredEvent.objects.select_related("link").get(appointment=appointment)


def booked(alice: Member, *team: Member, **more: Any) -> Appointment:
    more = {"location": "5 Rose St", "notes": "Ring twice", **more}
    appointment = book(by=alice, details=details(**more), assignees=[alice, *team])
    drain_all()
    return appointment


def only_event(google: RunningSimulator) -> dict[str, Any]:
    (event,) = google.events(ALICE)
    return dict(event)


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"reason": "invitationLimitOfTomorrow"},
        {"status": 403, "reason": "forbidden", "domain": "global"},
        {"status": 400, "reason": "invalid", "domain": "global"},
    ],
    ids=["quota", "a limit of tomorrow", "forbidden", "refused"],
)
def test_invitations_that_are_used_up_park_nothing(
    linked: CalendarLink, alice: Member, bob: Member, google: RunningSimulator, answer: Any
) -> None:
    google.fault(method="calendar.events.*", **NO_INVITATIONS | answer)
    appointment = booked(alice, bob)
    event, row = only_event(google), row_of(appointment)
    assert event["summary"] == appointment.title
    assert (event["location"], "Ring twice" in event["description"]) == ("5 Rose St", True)
    assert "attendees" not in event
    assert (row.state, row.link.parked_until) == ("synced", None)
    assert list(row.left_out) == ["guests"]
    other = book(by=alice, details=details(start=tomorrow_at(6)), assignees=[alice])
    drain_all()
    assert row_of(other).state == "synced"
    # A new time does not wait for the invitations either.
    moved = {"start": tomorrow_at(9), "end": tomorrow_at(10)}
    change(by=alice, appointment_id=appointment.id, changes=moved)
    drain_all()
    row = row_of(appointment)
    assert (row.state, row.shown_revision, list(row.left_out)) == ("synced", 2, ["guests"])
    assert row.link.parked_until is None
    read_all()
    assert drift_of(appointment) is None


def test_what_was_left_out_is_tried_again_and_then_there(
    linked: CalendarLink, alice: Member, bob: Member, google: RunningSimulator
) -> None:
    google.fault(method="calendar.events.*", **NO_INVITATIONS)
    appointment = booked(alice, bob)
    google.clear_faults()
    row = row_of(appointment)
    assert row.left_out_next_at is not None
    assert now() < row.left_out_next_at <= now() + timedelta(days=1)
    MirroredEvent.objects.update(left_out_next_at=now())
    sweep_once()
    drain_all()
    assert [guest["email"] for guest in only_event(google)["attendees"]] == [bob.email]
    row = row_of(appointment)
    assert (row.left_out, row.left_out_next_at, row.shown_guests) == ({}, None, [bob.email])


def test_what_was_left_out_by_a_wrong_clock_is_tried_again_within_a_day(
    linked: CalendarLink, alice: Member, bob: Member, google: RunningSimulator
) -> None:
    google.fault(method="calendar.events.*", **NO_INVITATIONS)
    appointment = booked(alice, bob)
    google.clear_faults()
    MirroredEvent.objects.update(left_out_next_at=now() + timedelta(days=2))
    sweep_once()
    drain_all()
    assert (row_of(appointment).left_out, row_of(appointment).shown_guests) == ({}, [bob.email])


def test_trying_it_again_in_vain_parks_nothing_either(
    linked: CalendarLink, alice: Member, bob: Member, google: RunningSimulator
) -> None:
    google.fault(method="calendar.events.*", **NO_INVITATIONS)
    appointment = booked(alice, bob)
    MirroredEvent.objects.update(left_out_next_at=now())
    sweep_once()
    drain_all()
    row = row_of(appointment)
    assert (row.state, list(row.left_out), row.link.parked_until) == ("synced", ["guests"], None)
    assert row.left_out_next_at is not None


@pytest.mark.parametrize(
    ("sign", "part", "there"),
    [
        ('"description": "', "description", {"location": "5 Rose St"}),
        ('"location": "', "location", {}),
        ('"timeZone": "Australia', "zone", {"location": "5 Rose St"}),
    ],
)
@pytest.mark.parametrize("later", [False, True])
def test_each_part_is_written_apart(
    linked: CalendarLink,
    alice: Member,
    google: RunningSimulator,
    sign: str,
    part: str,
    there: dict[str, str],
    later: bool,
) -> None:
    """When the event is made, and when it gets another time."""
    if not later:
        google.fault(method="calendar.events.*", body=sign, **REFUSED)
    appointment = booked(alice)
    if later:
        google.fault(method="calendar.events.*", body=sign, **REFUSED)
        changes = {
            "start": tomorrow_at(9),
            "end": tomorrow_at(10),
            "location": "7 Elm St",
            "notes": "Knock",
        }
        appointment = change(by=alice, appointment_id=appointment.id, changes=changes)
        drain_all()
        there = dict.fromkeys(there, "7 Elm St")
    event, row = only_event(google), row_of(appointment)
    assert (row.state, list(row.left_out)) == ("synced", [part])
    assert {name: event.get(name) for name in there} == there
    assert row.shown_revision == appointment.revision
    assert event["start"]["dateTime"].startswith(f"{appointment.local_start:%Y-%m-%dT%H:%M}")
    google.clear_faults()
    MirroredEvent.objects.update(left_out_next_at=now())
    sweep_once()
    drain_all()
    event, row = only_event(google), row_of(appointment)
    assert row.left_out == {}
    assert event["location"] == appointment.location
    assert appointment.notes in event["description"]
    assert event["start"]["timeZone"] == "Australia/Sydney"


def test_what_concerns_the_mandatory_part_still_fails(
    linked: CalendarLink, alice: Member, google: RunningSimulator
) -> None:
    google.fault(method="calendar.events.*", body='"summary"', **REFUSED)
    assert row_of(booked(alice)).state == "failed"


def test_a_calendar_that_takes_nothing_is_parked_as_ever(
    linked: CalendarLink, alice: Member, bob: Member, google: RunningSimulator
) -> None:
    google.fault(method="calendar.events.*", **NO_INVITATIONS | {"body": None})
    row = row_of(booked(alice, bob))
    assert (row.state, row.left_out) == ("pending", {})
    assert row.link.parked_until is not None


def test_it_is_shown_with_googles_words_and_can_be_tried_at_once(
    linked: CalendarLink, alice: Member, bob: Member, google: RunningSimulator, api: ApiCaller
) -> None:
    google.fault(method="calendar.events.*", **NO_INVITATIONS)
    appointment = booked(alice, bob)
    page = browser_of(alice).get(f"/appointments/{appointment.id}").content.decode()
    assert "Without Guests" in page
    assert "Calendar usage limits exceeded." in page
    assert "Retry now" in page
    (shown,) = api("GET", f"/appointments/{appointment.id}").json()["sync"]
    assert shown["left_out"] == {"guests": "Calendar usage limits exceeded."}
    google.clear_faults()
    answer = api("POST", f"/appointments/{appointment.id}/retry-sync")
    assert answer.status_code == 200
    drain_all()
    (shown,) = api("GET", f"/appointments/{appointment.id}").json()["sync"]
    assert (shown["left_out"], shown["guests"]) == ({}, [bob.email])
