"""Why an appointment cannot be as it was asked for.

AppointmentError
 ├─ InvalidAppointment    values that cannot be, by field
 ├─ UnknownAppointment    no such appointment in this business
 ├─ StaleRevision         somebody changed it meanwhile
 ├─ Conflict              an assignee is not free, or it cannot be said
 ├─ NotHeld               there is no hold to confirm
 ├─ TooManyHolds          this member, or key, holds as much as may be held; later it may again
 └─ TooBusy               the locks could not be had in time; trying again helps
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from django.utils.dateformat import format as as_text
from django.utils.text import get_text_list
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from sophiie.common.shown_clock import all_day, clock
from sophiie.common.wall_time import in_zone, whole_days


class AppointmentError(Exception):
    pass


class InvalidAppointment(AppointmentError):
    """`errors` holds one message for each field, under the API's names."""

    def __init__(self, errors: dict[str, str]) -> None:
        self.errors = errors
        super().__init__("; ".join(f"{field}: {text}" for field, text in errors.items()))


class UnknownAppointment(AppointmentError):
    """This business has no such appointment."""


class StaleRevision(AppointmentError):
    """Somebody changed it since the caller read it; `current` is the revision it has now."""

    def __init__(self, current: int) -> None:
        self.current = current
        words = _("This appointment was changed meanwhile; its revision is now %(n)s.")
        super().__init__(words % {"n": current})


class Source(StrEnum):
    """Where an obstacle comes from."""

    APPOINTMENT = "appointment"
    GOOGLE = "google"
    RESOURCE = "resource"  # another appointment has the room or the van
    UNREADABLE = "unreadable"  # nobody knows whether there is one; that is not free


@dataclass(frozen=True, kw_only=True)
class Obstacle:
    """One thing that is in the way of a booking.

    Of a resource `member_name` is its name. `start` and `end` are its own; for an unreadable
    calendar they are those of the question. Of events in Google nothing else is known.
    `checked_at`: when the calendar was last read.
    """

    source: Source
    member_id: UUID | None
    member_name: str
    start: datetime
    end: datetime
    timezone: str
    appointment_id: UUID | None = None
    title: str = ""
    checked_at: datetime | None = None
    resource_id: UUID | None = None
    too_far: bool = False  # the calendar has been read, but not as far as this time

    @classmethod
    def of_resource(
        cls,
        resource_id: UUID,
        name: str,
        *,
        appointment_id: UUID | None,
        title: str,
        start: datetime,
        end: datetime,
        timezone: str,
    ) -> Obstacle:
        """The appointment that has the resource."""
        return cls(
            source=Source.RESOURCE,
            member_id=None,
            member_name=name,
            start=start,
            end=end,
            timezone=timezone,
            appointment_id=appointment_id,
            title=title,
            resource_id=resource_id,
        )

    @property
    def local_start(self) -> datetime:
        return in_zone(self.start, self.timezone)

    @property
    def local_end(self) -> datetime:
        return in_zone(self.end, self.timezone)

    @property
    def all_day(self) -> str:
        """all day, Wed 2 to Fri 4 December; "" for what does not consist of whole days."""
        days = whole_days(self.start, self.end, self.timezone)
        return all_day(*days) if days else ""


class Conflict(AppointmentError):
    """At least one assignee or resource is not free at that time, or nobody can tell."""

    def __init__(self, obstacles: list[Obstacle]) -> None:
        self.obstacles = obstacles
        super().__init__(" ".join(_sentences(obstacles)))


def _sentences(obstacles: list[Obstacle]) -> list[str]:
    taken = sorted({o.member_name for o in obstacles if o.source == Source.APPOINTMENT})
    elsewhere = [_sentence(o) for o in obstacles if o.source != Source.APPOINTMENT]
    if not taken and elsewhere:
        return elsewhere
    # There is none to name if the other booking vanished again meanwhile.
    names = taken or [_("Somebody")]
    already = ngettext(
        "%(names)s already has an appointment at this time.",
        "%(names)s already have an appointment at this time.",
        len(names),
    )
    return [already % {"names": get_text_list(names, _("and"))}, *elsewhere]


def _sentence(obstacle: Obstacle) -> str:
    name = obstacle.member_name
    if obstacle.source == Source.RESOURCE:
        return _("%(name)s is used by “%(title)s”, %(when)s.") % {
            "name": name,
            "title": obstacle.title,
            "when": obstacle.all_day or _span(obstacle.local_start, obstacle.local_end),
        }
    if obstacle.source == Source.GOOGLE:
        return _("%(name)s is busy in Google %(when)s.") % {
            "name": name,
            "when": obstacle.all_day or _span(obstacle.local_start, obstacle.local_end),
        }
    if obstacle.too_far:
        return _("%(name)s’s calendar is not known that far ahead.") % {"name": name}
    return _("%(name)s’s calendar could not be read.") % {"name": name}


def _span(start: datetime, end: datetime) -> str:
    if start.date() == end.date():
        return f"{clock(start)}–{clock(end)}"
    day = pgettext("date as Django writes it", "j M")
    return f"{as_text(start, day)} {clock(start)} – {as_text(end, day)} {clock(end)}"


class NotHeld(AppointmentError):
    """Only a hold can be confirmed; `status` is what the appointment is instead."""

    def __init__(self, status: str) -> None:
        self.status = status
        what = {
            "scheduled": pgettext("the appointment is", "scheduled"),
            "completed": pgettext("the appointment is", "completed"),
            "cancelled": pgettext("the appointment is", "cancelled"),
            "no_show": pgettext("the appointment is", "no show"),
        }
        words = _("This appointment is not a hold; it is %(what)s.")
        super().__init__(words % {"what": what.get(status, status)})


class TooManyHolds(AppointmentError):
    """`limit` is how much may be held; in `retry_after` seconds there is room for one more."""

    def __init__(self, message: str, *, limit: int, retry_after: int) -> None:
        self.limit, self.retry_after = limit, retry_after
        super().__init__(message)


class TooBusy(AppointmentError):
    """Many others are changing an assignee's calendar at this moment."""
