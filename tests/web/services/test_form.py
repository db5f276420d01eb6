"""Services in the appointment form."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from django.test import Client

from sophiie.accounts.models import Member
from sophiie.appointments.booking import book
from sophiie.appointments.models import Appointment
from sophiie.services import editing
from tests.conftest import details
from tests.services.made import service
from tests.web.pages import Element, message_at, parsed, values

pytestmark = pytest.mark.django_db


def fields(page: Client, path: str = "/appointments/new") -> dict[str, Any]:
    return dict(values(parsed(page.get(path))))


def chosen(shown: Element) -> dict[str, Any]:
    """The fields after *Fill in from this service*."""
    return dict(values(shown))


def test_without_services_the_form_asks_for_none(page: Client, alice: Member) -> None:
    gone = service(alice, active=False)
    form = fields(page)
    assert "service" not in form
    assert "service_filled" not in form
    page.post("/appointments/new", {**form, "title": "Tap", "service": str(gone.pk)})
    assert Appointment.objects.get().service_id is None


def test_a_service_fills_in_what_nobody_typed(page: Client, alice: Member, bob: Member) -> None:
    gas = service(alice, bob, default_title="Gas safety check", default_notes="Bring the meter")
    boiler = service(alice, name="Boiler service", duration_minutes=90)
    form = fields(page) | {"use_service": "1"}
    filled = chosen(parsed(page.post("/appointments/new", {**form, "service": str(gas.pk)})))
    assert (filled["title"], filled["notes"]) == ("Gas safety check", "Bring the meter")
    assert (filled["start"], filled["end"]) == ("12:00", "12:45")
    assert filled["assignees"] == [str(bob.pk)]
    # Another one takes the place of what the first has filled in, and of nothing else.
    again = {**filled, "use_service": "1", "service": str(boiler.pk)}
    other = chosen(parsed(page.post("/appointments/new", again)))
    assert (other["title"], other["notes"], other["end"]) == ("Boiler service", "", "13:30")
    assert other["assignees"] == [str(alice.pk)]
    typed = {
        **filled,
        "title": "Gas smell",
        "end": "16:00",
        "assignees": [str(alice.pk), str(bob.pk)],
        "use_service": "1",
        "service": str(boiler.pk),
    }
    kept = chosen(parsed(page.post("/appointments/new", typed)))
    assert (kept["title"], kept["end"]) == ("Gas smell", "16:00")
    assert set(kept["assignees"]) == {str(alice.pk), str(bob.pk)}
    assert not Appointment.objects.exists()


def test_saving_fills_what_was_left_empty(page: Client, alice: Member, bob: Member) -> None:
    gas = service(alice, bob, buffer_before=20)
    form = fields(page) | {"service": str(gas.pk), "title": "", "end": "", "travel_minutes": "15"}
    del form["assignees"]
    answer = page.post("/appointments/new", form)
    assert answer.status_code == 302, message_at(parsed(answer), "end")
    booked = Appointment.objects.get()
    assert (booked.title, booked.service_id, booked.travel_minutes) == ("Gas check", gas.pk, 15)
    assert (booked.end - booked.start).total_seconds() == 45 * 60
    assert [one.member for one in booked.assignments.all()] == [bob]


def test_the_script_is_told_the_same(page: Client, alice: Member, bob: Member) -> None:
    gas = service(alice, bob, durations=(60,), price="90 $")
    form = fields(page) | {"service": str(gas.pk)}
    shown = parsed(page.get("/appointments/service", form))
    told = json.loads(shown.one("div", class_="service-said")["data-fills"])
    assert told["values"]["title"] == "Gas check"
    assert told["values"]["end"] == "12:45"
    assert told["values"]["assignees"] == [str(bob.pk)]
    assert told["was"]["title"] == ""
    assert told["was"]["assignees"] == [str(alice.pk)]
    assert [b.words for b in shown.all("button")] == ["45 minutes", "1 hour"]
    assert "90 $" in shown.words
    for nothing in ({}, {**form, "service": ""}, {**form, "service": "x\x00"}):
        assert parsed(page.get("/appointments/service", nothing)).words == ""


@pytest.mark.parametrize(
    "filled",
    [
        '[1, "x"]',
        "[" * 15_000,
        '{"minutes": 1e999, "assignees": [[1], {}], "title": []}',
        '{"minutes": 99999999999999999999, "assignees": 3}',
        "9" * 6000,
    ],
    ids=["list", "deep", "odd", "large", "number"],
)
def test_what_a_page_claims_was_filled_in_breaks_nothing(
    page: Client, alice: Member, filled: str
) -> None:
    form = fields(page) | {"service": str(service(alice).pk), "service_filled": filled}
    for more in ({}, {"date": "9999-12-31"}, {"start": "x"}, {"timezone": "Nowhere"}):
        assert page.get("/appointments/service", {**form, **more}).status_code == 200
    assert page.post("/appointments/new", {**form, "use_service": "1"}).status_code == 200
    assert page.post("/appointments/new", form).status_code == 302


def test_why_a_time_is_not_offered_for_a_service(page: Client, alice: Member, bob: Member) -> None:
    asked = {"member": str(alice.pk), "date": "2026-11-30", "start": "09:00", "end": "09:45"}
    assert not parsed(page.get("/availability/explain")).all("select", name="service")
    gas = service(alice, bob)
    words = parsed(page.get("/availability/explain", {**asked, "service": str(gas.pk)})).words
    assert "Alice does not do “Gas check”." in words
    words = parsed(page.get("/availability/explain", asked)).words
    assert "does not do" not in words
    odd = page.get("/availability/explain", {**asked, "service": "x"})
    assert odd.status_code == 422


def test_the_time_check_says_what_does_not_fit(page: Client, alice: Member, bob: Member) -> None:
    gas = service(alice, bob, people=1, notice_minutes=1440)
    pair = service(alice, name="Boiler service", people=2)
    form = fields(page)
    words = parsed(page.get("/appointments/time-check", {**form, "service": str(gas.pk)})).words
    assert "Alice does not usually do “Gas check”." in words
    assert "at least 1 day ahead" in words
    words = parsed(page.get("/appointments/time-check", {**form, "service": str(pair.pk)})).words
    assert "“Boiler service” takes 2 people." in words


def test_an_appointment_keeps_its_service_and_shows_it(page: Client, alice: Member) -> None:
    gas = service(alice)
    said = details(service_id=gas.pk, travel_minutes=25)
    kept = book(by=alice, details=said, assignees=[alice])
    address = f"/appointments/{kept.pk}"
    editing.change(by=alice, service_id=gas.pk, to=lambda before: replace(before, active=False))
    form = fields(page, address)
    assert (form["service"], form["travel_minutes"]) == (str(gas.pk), "25")
    assert page.post(address, {**form, "title": "Other"}).status_code == 302
    # A page that was open since before there were services says nothing of them.
    old = {name: value for name, value in fields(page, address).items() if name != "service"}
    del old["travel_minutes"]
    assert page.post(address, {**old, "title": "Older"}).status_code == 302
    kept.refresh_from_db()
    assert (kept.title, kept.service_id, kept.travel_minutes) == ("Older", gas.pk, 25)
    job = parsed(page.get(address)).one("dl", class_="job-facts").words
    assert "ServiceGas check" in job
    assert "Travel before it25 minutes" in job
    copied = fields(page, f"/appointments/new?copy={kept.pk}")
    assert copied["travel_minutes"] == "25"
    form = fields(page, address)
    page.post(address, {**form, "service": "", "travel_minutes": "0"})
    kept.refresh_from_db()
    assert (kept.service_id, kept.travel_minutes) == (None, 0)
    history = page.get(address).content.decode()
    assert "Service: Gas check → –" in history
    assert "Travel before it: 25 minutes → –" in history


def test_an_impossible_service_or_way_is_refused(page: Client, alice: Member) -> None:
    service(alice)
    form = fields(page) | {"title": "Tap"}
    for name, value in (
        ("service", "x"),
        ("travel_minutes", "soon"),
        ("travel_minutes", "-5"),
        ("travel_minutes", "9" * 400),
    ):
        answer = page.post("/appointments/new", {**form, name: value})
        assert answer.status_code == 422
        assert message_at(parsed(answer), name)
