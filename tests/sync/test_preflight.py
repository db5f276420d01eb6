"""What choosing a calendar would do: counted, compared with what is there, and nothing touched."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from asgiref.sync import async_to_sync

from google_simulator.testing import RunningSimulator
from sophiie.accounts.models import Member
from sophiie.appointments.booking import book, cancel
from sophiie.appointments.models import Appointment
from sophiie.calendar_link.connect import link_of
from sophiie.calendar_link.models import CalendarLink
from sophiie.common.clock import now
from sophiie.google.calendar import CalendarClient
from sophiie.sync.actions import preflight as module
from sophiie.sync.actions.preflight import Preflight, preflight
from sophiie.sync.models import MirroredEvent
from tests.conftest import details, tomorrow_at
from tests.linking import browser_of, come_back, link
from tests.mirroring import drain_all

pytestmark = pytest.mark.django_db(transaction=True)
ALICE, BOB = "alice@example.com", "bob@example.com"
JOBS = "jobs-alice@group.calendar.google.com"


@pytest.fixture
def choosing(alice: Member, google: RunningSimulator) -> Iterator[CalendarLink]:
    """Alice's link between consent and choice; whatever is looked at, nothing is written."""
    yield connected(alice, google)
    assert google.calls(method="calendar.events.insert") == []
    assert not MirroredEvent.objects.filter(link__member=alice).exists()


def connected(member: Member, google: RunningSimulator, account: str = ALICE) -> CalendarLink:
    come_back(browser_of(member), google, account=account)
    return found_link(member)


def found_link(member: Member) -> CalendarLink:
    found = link_of(member)
    assert found
    return found


def looked_at(link: CalendarLink, calendar_id: str = ALICE) -> Preflight:
    return async_to_sync(preflight)(link, calendar_id)


def book_at(member: Member, hour: int, title: str = "Leaking tap", **more: Any) -> Appointment:
    assignees = more.pop("assignees", [member])
    return book(
        by=member,
        details=details(title=title, start=tomorrow_at(hour), **more),
        assignees=assignees,
    )


def put_in_google(
    google: RunningSimulator, start: datetime, end: datetime, calendar_id: str = ALICE, **more: Any
) -> dict[str, Any]:
    body = {
        "summary": "Private",
        "start": {"dateTime": start.isoformat()},
        "end": {"dateTime": end.isoformat()},
        **more,
    }
    return google.insert_event(ALICE, calendar_id, body)


def titles(found: Preflight) -> list[str]:
    return [appointment.title for appointment in found.first_clashes]


def test_an_empty_calendar_gets_all_that_is_ahead(
    alice: Member, choosing: CalendarLink, google: RunningSimulator
) -> None:
    book_at(alice, 1)
    book_at(alice, 3)
    assert looked_at(choosing) == Preflight(upcoming=2)


def test_without_appointments_google_is_not_asked(
    choosing: CalendarLink, google: RunningSimulator
) -> None:
    google.clear_calls()
    assert looked_at(choosing) == Preflight(upcoming=0)
    assert google.calls() == []


def test_what_the_link_would_not_show_is_not_counted(
    alice: Member, bob: Member, choosing: CalendarLink, google: RunningSimulator
) -> None:
    cancel(by=alice, appointment_id=book_at(alice, 1).id)
    book_at(bob, 3, "Bob's")
    past = book_at(alice, 5)
    Appointment.objects.filter(pk=past.pk).update(
        start=tomorrow_at(5, days=-3), end=tomorrow_at(6, days=-3)
    )
    book_at(alice, 7, "Made by me for Bob", assignees=[bob])
    assert looked_at(choosing).upcoming == 1
    choosing.covers = "all"
    assert looked_at(choosing).upcoming == 2
    choosing.covers = "assigned"
    assert looked_at(choosing).upcoming == 0


def test_it_clashes_with_what_shares_time_with_it(
    alice: Member, choosing: CalendarLink, google: RunningSimulator
) -> None:
    """An appointment that begins as an event ends, or ends as one begins, is none of them."""
    book_at(alice, 1, "Ends as it begins")
    book_at(alice, 2, "Overlapped at its start")
    book_at(alice, 4, "Holds an event")
    book_at(alice, 8, "Inside of a long event")
    book_at(alice, 9, "Begins as it ends")
    put_in_google(google, tomorrow_at(2), tomorrow_at(2, 1))
    put_in_google(google, tomorrow_at(4, 10), tomorrow_at(4, 20))
    put_in_google(google, tomorrow_at(6), tomorrow_at(9))
    put_in_google(google, tomorrow_at(6, 30), tomorrow_at(7, 30))
    found = looked_at(choosing)
    assert titles(found) == ["Overlapped at its start", "Holds an event", "Inside of a long event"]
    assert (found.upcoming, found.clashes, found.more_clashes) == (5, 3, 0)


