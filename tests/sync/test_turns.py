"""What a worker does of a link's outbox in one turn, and when it looks again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.db import connection
from procrastinate.contrib.django.models import ProcrastinateJob

from google_simulator.testing import RunningSimulator
from sophiie.accounts.models import Member
from sophiie.calendar_link.models import CalendarLink, LinkState
from sophiie.common.clock import now
from sophiie.google.app import google_session
from sophiie.sync.jobs import DRAIN
from sophiie.sync.models import MirroredEvent, MirrorState
from sophiie.sync.outbound import drain
from sophiie.sync.outbound.capacity import Places
from sophiie.sync.outbound.claim import BATCH, claim_due, seconds_until_due
from tests.conftest import tomorrow_at
from tests.sync.drifting import ALICE, book_one

pytestmark = pytest.mark.django_db(transaction=True)
SECOND = timedelta(seconds=1)


def work_off(link: CalendarLink, others_wait: Callable[[], bool]) -> None:
    async def once() -> None:
        async with google_session() as http:
            await drain.drain(link.id, http=http, others_wait=others_wait)

    async_to_sync(once)()


def jobs_after(act: Callable[[], None]) -> list[str]:
    """The links for which an act has queued a drain."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM procrastinate_jobs")
    act()
    jobs = ProcrastinateJob.objects.filter(task_name=DRAIN, status="todo")
    return [job.args["link_id"] for job in jobs]


@pytest.fixture
def much(linked: CalendarLink, alice: Member) -> int:
    """More appointments than are claimed together."""
    for number in range(BATCH + 3):
        book_one(alice, start=tomorrow_at(1 + number))
    return BATCH + 3


def test_a_link_with_much_to_do_gives_way_once_its_turn_is_over(
    linked: CalendarLink,
    google: RunningSimulator,
    much: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(drain, "TURN_SECONDS", -1.0)
    assert jobs_after(lambda: work_off(linked, lambda: True)) == [str(linked.id)]
    assert len(google.events(ALICE)) == BATCH
    assert jobs_after(lambda: work_off(linked, lambda: False)) == []
    assert len(google.events(ALICE)) == much


def test_a_turn_that_is_not_over_goes_on_though_others_wait(
    linked: CalendarLink,
    google: RunningSimulator,
    much: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(drain, "TURN_SECONDS", 600.0)
    assert jobs_after(lambda: work_off(linked, lambda: True)) == []
    assert len(google.events(ALICE)) == much


@pytest.mark.usefixtures("clock_stands")
def test_when_the_next_row_of_a_link_is_due(
    linked: CalendarLink, alice: Member, settings: Any
) -> None:
    settings.MIRROR_COALESCE_SECONDS = 2
    assert seconds_until_due(linked.id) is None
    book_one(alice)
    rows = MirroredEvent.objects.all()
    for later, wait in ((-5, 0.0), (0, 0.0), (1.5, 1.5), (2, 2.0), (2.5, None)):
        rows.update(next_attempt_at=now() + later * SECOND)
        assert seconds_until_due(linked.id) == wait
        assert len(claim_due(linked.id)) == (1 if later <= 0 else 0)
    rows.update(next_attempt_at=now())
    CalendarLink.objects.update(parked_until=now() + 60 * SECOND)
    assert seconds_until_due(linked.id) is None
    assert claim_due(linked.id) == []
    CalendarLink.objects.update(parked_until=None, state=LinkState.NEEDS_RECONNECT)
    assert seconds_until_due(linked.id) is None
    assert claim_due(linked.id) == []


def test_a_claim_counts_the_attempt_and_what_may_be_in_google_from_now_on(
    linked: CalendarLink, alice: Member
) -> None:
    book_one(alice)
    MirroredEvent.objects.update(guests=["b", "a"], sent_guests=["c"])
    for attempt in (1, 2):
        (work,) = claim_due(linked.id)
        stored = MirroredEvent.objects.get()
        for row in (work.row, stored):
            assert (row.attempts, row.sent_guests) == (attempt, ["a", "b", "c"])
        assert stored.sent
        assert not work.left_behind
    MirroredEvent.objects.update(wanted=False, guests=["d"], sent=False, calendar_id="before")
    (work,) = claim_due(linked.id)
    stored = MirroredEvent.objects.get()
    assert (stored.attempts, stored.sent, stored.sent_guests) == (3, False, ["a", "b", "c"])
    assert work.left_behind
    assert work.row.state == MirrorState.PENDING


def test_a_worker_has_so_many_places_and_none_once_it_stops() -> None:
    places = Places(2)
    with places.taken():
        assert not places.are_short()
        with places.taken():
            assert places.are_short()
        assert not places.are_short()
    places.close()
    assert places.are_short()
