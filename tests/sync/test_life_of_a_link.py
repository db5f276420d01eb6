"""What a link goes through: another calendar, other coverage, less detail, an end with removal."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.db import connection, transaction

from google_simulator.testing import RunningSimulator
from sophiie.accounts.models import Member
from sophiie.appointments.booking import book, cancel, change, delete
from sophiie.appointments.models import Appointment
from sophiie.calendar_link.connect import link_of
from sophiie.calendar_link.models import CalendarLink, LinkState
from sophiie.common.clock import now
from sophiie.sync.models import MirroredEvent, MirrorState, QuotaBucket
from sophiie.sync.quota.buckets import USER_BUDGET, Urgency
from tests.conftest import details, tomorrow_at
from tests.linking import browser_of, come_back, link, set_guest_invitations
from tests.mirroring import drain_all, due_now
from tests.sync.drifting import ALICE, book_one

pytestmark = pytest.mark.django_db(transaction=True)
JOBS = "jobs-alice@group.calendar.google.com"


def titles(google: RunningSimulator, calendar_id: str = ALICE, email: str = ALICE) -> list[str]:
    return sorted(event["summary"] for event in google.events(email, calendar_id))


def choose(member: Member, calendar_id: str) -> str:
    answer = browser_of(member).post(
        "/settings/calendar/choose", {"calendar_id": calendar_id}, follow=True
    )
    return str(answer.content.decode())


def set_options(
    member: Member, *, covers: str = "assigned_or_created", privacy: str = "full"
) -> None:
    answer = browser_of(member).post(
        "/settings/calendar/options", {"covers": covers, "privacy": privacy}
    )
    assert answer.status_code == 302, answer.content


def backdate(appointment: Appointment) -> None:
    """Lets a mirrored appointment lie in the past, as time would."""
    start, end = tomorrow_at(1, days=-3), tomorrow_at(2, days=-3)
    Appointment.objects.filter(pk=appointment.pk).update(start=start, end=end)


def test_another_calendar_gets_what_is_ahead_and_the_past_stays(
    alice: Member, google: RunningSimulator
) -> None:
    link(alice, google)
    past = book_one(alice, title="Past", start=tomorrow_at(4))
    book_one(alice, title="Ahead")
    drain_all()
    backdate(past)
    assert "synchronization is active" in choose(alice, JOBS)
    drain_all()
    assert titles(google) == ["Past"]
    assert titles(google, JOBS) == ["Ahead"]

    change(by=alice, appointment_id=past.id, changes={"title": "Past, noted"})
    book_one(alice, title="New", start=tomorrow_at(8))
    drain_all()
    assert titles(google) == ["Past, noted"]
    assert titles(google, JOBS) == ["Ahead", "New"]
    found = link_of(alice)
    assert found
    assert found.state == LinkState.ACTIVE


@pytest.mark.parametrize("calendar_id", ["", "team@group.calendar.google.com"])
def test_a_wrong_choice_is_told_beside_the_table_and_changes_nothing(
    alice: Member, google: RunningSimulator, calendar_id: str
) -> None:
    link(alice, google)
    text = choose(alice, calendar_id)
    assert 'role="alert"' in text
    assert "Choose a calendar" in text
    found = link_of(alice)
    assert found
    assert (found.calendar_id, found.state) == (ALICE, LinkState.ACTIVE)


def test_there_and_back_again_is_still_one_event(alice: Member, google: RunningSimulator) -> None:
    link(alice, google)
    appointment = book_one(alice)
    drain_all()
    for calendar_id in (JOBS, ALICE, JOBS, ALICE):
        choose(alice, calendar_id)
    drain_all()
    assert titles(google) == ["Leaking tap"]
    assert titles(google, JOBS) == []
    delete(by=alice, appointment_id=appointment.id)
    drain_all()
    assert titles(google) == titles(google, JOBS) == []


def test_the_new_calendar_is_used_although_the_old_one_cannot_be_cleaned(
    alice: Member, google: RunningSimulator
) -> None:
    link(alice, google, calendar_id=JOBS)
    book_one(alice)
    drain_all()
    google.set_role(ALICE, JOBS, "reader")
    choose(alice, ALICE)
    drain_all()
    assert titles(google) == ["Leaking tap"]
    found = link_of(alice)
    assert found
    assert found.state == LinkState.ACTIVE
    left = MirroredEvent.objects.get(calendar_id=JOBS)
    assert left.state == MirrorState.FAILED
    assert "calendar used before" in left.error


def test_a_lost_calendar_is_replaced_by_choosing_another(
    alice: Member, google: RunningSimulator
) -> None:
    link(alice, google, calendar_id=JOBS)
    book_one(alice)
    google.delete_calendar(ALICE, JOBS)
    for _ in range(3):
        due_now()
        drain_all()
    page = browser_of(alice).get("/settings/calendar").content.decode()
    assert "Choose another calendar" in page
    choose(alice, ALICE)
    drain_all()
    assert titles(google) == ["Leaking tap"]
    found = link_of(alice)
    assert found
    assert found.state == LinkState.ACTIVE
    assert found.problem == ""


def test_coverage_decides_what_is_there(
    alice: Member, bob: Member, google: RunningSimulator
) -> None:
    set_guest_invitations(alice, invite=False)  # with guests a deletion is more than one call
    link(alice, google)
    book(by=alice, details=details(title="Alice for Alice"), assignees=[alice])
    book(by=alice, details=details(title="Alice for Bob"), assignees=[bob])
    other = details(title="Bob for Bob", start=tomorrow_at(5))
    book(by=bob, details=other, assignees=[bob])
    drain_all()
    assert titles(google) == ["Alice for Alice", "Alice for Bob"]
    set_options(alice, covers="all")
    drain_all()
    assert titles(google) == ["Alice for Alice", "Alice for Bob", "Bob for Bob"]
    google.clear_calls()
    set_options(alice, covers="assigned")
    drain_all()
    assert titles(google) == ["Alice for Alice"]
    methods = [call["method"] for call in google.calls(method="calendar.events.*")]
    assert methods == ["calendar.events.delete"] * 2  # what stays is not written again


def test_privacy_decides_what_leaves(alice: Member, google: RunningSimulator) -> None:
    link(alice, google)
    book_one(
        alice,
        location="12 Bay Street",
        notes="Key under the mat",
        customer_name="Ms Green",
        customer_phone="0400 000 000",
        customer_email="green@example.com",
    )
    drain_all()
    secrets = ("Key under the mat", "Ms Green", "0400 000 000", "green@example.com")
    (event,) = google.events(ALICE)
    assert all(secret in event["description"] for secret in secrets)

    set_options(alice, privacy="title_place")
    drain_all()
    (event,) = google.events(ALICE)
    assert (event["summary"], event["location"]) == ("Leaking tap", "12 Bay Street")
    assert not any(secret in str(event) for secret in secrets)

    set_options(alice, privacy="busy")
    drain_all()
    (event,) = google.events(ALICE)
    assert event["summary"] == "Busy"
    assert "location" not in event
    for secret in (*secrets, "Leaking tap", "12 Bay Street", "Alice"):
        assert secret not in event["description"] + event["summary"]


@pytest.mark.parametrize("options", [{}, {"covers": "x", "privacy": "full"}, {"covers": "all"}])
def test_only_real_options_are_taken(
    alice: Member, google: RunningSimulator, options: dict[str, str]
) -> None:
    link(alice, google)
    answer = browser_of(alice).post("/settings/calendar/options", options)
    assert answer.status_code == 422
    assert b'role="alert"' in answer.content


def test_unlinking_can_remove_what_is_ahead(alice: Member, google: RunningSimulator) -> None:
    found = link(alice, google)
    past = book_one(alice, title="Past", start=tomorrow_at(4))
    book_one(alice, title="Ahead")
    drain_all()
    backdate(past)
    page = browser_of(alice)
    text = page.post("/settings/calendar/unlink", {"events": "remove"}, follow=True).content
    assert b"Removing your upcoming events" in text
    book_one(alice, title="Meanwhile", start=tomorrow_at(8))
    drain_all()
    assert titles(google) == ["Past"]
    found.refresh_from_db()
    assert found.state == LinkState.UNLINKED
    assert (found.refresh_token, found.access_token) == ("", "")
    from tests.mirroring import sweep_once

    sweep_once()
    assert len(google.calls(method="oauth.revoke")) == 1


def test_unlinking_with_nothing_to_remove_ends_at_once(
    alice: Member, google: RunningSimulator
) -> None:
    found = link(alice, google)
    drain_all()
    text = browser_of(alice).post("/settings/calendar/unlink", {"events": "remove"}, follow=True)
    assert b"disconnected" in text.content
    found.refresh_from_db()
    assert found.state == LinkState.UNLINKED


def test_a_dead_grant_does_not_hold_an_unlinking_up(
    alice: Member, google: RunningSimulator
) -> None:
    found = link(alice, google)
    book_one(alice)
    drain_all()
    google.revoke_grant(ALICE)
    browser_of(alice).post("/settings/calendar/unlink", {"events": "remove"})
    drain_all()
    found.refresh_from_db()
    assert found.state == LinkState.UNLINKED
    assert (found.refresh_token, found.access_token) == ("", "")


def test_what_was_called_off_while_unlinked_goes_when_linked_again(
    alice: Member, google: RunningSimulator
) -> None:
    link(alice, google)
    past = book_one(alice, title="Past", start=tomorrow_at(4))
    off = book_one(alice, title="Off")
    book_one(alice, title="On", start=tomorrow_at(8))
    drain_all()
    backdate(past)
    browser_of(alice).post("/settings/calendar/unlink")
    for appointment in (past, off):
        cancel(by=alice, appointment_id=appointment.id)
    drain_all()
    assert titles(google) == ["Off", "On", "Past"]
    again = link(alice, google, read=False)  # by itself, before a full poll makes up for it
    assert not MirroredEvent.objects.get(link=again, appointment=off).wanted
    drain_all()
    assert titles(google) == ["On", "Past"]  # what is over stays


def test_events_are_adopted_although_the_mapping_was_lost(
    alice: Member, google: RunningSimulator
) -> None:
    """A restored backup, or a link that was erased: the private mark tells ours."""
    link(alice, google)
    appointment = book_one(alice)
    drain_all()
    (event,) = google.events(ALICE)
    copy = {**event, "id": "copiedbaperson", "summary": "A copy"}
    for name in ("etag", "iCalUID", "htmlLink", "created", "updated"):
        copy.pop(name, None)
    google.insert_event(ALICE, ALICE, copy)
    browser_of(alice).post("/settings/calendar/unlink")
    MirroredEvent.objects.all().delete()
    change(by=alice, appointment_id=appointment.id, changes={"title": "Changed"})
    link(alice, google)
    drain_all()
    found = {e["id"]: e["summary"] for e in google.events(ALICE)}
    assert found == {event["id"]: "Changed", "copiedbaperson": "A copy"}


@pytest.mark.usefixtures("clock_stands")
def test_a_backfill_says_how_far_it_is_and_ends_with_its_last_event(
    alice: Member, google: RunningSimulator, api: Any
) -> None:
    for hour in range(8):
        book_one(alice, start=tomorrow_at(hour * 2))
    found = link(alice, google)
    room = USER_BUDGET.floors[Urgency.BACKFILL] + 5
    account = QuotaBucket.objects.filter(scope=f"user:{found.google_sub}")
    account.update(level=room, counted_at=now())
    drain_all()
    shown = api("GET", f"/members/{alice.id}/calendar-link").json()
    assert shown["state"] == "backfilling"
    assert shown["progress"] == {"done": 5, "total": 8}
    QuotaBucket.objects.all().delete()
    due_now()
    drain_all()
    shown = api("GET", f"/members/{alice.id}/calendar-link").json()
    assert shown["state"] == "active"
    assert shown["progress"] == {"done": 8, "total": 8}


def test_a_booking_under_way_is_not_missed_by_a_link_that_becomes_active(
    alice: Member, google: RunningSimulator
) -> None:
    """Neither sees the other's uncommitted work; so one of them has to wait."""
    page = browser_of(alice)
    come_back(page, google)
    booked, go_on = threading.Event(), threading.Event()

    def book_slowly() -> None:
        with transaction.atomic():
            book_one(alice, title="Under way")
            booked.set()
            go_on.wait(60)
        connection.close()

    booking = threading.Thread(target=book_slowly)
    booking.start()
    assert booked.wait(60)
    saving = threading.Thread(
        target=lambda: (
            page.post("/settings/calendar/choose", {"calendar_id": ALICE}),
            connection.close(),
        )
    )
    saving.start()
    saving.join(1.0)
    go_on.set()
    booking.join(60)
    saving.join(60)
    drain_all()
    assert titles(google) == ["Under way"]
    assert CalendarLink.objects.get().state == LinkState.ACTIVE


