"""Erasing a customer: nothing of them is left anywhere, and nobody else loses anything."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from django.db import connection
from django.test import Client

from google_simulator.testing import RunningSimulator
from sophiie.accounts.api_keys import create_api_key
from sophiie.accounts.models import Member
from sophiie.accounts.people import NotAllowed
from sophiie.api.models import IdempotentAnswer
from sophiie.appointments import locking
from sophiie.appointments.booking import book, change, delete
from sophiie.appointments.models import Action, Appointment, AppointmentChange
from sophiie.calendar_link.unlink import end_link
from sophiie.common.reasons import columns
from sophiie.privacy import customers
from sophiie.privacy.chores import carry_out_due
from sophiie.privacy.customers import carry_out_customer, erase_customer, preview_customer
from sophiie.privacy.identity import UnknownCustomer, appointments_of, identify
from sophiie.privacy.models import Erasure
from sophiie.sync.messages import REFUSED_BY_GOOGLE
from sophiie.sync.models import MirroredEvent, SyncAttempt
from sophiie.web.appointments.history import history_of
from sophiie.web.shared.submitted_data import form_owner
from tests.conftest import ApiCaller, details, tomorrow_at
from tests.linking import link
from tests.mirroring import drain_all, read_all
from tests.privacy.conftest import (
    DANA,
    EMAIL,
    NAME,
    NOTES,
    PHONE,
    PLACE,
    TITLE,
    TRACES,
    Book,
    let_pass,
    with_a_worker,
)
from tests.privacy.everywhere import places_of

pytestmark = pytest.mark.django_db
ALICE = "alice@example.com"


def erase(by: Member, who: str = EMAIL, **how: Any) -> customers.Erased:
    return erase_customer(by=by, identity=identify(by.business_id, who), **how)


# Everywhere


@with_a_worker
def test_nothing_of_a_customer_is_left_in_any_column_of_any_table(
    alice: Member, bob: Member, book_dana: Book, google: RunningSimulator
) -> None:
    """In appointments past, upcoming, cancelled and deleted, in histories, in answers kept for
    callers, in what was typed, in the ledger, in Google: past and upcoming."""
    link(alice, google)
    past = book_dana(hour=3)
    book_dana(hour=5, customer_name="D. Winterbottom", customer_phone="0061-2-5550 4711")
    deleted = book_dana(hour=7)
    changed = book_dana(hour=9, title="Second boiler of Winterbottom")
    change(by=alice, appointment_id=changed.id, changes={"notes": "Rexford bites"})
    _book_by_api(alice)
    drain_all()
    let_pass(past)
    delete(by=alice, appointment_id=deleted.id)
    drain_all()
    SyncAttempt.objects.update(message=f"Invalid summary: {TITLE}")
    refused = REFUSED_BY_GOOGLE.with_values(answer=f"Invalid summary: {TITLE}")
    MirroredEvent.objects.update(**columns(MirroredEvent, "error", refused))
    _type_and_lose_the_session(alice)
    assert len(places_of(*TRACES)) > 10
    assert "Winterbottom" in str(google.events(ALICE))
    done = erase(alice)
    assert done.finished
    drain_all()
    assert places_of(*TRACES) == []
    (left,) = google.events(ALICE)
    assert left["summary"] == "Erased customer"
    for trace in TRACES:
        assert trace not in str(google.events(ALICE))


def _book_by_api(member: Member) -> None:
    body = {
        "title": TITLE,
        "start": tomorrow_at(1, days=4).isoformat(),
        "duration_minutes": 60,
        "location": PLACE,
        "notes": NOTES,
        "customer": {"name": NAME, "phone": PHONE, "email": EMAIL},
    }
    caller = ApiCaller(create_api_key(member))
    made = caller("POST", "/appointments", body, **{"Idempotency-Key": "once"})
    assert made.status_code == 201, made.content


def _type_and_lose_the_session(member: Member) -> None:
    typed = {"title": "x", "customer_name": NAME, "customer_phone": "(02) 5550-4711"}
    answer = Client().post("/appointments/new", {**typed, "typed_by": form_owner(member)})
    assert answer.status_code == 302
    assert places_of(NAME)


def test_a_customer_of_an_appointment_is_all_with_the_same_address_or_number(
    alice: Member, book_dana: Book
) -> None:
    first = book_dana(hour=1)
    by_number = book_dana(hour=3, customer_email="", customer_phone="0061 (2) 5550-4711")
    by_address = book_dana(hour=5, customer_email=EMAIL.upper(), customer_phone="")
    namesake = book_dana(hour=7, customer_email="other@example.com", customer_phone="+61 2 1111111")
    identity = identify(alice.business_id, str(first.id))
    assert set(appointments_of(identity)) == {first, by_number, by_address}
    assert preview_customer(identity).alike == 1
    erase(alice, str(first.id))
    namesake.refresh_from_db()
    assert (namesake.customer_name, namesake.title) == (NAME, TITLE)


def test_a_name_alone_merges_nobody(alice: Member, book_dana: Book) -> None:
    bare = {"customer_email": "", "customer_phone": ""}
    first, second = book_dana(hour=1, **bare), book_dana(hour=3, **bare)
    erase(alice, str(first.id))
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.customer_name, second.customer_name) == ("", NAME)
    with pytest.raises(UnknownCustomer, match="a name alone"):
        identify(alice.business_id, NAME)


@pytest.mark.parametrize("text", ["", "  ", "1234", "room 12345", "\x00@", "x" * 5000, "7" * 4])
def test_what_names_nobody_is_refused(alice: Member, text: str) -> None:
    with pytest.raises(UnknownCustomer):
        identify(alice.business_id, text)


def test_another_business_keeps_its_customer_of_the_same_address(
    alice: Member, charlie: Member, book_dana: Book
) -> None:
    mine = book_dana()
    theirs = book(by=charlie, details=details(**DANA), assignees=[charlie])
    erase(alice)
    theirs.refresh_from_db()
    assert theirs.customer_email == EMAIL
    with pytest.raises(UnknownCustomer):
        identify(charlie.business_id, str(mine.id))
    with pytest.raises(NotAllowed):
        erase_customer(by=alice, identity=identify(charlie.business_id, EMAIL))


def test_only_owners_and_admins_erase(alice: Member, bob: Member, book_dana: Book) -> None:
    book_dana()
    with pytest.raises(NotAllowed):
        erase(bob)
    assert places_of(EMAIL)
    assert not Erasure.objects.exists()


# What stays


def test_others_lose_nothing_but_a_mention(alice: Member, book_dana: Book) -> None:
    first = book_dana()
    other = book_dana(
        hour=3,
        title="Leaking tap",
        location="1 Bay Street",
        notes=f"By {EMAIL}, 02 5550 4711 or +61 (2) 5550 4711. Not xdana.w@customers.example",
        customer_name="Eve",
        customer_email="eve@example.com",
        customer_phone="+61 2 9999 8888",
    )
    erase(alice, str(first.id))
    other.refresh_from_db()
    assert (other.title, other.location, other.customer_name) == (
        "Leaking tap",
        "1 Bay Street",
        "Eve",
    )
    assert other.notes == "By […], 02 5550 4711 or […]. Not xdana.w@customers.example"
    assert (other.customer_email, other.customer_phone) == ("eve@example.com", "+61 2 9999 8888")


def test_the_history_of_an_appointment_that_was_theirs_forgets_them(
    alice: Member, book_dana: Book
) -> None:
    """It is Eve's now; what it was before is told by the history only."""
    handed_over = book_dana()
    changes = {"customer_name": "Eve", "customer_email": "eve@example.com", "customer_phone": ""}
    changes |= {"title": "Tap", "notes": "", "location": ""}
    change(by=alice, appointment_id=handed_over.id, changes=changes)
    erase(alice)
    handed_over.refresh_from_db()
    assert (handed_over.customer_name, handed_over.title) == ("Eve", "Tap")
    assert places_of(*TRACES) == []


