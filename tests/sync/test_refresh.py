"""Before a booking old copies are read anew: small calls, a budget, never in a transaction."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models.functions import Now

from google_simulator.testing import RunningSimulator
from sophiie.accounts.models import Member
from sophiie.accounts.people import add_member
from sophiie.appointments.booking import book, cancel, change, reinstate
from sophiie.appointments.errors import Conflict, Source
from sophiie.appointments.holds import confirm
from sophiie.appointments.models import Appointment
from sophiie.appointments.signals import booking_ahead
from sophiie.busy_time.knowledge import NOT_LINKED, Freshness, Knowledge
from sophiie.busy_time.models import BusyCalendar
from sophiie.calendar_link.models import CalendarLink, LinkState
from sophiie.sync.inbound import poll_claim
from sophiie.sync.models import WatchedCalendar
from tests.busy import TOO_OLD, calendar_of
from tests.conftest import SYDNEY, ApiCaller, details, tomorrow_at
from tests.linking import link
from tests.mirroring import read_all

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def readings_end(google: RunningSimulator) -> Iterator[None]:
    """What goes on after the budget ends with its test."""
    yield
    google.latency(0)
    for thread in threading.enumerate():
        if thread.name == "freshness":
            thread.join(30)


@pytest.fixture
def linked(alice: Member, google: RunningSimulator) -> Member:
    link(alice, google)
    read_all()
    BusyCalendar.objects.all().delete()
    google.clear_calls()
    return alice


def readings(google: RunningSimulator) -> int:
    return len(google.calls(method="calendar.events.list"))


def own_calendar(member: Member, age: timedelta | None = timedelta(0)) -> BusyCalendar:
    """Our copy of the calendar that the member linked."""
    return calendar_of(member, age=age, calendar_id=member.email, time_zone=SYDNEY)


def test_a_fresh_copy_costs_no_call(linked: Member, google: RunningSimulator) -> None:
    own_calendar(linked)
    made = book(by=linked, details=details(), assignees=[linked], hold_minutes=5)
    confirm(by=linked, appointment_id=made.id)
    change(by=linked, appointment_id=made.id, changes={"title": "Burst pipe"})
    later = {"start": tomorrow_at(7), "end": tomorrow_at(8)}
    change(by=linked, appointment_id=made.id, changes=later)
    cancel(by=linked, appointment_id=made.id)
    reinstate(by=linked, appointment_id=made.id)
    assert google.calls() == []


@pytest.mark.parametrize("age", [TOO_OLD, None], ids=["too old", "never read"])
def test_a_stale_copy_is_read_once_before_the_booking(
    linked: Member, google: RunningSimulator, age: timedelta | None
) -> None:
    own_calendar(linked, age=age)
    book(by=linked, details=details(), assignees=[linked], accept_unverified=True)
    assert readings(google) == 1


def test_a_copy_that_would_grow_too_old_meanwhile_is_read_too(
    linked: Member, google: RunningSimulator, settings: Any
) -> None:
    own_calendar(linked, age=timedelta(seconds=settings.BUSY_MAX_AGE_SECONDS - 3))
    book(by=linked, details=details(), assignees=[linked])
    assert readings(google) == 1


def test_only_those_acts_read_that_ask_for_somebodys_time(
    linked: Member, bob: Member, google: RunningSimulator
) -> None:
    made = book(by=linked, details=details(), assignees=[linked])
    past = datetime.now(UTC) - timedelta(days=2)
    own_calendar(linked, age=TOO_OLD)
    change(by=linked, appointment_id=made.id, changes={"title": "Burst pipe"})
    change(by=linked, appointment_id=made.id, changes={}, status="completed")
    book(by=linked, details=details(start=past), assignees=[linked])
    book(by=linked, details=details(), assignees=[bob])
    cancel(by=linked, appointment_id=made.id)
    later = {"start": tomorrow_at(7), "end": tomorrow_at(8)}
    change(by=linked, appointment_id=made.id, changes=later)  # and stays cancelled
    assert readings(google) == 0
    back = {"by": linked, "appointment_id": made.id, "changes": {}, "status": "scheduled"}
    change(**back, accept_unverified=True)
    assert readings(google) == 1


def test_a_link_that_cannot_be_read_is_not_called(linked: Member, google: RunningSimulator) -> None:
    own_calendar(linked, age=TOO_OLD)
    CalendarLink.objects.update(state=LinkState.NEEDS_RECONNECT)
    with pytest.raises(Conflict, match="could not be read"):
        book(by=linked, details=details(), assignees=[linked])
    assert google.calls() == []


def test_while_google_is_away_nobody_is_called_free(
    linked: Member, google: RunningSimulator
) -> None:
    own_calendar(linked, age=TOO_OLD)
    google.fault("calendar.events.list", status=503)
    with pytest.raises(Conflict) as caught:
        book(by=linked, details=details(), assignees=[linked])
    assert [o.source for o in caught.value.obstacles] == [Source.UNREADABLE]
    made = book(by=linked, details=details(), assignees=[linked], accept_unverified=True)
    assert made.assignments.get().unverified


def test_a_google_that_does_not_answer_is_not_waited_for(
    linked: Member, google: RunningSimulator
) -> None:
    """The booking is answered while Google still thinks; the reading goes on to its end."""
    own_calendar(linked, age=TOO_OLD)
    before = WatchedCalendar.objects.get().read_at
    google.latency(6000)
    with pytest.raises(Conflict, match="could not be read"):
        book(by=linked, details=details(), assignees=[linked])
    assert WatchedCalendar.objects.get().read_at == before
    (under_way,) = [t for t in threading.enumerate() if t.name == "freshness"]
    under_way.join(30)
    watched = WatchedCalendar.objects.get()
    assert watched.read_at != before
    assert watched.reading_until is None


def test_all_members_are_read_at_the_same_time(linked: Member, google: RunningSimulator) -> None:
    """One after the other would take longer than the budget."""
    team = [linked]
    for number in range(3):
        email = f"alice+{number}@example.com"
        google.add_account(email, f"Alice {number}", "Australia/Sydney")
        member = add_member(
            business=linked.business, email=email, name=f"A{number}", role="member", password=None
        )
        link(member, google, account=email)
        team.append(member)
    read_all()
    BusyCalendar.objects.all().delete()
    for member in team:
        own_calendar(member, age=TOO_OLD)
    before = datetime.now(UTC)
    google.clear_calls()
    google.latency(800)
    book(by=linked, details=details(), assignees=team, accept_unverified=True)
    assert WatchedCalendar.objects.filter(read_at__gt=before).count() == 4
    assert readings(google) == 4


def test_who_reads_already_is_waited_for_and_not_doubled(
    linked: Member, google: RunningSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker has the calendar; it finishes once the booking has found that out."""
    calendar = own_calendar(linked, age=TOO_OLD)
    WatchedCalendar.objects.update(reading_until=Now() + poll_claim.POLLING.lasts)
    begin, refused = poll_claim.begin, threading.Event()

    def observed(*words: Any, **more: Any) -> Any:
        claimed = begin(*words, **more)
        refused.set()
        return claimed

    def worker() -> None:
        refused.wait(30)
        moment = datetime.now(UTC)
        BusyCalendar.objects.filter(pk=calendar.pk).update(checked_at=moment)
        WatchedCalendar.objects.update(reading_until=None, read_at=moment)
        connection.close()

    monkeypatch.setattr(poll_claim, "begin", observed)
    finishing = threading.Thread(target=worker)
    finishing.start()
    book(by=linked, details=details(), assignees=[linked])
    finishing.join()
    assert readings(google) == 0


