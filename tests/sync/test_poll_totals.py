"""The reading side in numbers: what is counted, and when."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from asgiref.sync import async_to_sync

from google_simulator.testing import RunningSimulator
from sophiie.accounts.models import Member
from sophiie.busy_time.knowledge import knowledge_of
from sophiie.calendar_link.models import CalendarLink
from sophiie.calendar_link.unlink import end_link
from sophiie.common.clock import now
from sophiie.common.in_thread import in_thread
from sophiie.google.app import google_session
from sophiie.sync.counters import Notification, Outcome, count
from sophiie.sync.inbound.poller import poll_link
from sophiie.sync.inbound.webhook import take_notification
from sophiie.sync.models import PushChannel, QuotaBucket, Tally, WatchedCalendar
from sophiie.sync.reports.poll_totals import poll_totals
from tests.busy import calendar_of
from tests.conftest import tomorrow_at
from tests.linking import link
from tests.mirroring import read_all, read_due
from tests.processes import until
from tests.sync.busy_calendars import event, link_with, move
from tests.sync.drifting import ALICE
from tests.sync.pushing import answers, open_channels, tend

pytestmark = pytest.mark.django_db(transaction=True)


def ended() -> dict[Outcome, int]:
    """How many readings ended in each way that happened at all."""
    readings = poll_totals().polls
    return {outcome: found.times for outcome, found in readings.items() if found.times}


def test_nothing_has_happened_yet(db: None) -> None:
    totals = poll_totals()
    assert ended() == {}
    assert set(totals.polls) == set(Outcome)
    assert (totals.fresh, totals.stale, totals.unreadable, totals.oldest_seconds) == (0, 0, 0, 0)
    assert totals.average_seconds == 0


def test_every_reading_is_counted_as_what_came_of_it(
    alice: Member, google: RunningSimulator, after_listing: Callable[[Callable[[], Any]], None]
) -> None:
    found = link(alice, google)
    assert ended() == {Outcome.EVERYTHING: 1}
    ids = [event(google, tomorrow_at(n)) for n in range(8)]
    read_all()
    assert ended() == {Outcome.EVERYTHING: 1, Outcome.CHANGES: 1}

    google.fault(method="calendar.events.list", status=503, reason="backendError", count=1)
    assert read_all() == [False]
    assert ended()[Outcome.FAILED] == 1

    google.expire_sync_tokens(ALICE)
    for n, event_id in enumerate(ids[:6]):  # deleted by nobody, but nowhere near any more
        move(google, event_id, tomorrow_at(n, days=900))
    assert read_all() == [False]
    assert ended()[Outcome.DOUBTED] == 1

    QuotaBucket.objects.update(level=0, counted_at=now() + timedelta(minutes=1))
    WatchedCalendar.objects.update(next_read_at=now())

    assert read_due() == [False]
    assert ended()[Outcome.THROTTLED] == 1

    QuotaBucket.objects.all().delete()
    after_listing(lambda: end_link(found.id))
    read_all()
    assert ended() == {
        Outcome.EVERYTHING: 1,
        Outcome.CHANGES: 1,
        Outcome.FAILED: 1,
        Outcome.DOUBTED: 1,
        Outcome.THROTTLED: 1,
        Outcome.GIVEN_UP: 1,
    }


def test_a_reading_that_is_cut_off_is_counted_as_given_up(
    alice: Member, google: RunningSimulator
) -> None:
    found = link(alice, google)
    google.clear_calls()
    google.latency(ms=60_000)

    async def cut_off() -> None:
        async with google_session() as http:
            reading = asyncio.create_task(poll_link(found.id, http))
            while not await asyncio.to_thread(google.calls):
                await asyncio.sleep(0.01)
            reading.cancel()
            with pytest.raises(asyncio.CancelledError):
                await reading

    async_to_sync(cut_off)()
    google.latency(ms=0)
    assert ended() == {Outcome.EVERYTHING: 1, Outcome.GIVEN_UP: 1}


def test_how_long_readings_take(alice: Member, google: RunningSimulator) -> None:
    link(alice, google)
    Tally.objects.all().delete()
    google.latency(ms=200)
    read_all()
    google.latency(ms=0)
    assert 0.2 <= poll_totals().polls[Outcome.CHANGES].seconds < 100  # not milliseconds
    read_all()
    totals = poll_totals()
    assert totals.average_seconds == pytest.approx(totals.polls[Outcome.CHANGES].seconds / 2)


def test_many_at_once_are_all_counted(db: None) -> None:
    async def many() -> None:
        await asyncio.gather(*(in_thread(count, Outcome.CHANGES, seconds=0.5) for _ in range(60)))

    async_to_sync(many)()
    changes = poll_totals().polls[Outcome.CHANGES]
    assert (changes.times, changes.seconds) == (60, 30.0)


@pytest.mark.parametrize("problem", ["", "Google is away."])
@pytest.mark.parametrize("age", [None, timedelta(0), timedelta(hours=2), timedelta(hours=-2)])
def test_a_copy_counts_as_what_a_booking_makes_of_it(
    alice: Member, age: timedelta | None, problem: str
) -> None:
    calendar_of(alice, age=age, problem=problem)
    totals = poll_totals()
    states = {"fresh": totals.fresh, "stale": totals.stale, "unreadable": totals.unreadable}
    expected = knowledge_of([alice.id])[alice.id].state
    assert states == {state: int(state == expected) for state in states}


def test_the_oldest_copy_is_one_that_can_be_read(
    alice: Member, bob: Member, google: RunningSimulator
) -> None:
    link(alice, google)
    link(bob, google, account="bob@example.com")
    alice.busy_calendars.update(checked_at=now() - timedelta(minutes=5))
    bob.busy_calendars.update(checked_at=now() - timedelta(hours=5))
    assert 5 * 3600 <= poll_totals().oldest_seconds < 5 * 3600 + 60
    CalendarLink.objects.filter(member=bob).update(state="needs_reconnect")
    assert 300 <= poll_totals().oldest_seconds < 360
    alice.busy_calendars.update(checked_at=now() + timedelta(hours=2))  # by a clock set back since
    assert poll_totals().oldest_seconds == 0


# Channels and what comes over them


@pytest.mark.usefixtures("reachable")
def test_channels_that_live_are_about_to_end_or_were_refused(
    alice: Member, google: RunningSimulator
) -> None:
    def channels() -> tuple[int, int, int, int]:
        totals = poll_totals()
        return (
            totals.channels_active,
            totals.channels_expiring,
            totals.channels_refused,
            totals.channels_none,
        )

    holidays = next(c["id"] for c in google.calendars(ALICE) if "holiday" in c["id"])
    family = str(google.create_calendar(ALICE, "Family")["id"])
    link_with(alice, google, holidays, family)
    assert channels() == (0, 0, 0, 0)
    google.fault(
        method="calendar.events.watch",
        calendar_id=family,
        status=401,
        reason="push.webhookUrlUnauthorized",
    )
    tend()
    assert channels() == (1, 0, 1, 1)
    PushChannel.objects.update(
        created_at=now() - timedelta(days=7), expires_at=now() + timedelta(hours=10)
    )
    assert channels() == (1, 1, 1, 1)
    PushChannel.objects.update(expires_at=now())
    assert channels() == (0, 0, 1, 1)


@pytest.mark.usefixtures("reachable")
def test_messages_are_counted_if_they_name_a_channel_of_ours(
    alice: Member, google: RunningSimulator
) -> None:
    link(alice, google)
    tend()
    (channel,) = open_channels(google)
    # Google says over each new channel that it is open; that notification is counted as well.
    until(lambda: answers(google, "sync") == [204], what="the first one came")
    Tally.objects.all().delete()

    def send(**changed: str) -> None:
        words = {
            "channel_id": channel["id"],
            "token": channel["token"],
            "resource_id": channel["resource_id"],
            "state": "exists",
        }
        take_notification(**{**words, **changed})

    for _ in range(3):
        send()
    send(token="guessed")
    send(resource_id="another")
    assert poll_totals().notifications == {Notification.TAKEN: 3, Notification.REFUSED: 2}
    send(channel_id=str(uuid4()))
    send(channel_id="nonsense")
    assert poll_totals().notifications == {Notification.TAKEN: 3, Notification.REFUSED: 2}
