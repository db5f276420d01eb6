"""Events whose appointment a restored backup does not know: their person decides, nobody else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from google_simulator.testing import RunningSimulator
from sophiie.accounts.models import Member
from sophiie.appointments import booking
from sophiie.appointments.errors import Conflict
from sophiie.appointments.models import Action, Appointment, AppointmentChange
from sophiie.calendar_link.models import CalendarLink, Covers
from sophiie.sync.actions.lost_events import (
    LostEventError,
    lost_events_of,
    make_appointment,
    remove,
)
from sophiie.sync.models import MirroredEvent
from tests.backup.restoring import restore, take
from tests.conftest import details
from tests.linking import browser_of, link
from tests.mirroring import drain_all, due_now, read_all
from tests.sync.drifting import ALICE, book_one, mirrored, watched

pytestmark = pytest.mark.django_db(transaction=True)
BOB = "bob@example.com"


def lose(tmp_path: Path, *booked: Any) -> list[Appointment]:
    """Restores a backup from before these were booked; the worker does what it does then."""
    yesterday = take(tmp_path)
    lost = [book() for book in booked]
    restore(yesterday)
    for _ in range(2):
        due_now()
        drain_all()
        read_all()
    return lost


def the_worker_goes_on() -> None:
    for _ in range(2):
        due_now()
        drain_all()
        read_all()


@pytest.fixture
def lost(linked: CalendarLink, alice: Member, tmp_path: Path) -> Appointment:
    (one,) = lose(
        tmp_path,
        lambda: mirrored(alice, title="Leaking tap", location="12 Bay Street", notes="Ring twice"),
    )
    return one


def test_the_person_is_asked_and_until_then_nothing_happens(
    lost: Appointment, linked: CalendarLink, alice: Member, google: RunningSimulator
) -> None:
    (asked,) = lost_events_of(linked)
    assert (asked.appointment_id, asked.start) == (lost.id, lost.start)
    page = browser_of(alice).get("/settings/calendar").content.decode()
    assert "Events whose appointment is lost" in page
    the_worker_goes_on()
    assert [event["id"] for event in google.events(ALICE)] == [asked.event_id]
    assert not Appointment.objects.exists()


def test_it_becomes_an_appointment_again_with_the_same_event(
    lost: Appointment, linked: CalendarLink, alice: Member, google: RunningSimulator
) -> None:
    (before,) = google.events(ALICE)
    page = browser_of(alice).post(
        "/settings/calendar/lost", {"event": before["id"], "answer": "make"}, follow=True
    )
    assert "“Leaking tap” is an appointment again." in page.content.decode()
    made = Appointment.objects.get()
    assert made.id == lost.id  # so that links to it lead somewhere again
    assert (made.title, made.location) == ("Leaking tap", "12 Bay Street")
    assert (made.start, made.end, made.timezone) == (lost.start, lost.end, lost.timezone)
    assert "Ring twice" in made.notes
    assert "Open in Sophiie" not in made.notes
    assert [a.member for a in made.assignments.all()] == [alice]
    the_worker_goes_on()
    (after,) = google.events(ALICE)
    assert after["id"] == before["id"]
    assert (watched().orphans, watched().lost, watched().orphans_at) == (0, [], [])
    booking.change(by=alice, appointment_id=made.id, changes={"title": "Burst pipe"})
    drain_all()
    assert google.event(ALICE, ALICE, before["id"])["summary"] == "Burst pipe"
    assert not booking.find(alice, made.id).assignments.filter(booked_anyway=True)


def test_it_is_removed_and_the_history_says_by_whom(
    lost: Appointment, linked: CalendarLink, alice: Member, google: RunningSimulator
) -> None:
    (event,) = google.events(ALICE)
    browser_of(alice).post("/settings/calendar/lost", {"event": event["id"], "answer": "remove"})
    the_worker_goes_on()
    assert google.events(ALICE) == []
    change = AppointmentChange.objects.get(appointment=lost.id)
    assert (change.action, change.by) == (Action.DELETED, alice)
    assert lost_events_of(linked) == []
    book_one(alice)  # its time is free


def test_what_was_removed_by_mistake_can_be_brought_back(
    lost: Appointment, linked: CalendarLink, alice: Member, google: RunningSimulator
) -> None:
    (event,) = google.events(ALICE)
    remove(by=alice, link=linked, event_id=event["id"])
    the_worker_goes_on()
    booking.reinstate(by=alice, appointment_id=lost.id)
    the_worker_goes_on()
    assert [event["summary"] for event in google.events(ALICE)] == ["Leaking tap"]


def test_the_second_of_two_answers_does_nothing(
    lost: Appointment, linked: CalendarLink, alice: Member, google: RunningSimulator
) -> None:
    (event,) = google.events(ALICE)
    make_appointment(by=alice, link=linked, event_id=event["id"])
    for act in (make_appointment, remove):
        with pytest.raises(LostEventError):
            act(by=alice, link=linked, event_id=event["id"])
    the_worker_goes_on()
    assert len(google.events(ALICE)) == 1
    assert Appointment.objects.get().deleted_at is None


def test_an_event_that_is_gone_by_then_makes_no_appointment(
    lost: Appointment, linked: CalendarLink, alice: Member, google: RunningSimulator
) -> None:
    (event,) = google.events(ALICE)
    google.delete_event(ALICE, ALICE, event["id"])
    for act in (make_appointment, remove):
        with pytest.raises(LostEventError, match="not in Google any more"):
            act(by=alice, link=linked, event_id=event["id"])
    assert not Appointment.objects.exists()


def test_an_event_over_another_appointment_is_left_and_the_person_told(
    lost: Appointment, linked: CalendarLink, alice: Member, google: RunningSimulator
) -> None:
    booking.book(
        by=alice,
        details=booking.Details.of(lost),
        assignees=[alice],
        allow_overlap=True,
    )
    (event,) = [e for e in google.events(ALICE) if e["summary"] == "Leaking tap"]
    with pytest.raises(Conflict):
        make_appointment(by=alice, link=linked, event_id=event["id"])
    assert [entry.event_id for entry in lost_events_of(linked)] == [event["id"]]
    the_worker_goes_on()
    with pytest.raises(Conflict):  # and its time is still taken
        book_one(alice, title="A third one")


@pytest.mark.parametrize("answer", ["make", "remove"])
def test_events_of_several_people_are_answered_at_once(
    linked: CalendarLink,
    alice: Member,
    bob: Member,
    google: RunningSimulator,
    tmp_path: Path,
    answer: str,
) -> None:
    link(bob, google, account=BOB)

    def book() -> Appointment:
        booked = booking.book(by=alice, details=details(), assignees=[alice, bob])
        drain_all()
        return booked

    (one,) = lose(tmp_path, book)
    before = {who: [e["id"] for e in google.events(who)] for who in (ALICE, BOB)}
    assert [len(ids) for ids in before.values()] == [1, 1]
    act = make_appointment if answer == "make" else remove
    act(by=alice, link=linked, event_id=before[ALICE][0])
    the_worker_goes_on()
    after = {who: [e["id"] for e in google.events(who)] for who in (ALICE, BOB)}
    if answer == "make":
        assert after == before
        made = booking.find(alice, one.id)
        assert {a.member_id for a in made.assignments.all()} == {alice.id, bob.id}
    else:
        assert after == {ALICE: [], BOB: []}


def test_whoever_has_all_of_the_business_in_their_calendar_is_not_assigned_by_that(
    linked: CalendarLink, alice: Member, bob: Member, google: RunningSimulator, tmp_path: Path
) -> None:
    bobs = link(bob, google, account=BOB)
    CalendarLink.objects.filter(pk=bobs.pk).update(covers=Covers.ALL)
    (one,) = lose(tmp_path, lambda: mirrored(alice))
    (event,) = google.events(ALICE)
    make_appointment(by=alice, link=linked, event_id=event["id"])
    the_worker_goes_on()
    assert [a.member for a in booking.find(alice, one.id).assignments.all()] == [alice]
    assert [len(google.events(who)) for who in (ALICE, BOB)] == [1, 1]


def test_nobody_answers_for_another_business_or_by_guessing(
    lost: Appointment, linked: CalendarLink, alice: Member, bob: Member, google: RunningSimulator
) -> None:
    (event,) = google.events(ALICE)
    browser_of(bob).post("/settings/calendar/lost", {"event": event["id"], "answer": "remove"})
    browser_of(alice).post("/settings/calendar/lost", {"event": "e" * 32, "answer": "remove"})
    browser_of(alice).post("/settings/calendar/lost", {"event": event["id"], "answer": "?"})
    the_worker_goes_on()
    assert [e["id"] for e in google.events(ALICE)] == [event["id"]]
    assert not Appointment.objects.exists()
    assert not MirroredEvent.objects.exists()
