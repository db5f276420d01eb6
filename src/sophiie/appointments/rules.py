"""Which values an appointment can have; the same rules and messages for pages and API."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from sophiie.accounts.models import Business, Member
from sophiie.accounts.people import read_active_members
from sophiie.appointments.errors import InvalidAppointment
from sophiie.appointments.models import LOCATION_LENGTH, NOTES_LENGTH, TITLE_LENGTH, Appointment
from sophiie.common.blank import is_blank
from sophiie.common.mail_addresses import is_mail_address
from sophiie.common.wall_time import is_zone

LONGEST = timedelta(days=31)
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
LATEST = datetime(2100, 1, 1, tzinfo=UTC)
MAX_ASSIGNEES = 50
MAX_TRAVEL_MINUTES = 8 * 60


@dataclass(frozen=True, kw_only=True)
class Details:
    """What a person says about an appointment, apart from its assignees."""

    title: str
    start: datetime
    end: datetime
    timezone: str
    location: str = ""
    notes: str = ""
    customer_name: str = ""
    customer_phone: str = ""
    customer_email: str = ""
    service_id: UUID | None = None
    travel_minutes: int = 0

    @classmethod
    def of(cls, appointment: Appointment) -> Details:
        return cls(**{field.name: getattr(appointment, field.name) for field in fields(cls)})

    def as_dict(self) -> dict[str, Any]:
        return {field.name: getattr(self, field.name) for field in fields(self)}


_LENGTHS = {
    "location": LOCATION_LENGTH,
    "notes": NOTES_LENGTH,
    "customer_name": 200,
    "customer_phone": 50,
    "customer_email": 254,
}


def may_book_over(member: Member) -> bool:
    """Who may agree to book over what is in the way. Everybody may book although a calendar cannot
    be read."""
    return member.manages_business


def check_details(details: Details) -> None:
    """Raises `InvalidAppointment` with a message for every wrong field."""
    errors = _text_errors(details) | _time_errors(details)
    if not is_zone(details.timezone):
        errors["timezone"] = _("This is not an IANA time zone, such as Australia/Sydney.")
    if not 0 <= details.travel_minutes <= MAX_TRAVEL_MINUTES:
        errors["travel_minutes"] = _("Between %(least)s and %(most)s.") % {
            "least": 0,
            "most": MAX_TRAVEL_MINUTES,
        }
    if errors:
        raise InvalidAppointment(errors)


def _text_errors(details: Details) -> dict[str, str]:
    errors = {}
    if is_blank(details.title):
        errors["title"] = _("Give the appointment a title.")
    elif len(details.title) > TITLE_LENGTH:
        errors["title"] = _too_long(details.title, TITLE_LENGTH)
    for name, length in _LENGTHS.items():
        if len(text := getattr(details, name)) > length:
            errors[name] = _too_long(text, length)
    for name in ("title", *_LENGTHS):
        if "\x00" in getattr(details, name):  # PostgreSQL cannot store it
            errors[name] = _("This text contains a character that cannot be stored.")
    address = details.customer_email
    if address and "customer_email" not in errors and not is_mail_address(address):
        errors["customer_email"] = _("This is not an email address.")
    return errors


def _too_long(text: str, length: int) -> str:
    return _("At most %(most)s characters; this has %(length)s.") % {
        "most": f"{length:,}",
        "length": f"{len(text):,}",
    }


def _time_errors(details: Details) -> dict[str, str]:
    errors = {}
    for name in ("start", "end"):
        if not EARLIEST <= getattr(details, name) < LATEST:
            errors[name] = _("Use a date between the years 2000 and 2099.")
    if not errors:
        if details.end <= details.start:
            errors["end"] = _("The end must be after the start.")
        elif details.end - details.start > LONGEST:
            errors["end"] = _("An appointment can last %(n)s days at most.") % {"n": LONGEST.days}
    return errors


def assignees_of(business: Business, wanted: Iterable[str | UUID]) -> list[Member]:
    """The active members with these ids or email addresses, each once, in the given order.

    Raises `InvalidAppointment` for an empty list or an unknown member; a member of another business
    counts as unknown.
    """
    names = list(dict.fromkeys(str(item).strip().lower() for item in wanted))
    if not names:
        raise InvalidAppointment({"assignees": _("Choose at least one assignee.")})
    if len(names) > MAX_ASSIGNEES:
        raise InvalidAppointment(
            {"assignees": _("At most %(n)s assignees.") % {"n": MAX_ASSIGNEES}}
        )
    known: dict[str, Member] = {}
    asked = [name for name in names if name.isprintable()]  # PostgreSQL accepts no other text
    for member in read_active_members(business.id, named=asked):
        known[str(member.id)] = known[member.email.lower()] = member
    if unknown := [name for name in names if name not in known]:
        listed = ", ".join(name[:80] for name in unknown[:5])
        raise InvalidAppointment(
            {"assignees": _("Unknown assignee: %(names)s.") % {"names": listed}}
        )
    return list(dict.fromkeys(known[name] for name in names))
