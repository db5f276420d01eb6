"""What can be said of a service; the same rules and messages for pages and API."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from sophiie.common.blank import is_blank
from sophiie.services.colours import Colour
from sophiie.services.errors import InvalidService
from sophiie.services.models import (
    DESCRIPTION_LENGTH,
    NAME_LENGTH,
    NOTES_LENGTH,
    PRICE_LENGTH,
    TITLE_LENGTH,
    Service,
)

# The least and the most of each number; those of the rules as `availability/rules.py` has them.
LIMITS = {
    "duration_minutes": (1, 31 * 24 * 60),
    "buffer_before": (0, 8 * 60),
    "buffer_after": (0, 8 * 60),
    "notice_minutes": (0, 60 * 24 * 60),
    "window_days": (1, 3 * 365),
    "people": (1, 50),
}
LENGTHS = {
    "name": NAME_LENGTH,
    "description": DESCRIPTION_LENGTH,
    "price": PRICE_LENGTH,
    "default_title": TITLE_LENGTH,
    "default_notes": NOTES_LENGTH,
}
MAX_DURATIONS = 12
MAX_MEMBERS = 200


@dataclass(frozen=True, kw_only=True)
class ServiceDetails:
    """What a person says about a service; the fields are explained in `models.Service`."""

    name: str
    duration_minutes: int
    durations: tuple[int, ...] = ()
    description: str = ""
    buffer_before: int | None = None
    buffer_after: int | None = None
    notice_minutes: int | None = None
    window_days: int | None = None
    price: str = ""
    colour: str = Colour.BLUE
    people: int = 1
    active: bool = True
    default_title: str = ""
    default_notes: str = ""
    # Empty: everybody.
    member_ids: tuple[UUID, ...] = ()

    @classmethod
    def of(cls, service: Service) -> ServiceDetails:
        values: dict[str, Any] = {
            field.name: getattr(service, field.name)
            for field in fields(cls)
            if field.name != "member_ids"
        }
        values["durations"] = tuple(values["durations"])
        return cls(**values, member_ids=members_named(service))

    def tidied(self) -> ServiceDetails:
        """The details as they are stored: without spaces around the texts, and the lengths in
        order, with the default among them."""
        texts = {name: getattr(self, name).strip() for name in LENGTHS}
        texts["name"] = " ".join(self.name.split())
        return replace(
            self,
            **texts,
            durations=tuple(sorted({*self.durations, self.duration_minutes})),
            member_ids=tuple(sorted(set(self.member_ids))),
        )


def members_named(service: Service) -> tuple[UUID, ...]:
    """Who can do it by name; none means everybody."""
    return tuple(sorted(doer.member_id for doer in service.doers.all()))


def check_details(details: ServiceDetails) -> None:
    """Raises `InvalidService` with a message for every wrong field."""
    errors = _text_errors(details) | _number_errors(details)
    if details.colour not in set(Colour):
        errors["colour"] = _("Choose one of these colours: %(names)s.") % {
            "names": ", ".join(Colour)
        }
    if len(details.member_ids) > MAX_MEMBERS:
        errors["member_ids"] = _("Name at most %(n)s people.") % {"n": MAX_MEMBERS}
    elif details.member_ids and "people" not in errors and details.people > len(details.member_ids):
        errors["people"] = _(
            "It takes %(people)s people, but only %(able)s can do it. Name more people, or none: "
            "then everybody can."
        ) % {"people": details.people, "able": len(details.member_ids)}
    if errors:
        raise InvalidService(errors)


def _text_errors(details: ServiceDetails) -> dict[str, str]:
    errors = {}
    for name, length in LENGTHS.items():
        text = getattr(details, name)
        if "\x00" in text:  # PostgreSQL cannot store it
            errors[name] = _("This text contains a character that cannot be stored.")
        elif len(text) > length:
            errors[name] = _("At most %(most)s characters; this has %(length)s.") % {
                "most": f"{length:,}",
                "length": f"{len(text):,}",
            }
    if is_blank(details.name):
        errors["name"] = _("Give the service a name.")
    return errors


def _number_errors(details: ServiceDetails) -> dict[str, str]:
    values = {name: getattr(details, name) for name in LIMITS}
    errors = {
        name: _between(*LIMITS[name])
        for name, value in values.items()
        if value is not None and not _is_within(value, name)
    }
    if len(details.durations) > MAX_DURATIONS:
        errors["durations"] = _("At most %(n)s lengths.") % {"n": MAX_DURATIONS}
    elif not all(_is_within(length, "duration_minutes") for length in details.durations):
        errors["durations"] = _between(*LIMITS["duration_minutes"])
    return errors


def _is_within(value: int, name: str) -> bool:
    least, most = LIMITS[name]
    return least <= value <= most


def _between(least: int, most: int) -> str:
    return _("Between %(least)s and %(most)s.") % {"least": least, "most": most}


def lengths_listed(durations: Iterable[int]) -> str:
    """Lengths in minutes as one writes them into a field: "45, 60"."""
    return ", ".join(str(minutes) for minutes in durations)