def test_of_many_clashes_the_first_are_named(
    alice: Member, choosing: CalendarLink, google: RunningSimulator
) -> None:
    for hour in range(1, 8):
        book_at(alice, hour, f"Number {hour}")
    put_in_google(google, tomorrow_at(0), tomorrow_at(12))
    found = looked_at(choosing)
    assert titles(found) == [f"Number {hour}" for hour in range(1, 6)]
    assert (found.clashes, found.more_clashes) == (7, 2)


@pytest.mark.parametrize(
    "more",
    [
        {"transparency": "transparent"},
        {"status": "cancelled"},
        {"attendees": [{"email": ALICE, "responseStatus": "declined"}]},
    ],
)
def test_what_does_not_keep_busy_does_not_clash(
    alice: Member, choosing: CalendarLink, google: RunningSimulator, more: dict[str, Any]
) -> None:
    book_at(alice, 2)
    put_in_google(google, tomorrow_at(2), tomorrow_at(3), **more)
    assert looked_at(choosing).clashes == 0


def test_an_occurrence_of_a_series_and_a_whole_day_clash(
    alice: Member, choosing: CalendarLink, google: RunningSimulator
) -> None:
    """Tomorrow in Sydney begins at 13 or 14 o'clock today in UTC: the calendar's zone decides."""
    book_at(alice, 2, "In the series")
    book(
        by=alice,
        details=details(title="On the day", start=tomorrow_at(15, days=5)),
        assignees=[alice],
    )
    start = tomorrow_at(2, days=-6)
    google.insert_event(
        ALICE,
        ALICE,
        {
            "start": {"dateTime": start.isoformat(), "timeZone": "UTC"},
            "end": {"dateTime": (start + timedelta(hours=1)).isoformat(), "timeZone": "UTC"},
            "recurrence": ["RRULE:FREQ=WEEKLY;COUNT=3"],
        },
    )
    day = tomorrow_at(15, days=5).date() + timedelta(days=1)  # where it is that day in Sydney
    google.insert_event(
        ALICE,
        ALICE,
        {
            "start": {"date": day.isoformat()},
            "end": {"date": (day + timedelta(days=1)).isoformat()},
            "transparency": "opaque",
        },
    )
    assert titles(looked_at(choosing)) == ["In the series", "On the day"]


def test_where_the_member_need_not_be_there_is_no_clash(
    alice: Member, bob: Member, choosing: CalendarLink, google: RunningSimulator
) -> None:
    book_at(alice, 2, "Alice for Bob", assignees=[bob])
    put_in_google(google, tomorrow_at(2), tomorrow_at(3))
    assert looked_at(choosing) == Preflight(upcoming=1)


def test_events_of_an_earlier_link_are_there_already_and_no_clash(
    alice: Member, google: RunningSimulator
) -> None:
    link(alice, google)
    book_at(alice, 1)
    book_at(alice, 2)
    drain_all()
    browser_of(alice).post("/settings/calendar/unlink")
    book_at(alice, 3, "New")
    found = looked_at(connected(alice, google))
    assert found == Preflight(upcoming=3, there_already=2)
    assert found.coming == 1
    # The mark alone tells them as well.
    MirroredEvent.objects.all().delete()
    assert looked_at(found_link(alice)) == found


def test_the_copy_of_a_guest_is_the_appointment_itself(
    alice: Member, bob: Member, google: RunningSimulator
) -> None:
    """It has the id of the colleague's event and no mark: private properties stay with theirs."""
    google.switch(guests_with_updates_none="see_it")
    link(bob, google, account=BOB)
    book_at(bob, 1, assignees=[bob, alice])
    drain_all()
    (event,), (copy,) = google.events(BOB), google.events(ALICE)
    assert copy["id"] == event["id"]
    assert looked_at(connected(alice, google)) == Preflight(upcoming=1)


def test_our_event_that_somebody_made_a_series_of_is_still_ours(
    alice: Member, google: RunningSimulator
) -> None:
    link(alice, google)
    book_at(alice, 1)
    drain_all()
    (event,) = google.events(ALICE)
    google.patch_event(ALICE, ALICE, event["id"], {"recurrence": ["RRULE:FREQ=DAILY;COUNT=3"]})
    assert looked_at(found_link(alice)) == Preflight(upcoming=1, there_already=1)


def test_a_copy_that_a_person_made_is_their_own_event(
    alice: Member, google: RunningSimulator
) -> None:
    link(alice, google)
    book_at(alice, 1)
    drain_all()
    (event,) = google.events(ALICE)
    copy = {**event, "id": "copiedbaperson"}
    for name in ("etag", "iCalUID", "htmlLink", "created", "updated"):
        copy.pop(name, None)
    google.insert_event(ALICE, ALICE, copy)
    browser_of(alice).post("/settings/calendar/unlink")
    found = looked_at(connected(alice, google))
    assert (found.there_already, found.clashes) == (1, 1)


