"""When a calendar is read, by whom, and what its failures mean."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from contextvars import ContextVar
from datetime import timedelta
from typing import Any

import aiohttp
import pytest
from asgiref.sync import async_to_sync
from django.db import connection
from django.db.models.functions import Now

from google_simulator.testing import RunningSimulator
from sophiie.accounts.models import Member
from sophiie.calendar_link.models import CalendarLink, LinkState
from sophiie.common.clock import now
from sophiie.common.in_thread import in_thread
from sophiie.google import calendar as google_calendar
from sophiie.google.app import google_session
from sophiie.sync.inbound import poll_claim, poller
from sophiie.sync.models import WatchedCalendar
from tests.linking import link
from tests.mirroring import drain_all, read_all, read_due
from tests.processes import until
from tests.sync.drifting import (
    ALICE,
    calls,
    drift_of,
    mirrored,
    move_in_google,
    nothing_drifted,
    watched,
)

pytestmark = pytest.mark.django_db(transaction=True)


def test_two_workers_read_once(alice: Member, google: RunningSimulator) -> None:
    link(alice, google, read=False)
    google.clear_calls()
    google.latency(ms=100)
    assert sorted(read_due(times=3)) == [False, False, True]
    assert calls(google) == ["list"]
    assert read_due() == []
    at = watched()
    assert at.read_at is not None
    assert at.next_read_at > at.read_at + timedelta(seconds=45)
    assert at.reading_until is None
    WatchedCalendar.objects.update(next_read_at=now())
    assert read_due() == [True]


def test_a_worker_that_comes_late_finds_it_read(
    watched_link: CalendarLink, google: RunningSimulator
) -> None:
    """It saw the link due, and another one read it before this one had its turn."""

    async def come_late() -> bool:
        async with google_session() as http:
            return await poller.poll_link(watched_link.id, http, only_due=True)

    assert async_to_sync(come_late)() is False
    assert google.calls() == []


def test_what_a_dead_worker_had_claimed_is_read_by_another(
    watched_link: CalendarLink, google: RunningSimulator
) -> None:
    WatchedCalendar.objects.update(
        next_read_at=now(), reading_until=Now() + poll_claim.POLLING.lasts
    )
    assert read_due() == []
    WatchedCalendar.objects.update(reading_until=Now() - timedelta(seconds=1))
    assert read_due() == [True]


def test_who_wants_to_know_waits_for_a_reading_that_is_under_way(
    watched_link: CalendarLink, google: RunningSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin, ask = poll_claim.begin, poller.fetch
    late: set[int] = set()
    reader: ContextVar[int] = ContextVar("reader")

    def begin_or_come_late(*words: Any, **more: Any) -> Any:
        found = begin(*words, **more)
        late.update({reader.get()} if found is None else set())
        return found

    async def ask_when_the_others_wait(*words: Any) -> Any:
        while len(late) < 2:
            await asyncio.sleep(0.01)
        return await ask(*words)

    monkeypatch.setattr(poll_claim, "begin", begin_or_come_late)
    monkeypatch.setattr(poller, "fetch", ask_when_the_others_wait)

    async def one(number: int, http: aiohttp.ClientSession) -> bool:
        reader.set(number)
        return await poller.poll_link(watched_link.id, http)

    async def three() -> list[bool]:
        async with google_session() as http:
            return list(await asyncio.gather(*(one(number, http) for number in range(3))))

    assert async_to_sync(three)() == [True, True, True]
    assert calls(google) == ["list"]


def test_a_reading_that_ends_between_the_look_and_the_claim_is_not_made_again(
    watched_link: CalendarLink, google: RunningSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin, ask, look = poll_claim.begin, poller.fetch, poll_claim.last_read_at
    came_late, may_ask = threading.Event(), threading.Event()

    def begin_or_come_late(*words: Any, **more: Any) -> Any:
        if (found := begin(*words, **more)) is None:
            came_late.set()
        return found

    def look_just_before_it_ends(*words: Any) -> Any:
        found = look(*words)
        if came_late.is_set() and not may_ask.is_set():
            may_ask.set()
            until(lambda: look(*words) != found, what="the first has read")
        return found

    async def ask_when_told(*words: Any) -> Any:
        while not may_ask.is_set():
            await asyncio.sleep(0.01)
        return await ask(*words)

    monkeypatch.setattr(poll_claim, "begin", begin_or_come_late)
    monkeypatch.setattr(poll_claim, "last_read_at", look_just_before_it_ends)
    monkeypatch.setattr(poller, "fetch", ask_when_told)

    async def two() -> list[bool]:
        async with google_session() as http:
            reads = [poller.poll_link(watched_link.id, http) for _ in range(2)]
            return list(await asyncio.gather(*reads))

    assert async_to_sync(two)() == [True, True]
    assert calls(google) == ["list"]


def test_the_reading_that_is_waited_for_may_fail(
    watched_link: CalendarLink, google: RunningSimulator
) -> None:
    google.latency(ms=150)
    google.fault(method="calendar.events.list", status=503, count=1)

    async def two() -> list[bool]:
        async with google_session() as http:
            reads = [poller.poll_link(watched_link.id, http) for _ in range(2)]
            return list(await asyncio.gather(*reads))

    assert sorted(async_to_sync(two)()) == [False, True]
    assert calls(google) == ["list", "list"]


def test_a_reading_that_is_cut_off_is_in_nobodys_way(
    watched_link: CalendarLink, alice: Member, google: RunningSimulator
) -> None:
    """Whoever asked had no more patience, at any moment between the claim and the storing."""
    appointment = mirrored(alice)
    move_in_google(google, appointment)
    google.latency(ms=30)

    async def impatient(patience: float) -> None:
        async with google_session() as http:
            with suppress(TimeoutError):
                async with asyncio.timeout(patience):
                    await poller.poll_link(watched_link.id, http)

    for milliseconds in range(0, 80, 4):
        async_to_sync(impatient)(milliseconds / 1000)
        assert watched().reading_until is None
    assert read_all() == [True]
    assert drift_of(appointment)


def test_an_answer_that_comes_after_a_newer_one_is_dropped(
    watched_link: CalendarLink,
    alice: Member,
    google: RunningSimulator,
    after_listing: Callable[[Callable[[], Any]], None],
) -> None:
    appointment = mirrored(alice)
    move_in_google(google, appointment)

    def overtaken() -> None:
        move_in_google(google, appointment, hours=0)
        WatchedCalendar.objects.update(reading_until=Now() - timedelta(seconds=1))
        assert read_all() == [True]

    after_listing(overtaken)
    assert read_all() == [False]
    assert nothing_drifted()


@pytest.mark.parametrize(
    "state",
    [LinkState.CHOOSING, LinkState.NEEDS_RECONNECT, LinkState.UNLINKING, LinkState.UNLINKED],
)
def test_only_working_links_are_read(
    watched_link: CalendarLink, google: RunningSimulator, state: str
) -> None:
    CalendarLink.objects.update(state=state)
    WatchedCalendar.objects.update(next_read_at=now())
    assert poller.due_links() == []
    assert read_all() == [False]
    assert google.calls() == []


def test_a_link_unlinked_during_a_reading_is_left_at_once(
    watched_link: CalendarLink, alice: Member, google: RunningSimulator
) -> None:
    google.switch(paging="empty")
    mirrored(alice)
    google.clear_calls()
    real = google_calendar.CalendarClient._page_of_changes

    async def page(self: Any, *words: Any) -> Any:
        answer = await real(self, *words)
        await in_thread(CalendarLink.objects.update, state=LinkState.UNLINKED)
        return answer

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(google_calendar.CalendarClient, "_page_of_changes", page)
        assert read_all() == [False]
    assert calls(google) == ["list"]


def test_no_transaction_is_open_while_google_is_asked(
    watched_link: CalendarLink, google: RunningSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, open_ones = google_calendar.send, []

    async def looked_at(*words: Any, **more: Any) -> Any:
        open_ones.append(connection.in_atomic_block)
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in transaction%'"
                " AND datname = current_database()"
            )
            open_ones.append(bool(cursor.fetchone()[0]))
        return await real(*words, **more)

    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
    monkeypatch.setattr(google_calendar, "send", looked_at)
    assert read_all() == [True]
    assert open_ones == [False, False]


def test_a_failed_reading_believes_nothing_and_tells_it_all_next_time(
    watched_link: CalendarLink, alice: Member, google: RunningSimulator
) -> None:
    appointment = mirrored(alice)
    move_in_google(google, appointment)
    before = watched().sync_token
    for kind in ("error", "html"):
        google.fault(method="calendar.events.list", kind=kind, status=503, count=1)
        assert read_all() == [False]
    at = watched()
    assert at.sync_token == before
    assert at.error
    assert nothing_drifted()
    assert at.next_read_at > now() + timedelta(seconds=200)
    assert read_all() == [True]
    assert drift_of(appointment)


def test_a_withdrawn_permission_is_noticed(
    watched_link: CalendarLink, google: RunningSimulator
) -> None:
    google.revoke_grant(ALICE)
    assert read_all() == [False]
    watched_link.refresh_from_db()
    assert watched_link.state == LinkState.NEEDS_RECONNECT


def test_a_lowered_role_is_noticed(watched_link: CalendarLink, google: RunningSimulator) -> None:
    google.set_role(ALICE, ALICE, "reader")
    read_all()
    watched_link.refresh_from_db()
    assert watched_link.state == LinkState.NEEDS_RECONNECT
    assert "cannot be written to" in watched_link.problem


def test_a_calendar_that_is_gone_is_noticed_at_the_second_look(
    alice: Member, google: RunningSimulator
) -> None:
    other = google.create_calendar(ALICE, "Work")["id"]
    watched_link = link(alice, google, calendar_id=other)
    drain_all()
    read_all()
    google.delete_calendar(ALICE, other)
    for state in (LinkState.ACTIVE, LinkState.NEEDS_RECONNECT):
        assert read_all() == [False]
        watched_link.refresh_from_db()
        assert watched_link.state == state


def test_a_few_at_a_time_and_a_slow_one_delays_no_other(
    watched_link: CalendarLink, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting, running, done, most = list(range(12)), set(), [], []

    def due(most_wanted: int) -> list[int]:
        taken, waiting[:most_wanted] = waiting[:most_wanted], []
        return taken

    async def read(number: int, http: Any, *, only_due: bool) -> bool:
        assert only_due
        running.add(number)
        most.append(len(running))
        await asyncio.sleep(600 if number == 0 else 0.01)
        running.discard(number)
        done.append(number)
        return True

    monkeypatch.setattr(poller, "due_links", due)
    monkeypatch.setattr(poller, "poll_link", read)
    monkeypatch.setattr(poller, "BUSY_SECONDS", 0.05)

    async def until_the_others_are_done() -> None:
        polling = asyncio.create_task(poller.poll_regularly(None))  # type: ignore[arg-type]
        async with asyncio.timeout(60):
            while len(done) < 11:
                await asyncio.sleep(0.01)
        polling.cancel()

    async_to_sync(until_the_others_are_done)()
    assert sorted(done) == list(range(1, 12))
    assert max(most) == poller.MAX_AT_ONCE


def test_the_worker_notices_by_itself(
    watched_link: CalendarLink, alice: Member, google: RunningSimulator
) -> None:
    appointment = mirrored(alice)
    move_in_google(google, appointment)
    WatchedCalendar.objects.update(next_read_at=now())

    async def until_it_is_noticed() -> None:
        async with google_session() as http, asyncio.timeout(60):
            polling = asyncio.create_task(poller.poll_regularly(http))
            while not await in_thread(lambda: drift_of(appointment)):
                await asyncio.sleep(0.05)
            polling.cancel()
            with suppress(asyncio.CancelledError):
                await polling

    async_to_sync(until_it_is_noticed)()
    assert calls(google).count("list") == 1
