"""What other processes are told: after the commit, gathered, and nothing depends on it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from django.db import connection, transaction

from google_simulator.testing import RunningSimulator
from sophiie.accounts.models import Member
from sophiie.appointments.booking import book
from sophiie.calendar_link.models import CalendarLink
from sophiie.common import live
from sophiie.common.after_commit import after_commit, gathering
from sophiie.common.direct import direct_parameters
from tests.conftest import details, tomorrow_at
from tests.linking import link
from tests.mirroring import sweep_once
from tests.processes import until

pytestmark = pytest.mark.django_db(transaction=True)


def jobs() -> int:
    links = [str(link_id) for link_id in CalendarLink.objects.values_list("id", flat=True)]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM procrastinate_jobs WHERE args->>'link_id' = ANY(%s)", [links]
        )
        return int(cursor.fetchone()[0])


def all_jobs() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM procrastinate_jobs")
        return int(cursor.fetchone()[0])


@pytest.fixture
def listener(db: None) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(**direct_parameters(), autocommit=True) as listening:
        listening.execute(f"LISTEN {live.CHANNEL}")
        yield listening


def heard(listener: psycopg.Connection[Any], *, most: int = 1, seconds: float = 30) -> list[str]:
    return [n.payload for n in listener.notifies(timeout=seconds, stop_after=most)]


def test_no_booking_carries_a_notification_or_a_job_in_its_transaction(
    alice: Member, google: RunningSimulator
) -> None:
    """PostgreSQL keeps one lock for them until the commit is on disk."""
    link(alice, google)
    before, of_all = jobs(), all_jobs()
    with transaction.atomic():
        book(by=alice, details=details(), assignees=[alice])
        assert jobs() == before
        assert all_jobs() == of_all
    assert jobs() == before + 1


def test_what_was_rolled_back_is_told_to_nobody(
    alice: Member, listener: psycopg.Connection[Any]
) -> None:
    with transaction.atomic():
        live.announce(alice.business_id, appointment="undone")
        transaction.set_rollback(True)
    live.announce(alice.business_id, appointment="done")
    (payload,) = heard(listener)
    assert '"done"' in payload


def test_what_comes_while_a_process_tells_is_told_together_and_once() -> None:
    told, first, go_on = [], threading.Event(), threading.Event()

    def send(items: list[str]) -> None:
        told.append(items)
        first.set()
        assert go_on.wait(60)

    with gathering():
        after_commit(send, "first")
        assert first.wait(60)
        for n in range(100):
            after_commit(send, f"{n % 10}")
        go_on.set()
        until(lambda: len(told) == 2, what="the rest is told")
    assert told == [["first"], [str(n) for n in range(10)]]


def test_a_booking_does_not_wait_for_what_it_tells(alice: Member, google: RunningSimulator) -> None:
    link(alice, google)
    holding, go_on = threading.Event(), threading.Event()

    def hang(_items: list[str]) -> None:
        holding.set()
        assert go_on.wait(60)

    with gathering():
        after_commit(hang, "x")
        assert holding.wait(60)
        before = jobs()
        book(by=alice, details=details(), assignees=[alice])
        assert jobs() == before
        go_on.set()
        until(lambda: jobs() == before + 1, what="a worker is woken")


def test_whatever_fails_while_telling_harms_neither_the_change_nor_the_next(
    alice: Member, listener: psycopg.Connection[Any]
) -> None:
    def fail(_items: list[str]) -> None:
        raise RuntimeError

    with gathering():
        after_commit(fail, "x")
        live.announce(alice.business_id, appointment="heard")
        assert '"heard"' in heard(listener)[0]
    after_commit(fail, "x")


def test_what_is_left_at_the_end_of_a_process_is_told(listener: psycopg.Connection[Any]) -> None:
    with gathering():
        for n in range(20):
            live.announce(uuid4(), appointment=str(n))
    assert len(heard(listener, most=20)) == 20


def test_a_lost_wake_up_is_made_up_for_by_the_next_look_around(
    alice: Member, google: RunningSimulator
) -> None:
    """The process was killed between its commit and its telling."""
    link(alice, google)
    book(by=alice, details=details(start=tomorrow_at(4)), assignees=[alice])
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM procrastinate_jobs")
    sweep_once()
    assert jobs() == 1
