"""What people have in their calendars becomes busy time, and nothing else of it does."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from google_simulator.testing import RunningSimulator
from sophiie.accounts.models import Member
from sophiie.appointments.booking import book
from sophiie.busy_time.knowledge import Freshness
from sophiie.busy_time.models import BusyCalendar, BusyPeriod
from sophiie.calendar_link.models import CalendarLink
from sophiie.common.clock import now
from sophiie.common.wall_time import start_of_day
from sophiie.google import calendar as google_calendar
from sophiie.sync.models import WatchedCalendar
from tests.conftest import SYDNEY, details, tomorrow_at
from tests.linking import link
from tests.mirroring import drain_all, read_all
from tests.sync.busy_calendars import busy_times, event, hour, knowledge, link_with, move
from tests.sync.drifting import ALICE, calls, event_id_of, mirrored, read_everything

pytestmark = pytest.mark.django_db(transaction=True)


def test_what_is_there_when_the_calendar_is_chosen(alice: Member, google: RunningSimulator) -> None:
    event(google, tomorrow_at(3))
    link(alice, google, read=False)
    known = knowledge(alice)
    assert known.state == Freshness.UNREADABLE  # never read is not free
    begun = now()
    assert read_all() == [True]
    assert busy_times(alice) == [hour(tomorrow_at(3))]
    known = knowledge(alice)
    assert known.state == Freshness.FRESH
    assert known.checked_at is not None
    assert begun <= known.checked_at <= now()
    assert known.covers(now(), now() + timedelta(days=399))


def test_made_moved_and_deleted(
    watched_link: CalendarLink, alice: Member, google: RunningSimulator
) -> None:
    made = event(google, tomorrow_at(3))
    read_all()
    assert busy_times(alice) == [hour(tomorrow_at(3))]
    move(google, made, tomorrow_at(5))
    read_all()
    assert busy_times(alice) == [hour(tomorrow_at(5))]
    google.delete_event(ALICE, ALICE, made)
    read_all()
    assert busy_times(alice) == []
    assert calls(google) == ["list"] * 3


@pytest.mark.parametrize(
    "free",
    [
        {"transparency": "transparent"},
        {"attendees": [{"email": ALICE, "responseStatus": "declined"}]},
        {"eventType": "workingLocation", "visibility": "public", "transparency": "transparent"},
    ],
)
def test_what_takes_no_time_does_not_block(
    watched_link: CalendarLink, alice: Member, google: RunningSimulator, free: dict[str, Any]
) -> None:
    event(google, tomorrow_at(3), **free)
    read_everything()
    assert busy_times(alice) == []


def test_declined_later_it_blocks_no_more(
    watched_link: CalendarLink, alice: Member, google: RunningSimulator
) -> None:
    made = event(google, tomorrow_at(3))
    read_all()
    assert busy_times(alice)
    google.patch_event(ALICE, ALICE, made, {"transparency": "transparent"})
    read_all()
    assert busy_times(alice) == []


def test_an_all_day_event_is_a_day_of_the_calendar_and_no_other(
    alice: Member, google: RunningSimulator
) -> None:
    """Alice's calendar is in Sydney: the 27th begins there at 13:00 UTC of the 26th."""
    day = (datetime.now(UTC) + timedelta(days=3)).date()
    body = {"start": {"date": str(day)}, "end": {"date": str(day + timedelta(days=1))}}
    google.insert_event(ALICE, ALICE, {"summary": "Away", **body})
    link(alice, google, read=False)
    read_all()
    ends = start_of_day(day + timedelta(days=1), SYDNEY)
    assert busy_times(alice) == [(start_of_day(day, SYDNEY), ends)]


def test_what_began_before_the_window_and_still_runs(
    alice: Member, google: RunningSimulator
) -> None:
    begun = (datetime.now(UTC) - timedelta(days=9)).replace(microsecond=0)
    event(google, begun, hours=24 * 20)
    event(google, begun, hours=24)
    link(alice, google, read=False)
    read_all()
    assert busy_times(alice) == [hour(begun, 24 * 20)]


# The window