def test_the_history_says_that_something_changed_and_who_erased_it(
    alice: Member, book_dana: Book
) -> None:
    booked = book_dana()
    change(by=alice, appointment_id=booked.id, changes={"notes": "Rexford bites"})
    start = AppointmentChange.objects.get(action=Action.CREATED).fields["start"]
    erase(alice)
    booked.refresh_from_db()
    newest, middle, oldest = history_of(booked)
    assert newest.text == "Erased a customer’s data"
    assert (middle.by, middle.text) == ("Alice", "Notes: erased")
    assert AppointmentChange.objects.get(action=Action.CREATED).fields["start"] == start
    assert oldest.by == "Alice"


@with_a_worker
def test_upcoming_appointments_are_cancelled_or_kept_without_a_name(
    alice: Member, book_dana: Book, google: RunningSimulator
) -> None:
    link(alice, google)
    book_dana(hour=1)
    drain_all()
    erase(alice, keep_upcoming=True)
    drain_all()
    kept = Appointment.objects.get()
    assert (kept.status, kept.title, kept.customer_email) == ("scheduled", "Erased customer", "")
    assert kept.assignments.get().blocking
    assert [e["summary"] for e in google.events(ALICE)] == ["Erased customer"]
    again = book_dana(hour=4)
    drain_all()
    erase(alice)
    drain_all()
    again.refresh_from_db()
    assert again.status == "cancelled"
    assert not again.assignments.get().blocking
    assert [e["summary"] for e in google.events(ALICE)] == ["Erased customer"]
    book_dana(hour=4)  # its time is free again


