"""Resources in the API and on the pages: what they say, and who may."""

from __future__ import annotations

from collections.abc import Callable
from datetime import time
from typing import Any

import pytest
from django.test import Client

from sophiie.accounts.models import Member
from sophiie.appointments.booking import book
from sophiie.appointments.models import Appointment
from sophiie.appointments.resources import resources_used
from sophiie.availability.editing import save_week
from sophiie.availability.hours import Span
from sophiie.resources.editing import change, make
from sophiie.resources.models import Resource
from tests.api.problems import errors, problem
from tests.conftest import ApiCaller, details, tomorrow_at
from tests.web.pages import alerts, parsed, values

pytestmark = pytest.mark.django_db


START = tomorrow_at(1)
PLAIN: dict[str, Any] = {
    "title": "Leaking tap",
    "start": START.isoformat(),
    "duration_minutes": 60,
}


@pytest.fixture
def page_of() -> Callable[[Member], Client]:
    def signed_in(member: Member) -> Client:
        client = Client()
        client.force_login(member, backend="allauth.account.auth_backends.AuthenticationBackend")
        return client

    return signed_in


@pytest.fixture
def van(alice: Member) -> Resource:
    return make(by=alice, name="Blue van", kind="van")


def test_the_life_of_a_resource_in_the_api(api: ApiCaller) -> None:
    made = api("POST", "/resources", {"name": "Room 2", "kind": "room"})
    assert made.status_code == 201
    one = made["Location"].removeprefix("/api/v1")
    assert api("GET", one).json() == made.json()
    assert "name" in errors(api("POST", "/resources", {"name": "room 2"}))
    changed = api("PATCH", one, {"name": "Room 3", "active": False}).json()
    assert (changed["name"], changed["kind"], changed["active"]) == ("Room 3", "room", False)
    assert [r["name"] for r in api("GET", "/resources").json()["items"]] == ["Room 3"]
    assert api("DELETE", one).status_code == 204
    problem(api("GET", one), 404)


def test_an_appointment_needs_resources_and_a_conflict_names_them(
    api: ApiCaller, bob: Member, van: Resource
) -> None:
    first = api("POST", "/appointments", {**PLAIN, "resource_ids": [str(van.id)]}).json()
    assert first["resource_ids"] == [str(van.id)]
    one = f"/appointments/{first['id']}"
    assert api("GET", one).json()["resource_ids"] == [str(van.id)]
    assert api("GET", "/appointments").json()["items"][0]["resource_ids"] == [str(van.id)]
    asked = {**PLAIN, "assignees": [bob.email], "resource_ids": [str(van.id)]}
    refused = problem(api("POST", "/appointments", asked), 409)
    assert refused["title"] == "A resource is in use at this time"
    (obstacle,) = refused["conflicts"]
    assert obstacle["source"] == "resource"
    assert obstacle["resource_id"] == str(van.id)
    assert obstacle["appointment_id"] == first["id"]
    assert "member_id" not in obstacle
    assert problem(api("DELETE", f"/resources/{van.id}"), 409)["type"].endswith("in-use")
    assert api("PATCH", one, {"title": "Tap"}).json()["resource_ids"] == [str(van.id)]
    assert api("PATCH", one, {"resource_ids": []}).json()["resource_ids"] == []
    assert api("POST", "/appointments", asked).status_code == 201


@pytest.mark.every_date
def test_free_times_and_explanations_ask_for_resources(
    api: ApiCaller, alice: Member, bob: Member, van: Resource
) -> None:
    save_week(by=alice, member=bob, week=((Span(time(9), time(18)),),) * 7)
    booked = book(by=alice, details=details(), assignees=[alice], resources=[van])
    span = f"start={booked.start:%Y-%m-%dT%H:%MZ}&end={booked.end:%Y-%m-%dT%H:%MZ}"
    asked = f"/availability/explain?member={bob.id}&{span}"
    assert api("GET", asked).json()["offered"] is True
    (reason,) = api("GET", f"{asked}&resource={van.id}").json()["reasons"]
    assert (reason["rule"], reason["appointment_id"]) == ("resource", str(booked.id))
    period = f"from={tomorrow_at(0):%Y-%m-%dT%H:%MZ}&to={tomorrow_at(4):%Y-%m-%dT%H:%MZ}"
    free = f"/availability?{period}&duration_minutes=60&members={bob.id}"
    slots = len(api("GET", free).json()["slots"])
    assert 0 < len(api("GET", f"{free}&resource={van.id}").json()["slots"]) < slots
    assert "resource" in errors(api("GET", f"{free}&resource=van"))
    assert "resource" in errors(api("GET", f"{free}&resource={bob.id}"))


def test_the_resources_of_another_business_do_not_exist(
    api_of: Callable[[Member], ApiCaller],
    page_of: Callable[[Member], Client],
    charlie: Member,
    van: Resource,
) -> None:
    theirs = api_of(charlie)
    one = f"/resources/{van.id}"
    assert theirs("GET", "/resources").json()["items"] == []
    for method, body in (("GET", None), ("PATCH", {"name": "Mine"}), ("DELETE", None)):
        problem(theirs(method, one, body), 404)
    named = {"resource_ids": [str(van.id)]}
    assert "resource_ids" in errors(theirs("POST", "/appointments", {**PLAIN, **named}))
    page = page_of(charlie)
    assert not parsed(page.get("/settings/resources")).all("li", class_="list-row")
    assert page.get(f"/settings{one}").status_code == 404
    assert page.post(f"/settings{one}", {"name": "Mine"}).status_code == 404
    assert page.post(f"/settings{one}/delete").status_code == 404
    assert Resource.objects.get().name == "Blue van"


