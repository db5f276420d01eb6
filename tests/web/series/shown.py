"""What pages of series show, and what is sent to them.

Monday 4 January 2027, eleven in the morning in Sydney; visits are on Tuesdays from the 12th.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from django.test import Client

from sophiie.accounts.models import Member
from sophiie.appointments.booking import book
from sophiie.appointments.models import Appointment
from sophiie.series.models import Series
from tests.conftest import details
from tests.series.making import appointments_of
from tests.web.pages import Element, parsed, values

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
TUESDAYS = [f"Tue {day} 09:00" for day in ("12 Jan", "19 Jan", "26 Jan", "02 Feb", "09 Feb")]
Typed = dict[str, Any]


def visit(series: Series, number: int) -> Appointment:
    return appointments_of(series)[number - 1]


def address(appointment: Appointment) -> str:
    return f"/appointments/{appointment.id}"


def form_of(page: Client, appointment: Appointment, **more: Any) -> dict[str, Any]:
    return {**values(parsed(page.get(address(appointment)))), **more}


def saved(page: Client, appointment: Appointment, **more: Any) -> Any:
    return page.post(address(appointment), form_of(page, appointment, **more))


def undo_in(page: Client, response: Any) -> tuple[str, dict[str, str]]:
    """The Undo of the message on the page to which the answer leads."""
    shown = parsed(page.get(response["Location"]))
    said = shown.one(class_="alert alert-success")
    form = said.one("form")
    return form["action"], {"next": form.one("input", name="next")["value"]}


def text(page: Element) -> str:
    return page.one(id="main").words


def titles(series: Series) -> list[str]:
    return [one.title for one in appointments_of(series)]


def nine(day: str) -> datetime:
    """Nine in the morning in Sydney, in the summer time of January to March."""
    return datetime.fromisoformat(f"{day}T09:00:00+11:00").astimezone(UTC)


def taken(who: Member, *days: str, title: str = "Boiler") -> None:
    for day in days:
        about = details(title=title, start=nine(day), end=nine(day) + HOUR)
        book(by=who, details=about, assignees=[who])


def sent(client: Client, typed: Typed, **more: Any) -> Any:
    return client.post("/appointments/new", {**typed, **more})


def the_series() -> Series:
    return Series.objects.get()


def listed(page: Element) -> dict[str, list[str]]:
    """What may become of each visit in the list, by its day; the chosen first."""
    found = {}
    for select in page.all("select"):
        if select["name"].startswith("visit_"):
            options = select.all("option")
            options.sort(key=lambda one: "selected" not in one.attributes)
            found[select["name"].removeprefix("visit_")] = [one.words for one in options]
    return found


def chosen(page: Element) -> Typed:
    """What the list sends with the form: its hidden fields and its choices as they stand."""
    found: Typed = {}
    for field in page.all(form="appointment-form"):
        if field.tag == "select":
            (one,) = [o for o in field.all("option") if "selected" in o.attributes]
            found[field["name"]] = one["value"]
        elif field["type"] == "hidden":
            found.setdefault(field["name"], []).append(field["value"])
    return found


def buttons(page: Element) -> list[str]:
    return [one.words for one in page.all("button", form="appointment-form")]
