"""The drill: yesterday's backup is restored, and Google has moved on since.

Nothing is doubled, nothing newer is overwritten, deleted or brought back, and what nobody knows
any more counts as busy and is shown.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.sessions.models import Session

from google_simulator.testing import RunningSimulator
from sophiie.accounts.models import Member
from sophiie.appointments import booking
from sophiie.appointments.errors import Conflict
from sophiie.appointments.models import Appointment
from sophiie.busy_time.models import BusyCalendar
from sophiie.calendar_link.models import CalendarLink
from sophiie.common.clock import now
from sophiie.common.wall_time import in_zone
from sophiie.sync.actions.drift import put_back
from sophiie.sync.models import DriftKind, MirroredEvent, MirrorState, PushChannel, WatchedCalendar
from sophiie.web.shared.shown_times import weekday_moment_of_year
from tests.backup.restoring import restore, take
from tests.conftest import SYDNEY, tomorrow_at
from tests.linking import browser_of, link
from tests.mirroring import drain_all, due_now, read_all
from tests.sync.drifting import ALICE, book_one, calls, drift_of, in_google, mirrored, watched

pytestmark = pytest.mark.django_db(transaction=True)


def change(by: Member, appointment: Appointment, **changes: Any) -> None:
    booking.change(by=by, appointment_id=appointment.id, changes=changes)
    drain_all()


def the_worker_begins() -> None:
    """It writes what is due before it reads, which is the harder order."""
    due_now()
    drain_all()
    assert all(read_all())
    due_now()
    drain_all()


def titles(google: RunningSimulator, account: str = ALICE) -> list[str]:
    return sorted(event["summary"] for event in google.events(account))


def test_an_appointment_that_nobody_knows_any_more_keeps_its_event_and_its_time(
    linked: CalendarLink, alice: Member, google: RunningSimulator, tmp_path: Path
) -> None:
    yesterday = take(tmp_path)
    lost = mirrored(alice, title="Booked after the backup")
    before = in_google(google, lost)
    restore(yesterday)
    the_worker_begins()
    assert google.event(ALICE, ALICE, before["id"]) == before
    assert watched().orphans == 1
    page = browser_of(alice).get("/settings/calendar").content.decode()
    assert f"keep you busy: {weekday_moment_of_year(in_zone(lost.start, SYDNEY))}" in page
    with pytest.raises(Conflict):
        book_one(alice, title="At the same time")


def test_its_time_is_taken_even_before_the_worker_begins(
    linked: CalendarLink, alice: Member, google: RunningSimulator, tmp_path: Path
) -> None:
    """The copy of the calendar is minutes old in the backup, and still not believed."""
    read_all()
    yesterday = take(tmp_path)
    mirrored(alice, title="Booked after the backup")
    restore(yesterday)
    with pytest.raises(Conflict):
        book_one(alice, title="At the same time")


def test_a_later_change_stays_in_google_and_is_shown(
    linked: CalendarLink, alice: Member, google: RunningSimulator, tmp_path: Path
) -> None:
    appointment = mirrored(alice, title="Leaking tap")
    read_all()
    yesterday = take(tmp_path)
    start = appointment.start + timedelta(hours=3)
    change(alice, appointment, start=start, end=start + timedelta(hours=1), title="Burst pipe")
    restore(yesterday)
    google.clear_calls()
    the_worker_begins()
    assert calls(google, but_reading=True) == []
    drift = drift_of(appointment)
    assert drift is not None
    assert (drift.kind, drift.start) == (DriftKind.EDITED, start)
    assert MirroredEvent.objects.get().drift_fields["title"] == "Burst pipe"


@pytest.mark.parametrize("shown_before", [True, False], ids=["shown before", "never shown"])
def test_what_waited_to_be_sent_does_not_overwrite_what_is_newer(
    linked: CalendarLink,
    alice: Member,
    google: RunningSimulator,
    tmp_path: Path,
    shown_before: bool,
) -> None:
    appointment = book_one(alice)
    if shown_before:
        drain_all()
        booking.change(by=alice, appointment_id=appointment.id, changes={"title": "Second"})
    yesterday = take(tmp_path)
    drain_all()
    start = appointment.start + timedelta(hours=3)
    change(alice, appointment, start=start, end=start + timedelta(hours=1), title="Third")
    before = in_google(google, appointment)
    restore(yesterday)
    the_worker_begins()
    assert in_google(google, appointment) == before
    drift = drift_of(appointment)
    assert drift is not None
    assert drift.start == start
    assert MirroredEvent.objects.get().drift_fields["title"] == "Third"


def test_what_waited_and_arrived_after_the_backup_is_not_sent_again(
    linked: CalendarLink, alice: Member, google: RunningSimulator, tmp_path: Path
) -> None:
    appointment = book_one(alice)
    yesterday = take(tmp_path)
    drain_all()
    restore(yesterday)
    google.clear_calls()
    the_worker_begins()
    assert calls(google, but_reading=True) == []
    row = MirroredEvent.objects.get()
    assert (row.state, row.drift_kind) == (MirrorState.SYNCED, "")
    assert len(google.events(ALICE)) == 1
    change(alice, appointment, title="Burst pipe")
    assert titles(google) == ["Burst pipe"]


@pytest.mark.parametrize("waiting", [True, False], ids=["waiting to be sent", "settled"])
def test_what_was_called_off_since_does_not_come_back(
    linked: CalendarLink, alice: Member, google: RunningSimulator, tmp_path: Path, waiting: bool
) -> None:
    appointment = mirrored(alice)
    if waiting:
        booking.change(by=alice, appointment_id=appointment.id, changes={"title": "Second"})
    yesterday = take(tmp_path)
    drain_all()
    booking.cancel(by=alice, appointment_id=appointment.id)
    drain_all()
    restore(yesterday)
    the_worker_begins()
    assert google.events(ALICE) == []
    drift = drift_of(appointment)
    assert drift is not None
    assert drift.kind == DriftKind.DELETED
    put_back(alice, appointment.id)
    drain_all()
    assert len(google.events(ALICE)) == 1


def test_nor_does_it_when_google_has_emptied_its_trash(
    linked: CalendarLink, alice: Member, google: RunningSimulator, tmp_path: Path
) -> None:
    """An old backup: Google knows nothing of the event any more, not even that it was deleted."""
    appointments = [mirrored(alice, start=tomorrow_at(hour)) for hour in (1, 3)]
    waiting = appointments[0]
    booking.change(by=alice, appointment_id=waiting.id, changes={"title": "Second"})
    old = take(tmp_path)
    drain_all()
    for appointment in appointments:
        booking.cancel(by=alice, appointment_id=appointment.id)
    drain_all()
    google.empty_trash(ALICE)
    restore(old)
    the_worker_begins()
    assert google.events(ALICE) == []
    kinds = MirroredEvent.objects.values_list("drift_kind", flat=True)
    assert list(kinds) == [DriftKind.DELETED] * 2


def test_what_was_reinstated_since_is_not_deleted(
    linked: CalendarLink, alice: Member, google: RunningSimulator, tmp_path: Path
) -> None:
    appointment = mirrored(alice)
    booking.cancel(by=alice, appointment_id=appointment.id)
    yesterday = take(tmp_path)
    drain_all()
    booking.reinstate(by=alice, appointment_id=appointment.id)
    drain_all()
    before = in_google(google, appointment)
    restore(yesterday)
    the_worker_begins()
    assert in_google(google, appointment) == before
    assert MirroredEvent.objects.get().drift_kind == DriftKind.STILL_THERE
    with pytest.raises(Conflict):
        book_one(alice, title="At the same time")


def test_a_change_right_after_restoring_overwrites_nothing_newer(
    linked: CalendarLink, alice: Member, google: RunningSimulator, tmp_path: Path
) -> None:
    """Before any poll has seen how far Google is."""
    appointment = mirrored(alice)
    yesterday = take(tmp_path)
    start = appointment.start + timedelta(hours=3)
    change(alice, appointment, start=start, end=start + timedelta(hours=1))
    before = in_google(google, appointment)
    restore(yesterday)
    change(alice, appointment, title="Changed after restoring")
    assert in_google(google, appointment) == before
    drift = drift_of(appointment)
    assert drift is not None
    assert drift.start == start
    change(alice, appointment, title="Changed knowingly")
    assert titles(google) == ["Changed knowingly"]


def test_who_was_assigned_after_the_backup_is_not_given_a_second_event(
    linked: CalendarLink, alice: Member, bob: Member, google: RunningSimulator, tmp_path: Path
) -> None:
    """The row of Bob's event is lost, and the appointment is not."""
    link(bob, google, account="bob@example.com")
    appointment = mirrored(alice)
    yesterday = take(tmp_path)
    booking.change(by=alice, appointment_id=appointment.id, changes={}, assignees=[alice, bob])
    drain_all()
    (before,) = google.events("bob@example.com")
    restore(yesterday)
    the_worker_begins()
    booking.change(
        by=alice,
        appointment_id=appointment.id,
        changes={},
        assignees=[alice, bob],
        allow_overlap=True,
    )
    drain_all()
    assert [event["id"] for event in google.events("bob@example.com")] == [before["id"]]
    change(alice, appointment, title="Burst pipe")
    assert titles(google, "bob@example.com") == ["Burst pipe"]