def test_only_those_who_manage_the_business_change_them(
    api_of: Callable[[Member], ApiCaller],
    page_of: Callable[[Member], Client],
    bob: Member,
    van: Resource,
) -> None:
    api, page = api_of(bob), page_of(bob)
    one = f"/resources/{van.id}"
    problem(api("POST", "/resources", {"name": "Room"}), 403)
    problem(api("PATCH", one, {"name": "Bob's"}), 403)
    problem(api("DELETE", one), 403)
    for path in ("/settings/resources", f"/settings{one}"):
        assert page.get(path).status_code == 403
    assert page.post(f"/settings{one}/delete").status_code == 403
    assert api("GET", one).json()["name"] == "Blue van"
    booked = api("POST", "/appointments", {**PLAIN, "resource_ids": [str(van.id)]})
    assert booked.status_code == 201


def test_the_page_adds_changes_and_deletes(page: Client, alice: Member) -> None:
    added = page.post("/settings/resources", {"name": "Room 2", "kind": "room"}, follow=True)
    assert "“Room 2” is added." in parsed(added).words
    one = f"/settings/resources/{Resource.objects.get().pk}"
    assert page.post("/settings/resources", {"name": "room 2"}).status_code == 422
    page.post(one, {"name": "Room 3", "kind": "", "active": "on"})
    assert "Room 3" in parsed(page.get("/settings/resources")).words
    room = Resource.objects.get()
    booked = book(by=alice, details=details(), assignees=[alice], resources=[room])
    refused = page.post(f"{one}/delete", follow=True)
    assert "Coming appointments need it" in alerts(parsed(refused))
    page.post(one, {"name": "Room 3", "kind": ""})
    assert "not in use any more" in parsed(page.get("/settings/resources")).words
    page.post(f"/appointments/{booked.id}/delete")
    page.post(f"{one}/delete")
    assert not Resource.objects.exists()


def test_the_form_asks_only_if_the_business_has_some(
    page: Client, alice: Member, bob: Member
) -> None:
    assert not parsed(page.get("/appointments/new")).all(id="resources-legend")
    van = make(by=alice, name="Blue van")
    form: Any = values(parsed(page.get("/appointments/new")))
    form |= {"title": "Tap", "resources": [str(van.id)]}
    page.post("/appointments/new", form)
    tap = Appointment.objects.get()
    assert resources_used(tap) == [van]
    where = f"/appointments/{tap.id}"
    assert "ResourcesBlue van" in parsed(page.get(f"{where}/sheet")).words
    assert values(parsed(page.get(where)))["resources"] == [str(van.id)]
    # Somebody else's appointment at the same time, with the same van.
    check = page.get("/appointments/time-check", form | {"assignees": [str(bob.id)]})
    assert "Blue van is used by “Tap” on" in parsed(check).words
    refused = page.post("/appointments/new", form | {"assignees": [str(bob.id)]})
    assert refused.status_code == 409
    assert "Book anyway, over “Tap”, which uses Blue van" in parsed(refused).words
    kept: Any = values(parsed(page.get(where)))
    page.post(where, kept | {"resources": []})
    assert resources_used(tap) == []
    assert "Resources: Blue van → –" in parsed(page.get(where)).words


def test_the_quick_form_takes_what_the_business_has_in_use(
    page: Client, alice: Member, charlie: Member, van: Resource
) -> None:
    theirs = make(by=charlie, name="Their van")
    lift = make(by=alice, name="Lift")
    change(by=alice, resource_id=lift.pk, active=False)
    offered = parsed(page.get("/calendar")).one(id="cal-quick").all("input", name="resources")
    assert [box["value"] for box in offered] == [str(van.pk)]
    asked = {
        "title": "Tap",
        "start": "2026-12-03T12:00:00",
        "end": "2026-12-03T13:00:00",
        "assignees": [str(alice.pk)],
    }

    def booking_with(*ids: Any) -> Any:
        said = {**asked, "resource_ids": [str(one) for one in ids]}
        return page.post("/calendar/book", said, content_type="application/json")

    for nothing in (theirs.pk, lift.pk, alice.pk):
        refused = booking_with(van.pk, nothing)
        assert refused.status_code == 422
        assert "There is no such resource" in refused.json()["errors"]["resource_ids"]
    assert booking_with("x").status_code == 400
    assert booking_with(van.pk, van.pk).status_code == 201
    assert resources_used(Appointment.objects.get()) == [van]


def test_an_address_names_resources_for_the_form(
    page: Client, charlie: Member, van: Resource
) -> None:
    theirs = make(by=charlie, name="Their van")
    form = values(
        parsed(page.get("/appointments/new", {"resources": [van.pk, theirs.pk, "x\x00"]}))
    )
    assert form["resources"] == [str(van.pk)]
    assert form["repeat"] == ""
    for asked, shown in (("weekly", "weekly"), ("yearly", ""), ("x\x00", "")):
        form = values(parsed(page.get("/appointments/new", {"repeat": asked})))
        assert form["repeat"] == shown
