"""What can be said of a customer; the same rules and messages for pages, API and import."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any

from django.utils.translation import gettext as _

from sophiie.common.blank import is_blank
from sophiie.common.mail_addresses import is_mail_address
from sophiie.customers.errors import InvalidCustomer
from sophiie.customers.models import (
    ADDRESS_LENGTH,
    EMAIL_LENGTH,
    NAME_LENGTH,
    NOTES_LENGTH,
    PHONE_LENGTH,
    Customer,
)
from sophiie.customers.phones import read_phones

MAX_PHONES = MAX_EMAILS = 10


@dataclass(frozen=True, kw_only=True)
class CustomerDetails:
    """What a person says about a customer; phones in E.164, or as typed in `other_phones`."""

    name: str = ""
    phones: tuple[str, ...] = ()
    other_phones: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()
    address: str = ""
    notes: str = ""

    @classmethod
    def of(cls, customer: Customer) -> CustomerDetails:
        values: dict[str, Any] = {f.name: getattr(customer, f.name) for f in fields(cls)}
        for name, value in values.items():
            values[name] = tuple(value) if isinstance(value, list) else value
        return cls(**values)

    def as_dict(self) -> dict[str, Any]:
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {n: list(v) if isinstance(v, tuple) else v for n, v in values.items()}


def read_details(
    *,
    region: str | None,
    name: str = "",
    phones: Iterable[str] = (),
    emails: Iterable[str] = (),
    address: str = "",
    notes: str = "",
) -> CustomerDetails:
    """The details as they are stored. Raises `InvalidCustomer` with a message for every wrong
    field."""
    typed = [" ".join(phone.split()) for phone in phones]
    errors = {}
    for phone in typed:
        if problem := _problem(phone, PHONE_LENGTH):
            errors["phones"] = problem
    numbers, others = ([], []) if errors else read_phones(typed, region)
    details = CustomerDetails(
        name="" if is_blank(name) else " ".join(name.split()),
        phones=tuple(numbers),
        other_phones=tuple(others),
        emails=_each_once(emails),
        address="" if is_blank(address) else address.strip(),
        notes="" if is_blank(notes) else notes.strip(),
    )
    if errors := {**_errors_of(details), **errors}:
        raise InvalidCustomer(errors)
    return details


def check_details(details: CustomerDetails) -> None:
    """Raises `InvalidCustomer` with a message for every wrong field."""
    if errors := _errors_of(details):
        raise InvalidCustomer(errors)


def _errors_of(details: CustomerDetails) -> dict[str, str]:
    errors: dict[str, str] = {}
    if not (details.name or details.phones or details.other_phones or details.emails):
        errors["name"] = _("Give a name, a phone number or an email address.")
    lengths = {"name": NAME_LENGTH, "address": ADDRESS_LENGTH, "notes": NOTES_LENGTH}
    for field, length in lengths.items():
        if problem := _problem(getattr(details, field), length):
            errors[field] = problem
    if len(details.phones) + len(details.other_phones) > MAX_PHONES:
        errors["phones"] = _("At most %(n)s phone numbers.") % {"n": MAX_PHONES}
    if len(details.emails) > MAX_EMAILS:
        errors["email"] = _("At most %(n)s email addresses.") % {"n": MAX_EMAILS}
    for email in details.emails:
        if problem := _problem(email, EMAIL_LENGTH):
            errors["email"] = problem
        elif not is_mail_address(email):
            errors["email"] = _("This is not an email address: %(text)s") % {"text": email[:80]}
    return errors


def _problem(text: str, length: int) -> str:
    if "\x00" in text:  # PostgreSQL cannot store it
        return _("This text contains a character that cannot be stored.")
    if len(text) > length:
        return _("At most %(most)s characters; this has %(length)s.") % {
            "most": f"{length:,}",
            "length": f"{len(text):,}",
        }
    return ""


def _each_once(emails: Iterable[str]) -> tuple[str, ...]:
    found: dict[str, str] = {}
    for email in (email.strip() for email in emails):
        if email:
            found.setdefault(email.lower(), email)
    return tuple(found.values())
