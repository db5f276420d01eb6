"""What an address may fill into the form of a new appointment, so that nobody types it twice."""

from __future__ import annotations

from typing import Any

from django.http import QueryDict

from sophiie.web.appointments.forms import AppointmentForm

PLAIN = (
    *("title", "date", "start", "end", "location", "notes"),
    *("customer_name", "customer_phone", "customer_email"),
)


def prefill(form: AppointmentForm, asked: QueryDict) -> None:
    """Puts the values of the address into the empty form. Impossible ones are refused on *Save*."""
    given = {name: str(asked.get(name, "")).replace("\x00", "")[:5000] for name in PLAIN}
    values: dict[str, Any] = {name: text for name, text in given.items() if text}
    people = [one for one in asked.getlist("assignees") if one in form.team]
    if people:
        values["assignees"] = people
    form.initial.update(values)
