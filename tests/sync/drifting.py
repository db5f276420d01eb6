"""Our events in Google, what somebody does to them there, and what is then seen of it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from google_simulator.testing import RunningSimulator
from sophiie.accounts.models import Member
from sophiie.appointments.booking import book
from sophiie.appointments.models import Appointment
from sophiie.common.clock import now
from sophiie.sync.models import MirroredEvent, WatchedCalendar
from sophiie.sync.reports.event_status import Drift, EventStatus, statuses_of
from tests.conftest import details
from tests.mirroring import drain_all, read_all

ALICE = "alice@example.com"


def book_one(member: Member, **changes: Any) -> Appointment:
    return book(by=member, details=details(**changes), assignees=[member])


def mirrored(member: Member, **changes: Any) -> Appointment:
    """A booked appointment that is in Google."""
    appointment = book_one(member, **changes)
    drain_all()
    return appointment


def event_id_of(appointment: Appointment) -> str:
    return MirroredEvent.objects.get(appointment=appointment).event_id


def ours(google: RunningSimulator) -> list[dict[str, Any]]:
    """Alice's events without those of `foreign_events_stay`."""
    return [e for e in google.events(ALICE) if not e.get("summary", "").startswith("Private")]


def status_of(appointment: Appointment) -> EventStatus:
    """What the person who booked it sees of its first event."""
    return statuses_of([appointment.id], to=appointment.created_by)[appointment.id][0]


def drift_of(appointment: Appointment) -> Drift | None:
    return status_of(appointment).drift


def in_google(google: RunningSimulator, appointment: Appointment) -> dict[str, Any]:
    return google.event(ALICE, ALICE, event_id_of(appointment))


def edit_in_google(google: RunningSimulator, appointment: Appointment, **body: Any) -> None:
    google.patch_event(ALICE, ALICE, event_id_of(appointment), body)


def times_of(appointment: Appointment, *, zone: str = "UTC") -> dict[str, Any]:
    """Its start and end as Google has them."""
    return {
        name: {"dateTime": moment.isoformat(), "timeZone": zone}
        for name, moment in (("start", appointment.start), ("end", appointment.end))
    }


def repeat_in_google(
    google: RunningSimulator, appointment: Appointment, *rule: str, zone: str = "UTC"
) -> None:
    """Somebody makes a series of the event."""
    edit_in_google(google, appointment, recurrence=list(rule), **times_of(appointment, zone=zone))


def move_in_google(
    google: RunningSimulator, appointment: Appointment, hours: int = 3
) -> tuple[datetime, datetime]:
    start, end = (
        moment + timedelta(hours=hours) for moment in (appointment.start, appointment.end)
    )
    body = {"start": {"dateTime": start.isoformat()}, "end": {"dateTime": end.isoformat()}}
    edit_in_google(google, appointment, **body)
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
