"""Readings count against Google's quotas like writes, and leave room for what is more urgent."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from asgiref.sync import async_to_sync

from google_simulator.testing import RunningSimulator
from sophiie.accounts.models import Member
from sophiie.appointments.booking import book, change
from sophiie.appointments.models import Appointment
from sophiie.calendar_link.models import CalendarLink
from sophiie.common import clock
from sophiie.common.clock import now
from sophiie.google import calendar as google_calendar
from sophiie.google.app import google_session
from sophiie.sync.actions.preflight import preflight
from sophiie.sync.inbound.poller import due_links, look_again, poll_link
from sophiie.sync.inbound.refresh import renew_old_copies
from sophiie.sync.models import (
    MirroredEvent,
    MirrorState,
    PushChannel,
    QuotaBucket,
    WatchedCalendar,
)
from sophiie.sync.outbound.drain import drain
from sophiie.sync.quota.buckets import PROJECT, PROJECT_BUDGET, USER_BUDGET, Urgency
from tests.conftest import details, tomorrow_at
from tests.linking import link
from tests.mirroring import drain_all
from tests.sync.busy_calendars import event, link_with
from tests.sync.drifting import ALICE, event_id_of, mirrored, watched
from tests.sync.pushing import PATH, open_channels, tend
from tests.sync.quotas import leave, left, poll

pytestmark = pytest.mark.django_db(transaction=True)
BOB = "bob@example.com"
FLOORS = USER_BUDGET.floors


@pytest.fixture
def pass_time(google: RunningSimulator, monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Moves our clock and Google's on, by the same time."""
    passed = timedelta(0)

    class Moved(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:
            return datetime.now(tz) + passed

    def move(seconds: float) -> None:
        nonlocal passed
        passed += timedelta(seconds=seconds)
        google.advance_clock(seconds)

    monkeypatch.setattr(clock, "datetime", Moved)
    return move


async def drain_of(found: CalendarLink) -> None:
    async with google_session() as http:
        await drain(found.id, http=http)


def listings(google: RunningSimulator) -> int:
    return len(google.calls(method="calendar.events.list"))


# Never held up: what a person waits for


def test_a_person_never_waits_for_the_budget_of_an_account(
    alice: Member, google: RunningSimulator
) -> None:
    found = link(alice, google)
    drain_all()
    leave(0)
    google.clear_calls()
    checked_at = alice.busy_calendars.get().checked_at
    alice.busy_calendars.update(checked_at=now() - timedelta(hours=1))
    renew_old_copies([alice.id])
    assert alice.busy_calendars.get().checked_at > checked_at
    assert async_to_sync(look_again)(found.id, patience=5)
    mine = book(by=alice, details=details(), assignees=[alice])
    assert async_to_sync(preflight)(found, ALICE).read
    link_with(alice, google)  # the list of calendars, and Save
    assert MirroredEvent.objects.get(appointment=mine).state == MirrorState.PENDING
    made = google.calls(method="calendar.*")
    assert {call["method"] for call in made} == {
        "calendar.calendarList.list",
        "calendar.events.list",
    }
    assert left(found) == -len(made)


def test_a_person_waits_for_a_short_reading_that_has_begun_no_longer_than_google_takes(
    alice: Member, google: RunningSimulator, small_pages: None
) -> None:
    """Four pages: once it has begun it is not held up, although the bucket has no more room."""
    found = link(alice, google)
    for n in range(7):
        event(google, tomorrow_at(n))
    leave(FLOORS[Urgency.POLL] + 1)
    google.clear_calls()
    assert poll(found) == [True]
    assert listings(google) == 4
    assert left(found) == FLOORS[Urgency.POLL] - 3


def test_near_the_projects_limit_changes_come_first_then_what_a_booking_waits_for(
    alice: Member, bob: Member, google: RunningSimulator
) -> None:
    """Two units above what is kept for changes: two readings that somebody waits for are made and a
    third is not, nor any that nobody waits for; a change goes on until nothing is left."""
    found = link(alice, google)
    link(bob, google, account=BOB)
    appointment = mirrored(bob)
    kept = PROJECT_BUDGET.floors
    leave(USER_BUDGET.capacity, project=kept[Urgency.AWAITED] + 2)
    google.clear_calls()
    assert poll(found) == [False]
    booked_ahead = [
        book(by=alice, details=details(start=tomorrow_at(n)), assignees=[alice]) for n in (3, 6)
    ]
    MirroredEvent.objects.filter(appointment__in=booked_ahead).update(backfill=True)
    async_to_sync(drain_of)(found)
    assert google.calls(account=ALICE) == []

    assert async_to_sync(look_again)(found.id, patience=30)
    assert async_to_sync(look_again)(found.id, patience=30)
    assert async_to_sync(look_again)(found.id, patience=30) is False
    assert listings(google) == 2

    leave(USER_BUDGET.capacity, project=3)
    checked_at = alice.busy_calendars.get().checked_at
    alice.busy_calendars.update(checked_at=now() - timedelta(hours=1))
    renew_old_copies([alice.id])  # gives up, and the booking goes on with the copy as it is
    assert alice.busy_calendars.get().checked_at < checked_at
    assert listings(google) == 2
    change(by=bob, appointment_id=appointment.id, changes={"title": "Burst pipe"})
    drain_all()
    assert google.event(BOB, BOB, event_id_of(appointment))["summary"] == "Burst pipe"


# Put off: what nobody waits for


@pytest.mark.usefixtures("clock_stands")
def test_a_reading_without_room_is_put_off_and_nobody_is_bothered(
    alice: Member, google: RunningSimulator
) -> None:
    found = link(alice, google)
    before = watched()
    leave(FLOORS[Urgency.POLL])
    google.clear_calls()
    assert poll(found) == [False]
    assert google.calls() == []
    at = watched()
    assert (at.error, at.sync_token, at.read_at) == ("", before.sync_token, before.read_at)
    assert at.reader is None
    assert now() < at.next_read_at < now() + timedelta(seconds=5)
    assert alice.busy_calendars.get().problem == ""
    assert due_links() == []
    leave(FLOORS[Urgency.POLL] + 1)
    WatchedCalendar.objects.update(next_read_at=now())
    assert due_links() == [found.id]
    assert poll(found) == [True]


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Google tells two events at a time."""
    real = google_calendar.CalendarClient._page_of_changes

    async def small(self: Any, calendar_id: str, query: dict[str, str]) -> Any:
        return await real(self, calendar_id, {**query, "maxResults": "2"})

    monkeypatch.setattr(google_calendar.CalendarClient, "_page_of_changes", small)


def test_many_pages_are_paid_for_page_by_page(
    alice: Member, google: RunningSimulator, small_pages: None
) -> None:
    found = link(alice, google)
    for n in range(23):
        event(google, tomorrow_at(n))
    WatchedCalendar.objects.update(sync_token="", window_start=None)
    began = time.monotonic()
    QuotaBucket.objects.exclude(scope=PROJECT).update(
        level=FLOORS[Urgency.POLL] + 1, counted_at=now()
    )
    google.clear_calls()
    assert poll(found) == [True]
    queries = [call["query"] for call in google.calls(method="calendar.events.list")]
    assert len(queries) == 12
    assert sum("pageToken" not in query for query in queries) == 1  # it was not begun anew
    # One is there, four do not wait, seven come as the bucket refills to the floor and above.
    assert time.monotonic() - began > 7 / USER_BUDGET.rate
    assert left(found) >= 0


def test_a_channel_without_room_is_opened_a_little_later(
    alice: Member, google: RunningSimulator, live_server: Any, settings: Any
) -> None:
    settings.PUSH_ADDRESS = live_server.url + PATH
    link(alice, google)
    leave(FLOORS[Urgency.POLL])
    google.clear_calls()
    tend()
    assert google.calls() == []
    assert not PushChannel.objects.exists()
    at = watched()
    assert at.push_problem == ""
    assert at.push_next_at is not None
    assert now() < at.push_next_at < now() + timedelta(seconds=30)
    leave(FLOORS[Urgency.POLL] + 1)
    WatchedCalendar.objects.update(push_next_at=now())
    tend()
    assert len(open_channels(google)) == 1


# Room for each other


def test_a_backfill_leaves_room_for_readings(alice: Member, google: RunningSimulator) -> None:
    for n in range(16):
        book(by=alice, details=details(start=tomorrow_at(n)), assignees=[alice])
    found = link(alice, google)
    leave(FLOORS[Urgency.BACKFILL] + 5)
    google.clear_calls()
    drain_all()
    assert len(google.calls(method="calendar.events.insert")) == 5
    assert poll(found) == [True]


def test_readings_of_all_members_leave_room_for_a_single_change(
    alice: Member, bob: Member, google: RunningSimulator
) -> None:
    found = link(alice, google)
    link(bob, google, account=BOB)
    appointment = mirrored(bob)
    leave(USER_BUDGET.capacity, project=PROJECT_BUDGET.floors[Urgency.POLL] + 40)
    google.clear_calls()
    for _ in range(60):
        poll(found)
    assert listings(google) == 40
    change(by=bob, appointment_id=appointment.id, changes={"title": "Burst pipe"})
    drain_all()
    assert google.event(BOB, BOB, event_id_of(appointment))["summary"] == "Burst pipe"


def test_a_busy_minute_of_one_account_stays_below_googles_number(
    alice: Member, bob: Member, google: RunningSimulator, pass_time: Callable[[float], None]
) -> None:
    """Two members share an account, each with a backfill; their calendars change all the time, so
    that messages ask for reading after reading, and people book. Four workers' worth at once."""
    for n in range(270):
        start = tomorrow_at(0, days=2) + timedelta(hours=n)
        book(by=alice, details=details(start=start), assignees=[alice, bob])
    family = str(google.create_calendar(ALICE, "Family")["id"])
    links = [link(alice, google), link(bob, google, calendar_id=family, account=ALICE)]
    google.clear_calls()

    async def work() -> None:
        async with google_session() as http:
            reads = [poll_link(one.id, http, only_due=True) for one in links]
            drains = [drain(one.id, http=http) for one in links]
            await asyncio.gather(*drains, *reads)

    singles: list[Appointment] = []
    end_of_it = now() + timedelta(seconds=70)
    while now() < end_of_it:
        pass_time(2)
        start = tomorrow_at(0) + timedelta(minutes=30 * len(singles))
        end = start + timedelta(minutes=30)
        singles.append(book(by=alice, details=details(start=start, end=end), assignees=[alice]))
        WatchedCalendar.objects.update(next_read_at=now())
        async_to_sync(work)()
        if len(singles) % 5 == 0:
            assert async_to_sync(look_again)(links[0].id, patience=5)
        rows = MirroredEvent.objects.filter(appointment__in=singles)
        assert {row.state for row in rows} == {MirrorState.SYNCED}  # none of them had to wait

    made = google.calls(account=ALICE, method="calendar.*")
    assert {call["status"] for call in made} == {200}  # Google never had to say no
    most = max(
        sum(call["units"] for call in made if first["at"] <= call["at"] < first["at"] + 60)
        for first in made
    )
    assert 500 < most <= 600
    assert listings(google) >= 2 * len(singles)  # and no calendar went unread
    assert MirroredEvent.objects.filter(state=MirrorState.PENDING, backfill=True).exists()
