"""Services in the calendar and on the sheet."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from django.test import Client

from sophiie.accounts.models import Member
from sophiie.appointments.booking import book
from sophiie.appointments.models import Appointment
from sophiie.appointments.services import delete_service
from sophiie.services import editing
from tests.conftest import details, tomorrow_at
from tests.services.made import service
from tests.web.pages import Element, parsed

pytestmark = pytest.mark.django_db


def test_the_calendar_is_told_of_the_services_it_shows(page: Client, alice: Member) -> None:
    plain = page.get("/calendar")
    assert "Colour by service" not in plain.content.decode()
    gas = service(alice, colour="plum")
    service(alice, name="Not booked")
    book(by=alice, details=details(service_id=gas.pk), assignees=[alice])
    feed = page.get("/calendar/feed", {"from": "2026-11-23", "to": "2026-11-30"}).json()
    assert feed["services"] == [{"id": str(gas.pk), "name": "Gas check", "colour": 2}]
    assert [one["service"] for one in feed["appointments"]] == [0]
    shown = parsed(page.get("/calendar"))
    assert [one.words for one in shown.one("ul", class_="cal-legend").all("li")] == [
        "Gas check",
        "Not booked",
    ]
    assert shown.one("select", id="cal-quick-service")


def test_a_list_without_script_shows_one_service(
    page: Client, alice: Member, charlie: Member
) -> None:
    gas, boiler = service(alice), service(alice, name="Boiler service")
    book(by=alice, details=details(title="Gas", service_id=gas.pk), assignees=[alice])
    other = details(title="Boiler", service_id=boiler.pk, start=tomorrow_at(3))
    book(by=alice, details=other, assignees=[alice])
    editing.change(by=alice, service_id=gas.pk, to=lambda before: replace(before, active=False))

    def shown(asked: Any) -> Element:
        week = {"week": "2026-11-23", "plain": "1"}
        return parsed(page.get("/calendar", {**week, "service": asked}))

    def titles(shown: Element) -> list[str]:
        return [row.words for row in shown.all("h3", class_="row-title")]

    only = shown(gas.pk)
    assert titles(only) == ["Gas"]
    options = only.one("select", id="plain-service").all("option")
    (chosen,) = (option for option in options if "selected" in option.attributes)
    assert chosen.words == "Gas check (not offered any more)"
    for way in ("cal-previous", "cal-next", "cal-today"):
        assert f"service={gas.pk}" in only.one("a", id=way)["href"]
    gone, theirs = boiler.pk, service(charlie).pk
    delete_service(by=alice, service_id=gone)
    for nothing in (gone, theirs, "x", "x\x00", ""):
        everything = shown(nothing)
        assert titles(everything) == ["Gas", "Boiler"]
        assert "service=" not in everything.one("a", id="cal-next")["href"]
        assert str(theirs) not in everything.text


def test_the_quick_form_books_a_service(page: Client, alice: Member, charlie: Member) -> None:
    gas = service(alice, default_notes="Bring the meter", buffer_after=10)
    asked = {
        "title": "Gas check",
        "start": "2026-12-01T12:00:00",
        "end": "2026-12-01T12:45:00",
        "assignees": [str(alice.pk)],
        "service_id": str(gas.pk),
    }
    answer = page.post("/calendar/book", json.dumps(asked), content_type="application/json")
    assert answer.status_code == 201, answer.content
    booked = Appointment.objects.get()
    assert (booked.service_id, booked.notes, booked.buffer_after_minutes) == (
        gas.pk,
        "Bring the meter",
        10,
    )
    foreign = {**asked, "service_id": str(service(charlie).pk)}
    answer = page.post("/calendar/book", json.dumps(foreign), content_type="application/json")
    assert answer.status_code == 422
    assert answer.json()["errors"] == {"service_id": "There is no service with this id."}


def test_the_day_sheet_says_how_long_the_way_is(page: Client, alice: Member) -> None:
    book(by=alice, details=details(travel_minutes=25), assignees=[alice])
    day = Appointment.objects.get().local_start.date().isoformat()
    assert "25 minutes to get there" in page.get(f"/day-sheet?date={day}").content.decode()
