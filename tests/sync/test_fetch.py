"""How a calendar is read: tokens, pages, what is missing, and what never leaves Google."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from google_simulator.testing import RunningSimulator
from sophiie.accounts.models import Member
from sophiie.calendar_link.models import CalendarLink
from sophiie.common.clock import now
from sophiie.google import calendar as google_calendar
from sophiie.sync.models import MirroredEvent, WatchedCalendar
from tests.conftest import tomorrow_at
from tests.linking import link
from tests.mirroring import read_all
from tests.sync.drifting import (
    ALICE,
    calls,
    drift_of,
    event_id_of,
    mirrored,
    move_in_google,
    nothing_drifted,
    watched,
)

pytestmark = pytest.mark.django_db(transaction=True)


def test_one_small_call_when_nothing_happened(
    watched_link: CalendarLink, alice: Member, google: RunningSimulator
) -> None:
    mirrored(alice)
    read_all()
    google.clear_calls()
    read_all()
    (call,) = google.calls(method="calendar.events.*")
    assert call["query"].keys() == {"singleEvents", "maxResults", "fields", "syncToken"}
    assert call["units"] == 1


def test_the_first_reading_is_bounded(alice: Member, google: RunningSimulator) -> None:
    link(alice, google, read=False)
    google.clear_calls()
    read_all()
    (call,) = google.calls(method="calendar.events.list")
    assert call["query"].keys() == {"singleEvents", "maxResults", "fields", "timeMin", "timeMax"}
    at = watched()
    assert at.sync_token
    assert at.window_start is not None
    assert at.window_end is not None
    assert at.window_start < now() < at.window_end


@pytest.mark.parametrize("paging", ["short", "empty"])
@pytest.mark.parametrize("expired", [False, True])
def test_pages_short_or_empty_are_all_followed(
    watched_link: CalendarLink, alice: Member, google: RunningSimulator, paging: str, expired: bool
) -> None:
    appointments = [mirrored(alice, start=tomorrow_at(1 + n)) for n in range(4)]
    read_all()
    for appointment in appointments:
        move_in_google(google, appointment, hours=24)
    if expired:
        google.expire_sync_tokens(ALICE)
    google.switch(paging=paging)
    # The simulator halves what is asked for; two to a page would be one.
    query = google_calendar.CalendarClient._page_of_changes

    async def small(self: Any, calendar_id: str, asked: dict[str, str]) -> Any:
        return await query(self, calendar_id, {**asked, "maxResults": "2"})

    google.clear_calls()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(google_calendar.CalendarClient, "_page_of_changes", small)
        assert read_all() == [True]
    assert all(drift_of(appointment) for appointment in appointments)
    listed = [c["query"] for c in google.calls(method="calendar.events.list") if c["status"] == 200]
    assert len(listed) >= 4
    for later in listed[1:]:
        assert {**listed[0], "pageToken": later["pageToken"]} == later


def test_a_token_that_expired_is_followed_by_a_full_reading(
    watched_link: CalendarLink, alice: Member, google: RunningSimulator
) -> None:
    moved, gone, kept = (mirrored(alice, start=tomorrow_at(1 + n)) for n in range(3))
    read_all()
    move_in_google(google, moved, hours=24)
    google.delete_event(ALICE, ALICE, event_id_of(gone))
    google.expire_sync_tokens(ALICE)
    google.clear_calls()
    read_all()
    statuses = [call["status"] for call in google.calls(method="calendar.events.list")]
    assert statuses == [410, 200]
    # A full reading tells of no deletions: the one that is missing is read back, and the one that
    # somebody changed is read whole; no other.
    reads = google.calls(method="calendar.events.get")
    assert {call["event_id"] for call in reads} == {event_id_of(gone), event_id_of(moved)}
    assert len(reads) == 2
    found = [drift_of(a) for a in (moved, gone, kept)]
    assert [f and f.kind for f in found] == ["edited", "deleted", None]
    google.clear_calls()
    read_all()
    assert calls(google) == ["list"]


@pytest.mark.parametrize("answer", ["cancelled", "404", "410"])
def test_gone_however_google_says_it(
    watched_link: CalendarLink, alice: Member, google: RunningSimulator, answer: str
) -> None:
    appointment = mirrored(alice)
    read_all()
    google.delete_event(ALICE, ALICE, event_id_of(appointment))
    google.expire_sync_tokens(ALICE)
    google.switch(deleted_get=answer)
    assert read_all() == [True]
    found = drift_of(appointment)
    assert found is not None
    assert found.kind == "deleted"


def test_what_a_list_does_not_show_is_not_gone_for_that(
    watched_link: CalendarLink, alice: Member, google: RunningSimulator
) -> None:
    """Lists may lag behind; and an event moved out of the window is moved, not deleted."""
    far = mirrored(alice)
    mirrored(alice, start=tomorrow_at(5))
    move_in_google(google, far, hours=24 * 500)
    google.expire_sync_tokens(ALICE)
    read_all()
    found = drift_of(far)
    assert found is not None
    assert found.kind == "edited"
    assert found.start == far.start + timedelta(days=500)


def test_once_a_day_everything_is_read(
    watched_link: CalendarLink, alice: Member, google: RunningSimulator
) -> None:
    at = watched()
    assert at.window_start is not None
    WatchedCalendar.objects.update(window_start=at.window_start - timedelta(hours=24))
    google.clear_calls()
    read_all()
    read_all()
    queries = [call["query"] for call in google.calls(method="calendar.events.list")]
    assert ["syncToken" in query for query in queries] == [False, True]


@pytest.mark.parametrize("expired", [False, True])
@pytest.mark.parametrize(("gone", "all_of_them", "believed"), [(5, 9, False), (4, 4, True)])
def test_a_mass_disappearance_is_not_believed(
    watched_link: CalendarLink,
    alice: Member,
    google: RunningSimulator,
    gone: int,
    all_of_them: int,
    believed: bool,
    expired: bool,
) -> None:
    appointments = [mirrored(alice, start=tomorrow_at(1 + n)) for n in range(all_of_them)]
    read_all()
    before = watched().sync_token
    for appointment in appointments[:gone]:
        google.delete_event(ALICE, ALICE, event_id_of(appointment))
    if expired:
        google.expire_sync_tokens(ALICE)
    google.clear_calls()
    assert read_all() == [believed]
    at = watched()
    if believed:
        assert MirroredEvent.objects.filter(drift_kind="deleted").count() == gone
        assert at.error == ""
        return
    assert nothing_drifted()
    assert at.sync_token == before
    assert f"{gone} of {all_of_them}" in at.error
    assert "get" not in calls(google)
    # Restored, it heals by itself.
    for appointment in appointments[:gone]:
        google.patch_event(ALICE, ALICE, event_id_of(appointment), {"status": "confirmed"})
    assert read_all() == [True]
    assert nothing_drifted()
    assert watched().error == ""


SECRET = "Operation"


@pytest.fixture
def foreign(google: RunningSimulator) -> dict[str, Any]:
    body = {
        "summary": f"{SECRET} title",
        "description": f"{SECRET} description",
        "location": f"{SECRET} street",
        "attendees": [{"email": "bob@example.com", "displayName": f"{SECRET} Bob"}],
        "start": {"dateTime": tomorrow_at(9).isoformat()},
        "end": {"dateTime": tomorrow_at(10).isoformat()},
    }
    return google.insert_event(ALICE, ALICE, body)


def test_nothing_private_of_foreign_events_is_transferred(
    alice: Member,
    google: RunningSimulator,
    foreign: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answers = []
    real = google_calendar.send

    async def overheard(*words: Any, **more: Any) -> Any:
        answer = await real(*words, **more)
        answers.append(json.dumps(answer))
        return answer

    monkeypatch.setattr(google_calendar, "send", overheard)
    link(alice, google)
    mirrored(alice)
    read_all()
    body = {"start": {"dateTime": tomorrow_at(11).isoformat()}}
    body["end"] = {"dateTime": tomorrow_at(12).isoformat()}
    google.patch_event(ALICE, ALICE, foreign["id"], body)
    read_all()
    google.expire_sync_tokens(ALICE)
    read_all()
    assert sum(foreign["id"] in answer for answer in answers) >= 3
    told = [answer for answer in answers if "calendar#calendarList" not in answer]
    assert not [answer for answer in told if SECRET in answer or "bob@example.com" in answer]
    lists = google.calls(method="calendar.events.list")
    assert len(lists) >= 5
    for call in lists:
        # The calendar's own title is no event's.
        of_calendar, _, of_events = call["query"]["fields"].partition("items(")
        for word in ("summary", "description", "location", "email", "displayName", "*"):
            assert word not in of_events
            assert word not in of_calendar or word == "summary"
        assert of_events
    assert nothing_drifted()


def test_an_event_with_our_mark_that_is_not_in_the_mapping_is_foreign(
    watched_link: CalendarLink, alice: Member, google: RunningSimulator
) -> None:
    """A copy that a person made in Google carries the mark along."""
    appointment = mirrored(alice)
    copy = google.event(ALICE, ALICE, event_id_of(appointment))
    body = {name: copy[name] for name in ("summary", "extendedProperties")}
    body |= {"start": {"dateTime": tomorrow_at(9).isoformat()}}
    body |= {"end": {"dateTime": tomorrow_at(10).isoformat()}}
    copied = google.insert_event(ALICE, ALICE, body)
    read_all()
    google.delete_event(ALICE, ALICE, copied["id"])
    read_all()
    assert nothing_drifted()


def test_bad_data_does_not_stop_a_reading(
    watched_link: CalendarLink,
    alice: Member,
    google: RunningSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    broken, moved = mirrored(alice), mirrored(alice, start=tomorrow_at(5))
    move_in_google(google, broken)
    move_in_google(google, moved, hours=24)
    real = google_calendar.send

    async def damaged(*words: Any, **more: Any) -> Any:
        answer = await real(*words, **more)
        for item in [answer, *answer.get("items", [])]:
            if item.get("id") == event_id:
                item["start"] = {"dateTime": "soon"}
        return answer

    event_id = event_id_of(broken)
    monkeypatch.setattr(google_calendar, "send", damaged)
    assert read_all() == [True]
    assert drift_of(broken) is None
    assert drift_of(moved) is not None