def test_increments_are_bound_to_the_window(
    watched_link: CalendarLink, alice: Member, google: RunningSimulator
) -> None:
    event(google, tomorrow_at(3), recurrence=["RRULE:FREQ=WEEKLY;COUNT=150"])
    read_all()
    until = BusyCalendar.objects.get().known_until
    assert until is not None
    found = busy_times(alice)
    assert 50 <= len(found) <= 60
    assert max(end for _, end in found) <= until + timedelta(hours=1)


def test_an_event_that_moves_out_of_the_window_blocks_no_more(
    watched_link: CalendarLink, alice: Member, google: RunningSimulator
) -> None:
    made = event(google, tomorrow_at(3))
    read_all()
    move(google, made, tomorrow_at(3, days=600))
    read_all()
    assert busy_times(alice) == []


def test_the_window_moves_on_every_day(
    watched_link: CalendarLink, alice: Member, google: RunningSimulator
) -> None:
    """What was too far ahead for the first reading is told by a later one of everything."""
    BusyCalendar.objects.update(known_until=now() + timedelta(days=1))
    far = tomorrow_at(3, days=30)
    event(google, far)
    read_all()
    assert busy_times(alice) == []
    read_everything()
    assert busy_times(alice) == [hour(far)]


# Tokens, pages, failures


def test_a_token_that_expired_removes_what_was_not_seen(
    watched_link: CalendarLink, alice: Member, google: RunningSimulator
) -> None:
    gone, moved, kept = (event(google, tomorrow_at(at)) for at in (3, 5, 7))
    read_all()
    google.delete_event(ALICE, ALICE, gone)
    move(google, moved, tomorrow_at(15))
    google.expire_sync_tokens(ALICE)
    google.clear_calls()
    assert read_all() == [True]
    assert busy_times(alice) == [hour(tomorrow_at(7)), hour(tomorrow_at(15))]
    assert calls(google) == ["list", "list"]
    assert kept