def test_untouched_events_go_on_as_if_nothing_had_been(
    linked: CalendarLink, alice: Member, google: RunningSimulator, tmp_path: Path
) -> None:
    appointments = [mirrored(alice, start=tomorrow_at(hour)) for hour in (1, 3)]
    booking.cancel(by=alice, appointment_id=appointments[0].id)
    drain_all()
    restore(take(tmp_path))
    google.clear_calls()
    the_worker_begins()
    assert calls(google, but_reading=True) == []
    assert not MirroredEvent.objects.exclude(drift_kind="").exists()
    assert watched().orphans == 0
    assert not MirroredEvent.objects.filter(wanted=True).exclude(restored_revision=None).exists()
    change(alice, appointments[1], title="Burst pipe")
    assert titles(google) == ["Burst pipe"]


def test_nothing_of_the_backup_is_believed_of_google(
    linked: CalendarLink, alice: Member, page: Any, google: RunningSimulator, tmp_path: Path
) -> None:
    """Where polls go on, channels, copies, sessions: all of another time."""
    PushChannel.objects.create(
        link=linked,
        calendar_id=ALICE,
        token_digest="",
        created_at=tomorrow_at(0),
        expires_at=tomorrow_at(0),
    )
    assert WatchedCalendar.objects.exclude(sync_token="").exists()
    restore(take(tmp_path))
    assert not WatchedCalendar.objects.exclude(sync_token="").exists()
    assert not WatchedCalendar.objects.exclude(window_start=None).exists()
    assert not PushChannel.objects.filter(expires_at__gt=now()).exists()
    assert not BusyCalendar.objects.exclude(checked_at=None).exists()
    assert not Session.objects.exists()
    assert page.get("/calendar").status_code == 302
