"""What an address may fill into the form of a new appointment, so that nobody types it twice."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import QueryDict

from sophiie.accounts.models import Member
from sophiie.customers.editing import find
from sophiie.customers.errors import UnknownCustomer
from sophiie.customers.phones import shown
from sophiie.series.rule import Frequency
from sophiie.web.appointments.forms import AppointmentForm
from sophiie.web.appointments.repeat_form import RepeatForm

PLAIN = (
    *("title", "date", "start", "end", "location", "notes"),
    *("service", "travel_minutes", "service_filled"),
    *("customer_name", "customer_phone", "customer_email"),
)


def prefill(form: AppointmentForm, asked: QueryDict, *, by: Member) -> None:
    """Puts the values of the address into the empty form. Impossible ones are refused on *Save*."""
    given = {name: str(asked.get(name, "")).replace("\x00", "")[:5000] for name in PLAIN}
    values: dict[str, Any] = {name: text for name, text in given.items() if text}
    for name, offered in (("assignees", form.team), ("resources", form.things)):
        if chosen := [one for one in asked.getlist(name) if one in offered]:
            values[name] = chosen
    form.initial.update(_of_customer(by, asked.get("customer", "")) | values)


def prefill_repeat(repeat: RepeatForm, asked: QueryDict) -> None:
    """How often it repeats, if the address says so; the rest is as the form proposes it."""
    if asked.get("repeat") in tuple(Frequency):
        repeat.initial["repeat"] = asked["repeat"]


def _of_customer(by: Member, text: str) -> dict[str, Any]:
    """What is known of the customer with this id; nothing if there is none."""
    try:
        customer = find(by, UUID(text))
    except (ValueError, UnknownCustomer):
        return {}
    return {
        "customer_id": customer.id,
        "customer_name": customer.name,
        "customer_phone": shown(customer.phone),
        "customer_email": customer.email,
        "location": " ".join(customer.address.split()),
    }