def test_what_a_receiver_reads_counts_and_no_transaction_is_open_meanwhile(alice: Member) -> None:
    calendar = calendar_of(alice, age=TOO_OLD)
    heard: list[tuple[Any, bool]] = []

    def read(members: Any, **_: Any) -> None:
        heard.append((members, connection.in_atomic_block))
        BusyCalendar.objects.filter(pk=calendar.pk).update(checked_at=datetime.now(UTC))

    booking_ahead.connect(read)
    try:
        made = book(by=alice, details=details(), assignees=[alice])
    finally:
        booking_ahead.disconnect(read)
    assert heard == [([alice.id], False)]
    assert not made.assignments.get().unverified


def test_a_request_with_an_idempotency_key_waits_before_its_transaction_too(
    alice: Member, api: ApiCaller
) -> None:
    heard: list[bool] = []
    receiver = lambda **_: heard.append(connection.in_atomic_block)  # noqa: E731
    booking_ahead.connect(receiver)
    body = {"title": "Tap", "start": tomorrow_at(5).isoformat(), "duration_minutes": 30}
    try:
        first = api("POST", "/appointments", body, **{"Idempotency-Key": "call-1"})
        again = api("POST", "/appointments", body, **{"Idempotency-Key": "call-1"})
    finally:
        booking_ahead.disconnect(receiver)
    assert (first.status_code, again.json()) == (201, first.json())
    assert heard == [False]  # and nothing is read for an answer that is kept
    assert Appointment.objects.count() == 1


def test_a_hold_is_never_mirrored_until_it_is_confirmed(
    linked: Member, google: RunningSimulator
) -> None:
    from tests.mirroring import drain_all

    hold = book(by=linked, details=details(), assignees=[linked], hold_minutes=5)
    change(by=linked, appointment_id=hold.id, changes={"title": "Still a hold"})
    drain_all()
    assert google.events("alice@example.com") == []
    confirm(by=linked, appointment_id=hold.id)
    drain_all()
    assert [e["summary"] for e in google.events("alice@example.com")] == ["Still a hold"]
    cancel(by=linked, appointment_id=hold.id)
    drain_all()
    assert google.events("alice@example.com") == []


def test_what_is_known_of_a_stretch() -> None:
    start, end = tomorrow_at(9), tomorrow_at(10)
    early, late = start - timedelta(days=1), end + timedelta(days=1)
    assert NOT_LINKED.covers(start, end)
    assert Knowledge(Freshness.FRESH, known_from=start, known_until=end).covers(start, end)
    for known in (
        Knowledge(Freshness.UNREADABLE),
        Knowledge(Freshness.FRESH, known_from=early),
        Knowledge(Freshness.FRESH, known_until=late),
        Knowledge(Freshness.FRESH, known_from=start + timedelta(minutes=1), known_until=late),
        Knowledge(Freshness.FRESH, known_from=early, known_until=end - timedelta(minutes=1)),
    ):
        assert not known.covers(start, end), known
