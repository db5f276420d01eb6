"""Drift: what people do to our events in Google is noticed, shown, and answered by a person."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from google_simulator.testing import RunningSimulator
from sophiie.accounts.models import Member
from sophiie.appointments.booking import book, cancel, change
from sophiie.appointments.errors import Conflict, StaleRevision
from sophiie.calendar_link.models import CalendarLink, LinkState
from sophiie.common import live
from sophiie.sync.actions import drift
from sophiie.sync.models import MirroredEvent, MirrorState, WatchedCalendar
from sophiie.sync.reports.event_status import statuses_of
from tests.conftest import details
from tests.linking import browser_of, link
from tests.mirroring import drain_all, read_all
from tests.sync.drifting import ALICE, calls, drift_of, event_id_of, mirrored, move_in_google

pytestmark = pytest.mark.django_db(transaction=True)
WHOLE_DAY = {
    "start": {"date": "2027-01-01", "dateTime": None, "timeZone": None},
    "end": {"date": "2027-01-02", "dateTime": None, "timeZone": None},
}


def test_moved_in_google_is_shown_and_nothing_else_happens(
    watched_link: CalendarLink,
    alice: Member,
    google: RunningSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    appointment = mirrored(alice)
    start, end = move_in_google(google, appointment)
    told: list[Any] = []
    monkeypatch.setattr(live, "announce", lambda business, **what: told.append(what))
    read_all()
    found = drift_of(appointment)
    assert found is not None
    assert (found.kind, found.start, found.end) == ("edited", start, end)
    assert {"appointment": appointment.id} in told
    told.clear()
    drain_all()
    read_all()
    assert drift_of(appointment) == found
    assert {"appointment": appointment.id} not in told
    kept, shown = appointment.start, google.event(ALICE, ALICE, event_id_of(appointment))
    appointment.refresh_from_db()
    assert (appointment.start, appointment.revision) == (kept, 1)
    assert shown["start"]["dateTime"] != kept.isoformat()
    assert calls(google, but_reading=True) == ["insert"]


def test_moved_back_by_the_person_ends_it(
    watched_link: CalendarLink, alice: Member, google: RunningSimulator
) -> None:
    appointment = mirrored(alice)
    move_in_google(google, appointment)
    read_all()
    assert drift_of(appointment)
    move_in_google(google, appointment, hours=0)
    read_all()
    assert drift_of(appointment) is None


def test_another_colour_is_none(
    watched_link: CalendarLink, alice: Member, google: RunningSimulator
) -> None:
    appointment = mirrored(alice)
    google.patch_event(ALICE, ALICE, event_id_of(appointment), {"colorId": "5"})
    read_all()
    assert drift_of(appointment) is None


@pytest.mark.parametrize("how", ["deleted", "moved to another calendar", "deleted for good"])
def test_gone_from_the_calendar(
    watched_link: CalendarLink, alice: Member, google: RunningSimulator, how: str
) -> None:
    appointment = mirrored(alice)
    event_id = event_id_of(appointment)
    if how.startswith("moved"):
        other = google.create_calendar(ALICE, "Other")["id"]
        google.move_event(ALICE, ALICE, event_id, other)
    else:
        google.delete_event(ALICE, ALICE, event_id)
    if how == "deleted for good":
        google.empty_trash(ALICE, ALICE)
    read_all()
    found = drift_of(appointment)
    assert found is not None
    assert (found.kind, found.start, found.end) == ("deleted", None, None)
    with pytest.raises(drift.DriftError, match="deleted"):
        drift.use_googles_version(alice, appointment.id)
    drift.put_back(alice, appointment.id)
    assert drift_of(appointment) is None
    drain_all()
    read_all()
    assert drift_of(appointment) is None
    assert google.event(ALICE, ALICE, event_id_of(appointment))["status"] == "confirmed"
    row = MirroredEvent.objects.get()
    assert (row.state, row.drift_kind) == (MirrorState.SYNCED, "")


def test_restored_from_the_trash_ends_it(
    watched_link: CalendarLink, alice: Member, google: RunningSimulator
) -> None:
    appointment = mirrored(alice)
    google.delete_event(ALICE, ALICE, event_id_of(appointment))
    read_all()
    assert drift_of(appointment)
    google.patch_event(ALICE, ALICE, event_id_of(appointment), {"status": "confirmed"})
    read_all()
    assert drift_of(appointment) is None


def test_made_an_all_day_event(
    watched_link: CalendarLink, alice: Member, google: RunningSimulator
) -> None:
    appointment = mirrored(alice)
    google.patch_event(ALICE, ALICE, event_id_of(appointment), WHOLE_DAY)
    read_all()
    found = drift_of(appointment)
    assert found is not None
    assert (found.kind, found.start, found.end) == ("edited", None, None)
    with pytest.raises(drift.DriftError, match="all-day"):
        drift.use_googles_version(alice, appointment.id)


def test_put_back(watched_link: CalendarLink, alice: Member, google: RunningSimulator) -> None:
    appointment = mirrored(alice)
    before = google.event(ALICE, ALICE, event_id_of(appointment))["start"]
    move_in_google(google, appointment)
    read_all()
    for _ in range(2):
        drift.put_back(alice, appointment.id)
        drain_all()
    assert google.event(ALICE, ALICE, event_id_of(appointment))["start"] == before
    assert calls(google, but_reading=True) == ["insert", "patch"]
    read_all()
    assert drift_of(appointment) is None
    appointment.refresh_from_db()
    assert appointment.revision == 1


def test_use_googles_version(
    watched_link: CalendarLink, alice: Member, google: RunningSimulator
) -> None:
    appointment = mirrored(alice)
    start, end = move_in_google(google, appointment)
    read_all()
    changed = drift.use_googles_version(alice, appointment.id)
    assert (changed.start, changed.end, changed.revision) == (start, end, 2)
    assert changed.timezone == appointment.timezone
    assert drift_of(appointment) is None
    drain_all()
    read_all()
    assert drift_of(appointment) is None
    with pytest.raises(drift.DriftError):
        drift.use_googles_version(alice, appointment.id)


def test_googles_time_into_a_conflict_changes_nothing(
    watched_link: CalendarLink, alice: Member, google: RunningSimulator
) -> None:
    appointment = mirrored(alice)
    start, end = move_in_google(google, appointment)
    other = book(by=alice, details=details(title="In the way", start=start), assignees=[alice])
    read_all()
    with pytest.raises(Conflict) as refused:
        drift.use_googles_version(alice, appointment.id)
    assert [obstacle.appointment_id for obstacle in refused.value.obstacles] == [other.id]
    assert drift_of(appointment)
    changed = drift.use_googles_version(alice, appointment.id, allow_overlap=True)
    assert (changed.start, changed.end) == (start, end)


def test_the_next_change_of_the_same_field_wins(
    watched_link: CalendarLink, alice: Member, google: RunningSimulator
) -> None:
    """Only what changed in Sophiie is written, so another field does not answer the question."""
    appointment = mirrored(alice)
    start, end = move_in_google(google, appointment)
    read_all()
    change(by=alice, appointment_id=appointment.id, changes={"title": "Still then"})
    assert drift_of(appointment) is None  # while the write is on its way
    drain_all()
    read_all()
    found = drift_of(appointment)
    assert found is not None
    assert (found.start, found.end, found.fields) == (start, end, {})
    event = google.event(ALICE, ALICE, event_id_of(appointment))
    assert event["summary"] == "Still then"
    changes = {"start": appointment.start + timedelta(hours=1), "end": end}
    changed = change(by=alice, appointment_id=appointment.id, changes=changes)
    drain_all()
    read_all()
    event = google.event(ALICE, ALICE, event_id_of(appointment))
    assert datetime.fromisoformat(event["start"]["dateTime"]) == changed.start
    assert drift_of(appointment) is None
    assert MirroredEvent.objects.get().drift_kind == ""


def test_what_sophiie_took_out_itself_is_no_drift(
    watched_link: CalendarLink, alice: Member, google: RunningSimulator
) -> None:
    appointment = mirrored(alice)
    cancel(by=alice, appointment_id=appointment.id)
    drain_all()
    read_all()
    assert drift_of(appointment) is None
    assert MirroredEvent.objects.get().drift_kind == ""


def test_of_two_calendars_the_one_that_is_meant(
    watched_link: CalendarLink, alice: Member, bob: Member, google: RunningSimulator
) -> None:
    link(bob, google, account="bob@example.com")
    both = book(by=alice, details=details(), assignees=[alice, bob])
    drain_all()
    read_all()
    events = {row.link.member_id: row.event_id for row in MirroredEvent.objects.all()}
    times = {}
    for member, hours in ((alice, 3), (bob, 5)):
        start, end = both.start + timedelta(hours=hours), both.end + timedelta(hours=hours)
        body = {"start": {"dateTime": start.isoformat()}, "end": {"dateTime": end.isoformat()}}
        google.patch_event(member.email, member.email, events[member.id], body)
        times[member.id] = start
    read_all()
    assert len([s for s in statuses_of([both.id], to=both.created_by)[both.id] if s.drift]) == 2
    drift.put_back(alice, both.id, calendar_of=bob.id)
    assert len([s for s in statuses_of([both.id], to=both.created_by)[both.id] if s.drift]) == 1
    changed = drift.use_googles_version(bob, both.id, calendar_of=alice.id)
    assert changed.start == times[alice.id]


def test_a_version_that_is_not_the_one_compared_with_is_refused(
    watched_link: CalendarLink, alice: Member, google: RunningSimulator
) -> None:
    appointment = mirrored(alice)
    move_in_google(google, appointment)
    read_all()
    # As between the look at the row and the change: somebody else was quicker.
    type(appointment).objects.filter(pk=appointment.pk).update(revision=7)
    with pytest.raises(StaleRevision):
        drift.use_googles_version(alice, appointment.id)


def test_unlinking_erases_what_was_read(
    watched_link: CalendarLink, alice: Member, google: RunningSimulator
) -> None:
    appointment = mirrored(alice)
    move_in_google(google, appointment)
    read_all()
    assert WatchedCalendar.objects.get().sync_token
    browser_of(alice).post("/settings/calendar/unlink")
    watched_link.refresh_from_db()
    assert watched_link.state == LinkState.UNLINKED
    assert not WatchedCalendar.objects.exists()
    row = MirroredEvent.objects.get()
    assert (row.drift_kind, row.drift_start, row.drift_end) == ("", None, None)
    google.clear_calls()
    assert read_all() == [False]
    assert google.calls() == []
