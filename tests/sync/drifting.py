"""What somebody does to our events in Google, and what is then seen of it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from google_simulator.testing import RunningSimulator
from sophiie.accounts.models import Member
from sophiie.appointments.booking import book
from sophiie.appointments.models import Appointment
from sophiie.common.clock import now
from sophiie.sync.models import MirroredEvent, WatchedCalendar
from sophiie.sync.reports.event_status import Drift, statuses_of
from tests.conftest import details
from tests.mirroring import drain_all, read_all

ALICE = "alice@example.com"


def mirrored(member: Member, **changes: Any) -> Appointment:
    """A booked appointment that is in Google."""
    appointment = book(by=member, details=details(**changes), assignees=[member])
    drain_all()
    return appointment


def event_id_of(appointment: Appointment) -> str:
    return MirroredEvent.objects.get(appointment=appointment).event_id


def drift_of(appointment: Appointment) -> Drift | None:
    return statuses_of([appointment.id], to=appointment.created_by)[appointment.id][0].drift


def move_in_google(
    google: RunningSimulator, appointment: Appointment, hours: int = 3
) -> tuple[datetime, datetime]:
    start, end = (
        moment + timedelta(hours=hours) for moment in (appointment.start, appointment.end)
    )
    body = {"start": {"dateTime": start.isoformat()}, "end": {"dateTime": end.isoformat()}}
    google.patch_event(ALICE, ALICE, event_id_of(appointment), body)
    return start, end


def calls(google: RunningSimulator, *, but_reading: bool = False) -> list[str]:
    names = [c["method"].rpartition(".")[2] for c in google.calls(method="calendar.events.*")]
    return [name for name in names if not (but_reading and name in ("list", "get"))]


def read_everything() -> list[bool]:
    """The reading that happens once a day."""
    WatchedCalendar.objects.update(window_start=now() - timedelta(days=3))
    return read_all()


def nothing_drifted() -> bool:
    return not MirroredEvent.objects.exclude(drift_kind="").exists()


def watched() -> WatchedCalendar:
    """The reading state of the one link there is."""
    return WatchedCalendar.objects.get()
