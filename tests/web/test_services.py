"""Services in Settings, in the appointment form, in the calendar, on the sheet."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
import time_machine
from django.test import Client

from sophiie.accounts.models import Member
from sophiie.appointments.booking import book
from sophiie.appointments.models import Appointment
from sophiie.appointments.services import delete_service
from sophiie.services import editing
from sophiie.services.models import Service
from tests.conftest import details, tomorrow_at
from tests.services.made import service
from tests.web.pages import Element, alerts, message_at, parsed, statuses, values

pytestmark = pytest.mark.django_db
LIST = "/settings/services"
PageOf = Callable[[Member], Client]


@pytest.fixture(autouse=True)
def _thursday_noon() -> Iterator[None]:
    """Thursday 26 November 2026, 12:00 in Sydney: a working day."""
    with time_machine.travel("2026-11-26T01:00:00Z", tick=False):
        yield


def form_at(page: Client, path: str) -> dict[str, Any]:
    """What a browser would send for the service's form."""
    (form,) = [f for f in parsed(page.get(path)).all("form") if f.all(name="duration_minutes")]
    sent: dict[str, Any] = {}
    for field in form.all("input"):
        if field["type"] in ("checkbox", "radio"):
            if "checked" in field.attributes:
                sent.setdefault(field["name"], []).append(field["value"])
        else:
            sent[field["name"]] = field["value"]
    for field in form.all("textarea"):
        sent[field["name"]] = field.text.removeprefix("\n")
    sent.pop("csrfmiddlewaretoken")
    for field in form.all("select"):
        chosen = [o for o in field.all("option") if "selected" in o.attributes]
        sent[field["name"]] = chosen[0]["value"] if chosen else ""
    return sent


# -- Settings ------------------------------------------------------------------------------------


def test_a_service_is_made_changed_and_not_offered_any_more(page: Client, bob: Member) -> None:
    form = form_at(page, f"{LIST}/new")
    assert (form["duration_minutes"], form["people"], form["colour"]) == ("60", "1", ["blue"])
    said = {
        "name": "Gas check",
        "durations": "90; 45",
        "member_ids": [str(bob.pk)],
        "price": "from 90 $",
        "buffer_before": "15",
        "window_days": "30",
        "default_notes": "Bring\r\nthe meter",
    }
    shown = parsed(page.post(f"{LIST}/new", {**form, **said}, follow=True))
    assert "“Gas check” is saved." in statuses(shown)
    made = Service.objects.get()
    assert (made.durations, made.buffer_before, made.buffer_after) == ([45, 60, 90], 15, None)
    assert (made.window_days, made.default_notes) == (30, "Bring\nthe meter")
    row = shown.one("li", class_="list-row service-row who-0").words
    assert "45 minutes, 1 hour or 90 minutes · from 90 $ · done by Bob" in row
    again = form_at(page, f"{LIST}/{made.pk}")
    assert again["durations"] == "45, 90"
    assert {**form, **said, "durations": "45, 90", "default_notes": "Bring\nthe meter"} == again
    page.post(f"{LIST}/{made.pk}", {**again, "buffer_before": "", "name": "Gas"})
    made.refresh_from_db()
    assert (made.name, made.buffer_before, made.active) == ("Gas", None, True)
    for value, words in (("0", "“Gas” is not offered any more."), ("1", "“Gas” is offered.")):
        shown = parsed(page.post(f"{LIST}/{made.pk}/active", {"active": value}, follow=True))
        assert words in statuses(shown)
        made.refresh_from_db()
        assert made.active is (value == "1")


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("name", " ", "Give the service a name."),
        ("duration_minutes", "an hour", "Write a whole number."),
        ("duration_minutes", "0", "Between 1 and 44640."),
        ("durations", "45, long", "Write lengths in minutes, such as 45, 60, 90."),
        ("durations", "9" * 4000, "Write lengths in minutes, such as 45, 60, 90."),
        ("people", "51", "Between 1 and 50."),
        ("price", "x" * 61, "At most 60 characters; this has 61."),
        ("buffer_after", "-5", "Choose from the list."),
        ("window_days", "x", "Choose from the list."),
    ],
    ids=lambda value: str(value)[:12],
)
def test_a_mistake_is_told_at_its_field_and_nothing_is_lost(
    page: Client, field: str, value: str, words: str
) -> None:
    form = form_at(page, f"{LIST}/new") | {"name": "Gas check", "description": "Typed"}
    answer = page.post(f"{LIST}/new", {**form, field: value})
    assert answer.status_code == 422
    shown = parsed(answer)
    assert words in message_at(shown, field)
    assert "Typed" in shown.one("textarea", name="description").text
    assert not Service.objects.exists()


def test_a_colour_or_a_person_that_is_none_is_refused(page: Client, charlie: Member) -> None:
    form = form_at(page, f"{LIST}/new") | {"name": "Gas check"}
    for field, value in (("colour", "red;x"), ("member_ids", str(charlie.pk))):
        assert page.post(f"{LIST}/new", {**form, field: [value]}).status_code == 422
    assert not Service.objects.exists()


def test_two_of_the_same_name_cannot_be_offered(page: Client, alice: Member) -> None:
    old = service(alice)
    form = form_at(page, f"{LIST}/new") | {"name": "gas check"}
    answer = page.post(f"{LIST}/new", form)
    assert "already an active service" in message_at(parsed(answer), "name")
    editing.change(by=alice, service_id=old.pk, to=lambda before: replace(before, active=False))
    page.post(f"{LIST}/new", form)
    shown = parsed(page.post(f"{LIST}/{old.pk}/active", {"active": "1"}, follow=True))
    assert "already an active service" in alerts(shown)


def test_deleting_asks_first_and_keeps_appointments(page: Client, alice: Member) -> None:
    made = service(alice, buffer_after=30)
    kept = book(by=alice, details=details(service_id=made.pk), assignees=[alice])
    assert "Delete Gas check?" in parsed(page.get(f"{LIST}/{made.pk}/delete")).one("section").words
    assert Service.objects.exists()
    shown = parsed(page.post(f"{LIST}/{made.pk}/delete", follow=True))
    assert "“Gas check” is deleted." in statuses(shown)
    found = Appointment.objects.get(pk=kept.pk)
    assert (found.service_id, found.buffer_after_minutes) == (None, 30)
    assert "Service: – → Gas check" not in page.get(f"/appointments/{kept.pk}").content.decode()


def test_members_read_and_strangers_find_nothing(
    page_of: PageOf, alice: Member, bob: Member, charlie: Member
) -> None:
    made = service(alice, description="Every two years")
    shown = parsed(page_of(bob).get(LIST))
    assert "Every two years" in shown.one("section").words
    assert not shown.all("a", href=f"{LIST}/new")
    for path in (f"{LIST}/new", f"{LIST}/{made.pk}", f"{LIST}/{made.pk}/delete"):
        assert page_of(bob).get(path).status_code == 403
        assert page_of(bob).post(path, {"name": "Mine"}).status_code == 403
    assert page_of(bob).post(f"{LIST}/{made.pk}/active", {"active": "0"}).status_code == 403
    assert "Gas check" not in page_of(charlie).get(LIST).content.decode()
    for path in (f"{LIST}/{made.pk}", f"{LIST}/{made.pk}/active", f"{LIST}/{made.pk}/delete"):
        assert page_of(charlie).post(path, {"name": "Mine"}).status_code == 404
    assert Service.objects.get().active


# -- the appointment form ------------------------------------------------------------------------


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


# -- the calendar --------------------------------------------------------------------------------


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
