"""Every call to Google is counted, by whoever makes it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from asgiref.sync import async_to_sync

from google_simulator.testing import RunningSimulator
from sophiie.accounts.models import Member
from sophiie.appointments.booking import book, change
from sophiie.calendar_link.unlink import unlink
from sophiie.common import clock
from sophiie.common.clock import now
from sophiie.sync.actions.preflight import preflight
from sophiie.sync.models import (
    MirroredEvent,
    MirrorState,
    QuotaBucket,
)
from sophiie.sync.quota.buckets import PROJECT, PROJECT_BUDGET, USER_BUDGET, Urgency, take
from tests.conftest import details, tomorrow_at
from tests.linking import link
from tests.mirroring import drain_all, due_now, read_all
from tests.sync.busy_calendars import link_with
from tests.sync.drifting import ALICE, event_id_of
from tests.sync.pushing import PATH, tend
from tests.sync.quotas import leave, left, poll

pytestmark = pytest.mark.django_db(transaction=True)
FLOORS = USER_BUDGET.floors


def test_every_call_is_counted(
    alice: Member,
    google: RunningSimulator,
    live_server: Any,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings.PUSH_ADDRESS = live_server.url + PATH
    stopped = now()
    monkeypatch.setattr(
        clock, "datetime", type("Stopped", (), {"now": staticmethod(lambda tz: stopped)})
    )
    family = str(google.create_calendar(ALICE, "Family")["id"])
    first = book(by=alice, details=details(), assignees=[alice])
    found = link_with(alice, google, family)
    tend()
    drain_all()
    change(by=alice, appointment_id=first.id, changes={"title": "Dripping tap"})
    drain_all()
    google.delete_event(ALICE, ALICE, event_id_of(first))  # found out by a refused patch
    change(by=alice, appointment_id=first.id, changes={"title": "Burst pipe"})
    drain_all()
    google.fault(method="calendar.events.insert", kind="cut", when="after", count=1)
    second = book(by=alice, details=details(start=tomorrow_at(5)), assignees=[alice])
    drain_all()
    due_now()
    MirroredEvent.objects.filter(state=MirrorState.PENDING).update(next_attempt_at=stopped)
    drain_all()
    assert google.event(ALICE, ALICE, event_id_of(second))["status"] == "confirmed"
    async_to_sync(preflight)(found, family)
    google.expire_sync_tokens(ALICE)
    assert read_all() == [True]
    assert poll(found) == [True]
    async_to_sync(unlink)(member=alice)

    made = google.calls(method="calendar.*", account=ALICE)
    assert {call["method"].removeprefix("calendar.") for call in made} == {
        "calendarList.list",
        "channels.stop",
        "events.get",
        "events.insert",
        "events.list",
        "events.patch",
        "events.watch",
    }
    units = sum(call["units"] for call in made)
    assert left(found) == USER_BUDGET.capacity - units
    assert QuotaBucket.objects.get(scope=PROJECT).level == PROJECT_BUDGET.capacity - units


def test_two_at_the_same_moment_are_both_counted(alice: Member, google: RunningSimulator) -> None:
    found = link(alice, google)
    leave(200)

    async def many() -> None:
        from sophiie.common.in_thread import in_thread

        await asyncio.gather(*(in_thread(take, found.id, Urgency.POLL) for _ in range(60)))

    async_to_sync(many)()
    assert left(found) == 140


def test_one_bucket_without_room_is_enough(alice: Member, google: RunningSimulator) -> None:
    found = link(alice, google)
    for levels in ({"level": 10, "project": 500}, {"level": 200, "project": 100}):
        leave(**levels)
        assert take(found.id, Urgency.POLL) is False
        assert take(found.id, Urgency.BACKFILL) is False
        assert left(found) == levels["level"]
        assert take(found.id, Urgency.CHANGE) is True
        assert left(found) == levels["level"] - 1
        assert QuotaBucket.objects.get(scope=PROJECT).level == levels["project"] - 1


def test_what_is_made_already_is_counted_below_zero_but_not_without_end(
    alice: Member, google: RunningSimulator
) -> None:
    found = link(alice, google)
    leave(5)
    for _ in range(20):
        assert take(found.id, Urgency.MADE)
    assert left(found) == -15
    for _ in range(100):
        assert take(found.id, Urgency.MADE)
    assert left(found) == FLOORS[Urgency.MADE]