def test_rows_and_token_are_stored_together_or_not_at_all(
    watched_link: CalendarLink,
    alice: Member,
    google: RunningSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    event(google, tomorrow_at(3))
    before = WatchedCalendar.objects.get().sync_token
    with monkeypatch.context() as broken:
        broken.setattr(BusyCalendar, "save", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            read_all()
    assert busy_times(alice) == []
    at = WatchedCalendar.objects.get()
    assert (at.sync_token, at.reading_until) == (before, None)
    assert read_all() == [True]
    assert busy_times(alice) == [hour(tomorrow_at(3))]


def test_what_was_read_by_an_earlier_version_is_read_anew(
    watched_link: CalendarLink, alice: Member, google: RunningSimulator
) -> None:
    """There is a token already, but nothing was kept of what it stands for."""
    event(google, tomorrow_at(3))
    read_all()
    BusyCalendar.objects.all().delete()
    assert read_all() == [True]
    assert busy_times(alice) == [hour(tomorrow_at(3))]


@pytest.mark.parametrize("full", [False, True])
def test_what_cannot_be_understood_keeps_busy_and_is_counted(
    watched_link: CalendarLink,
    alice: Member,
    google: RunningSimulator,
    monkeypatch: pytest.MonkeyPatch,
    full: bool,
) -> None:
    known = event(google, tomorrow_at(3))
    read_all()
    google.patch_event(ALICE, ALICE, known, {"summary": "Touched"})
    strange, good = event(google, tomorrow_at(5)), event(google, tomorrow_at(7))
    real = google_calendar.send

    async def damaged(*words: Any, **more: Any) -> Any:
        answer = await real(*words, **more)
        for item in answer.get("items", []):
            if item["id"] in (known, strange):
                item["start"] = {"dateTime": "soon"}
        return answer

    monkeypatch.setattr(google_calendar, "send", damaged)
    assert (read_everything() if full else read_all()) == [True]
    # Of both it is known only when they end; their beginning may be at any time before.
    began = BusyCalendar.objects.get().known_from
    assert began is not None
    assert busy_times(alice) == [
        (began, tomorrow_at(4)),
        (began, tomorrow_at(6)),
        hour(tomorrow_at(7)),
    ]
    assert WatchedCalendar.objects.get().not_understood == 2
    assert good


def test_google_away_is_unreadable_in_the_end_and_never_free(
    watched_link: CalendarLink, alice: Member, google: RunningSimulator, settings: Any
) -> None:
    event(google, tomorrow_at(3))
    read_all()
    google.fault(method="calendar.events.list", status=503)
    assert read_all() == [False]
    known = knowledge(alice)
    assert known.state == Freshness.FRESH  # it was read a moment ago
    assert "could not be read" in known.problem
    settings.BUSY_MAX_AGE_SECONDS = 0
    assert knowledge(alice).state == Freshness.UNREADABLE
    assert busy_times(alice) == [hour(tomorrow_at(3))]
    google.clear_faults()
    settings.BUSY_MAX_AGE_SECONDS = 900
    assert read_all() == [True]
    assert knowledge(alice).problem == ""


def test_no_change_changes_nothing_but_the_time_of_knowing(
    watched_link: CalendarLink, alice: Member, google: RunningSimulator
) -> None:
    event(google, tomorrow_at(3))
    read_all()
    rows = list(BusyPeriod.objects.values_list("id", flat=True))
    first = knowledge(alice).checked_at
    read_all()
    read_everything()
    assert list(BusyPeriod.objects.values_list("id", flat=True)) == rows
    second = knowledge(alice).checked_at
    assert first is not None
    assert second is not None
    assert second > first


# What is ours


def test_our_own_events_keep_nobody_busy(
    watched_link: CalendarLink, alice: Member, google: RunningSimulator
) -> None:
    mirrored(alice)
    read_all()
    read_everything()
    assert busy_times(alice) == []


def test_a_copy_made_by_hand_is_busy(
    watched_link: CalendarLink, alice: Member, google: RunningSimulator
) -> None:
    original = google.event(ALICE, ALICE, event_id_of(mirrored(alice)))
    event(google, tomorrow_at(9), extendedProperties=original["extendedProperties"])
    read_all()
    read_everything()
    assert busy_times(alice) == [hour(tomorrow_at(9))]


def test_a_colleagues_mirrored_event_in_a_shared_calendar_is_ours_too(
    alice: Member, bob: Member, google: RunningSimulator
) -> None:
    google.set_role(ALICE, "bob@example.com", "reader")
    google.show_calendar(ALICE, "bob@example.com", selected=True)
    link(bob, google, account="bob@example.com")
    book(by=bob, details=details(start=tomorrow_at(3)), assignees=[bob])
    drain_all()
    event(google, tomorrow_at(7), account="bob@example.com", calendar_id="bob@example.com")
    link_with(alice, google, "bob@example.com")
    read_all()
    assert google.events("bob@example.com")
    assert busy_times(alice) == [hour(tomorrow_at(7))]


# What never leaves Google

SECRET = "Operation"


def test_nothing_private_of_other_events_is_transferred_or_kept(
    alice: Member, google: RunningSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = []
    real = google_calendar.send

    async def overheard(*words: Any, **more: Any) -> Any:
        answer = await real(*words, **more)
        answers.append(json.dumps(answer))
        return answer

    monkeypatch.setattr(google_calendar, "send", overheard)
    shared = google.create_calendar(ALICE, "Family")["id"]
    for calendar_id in (ALICE, shared):
        event(
            google,
            tomorrow_at(9),
            calendar_id=calendar_id,
            summary=f"{SECRET} title",
            description=f"{SECRET} description",
            location=f"{SECRET} street",
            attendees=[{"email": "bob@example.com", "displayName": f"{SECRET} Bob"}],
        )
    link_with(alice, google, shared)
    read_all()
    read_everything()
    google.expire_sync_tokens(ALICE)
    read_all()
    assert len(busy_times(alice)) == 2
    told = [answer for answer in answers if "calendar#calendarList" not in answer]
    assert sum("dateTime" in answer for answer in told) >= 4
    assert not [answer for answer in told if SECRET in answer or "bob@example.com" in answer]
    for call in google.calls(method="calendar.events.list"):
        # The calendar's own title is no event's.
        of_calendar, _, of_events = call["query"]["fields"].partition("items(")
        for word in ("description", "location", "email", "displayName", "*"):
            assert word not in of_calendar
        for word in ("summary", "description", "location", "email", "displayName", "*"):
            assert word not in of_events
    kept = json.dumps(list(BusyPeriod.objects.values()), default=str)
    assert SECRET not in kept