@pytest.mark.parametrize(
    "act",
    [{"status": "completed"}, {"status": "no_show"}, {"changes": {"notes": "Paid"}}, "assign"],
    ids=str,
)
def test_the_past_from_before_the_link_stays_out_whatever_is_noted_about_it(
    alice: Member, bob: Member, google: RunningSimulator, act: Any
) -> None:
    old = book_one(bob if act == "assign" else alice)
    backdate(old)
    link(alice, google)
    if act == "assign":
        change(by=alice, appointment_id=old.id, changes={}, assignees=[alice, bob])
    else:
        change(by=alice, appointment_id=old.id, **{"changes": {}, **act})
    drain_all()
    assert titles(google) == []
    assert not MirroredEvent.objects.exists()
    # What is moved ahead is upcoming like any other.
    ahead = {"start": tomorrow_at(5), "end": tomorrow_at(6), "title": "Once more"}
    change(by=alice, appointment_id=old.id, changes=ahead, status="scheduled")
    drain_all()
    assert titles(google) == ["Once more"]


def test_a_record_of_the_past_made_while_linked_is_sent(
    alice: Member, google: RunningSimulator
) -> None:
    link(alice, google)
    made = book_one(alice, start=tomorrow_at(1, days=-3), title="Yesterday's job")
    drain_all()
    change(by=alice, appointment_id=made.id, changes={}, status="completed")
    drain_all()
    assert titles(google) == ["Yesterday's job"]
