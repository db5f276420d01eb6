"""Many people at the same time: one winner and no deadlock, however slow the machine is.

Every thread has a connection of its own, as every request has.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from django.db import connection, connections, transaction

from sophiie.accounts.models import Member
from sophiie.appointments import locking
from sophiie.appointments.booking import book, cancel, change
from sophiie.appointments.errors import Conflict, StaleRevision, TooBusy
from sophiie.appointments.locking import lock_members
from sophiie.appointments.models import Appointment, Assignment
from sophiie.appointments.record import locked_one
from tests.conftest import details, tomorrow_at

ROUNDS, PEOPLE_AT_ONCE = 15, 18

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _a_deadlock_is_refused_and_a_queue_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """PostgreSQL's victim of a deadlock is not run again, so that its refusal is seen here."""
    monkeypatch.setattr(locking, "MAX_DEADLOCKS", 1)
    monkeypatch.setattr(locking, "LOCK_TIMEOUT_MILLISECONDS", 60_000)


def at_once(acts: list[Callable[[], object]]) -> list[str]:
    """All acts in the same instant, each with its own connection; what became of them."""
    ready = threading.Barrier(len(acts))

    def run(act: Callable[[], object]) -> str:
        try:
            connection.ensure_connection()
            ready.wait(60)
            act()
            return "done"
        except (Conflict, StaleRevision, TooBusy) as refusal:
            return type(refusal).__name__
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(acts)) as threads:
        return list(threads.map(run, acts))


def test_overlapping_bookings_have_exactly_one_winner(alice: Member, bob: Member) -> None:
    """Different overlapping times, and the assignees named in different orders."""
    teams = [[alice, bob], [bob, alice], [alice], [bob, alice]]
    for number in range(ROUNDS):
        middle = tomorrow_at(12, days=number + 1)

        def attempt(n: int, middle: datetime = middle) -> Callable[[], object]:
            start = middle - timedelta(minutes=1 + 2 * n)
            asked = details(start=start, end=middle + timedelta(minutes=1 + 3 * (n % 7)))
            return lambda: book(by=alice, details=asked, assignees=teams[n % len(teams)])

        outcomes = at_once([attempt(n) for n in range(PEOPLE_AT_ONCE)])
        assert Counter(outcomes) == {"done": 1, "Conflict": PEOPLE_AT_ONCE - 1}
    assert Appointment.objects.count() == ROUNDS


def test_changes_bookings_and_cancellations_do_not_deadlock(alice: Member, bob: Member) -> None:
    """A change holds its appointment and then waits for members; a booking only the latter."""
    hours = range(8)
    existing = [
        book(by=alice, details=details(start=tomorrow_at(n)), assignees=[(alice, bob)[n % 2]])
        for n in hours
    ]

    def swap(n: int) -> Callable[[], object]:
        team = [alice, bob] if n % 2 else [bob, alice]
        onto = {"start": tomorrow_at(20), "end": tomorrow_at(21)}
        return lambda: change(by=bob, appointment_id=existing[n].id, changes=onto, assignees=team)

    outcomes = at_once(
        [
            *[swap(n) for n in hours],
            *[lambda n=n: cancel(by=alice, appointment_id=existing[n].id) for n in hours],
            *[
                lambda team=team: book(
                    by=alice, details=details(start=tomorrow_at(20)), assignees=team
                )
                for team in ([alice, bob], [bob, alice])
            ],
        ]
    )
    assert set(outcomes) <= {"done", "Conflict"}
    blocking = Assignment.objects.filter(blocking=True, during__contains=tomorrow_at(20, 30))
    # Nobody twice; and nobody at all when who was refused met one that was called off afterwards.
    assert set(Counter(blocking.values_list("member__name", flat=True)).values()) <= {1}
    assert {a.status for a in Appointment.objects.filter(id__in=[e.id for e in existing])} == {
        "cancelled"
    }


def test_of_changes_that_expect_the_same_revision_one_wins(alice: Member) -> None:
    booked = book(by=alice, details=details(), assignees=[alice])
    outcomes = at_once(
        [
            lambda n=n: change(
                by=alice,
                appointment_id=booked.id,
                changes={"title": f"Edit {n}"},
                expected_revision=1,
            )
            for n in range(8)
        ]
    )
    assert Counter(outcomes) == {"done": 1, "StaleRevision": 7}
    assert Appointment.objects.get().revision == 2


def test_changes_without_an_expectation_are_all_counted(alice: Member) -> None:
    booked = book(by=alice, details=details(), assignees=[alice])
    at_once(
        [
            lambda n=n: change(by=alice, appointment_id=booked.id, changes={"title": f"Edit {n}"})
            for n in range(8)
        ]
    )
    assert Appointment.objects.get().revision == 9
    assert booked.changes.count() == 9


def test_members_are_locked_in_one_order_however_they_are_named(alice: Member, bob: Member) -> None:
    def lock(team: list[Member]) -> Callable[[], object]:
        def act() -> None:
            with transaction.atomic():
                lock_members(member.id for member in team)
                time.sleep(0.01)

        return act

    for _ in range(5):
        outcomes = at_once([lock([alice, bob]), lock([bob, alice])] * 4)
        assert set(outcomes) == {"done"}


def test_who_waits_too_long_is_told_so(alice: Member, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locking, "LOCK_TIMEOUT_MILLISECONDS", 50)
    with transaction.atomic():
        lock_members([alice.id])
        (outcome,) = at_once([lambda: book(by=alice, details=details(), assignees=[alice])])
    assert outcome == "TooBusy"
    assert not Appointment.objects.exists()


def test_a_change_keeps_nobody_from_adding_rows_that_refer_to_the_appointment(
    alice: Member,
) -> None:
    """A worker's commit checks its references. With a stronger lock it would wait for the change,
    and the change for the row that the worker holds."""
    appointment = book(by=alice, details=details(), assignees=[alice])

    def refer() -> bool:
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(
                    "SELECT FROM appointments_appointment WHERE id = %s FOR KEY SHARE NOWAIT",
                    [appointment.id],
                )
                return cursor.rowcount == 1
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as other, transaction.atomic():
        locked_one(alice, appointment.id, None)
        assert other.submit(refer).result() is True
