"""Appointments in Google: made, changed, called off, exactly once, whatever happens between."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from google_simulator.testing import RunningSimulator
from sophiie.accounts.models import Member
from sophiie.appointments.booking import book, cancel, change, delete
from sophiie.calendar_link.connect import link_of
from sophiie.calendar_link.models import CalendarLink, LinkState
from sophiie.sync.models import MirroredEvent
from tests.conftest import details, tomorrow_at
from tests.linking import BACKEND, link
from tests.mirroring import drain_all, due_now
from tests.sync.drifting import ALICE, book_one, calls, ours, status_of

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("foreign_events_stay"),
]


def test_its_words_are_in_the_language_of_the_member_or_in_which_the_calendar_was_chosen(
    linked: CalendarLink, alice: Member, google: RunningSimulator
) -> None:
    german = Client(headers={"Accept-Language": "de"})
    german.force_login(alice, backend=BACKEND)
    german.post("/settings/calendar/choose", {"calendar_id": ALICE})
    made = book_one(alice)
    drain_all()
    assert ours(google)[0]["description"].startswith("Mit: Alice\n")
    Member.objects.filter(pk=alice.pk).update(language="en")
    change(by=alice, appointment_id=made.id, changes={"title": "Burst pipe"})
    due_now()
    drain_all()
    assert ours(google)[0]["description"].startswith("With: Alice\n")


def test_made_changed_and_deleted_with_one_call_each(
    linked: CalendarLink, alice: Member, google: RunningSimulator
) -> None:
    appointment = book_one(alice, location="12 Bay Street", notes="Bring <tools>")
    assert status_of(appointment).state == "pending"
    drain_all()
    (event,) = ours(google)
    assert event["summary"] == "Leaking tap"
    assert event["location"] == "12 Bay Street"
    assert "Alice" in event["description"]
    assert "&lt;tools&gt;" in event["description"]
    assert status_of(appointment).state == "synced"

    later = appointment.start + timedelta(hours=2)
    changes = {"title": "Moved", "start": later, "end": later + timedelta(hours=1)}
    change(by=alice, appointment_id=appointment.id, changes=changes)
    drain_all()
    (moved,) = ours(google)
    assert moved["id"] == event["id"]
    assert moved["summary"] == "Moved"

    delete(by=alice, appointment_id=appointment.id)
    drain_all()
    assert ours(google) == []
    assert calls(google) == ["insert", "patch", "delete"]
    assert all(
        call["query"].get("sendUpdates") == "none"
        for call in google.calls(method="calendar.events.*")
    )


@pytest.mark.parametrize("status", ["completed", "no_show"])
def test_how_it_went_changes_nothing_in_google(
    linked: CalendarLink, alice: Member, google: RunningSimulator, status: str
) -> None:
    appointment = book_one(alice)
    drain_all()
    (event,) = ours(google)
    unseen = {"etag", "updated", "sequence", "extendedProperties"}
    seen = {name: value for name, value in event.items() if name not in unseen}
    for outcome in (status, "scheduled"):
        change(by=alice, appointment_id=appointment.id, changes={}, status=outcome)
        drain_all()
        (shown,) = ours(google)
        assert {name: shown[name] for name in seen} == seen
        assert status_of(appointment).state == "synced"
    assert "delete" not in calls(google)


def test_ten_quick_edits_are_one_call(
    linked: CalendarLink, alice: Member, google: RunningSimulator
) -> None:
    appointment = book_one(alice)
    for number in range(10):
        change(by=alice, appointment_id=appointment.id, changes={"title": f"Edit {number}"})
    drain_all()
    assert calls(google) == ["insert"]
    assert ours(google)[0]["summary"] == "Edit 9"


def test_quick_edits_while_the_worker_is_idle_are_at_most_two_calls(
    linked: CalendarLink, alice: Member, google: RunningSimulator, settings: Any
) -> None:
    settings.MIRROR_COALESCE_SECONDS = 0.4
    appointment = book_one(alice)
    drain_all()
    google.clear_calls()
    for number in range(10):
        change(by=alice, appointment_id=appointment.id, changes={"title": f"Edit {number}"})
        if number in (0, 9):
            drain_all()
    assert len(calls(google)) <= 2
    assert ours(google)[0]["summary"] == "Edit 9"


def test_made_and_deleted_before_the_worker_came_needs_no_call(
    linked: CalendarLink, alice: Member, google: RunningSimulator
) -> None:
    appointment = book_one(alice)
    delete(by=alice, appointment_id=appointment.id)
    drain_all()
    assert calls(google) == []


def test_cancelled_and_brought_back_is_the_same_event(
    linked: CalendarLink, alice: Member, google: RunningSimulator
) -> None:
    appointment = book_one(alice)
    drain_all()
    (event,) = ours(google)
    cancel(by=alice, appointment_id=appointment.id)
    drain_all()
    assert ours(google) == []
    change(by=alice, appointment_id=appointment.id, changes={}, status="scheduled")
    drain_all()
    (again,) = ours(google)
    assert again["id"] == event["id"]


def test_what_lies_ahead_is_sent_when_a_link_begins(
    alice: Member, bob: Member, google: RunningSimulator
) -> None:
    book_one(alice, title="Ahead")
    book_one(alice, title="Past", start=tomorrow_at(1, days=-3))
    book(by=bob, details=details(title="Bob's own"), assignees=[bob])
    cancelled = book_one(alice, title="Off", start=tomorrow_at(8))
    cancel(by=alice, appointment_id=cancelled.id)
    found = link(alice, google)
    assert found.state == LinkState.BACKFILLING
    drain_all()
    assert [event["summary"] for event in ours(google)] == ["Ahead"]
    found.refresh_from_db()
    assert found.state == LinkState.ACTIVE


def test_taken_off_an_appointment_the_event_goes(
    alice: Member, bob: Member, google: RunningSimulator
) -> None:
    link(bob, google, account="bob@example.com")
    appointment = book(by=alice, details=details(), assignees=[alice, bob])
    drain_all()
    assert len(google.events("bob@example.com")) == 1
    change(by=alice, appointment_id=appointment.id, changes={}, assignees=[alice])
    drain_all()
    assert google.events("bob@example.com") == []


def test_deleted_in_google_comes_back_with_the_next_change(
    linked: CalendarLink, alice: Member, google: RunningSimulator
) -> None:
    appointment = book_one(alice)
    drain_all()
    google.delete_event(ALICE, ALICE, ours(google)[0]["id"])
    change(by=alice, appointment_id=appointment.id, changes={"title": "Changed"})
    drain_all()
    assert [event["summary"] for event in ours(google)] == ["Changed"]


def test_deleted_for_good_in_google_gets_a_new_event(
    linked: CalendarLink, alice: Member, google: RunningSimulator
) -> None:
    """After the trash was emptied the id can neither be used nor brought back."""
    appointment = book_one(alice)
    drain_all()
    old = ours(google)[0]["id"]
    google.delete_event(ALICE, ALICE, old)
    google.empty_trash(ALICE, ALICE)
    change(by=alice, appointment_id=appointment.id, changes={"title": "Changed"})
    drain_all()
    (event,) = ours(google)
    assert event["id"] != old
    assert event["summary"] == "Changed"
    assert MirroredEvent.objects.get().event_id == event["id"]


def test_an_id_that_belongs_to_something_else_is_left_alone(
    linked: CalendarLink,
    alice: Member,
    google: RunningSimulator,
    foreign_events_stay: Callable[[], None],
) -> None:
    appointment = book_one(alice)
    taken = google.insert_event(
        ALICE,
        ALICE,
        {
            "id": MirroredEvent.objects.get().event_id,
            "summary": "Somebody else's",
            "start": {"date": "2027-01-01"},
            "end": {"date": "2027-01-02"},
        },
    )
    foreign_events_stay()
    drain_all()
    assert [e["summary"] for e in ours(google) if e["id"] != taken["id"]] == ["Leaking tap"]
    assert status_of(appointment).state == "synced"


def test_what_a_person_added_in_google_survives_an_update(
    linked: CalendarLink, alice: Member, google: RunningSimulator
) -> None:
    appointment = book_one(alice)
    drain_all()
    event_id = ours(google)[0]["id"]
    google.patch_event(ALICE, ALICE, event_id, {"colorId": "5"})
    change(by=alice, appointment_id=appointment.id, changes={"title": "Changed"})
    drain_all()
    (event,) = ours(google)
    assert event["colorId"] == "5"
    assert event["summary"] == "Changed"


def test_made_all_day_in_google_is_set_right_by_the_next_change(
    linked: CalendarLink, alice: Member, google: RunningSimulator
) -> None:
    appointment = book_one(alice)
    drain_all()
    event_id = ours(google)[0]["id"]
    whole_day = {
        "start": {"date": "2027-01-01", "dateTime": None, "timeZone": None},
        "end": {"date": "2027-01-02", "dateTime": None, "timeZone": None},
    }
    google.patch_event(ALICE, ALICE, event_id, whole_day)
    # Another time: what is not changed in Sophiie is not written.
    change(by=alice, appointment_id=appointment.id, changes={"end": tomorrow_at(3)})
    drain_all()
    (event,) = ours(google)
    assert "date" not in event["start"]
    assert status_of(appointment).state == "synced"


def test_another_business_is_never_mirrored(
    linked: CalendarLink, charlie: Member, google: RunningSimulator
) -> None:
    CalendarLink.objects.update(covers="all")
    book(by=charlie, details=details(title="Charlie's"), assignees=[charlie])
    drain_all()
    assert ours(google) == []


def test_health_speaks_of_the_queue(
    linked: CalendarLink, alice: Member, google: RunningSimulator, api: Any
) -> None:
    book_one(alice)
    shown = api("GET", f"/members/{alice.id}/calendar-link").json()
    assert shown["state"] == "active"
    assert shown["pending"] == 1
    drain_all()
    shown = api("GET", f"/members/{alice.id}/calendar-link").json()
    assert shown["pending"] == 0
    assert shown["last_synced_at"]
    assert link_of(alice)
