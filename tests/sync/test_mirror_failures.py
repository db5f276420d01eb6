"""What goes wrong on the way to Google: no event is doubled or lost, and the queue goes on."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.db import connection, transaction

from google_simulator.testing import RunningSimulator
from sophiie.accounts.models import Member
from sophiie.appointments.booking import cancel, change, delete
from sophiie.calendar_link.models import CalendarLink, LinkState
from sophiie.common.clock import now
from sophiie.common.reasons import kept
from sophiie.sync.messages import CRASHED
from sophiie.sync.models import MirroredEvent, MirrorState
from sophiie.sync.outbound import drain
from tests.conftest import tomorrow_at
from tests.linking import browser_of, come_back, link
from tests.mirroring import drain_all, due_now
from tests.sync.drifting import ALICE, book_one, calls, ours, status_of

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("foreign_events_stay"),
]


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
    assert status_of(appointment).state == "pending"
    assert status_of(appointment).error
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
    assert len(calls(google)) == 6
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
    assert status_of(second).state == "paused"
    google.clear_calls()
    third = book_one(alice, title="Third", start=tomorrow_at(10))
    drain_all()
    assert google.calls() == []  # never a loop against a dead grant
    assert status_of(third).state == "paused"

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
    for _ in range(3):  # at first Google may only lag
        found.refresh_from_db()
        assert found.state == LinkState.ACTIVE
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
    assert calls(google) == []
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


def test_retry_now(linked: CalendarLink, alice: Member, google: RunningSimulator, api: Any) -> None:
    # With all its parts, and with the mandatory ones alone.
    google.fault(method="calendar.events.insert", status=400, reason="invalid", count=2)
    appointment = book_one(alice)
    drain_all()
    assert status_of(appointment).state == "failed"
    answer = api("POST", f"/appointments/{appointment.id}/retry-sync")
    assert answer.status_code == 200
    drain_all()
    assert status_of(appointment).state == "synced"


def test_what_goes_wrong_inside_sophiie_concerns_one_appointment_alone(
    alice: Member, google: RunningSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    link(alice, google)
    broken, well = (book_one(alice, start=tomorrow_at(hour)) for hour in (1, 3))
    real = drain.show

    async def stumble(calendar: Any, row: MirroredEvent, *words: Any, **more: Any) -> Any:
        if row.appointment_id == broken.id:
            raise ZeroDivisionError
        return await real(calendar, row, *words, **more)

    with monkeypatch.context() as patched:
        patched.setattr(drain, "show", stumble)
        drain_all()
    assert len(ours(google)) == 1
    assert MirroredEvent.objects.get(appointment=well).state == MirrorState.SYNCED
    row = MirroredEvent.objects.get(appointment=broken)
    assert (row.state, kept(row, "error").code) == (MirrorState.PENDING, CRASHED.code)
    assert row.next_attempt_at is not None
    assert row.next_attempt_at > now()
    due_now()
    drain_all()
    assert len(ours(google)) == 2
