"""Appointments in Google: made, changed, called off, exactly once, whatever happens between."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client

from google_simulator.testing import RunningSimulator
from sophiie.accounts.models import Member
from sophiie.appointments.booking import book, cancel, change, delete
from sophiie.appointments.models import Appointment
from sophiie.calendar_link.connect import link_of
from sophiie.calendar_link.models import CalendarLink, LinkState
from sophiie.sync.models import MirroredEvent, MirrorState
from sophiie.sync.reports.event_status import statuses_of
from tests.conftest import details, tomorrow_at
from tests.linking import BACKEND, browser_of, come_back, link
from tests.mirroring import drain_all, due_now

pytestmark = pytest.mark.django_db(transaction=True)
ALICE = "alice@example.com"


@pytest.fixture(autouse=True)
def foreign_events_stay(google: RunningSimulator) -> Iterator[Callable[[], None]]:
    """Whatever a test does, events that Sophiie did not make stay byte for byte the same.

    A test that adds one itself calls the fixture's value afterwards.
    """
    start = tomorrow_at(5).isoformat()
    end = tomorrow_at(6).isoformat()
    for number in range(3):
        body = {
            "summary": f"Private {number}",
            "start": {"dateTime": start},
            "end": {"dateTime": end},
        }
        google.insert_event(ALICE, ALICE, body)
    digests = [google.digest()]
    yield lambda: digests.append(google.digest())
    assert google.digest() == digests[-1]


@pytest.fixture
def linked(alice: Member, google: RunningSimulator) -> CalendarLink:
    found = link(alice, google)
    google.clear_calls()
    return found


def ours(google: RunningSimulator) -> list[dict[str, Any]]:
    return [e for e in google.events(ALICE) if not e.get("summary", "").startswith("Private")]


def writes(google: RunningSimulator) -> list[str]:
    calls = google.calls(method="calendar.events.*")
    return [call["method"].rpartition(".")[2] for call in calls]


def book_one(member: Member, **changes: Any) -> Appointment:
    return book(by=member, details=details(**changes), assignees=[member])


def state_of(appointment: Appointment) -> str:
    return statuses_of([appointment.id], to=appointment.created_by)[appointment.id][0].state


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
    assert state_of(appointment) == "pending"
    drain_all()
    (event,) = ours(google)
    assert event["summary"] == "Leaking tap"
    assert event["location"] == "12 Bay Street"
    assert "Alice" in event["description"]
    assert "&lt;tools&gt;" in event["description"]
    assert state_of(appointment) == "synced"

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
    assert writes(google) == ["insert", "patch", "delete"]
    assert all(
        call["query"].get("sendUpdates") == "none"
        for call in google.calls(method="calendar.events.*")
    )


def test_ten_quick_edits_are_one_call(
    linked: CalendarLink, alice: Member, google: RunningSimulator
) -> None:
    appointment = book_one(alice)
    for number in range(10):
        change(by=alice, appointment_id=appointment.id, changes={"title": f"Edit {number}"})
    drain_all()
    assert writes(google) == ["insert"]
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
    assert len(writes(google)) <= 2
    assert ours(google)[0]["summary"] == "Edit 9"


def test_made_and_deleted_before_the_worker_came_needs_no_call(
    linked: CalendarLink, alice: Member, google: RunningSimulator
) -> None:
    appointment = book_one(alice)
    delete(by=alice, appointment_id=appointment.id)
    drain_all()
    assert writes(google) == []


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


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("kind", ["error", "cut", "html", "empty"])
def test_a_lost_answer_never_doubles(
    linked: CalendarLink, alice: Member, google: RunningSimulator, kind: str, when: str
) -> None:
    """The classic: the write happened, the answer did not arrive, the retry makes another."""
    for method in ("insert", "patch", "delete"):
        google.fault(method=f"calendar.events.{method}", kind=kind, when=when, count=1, status=503)
    appointment = book_one(alice)
    drain_all()
    assert state_of(appointment) == "pending"
    assert statuses_of([appointment.id], to=appointment.created_by)[appointment.id][0].error
    due_now()
    drain_all()
    due_now()
    drain_all()
    assert len(ours(google)) == 1
    change(by=alice, appointment_id=appointment.id, changes={"title": "Moved"})
    drain_all()
    due_now()
    drain_all()
    assert [event["summary"] for event in ours(google)] == ["Moved"]
    delete(by=alice, appointment_id=appointment.id)
    drain_all()
    due_now()
    drain_all()
    assert ours(google) == []
    assert not MirroredEvent.objects.exclude(state=MirrorState.SYNCED).exists()


def test_called_off_after_a_lost_insert_leaves_nothing(
    linked: CalendarLink, alice: Member, google: RunningSimulator
) -> None:
    """Nothing was ever heard of the event, and yet it is there."""
    google.fault(method="calendar.events.insert", kind="cut", when="after", count=1)
    appointment = book_one(alice)
    drain_all()
    assert len(ours(google)) == 1
    cancel(by=alice, appointment_id=appointment.id)
    drain_all()
    assert ours(google) == []


def test_pauses_grow_and_a_retry_storm_does_not_happen(
    linked: CalendarLink, alice: Member, google: RunningSimulator
) -> None:
    google.fault(method="calendar.events.insert", kind="error", status=503)
    book_one(alice)
    pauses = []
    for _ in range(6):
        due_now()
        drain_all()
        row = MirroredEvent.objects.get()
        assert row.next_attempt_at is not None
        pauses.append((row.next_attempt_at - row.updated_at).total_seconds())
        assert row.attempts == len(pauses)
    drain_all()  # not due: no further call
    assert len(writes(google)) == 6
    assert 0.5 < pauses[0] < 2
    assert pauses[5] > 20
    google.clear_faults()


def test_google_asks_to_wait(linked: CalendarLink, alice: Member, google: RunningSimulator) -> None:
    google.fault(
        method="calendar.events.insert",
        kind="error",
        status=429,
        reason="rateLimitExceeded",
        retry_after=120,
        count=1,
    )
    book_one(alice)
    drain_all()
    row = MirroredEvent.objects.get()
    assert row.next_attempt_at is not None
    assert (row.next_attempt_at - row.updated_at).total_seconds() >= 119


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
    assert state_of(appointment) == "synced"


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
    assert state_of(appointment) == "synced"


def test_one_bad_appointment_does_not_stop_the_others(
    linked: CalendarLink, alice: Member, google: RunningSimulator
) -> None:
    google.fault(method="calendar.events.insert", status=400, reason="invalid", body="Bad")
    for hour in range(1, 8):
        book_one(alice, title="Bad" if hour == 1 else "Good", start=tomorrow_at(hour * 2))
    drain_all()
    assert len(ours(google)) == 6
    (failed,) = MirroredEvent.objects.filter(state=MirrorState.FAILED)
    assert "refused" in failed.error
    change(by=alice, appointment_id=failed.appointment_id, changes={"title": "Mended"})
    drain_all()
    assert len(ours(google)) == 7


def test_a_withdrawn_permission_keeps_the_queue_and_reconnecting_drains_it(
    linked: CalendarLink, alice: Member, google: RunningSimulator
) -> None:
    first = book_one(alice, title="First")
    drain_all()
    google.revoke_grant(ALICE)
    change(by=alice, appointment_id=first.id, changes={"title": "First, changed"})
    second = book_one(alice, title="Second", start=tomorrow_at(8))
    drain_all()
    linked.refresh_from_db()
    assert linked.state == LinkState.NEEDS_RECONNECT
    assert state_of(second) == "paused"
    google.clear_calls()
    third = book_one(alice, title="Third", start=tomorrow_at(10))
    drain_all()
    assert google.calls() == []  # never a loop against a dead grant
    assert state_of(third) == "paused"

    page = browser_of(alice)
    assert b"Reconnect Google" in page.get("/calendar").content
    text = come_back(page, google).content.decode()
    assert "synchronization is active" in text
    drain_all()
    assert sorted(e["summary"] for e in ours(google)) == ["First, changed", "Second", "Third"]
    assert CalendarLink.objects.count() == 1


def test_a_calendar_that_is_gone_asks_the_person(alice: Member, google: RunningSimulator) -> None:
    jobs = "jobs-alice@group.calendar.google.com"
    found = link(alice, google, calendar_id=jobs)
    google.delete_calendar(ALICE, jobs)
    book_one(alice)
    for _ in range(3):
        due_now()
        drain_all()
    found.refresh_from_db()
    assert found.state == LinkState.NEEDS_RECONNECT
    assert "calendar" in found.problem


def test_an_expired_access_token_is_renewed_on_the_way(
    linked: CalendarLink, alice: Member, google: RunningSimulator
) -> None:
    google.expire_access_tokens(ALICE)
    book_one(alice)
    drain_all()
    assert len(ours(google)) == 1
    assert len(google.calls(method="oauth.refresh")) == 1


def test_a_rolled_back_booking_leaves_no_work(
    linked: CalendarLink, alice: Member, google: RunningSimulator
) -> None:
    with transaction.atomic():
        book_one(alice)
        transaction.set_rollback(True)
    drain_all()
    assert writes(google) == []
    assert not MirroredEvent.objects.exists()


def test_changing_while_the_worker_is_at_it_is_never_a_conflict(
    linked: CalendarLink, alice: Member, google: RunningSimulator
) -> None:
    """Booking and worker lock the same rows; locked in two orders they would deadlock."""
    appointment = book_one(alice)
    failures: list[BaseException] = []

    def edit() -> None:
        try:
            for number in range(25):
                title = {"title": f"Edit {number}"}
                change(by=alice, appointment_id=appointment.id, changes=title)
        except BaseException as error:
            failures.append(error)
        finally:
            connection.close()

    editing = threading.Thread(target=edit)
    editing.start()
    while editing.is_alive():
        drain_all()
    editing.join()
    drain_all()
    assert failures == []
    assert [event["summary"] for event in ours(google)] == ["Edit 24"]


def test_another_business_is_never_mirrored(
    linked: CalendarLink, charlie: Member, google: RunningSimulator
) -> None:
    CalendarLink.objects.update(covers="all")
    book(by=charlie, details=details(title="Charlie's"), assignees=[charlie])
    drain_all()
    assert ours(google) == []


def test_retry_now(linked: CalendarLink, alice: Member, google: RunningSimulator, api: Any) -> None:
    # With all its parts, and with the mandatory ones alone.
    google.fault(method="calendar.events.insert", status=400, reason="invalid", count=2)
    appointment = book_one(alice)
    drain_all()
    assert state_of(appointment) == "failed"
    answer = api("POST", f"/appointments/{appointment.id}/retry-sync")
    assert answer.status_code == 200
    drain_all()
    assert state_of(appointment) == "synced"


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
