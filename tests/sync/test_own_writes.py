"""Our own writes are never taken for somebody else's, however they meet a reading."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import connections

from google_simulator.testing import RunningSimulator
from sophiie.accounts.models import Member
from sophiie.appointments.booking import book, cancel, change
from sophiie.calendar_link.models import CalendarLink
from sophiie.sync.actions import drift
from sophiie.sync.models import MirroredEvent
from sophiie.sync.outbound import drain
from sophiie.sync.outbound.claim import claim_due
from sophiie.sync.outbox import record
from tests.conftest import details, tomorrow_at
from tests.linking import link
from tests.mirroring import drain_all, read_all
from tests.sync.drifting import (
    calls,
    drift_of,
    mirrored,
    move_in_google,
    nothing_drifted,
)

pytestmark = pytest.mark.django_db(transaction=True)


def test_our_own_writes_are_no_drift(
    watched_link: CalendarLink, alice: Member, google: RunningSimulator
) -> None:
    """Insert, patch, ten quick edits, delete, revive; with readings at every point between."""
    appointment = mirrored(alice)
    read_all()
    for hours in range(10):
        start = tomorrow_at(3) + timedelta(hours=hours)
        changes = {"start": start, "end": start + timedelta(hours=1)}
        change(by=alice, appointment_id=appointment.id, changes=changes)
        if hours % 3 == 0:
            read_all()
    read_all()
    drain_all()
    read_all()
    assert nothing_drifted()
    cancel(by=alice, appointment_id=appointment.id)
    read_all()
    drain_all()
    read_all()
    change(by=alice, appointment_id=appointment.id, changes={}, status="scheduled")
    read_all()
    drain_all()
    read_all()
    assert nothing_drifted()
    assert calls(google).count("get") == 1  # the mirror's, before it revives; no reading's


def test_our_own_write_needs_no_second_look_at_its_times(
    watched_link: CalendarLink, alice: Member
) -> None:
    """The etag alone says that it is ours: here the times would say otherwise."""
    appointment = mirrored(alice)
    type(appointment).objects.filter(pk=appointment.pk).update(
        end=appointment.end + timedelta(hours=1)
    )
    read_all()
    assert nothing_drifted()


def test_a_reading_older_than_our_write_says_nothing(
    watched_link: CalendarLink,
    alice: Member,
    google: RunningSimulator,
    after_listing: Callable[[Callable[[], Any]], None],
) -> None:
    appointment = mirrored(alice)
    move_in_google(google, appointment)
    later = {"start": tomorrow_at(7), "end": tomorrow_at(8)}

    def write() -> None:
        change(by=alice, appointment_id=appointment.id, changes=later)
        drain_all()

    after_listing(write)
    read_all()
    assert nothing_drifted()
    read_all()
    assert nothing_drifted()
    assert MirroredEvent.objects.get().unjudged_etag == ""


@pytest.mark.parametrize("person", ["stays away", "is quicker than our records"])
def test_a_reading_between_a_write_and_its_record(
    watched_link: CalendarLink,
    alice: Member,
    google: RunningSimulator,
    monkeypatch: pytest.MonkeyPatch,
    person: str,
) -> None:
    """The write has reached Google, its record has not been made, and a reading comes along."""
    appointment = mirrored(alice)
    google.clear_calls()
    real = drain.record

    def record(results: Any) -> None:
        if person != "stays away":
            move_in_google(google, appointment, hours=5)
        read_all()
        assert nothing_drifted()
        real(results)

    monkeypatch.setattr(drain, "record", record)
    later = {"start": tomorrow_at(7), "end": tomorrow_at(8)}
    change(by=alice, appointment_id=appointment.id, changes=later)
    drain_all()
    read_all()
    found = drift_of(appointment)
    if person == "stays away":
        assert found is None
        assert calls(google) == ["patch", "list", "list"]
    else:
        assert found is not None
        assert found.start == appointment.start + timedelta(hours=5)
        assert calls(google) == ["patch", "list", "list", "get"]


def test_a_reading_while_something_waits_to_be_written_says_nothing(
    watched_link: CalendarLink,
    alice: Member,
    google: RunningSimulator,
    after_listing: Callable[[Callable[[], Any]], None],
) -> None:
    appointment = mirrored(alice)
    seen, _ = move_in_google(google, appointment, hours=3)
    read_all()
    move_in_google(google, appointment, hours=6)
    after_listing(lambda: drift.put_back(alice, appointment.id))
    read_all()
    row = MirroredEvent.objects.get()
    assert row.drift_start == seen
    assert row.unjudged_etag
    drain_all()
    google.clear_calls()
    read_all()
    assert nothing_drifted()
    assert "patch" not in calls(google)


def test_what_a_worker_notes_while_an_appointment_changes_stays(
    alice: Member, google: RunningSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A change reads the rows, a worker begins an attempt, the change writes them: that an event
    may exist by now must not be forgotten."""
    found = link(alice, google)
    appointment = book(by=alice, details=details(), assignees=[alice])
    real = record.guests_of

    def meanwhile(*words: Any, **more: Any) -> Any:
        with ThreadPoolExecutor() as worker:  # with a connection of its own
            assert worker.submit(_claim, found.id).result()
        return real(*words, **more)

    monkeypatch.setattr(record, "guests_of", meanwhile)
    change(by=alice, appointment_id=appointment.id, changes={"title": "Boiler"})
    row = MirroredEvent.objects.get(appointment=appointment)
    assert (row.sent, row.wanted_revision) == (True, 2)


def _claim(link_id: UUID) -> int:
    try:
        return len(claim_due(link_id))
    finally:
        connections.close_all()


def test_trying_again_undoes_no_cancellation(alice: Member, google: RunningSimulator) -> None:
    """*Retry now* on a page that was read before somebody called the appointment off."""
    link(alice, google)
    appointment = book(by=alice, details=details(), assignees=[alice])
    seen = list(MirroredEvent.objects.filter(appointment=appointment))
    cancel(by=alice, appointment_id=appointment.id)
    record.retry(seen)
    drain_all()
    assert google.events("alice@example.com") == []
    assert not MirroredEvent.objects.get(appointment=appointment).wanted