def test_a_colleagues_event_in_the_same_calendar_is_neither_adopted_nor_a_clash(
    alice: Member, bob: Member, google: RunningSimulator
) -> None:
    """Both have linked one Google account; each link makes an event of its own."""
    link(alice, google)
    book_at(alice, 1, assignees=[alice, bob])
    drain_all()
    assert looked_at(connected(bob, google)) == Preflight(upcoming=1)


def test_an_event_with_the_mark_of_another_business_keeps_busy(
    alice: Member, charlie: Member, google: RunningSimulator
) -> None:
    link(charlie, google)
    book_at(charlie, 1)
    drain_all()
    book_at(alice, 1)
    found = looked_at(connected(alice, google))
    assert (found.there_already, found.clashes) == (0, 1)


def test_changing_counts_what_moves(alice: Member, google: RunningSimulator) -> None:
    link(alice, google)
    book_at(alice, 1)
    book_at(alice, 3)
    drain_all()
    put_in_google(google, tomorrow_at(3), tomorrow_at(4), JOBS)
    found = looked_at(found_link(alice), JOBS)
    assert (found.upcoming, found.there_already, found.clashes) == (2, 0, 1)
    assert looked_at(found_link(alice), ALICE).there_already == 2


def test_one_call_for_times_and_nothing_private_is_asked_for(
    alice: Member, choosing: CalendarLink, google: RunningSimulator
) -> None:
    book_at(alice, 2)
    google.clear_calls()
    looked_at(choosing)
    (call,) = google.calls()
    assert call["method"] == "calendar.events.list"
    of_calendar, _, of_events = call["query"]["fields"].partition("items(")
    assert of_events
    assert not set(of_calendar.split(",")) & {"description", "location", "*"}
    for private in ("summary", "description", "location", "email"):
        assert private not in of_events


def test_far_away_appointments_are_added_but_not_compared(
    alice: Member, choosing: CalendarLink, google: RunningSimulator
) -> None:
    across = tomorrow_at(2, days=398)
    long = details(start=across, end=across + timedelta(days=10))
    book(by=alice, details=long, assignees=[alice])
    far = tomorrow_at(2, days=500)
    book(by=alice, details=details(start=far), assignees=[alice])
    put_in_google(google, far, far + timedelta(hours=1))
    google.clear_calls()
    found = looked_at(choosing)
    assert (found.upcoming, found.clashes) == (2, 0)
    (call,) = google.calls()
    bound = datetime.fromisoformat(call["query"]["timeMax"])
    horizon = now() + timedelta(days=400)
    assert abs(bound - horizon) < timedelta(minutes=1)
    assert found.compared_until
    assert abs(found.compared_until - horizon) < timedelta(minutes=1)


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "error", "status": 503},
        {"kind": "error", "status": 404, "reason": "notFound"},
        {"kind": "cut"},
        {"kind": "html"},
        {"kind": "empty"},
    ],
)
def test_what_cannot_be_read_is_said_and_the_rest_is_told(
    alice: Member, choosing: CalendarLink, google: RunningSimulator, fault: dict[str, Any]
) -> None:
    book_at(alice, 2)
    google.fault(method="calendar.events.list", **fault)
    assert looked_at(choosing) == Preflight(upcoming=1, read=False)


def test_a_withdrawn_permission_is_no_error_here(
    alice: Member, choosing: CalendarLink, google: RunningSimulator
) -> None:
    book_at(alice, 2)
    google.revoke_grant(ALICE)
    assert looked_at(choosing) == Preflight(upcoming=1, read=False)


def test_a_slow_google_is_not_waited_for(
    alice: Member,
    choosing: CalendarLink,
    google: RunningSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    book_at(alice, 2)
    google.latency(ms=60_000)
    monkeypatch.setattr(module, "PATIENCE_SECONDS", 0.3)
    before = time.monotonic()
    found = looked_at(choosing)
    google.latency()
    assert found == Preflight(upcoming=1, read=False)
    assert time.monotonic() - before < 30


def test_bad_data_in_the_calendar_does_not_hide_the_rest(
    alice: Member,
    choosing: CalendarLink,
    google: RunningSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    book_at(alice, 2)
    put_in_google(google, tomorrow_at(2), tomorrow_at(3))
    real = CalendarClient.changes

    async def changes(self: Any, *words: Any, **more: Any) -> Any:
        answer = await real(self, *words, **more)
        answer.items.append({"id": "broken", "start": {"dateTime": "soon"}})
        return answer

    monkeypatch.setattr(CalendarClient, "changes", changes)
    assert looked_at(choosing).clashes == 1
