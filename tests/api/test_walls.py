"""The wall between businesses: another's id is an id of nothing, on every route."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sophiie.accounts.models import Member
from sophiie.api.urls import api as the_api
from sophiie.appointments.models import Appointment
from sophiie.customers.editing import find, make
from sophiie.customers.rules import CustomerDetails
from sophiie.resources.editing import make as make_resource
from sophiie.waiting_list.entries import Wish
from sophiie.waiting_list.entries import add as add_waiting
from tests.api.problems import errors, problem
from tests.api.test_life import PLAIN
from tests.conftest import ApiCaller
from tests.series.making import made
from tests.services.made import service

ROUTES = sorted(
    (method, path)
    for path, item in the_api.get_openapi_schema()["paths"].items()
    for method in item
    if "{" in path
)


def test_the_list_of_routes_is_the_whole_list() -> None:
    assert len(ROUTES) >= 6


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_an_id_of_another_business_is_not_found(
    api_of: Callable[[Member], ApiCaller],
    alice: Member,
    charlie: Member,
    booked: Appointment,
    method: str,
    path: str,
) -> None:
    known = make(by=alice, details=CustomerDetails(name="Dana"))
    its_service, series = service(alice), made(alice).series
    van = make_resource(by=alice, name="Van")
    address = path.removeprefix("/api/v1").format(
        appointment_id=booked.id,
        member_id=alice.id,
        customer_id=known.id,
        service_id=its_service.id,
        series_id=series.id,
        resource_id=van.id,
        entry_id=add_waiting(by=alice, wish=Wish(appointment_id=booked.id)).id,
    )
    is_named = any(kind in path for kind in ("customer", "service", "resource"))
    named = "name" if is_named else "title"
    body: dict[str, str] | None = {named: "Mine now"} if method == "patch" else None
    if path.endswith("/drift"):
        body = {"action": "accept"}
    if path.endswith("/merge"):
        body = {"customer_id": str(charlie.id)}
    if path.endswith("/undo"):
        body = {"act_id": str(series.acts.get().id)}
    if path.endswith("/repeat"):
        body = {"rule": "FREQ=DAILY;COUNT=2"}
    if path.endswith("/not-booked"):
        body = {"day": "2027-01-12", "in_the_way": "move"}
    if path.endswith("{series_id}") and method != "get":
        address += "?scope=all"
    foreign = problem(api_of(charlie)(method.upper(), address, body), 404)
    nothing = address.replace(str(booked.id), str(charlie.id)).replace(str(alice.id), "0" * 32)
    nothing = nothing.replace(str(its_service.id), "0" * 32).replace(str(series.id), "0" * 32)
    nothing = nothing.replace(str(known.id), "0" * 32).replace(str(van.id), "0" * 32)
    assert str(booked.id) not in str(foreign)
    assert str(known.id) not in str(foreign)
    assert str(its_service.id) not in str(foreign)
    problem(api_of(charlie)(method.upper(), nothing, body), 404)
    kept = Appointment.objects.get(pk=booked.pk)
    assert (kept.title, kept.revision, kept.deleted_at) == ("Leaking tap", 1, None)
    assert find(alice, known.id).name == "Dana"


def test_lists_hold_only_ones_own(
    api_of: Callable[[Member], ApiCaller], charlie: Member, booked: Appointment
) -> None:
    assert api_of(charlie)("GET", "/appointments").json()["items"] == []
    assert [m["name"] for m in api_of(charlie)("GET", "/members").json()["items"]] == ["Charlie"]


@pytest.mark.parametrize("name", ["id", "email"])
def test_nobody_of_another_business_can_be_assigned(
    api: ApiCaller, charlie: Member, booked: Appointment, name: str
) -> None:
    stranger = str(getattr(charlie, name))
    body = {"assignees": [stranger]}
    assert "assignees" in errors(api("POST", "/appointments", {**PLAIN, **body}))
    assert "assignees" in errors(api("PATCH", f"/appointments/{booked.id}", body))


def test_a_conflict_of_another_business_is_no_conflict(
    api: ApiCaller, api_of: Callable[[Member], ApiCaller], charlie: Member
) -> None:
    assert api("POST", "/appointments", PLAIN).status_code == 201
    assert api_of(charlie)("POST", "/appointments", PLAIN).status_code == 201
