"""Why an appointment cannot be as it was asked for.

AppointmentError
 ├─ InvalidAppointment    values that cannot be, by field
 ├─ UnknownAppointment    no such appointment in this business
 ├─ StaleRevision         somebody changed it meanwhile
 ├─ Conflict              an assignee is not free
 └─ TooBusy               the locks could not be had in time; trying again helps
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


class AppointmentError(Exception):
    pass


class InvalidAppointment(AppointmentError):
    """`errors` holds one message per field, under the names of the contract."""

    def __init__(self, errors: dict[str, str]) -> None:
        self.errors = errors
        super().__init__("; ".join(f"{field}: {text}" for field, text in errors.items()))


class UnknownAppointment(AppointmentError):
    """There is no such appointment in this business."""


class StaleRevision(AppointmentError):
    """It was changed since the caller read it; `current` is the revision it has now."""

    def __init__(self, current: int) -> None:
        self.current = current
        super().__init__(f"This appointment was changed meanwhile; its revision is now {current}.")


@dataclass(frozen=True)
class Obstacle:
    """One thing that is in the way of a booking."""

    member_id: UUID
    member_name: str
    start: datetime
    end: datetime
    appointment_id: UUID
    title: str
    timezone: str


class Conflict(AppointmentError):
    """At least one assignee is not free at that time."""

    def __init__(self, obstacles: list[Obstacle]) -> None:
        self.obstacles = obstacles
        # None are left to name when the other booking vanished again meanwhile.
        names = sorted({obstacle.member_name for obstacle in obstacles}) or ["Somebody"]
        have = "has" if len(names) == 1 else "have"
        super().__init__(f"{' and '.join(names)} already {have} an appointment at this time.")


class TooBusy(AppointmentError):
    """The calendar of an assignee is being changed by many others at this moment."""
