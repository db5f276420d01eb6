"""The write guard: no id that is not in the mapping of this link and calendar gets through."""

from __future__ import annotations

import pytest

from google_simulator.testing import RunningSimulator
from sophiie.accounts.models import Member
from sophiie.appointments.booking import book
from sophiie.calendar_link.models import CalendarLink
from sophiie.calendar_link.tokens import LinkTokens
from sophiie.common.in_thread import in_thread
from sophiie.google.app import google_session
from sophiie.google.calendar import CalendarClient
from sophiie.sync.models import MirroredEvent
from sophiie.sync.outbound.guard import GuardedCalendar, NotOurs, refused_writes
from tests.conftest import details, tomorrow_at
from tests.linking import link

pytestmark = pytest.mark.django_db(transaction=True)
ALICE = "alice@example.com"


def refusals() -> float:
    return refused_writes._value.get()


async def guarded_writes(
    found: CalendarLink, google: RunningSimulator, calendar_id: str, event_id: str
) -> int:
    """Tries all three writes; returns how many the guard refused."""
    refused = 0
    async with google_session() as http:
        client = CalendarClient(http, f"{google.base_url}/calendar/v3", LinkTokens(http, found.id))
        calendar = GuardedCalendar(client, found.id)
        body = {"summary": "Overwritten", "start": {}, "end": {}}
        for act in (
            lambda: calendar.insert(calendar_id, event_id, body),
            lambda: calendar.patch(calendar_id, event_id, body),
            lambda: calendar.delete(calendar_id, event_id),
        ):
            try:
                await act()
            except NotOurs:
                refused += 1
    return refused


async def test_a_foreign_event_cannot_be_written(alice: Member, google: RunningSimulator) -> None:
    found = await in_thread(link, alice, google)
    foreign = google.insert_event(
        ALICE,
        ALICE,
        {
            "summary": "Dentist",
            "start": {"dateTime": tomorrow_at(5).isoformat()},
            "end": {"dateTime": tomorrow_at(6).isoformat()},
        },
    )
    before, counted = google.digest(), refusals()
    google.clear_calls()
    assert await guarded_writes(found, google, ALICE, foreign["id"]) == 3
    assert google.calls(method="calendar.events.*") == []
    assert google.digest() == before
    assert refusals() == counted + 3


async def test_an_event_of_ours_in_another_calendar_or_link_is_foreign(
    alice: Member, bob: Member, google: RunningSimulator
) -> None:
    found = await in_thread(link, alice, google)
    others = await in_thread(link, bob, google, account="bob@example.com")

    def book_one() -> str:
        book(by=alice, details=details(), assignees=[alice])
        return MirroredEvent.objects.get(link=found).event_id

    event_id = await in_thread(book_one)
    jobs = "jobs-alice@group.calendar.google.com"
    assert await guarded_writes(found, google, jobs, event_id) == 3
    assert await guarded_writes(others, google, ALICE, event_id) == 3