def test_a_caller_that_repeats_its_request_books_nothing_twice(
    alice: Member, book_dana: Book
) -> None:
    _book_by_api(alice)
    erase(alice)
    kept = IdempotentAnswer.objects.get()
    assert kept.status == 201
    assert (kept.body["customer"], kept.body["title"]) == (None, "Erased customer")
    assert kept.body["id"] == str(Appointment.objects.get().id)


# In Google


@with_a_worker
def test_past_events_that_never_were_in_google_do_not_appear_there(
    alice: Member, book_dana: Book, google: RunningSimulator
) -> None:
    before = book_dana(hour=1)
    let_pass(before)
    link(alice, google)
    drain_all()
    erase(alice)
    drain_all()
    assert google.events(ALICE) == []


@with_a_worker
def test_an_event_that_a_person_deleted_in_google_stays_deleted(
    alice: Member, book_dana: Book, google: RunningSimulator
) -> None:
    link(alice, google)
    book_dana(hour=1)
    drain_all()
    read_all()
    (event,) = google.events(ALICE)
    google.delete_event(ALICE, ALICE, event["id"])
    read_all()
    let_pass(Appointment.objects.get())
    erase(alice)
    drain_all()
    assert google.events(ALICE) == []


@with_a_worker
def test_what_an_ended_link_left_in_google_is_said(
    alice: Member, book_dana: Book, google: RunningSimulator
) -> None:
    made = link(alice, google)
    book_dana(hour=1)
    drain_all()
    end_link(made.id)
    done = erase(alice)
    assert (done.found.events, done.found.out_of_reach) == (0, 1)


# Cut off, and again


def test_an_erasure_that_was_cut_off_is_ended_by_a_worker(
    alice: Member, book_dana: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    for hour in (1, 3, 5):
        book_dana(hour=hour)
    _book_by_api(alice)
    real, calls = customers._erase_from, []

    def dies(*words: Any) -> None:
        calls.append(words)
        if len(calls) == 3:
            raise KeyboardInterrupt
        real(*words)

    monkeypatch.setattr(customers, "_erase_from", dies)
    with pytest.raises(KeyboardInterrupt):
        erase(alice)
    monkeypatch.undo()
    assert places_of(EMAIL)
    carry_out_customer(Erasure.objects.get())
    assert places_of(*TRACES) == []


def test_twice_is_as_once(alice: Member, book_dana: Book) -> None:
    booked = book_dana()
    erase(alice)
    booked.refresh_from_db()
    revision = booked.revision
    assert erase(alice).found.nothing
    booked.refresh_from_db()
    assert booked.revision == revision
    with pytest.raises(UnknownCustomer):
        identify(alice.business_id, "00000000-0000-0000-0000-000000000000")


def test_a_preview_changes_nothing(alice: Member, book_dana: Book) -> None:
    book_dana()
    before = sorted(places_of(*TRACES))
    found = preview_customer(identify(alice.business_id, PHONE))
    assert (found.names, found.emails, found.phones) == ([NAME], [EMAIL], [PHONE])
    assert (found.appointments, found.upcoming) == (1, 1)
    assert sorted(places_of(*TRACES)) == before


def test_a_long_one_is_left_to_the_worker(alice: Member, book_dana: Book) -> None:
    for hour in (1, 3, 5):
        book_dana(hour=hour)
    assert not erase(alice, most=2).finished
    assert places_of(EMAIL)
    carry_out_customer(Erasure.objects.get())
    assert places_of(*TRACES) == []


@with_a_worker
def test_an_appointment_that_somebody_holds_is_waited_for_by_the_worker(
    alice: Member, book_dana: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page says so; it does not fail."""
    booked = book_dana()
    monkeypatch.setattr(locking, "LOCK_TIMEOUT_MILLISECONDS", 50)
    with holding(booked):
        assert not erase(alice).finished
    assert places_of(EMAIL)
    assert carry_out_due() == 1
    assert places_of(*TRACES) == []


@contextmanager
def holding(appointment: Appointment) -> Iterator[None]:
    """Somebody else is changing the appointment at this moment."""
    own = connection.settings_dict
    where = {"dbname": own["NAME"], "user": own["USER"], "host": own["HOST"], "port": own["PORT"]}
    with psycopg.connect(**where, password=own["PASSWORD"]) as other:
        other.execute(
            "SELECT 1 FROM appointments_appointment WHERE id = %s FOR UPDATE", [appointment.pk]
        )
        yield
        other.rollback()
