"""`/services`, and what a service gives to bookings, free times and explanations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import pytest
import time_machine

from sophiie.accounts.models import Member
from sophiie.accounts.people import add_member
from sophiie.appointments.models import Appointment
from sophiie.services.models import Service
from tests.api.problems import errors, problem
from tests.conftest import ApiCaller
from tests.services.made import service

pytestmark = pytest.mark.django_db
GAS = {
    "name": "Gas check",
    "description": "Every two years",
    "duration_minutes": 45,
    "durations": [60, 45],
    "buffer_before": 10,
    "buffer_after": None,
    "price": "from 90 $",
    "default_title": "Gas safety check",
    "default_notes": "Bring the meter",
}
NINE, TEN = "2026-11-30T09:00:00+11:00", "2026-11-30T10:00:00+11:00"
MONDAY = {"from": "2026-11-30T00:00:00+11:00", "to": "2026-12-01T00:00:00+11:00"}


@pytest.fixture(autouse=True)
def _thursday_before() -> Any:
    with time_machine.travel("2026-11-26T01:00:00Z", tick=False):
        yield


@pytest.fixture
def gas(api: ApiCaller) -> dict[str, Any]:
    answer = api("POST", "/services", GAS)
    assert answer.status_code == 201, answer.content
    assert answer["Location"] == f"/api/v1/services/{answer.json()['id']}"
    found: dict[str, Any] = answer.json()
    return found


def ask(api: ApiCaller, path: str, **query: Any) -> Any:
    return api("GET", f"{path}?{urlencode(query, doseq=True)}")


def test_a_service_is_stored_as_it_was_told(api: ApiCaller, gas: dict[str, Any]) -> None:
    assert gas["durations"] == [45, 60]
    assert {name: gas[name] for name in GAS} == {**GAS, "durations": [45, 60]}
    assert (gas["colour"], gas["people"], gas["member_ids"], gas["active"]) == ("blue", 1, [], True)
    assert api("GET", f"/services/{gas['id']}").json() == gas
    assert api("POST", "/services", {**GAS, "name": "Other"}).json()["colour"] == "olive"


def test_a_repeated_request_makes_one(api: ApiCaller) -> None:
    made = [api("POST", "/services", GAS, **{"Idempotency-Key": "once"}).json()["id"] for _ in "12"]
    assert made[0] == made[1]
    assert Service.objects.count() == 1


def test_any_subset_can_be_changed(api: ApiCaller, gas: dict[str, Any], bob: Member) -> None:
    one = f"/services/{gas['id']}"
    changed = api("PATCH", one, {"buffer_before": None, "member_ids": [str(bob.id)]}).json()
    assert changed == {**gas, "buffer_before": None, "member_ids": [str(bob.id)]}
    assert api("PATCH", one, {"durations": [30]}).json()["durations"] == [30, 45]
    only = api("POST", "/services", {"name": "Quote", "duration_minutes": 30}).json()
    longer = api("PATCH", f"/services/{only['id']}", {"duration_minutes": 40}).json()
    assert longer["durations"] == [40]
    assert errors(api("PATCH", one, {"name": None})) == {"name": ["This cannot be null."]}
    assert errors(api("PATCH", one, {"people": 3})).keys() == {"people"}
    assert errors(api("PATCH", one, {"price": "x" * 61})).keys() == {"price"}


def test_the_list_has_pages_and_can_leave_out_what_is_not_offered(
    api: ApiCaller, alice: Member
) -> None:
    made = sorted(str(service(alice, name=f"Service {n}").pk) for n in range(3))
    first = ask(api, "/services", limit=2).json()
    assert [one["id"] for one in first["items"]] == made[:2]
    rest = ask(api, "/services", limit=2, cursor=first["next_cursor"]).json()
    assert ([one["id"] for one in rest["items"]], rest["next_cursor"]) == (made[2:], None)
    api("PATCH", f"/services/{made[1]}", {"active": False})
    offered = ask(api, "/services", active="true").json()["items"]
    assert [one["id"] for one in offered] == [made[0], made[2]]
    assert errors(ask(api, "/services", cursor="x")).keys() == {"cursor"}


def test_members_read_and_do_not_change(
    api_of: Callable[[Member], ApiCaller], bob: Member, gas: dict[str, Any]
) -> None:
    api = api_of(bob)
    one = f"/services/{gas['id']}"
    assert api("GET", one).json() == gas
    problem(api("POST", "/services", GAS), 403)
    problem(api("PATCH", one, {"people": 2}), 403)
    problem(api("DELETE", one), 403)


def test_nothing_of_another_business_is_there(
    api_of: Callable[[Member], ApiCaller], charlie: Member, alice: Member, gas: dict[str, Any]
) -> None:
    api, one = api_of(charlie), f"/services/{gas['id']}"
    problem(api("GET", one), 404)
    problem(api("PATCH", one, {"people": 2}), 404)
    problem(api("DELETE", one), 404)
    assert api("GET", "/services").json()["items"] == []
    problem(ask(api, "/availability", **MONDAY, service=gas["id"]), 404)
    asked = {"member": charlie.email, "start": NINE, "service": gas["id"]}
    problem(ask(api, "/availability/explain", **asked), 404)
    problem(ask(api, "/appointments", service=gas["id"]), 404)
    booked = api("POST", "/appointments", {"start": NINE, "service_id": gas["id"]})
    assert errors(booked) == {"service_id": ["There is no service with this id."]}
    named = {**GAS, "name": "Cut", "member_ids": [str(alice.id)]}
    assert errors(api("POST", "/services", named)).keys() == {"member_ids"}


def test_a_booking_takes_from_the_service_what_it_does_not_say(
    api: ApiCaller, gas: dict[str, Any], alice: Member
) -> None:
    answer = api("POST", "/appointments", {"start": NINE, "service_id": gas["id"]})
    assert answer.status_code == 201, answer.content
    booked = answer.json()
    assert booked["title"] == "Gas safety check"
    assert booked["notes"] == "Bring the meter"
    assert booked["end"] == "2026-11-30T09:45:00+11:00"
    assert [one["id"] for one in booked["assignees"]] == [str(alice.id)]
    kept = ("service_id", "buffer_before", "buffer_after", "travel_minutes")
    assert [booked[name] for name in kept] == [gas["id"], 10, None, 0]
    said = {
        "start": TEN,
        "duration_minutes": 20,
        "title": "Gas smell",
        "notes": "",
        "travel_minutes": 15,
        "service_id": gas["id"],
    }
    other = api("POST", "/appointments", said).json()
    assert (other["title"], other["notes"], other["travel_minutes"]) == ("Gas smell", "", 15)
    assert other["end"] == "2026-11-30T10:20:00+11:00"
    listed = ask(api, "/appointments", service=gas["id"]).json()["items"]
    assert [one["id"] for one in listed] == [booked["id"], other["id"]]


def test_a_list_is_of_one_service_as_long_as_that_is_there(
    api: ApiCaller, gas: dict[str, Any]
) -> None:
    """One that is not offered any more still has its appointments; a deleted one has none."""
    one = f"/services/{gas['id']}"
    booked = api("POST", "/appointments", {"start": NINE, "service_id": gas["id"]}).json()
    api("POST", "/appointments", {"start": TEN, "duration_minutes": 20, "title": "Tap"})
    assert api("PATCH", one, {"active": False}).status_code == 200
    listed = ask(api, "/appointments", service=gas["id"]).json()["items"]
    assert [it["id"] for it in listed] == [booked["id"]]
    assert len(ask(api, "/appointments").json()["items"]) == 2
    assert api("DELETE", one).status_code == 204
    problem(ask(api, "/appointments", service=gas["id"]), 404)
    for odd in ("gas", "\x00", ""):
        assert errors(ask(api, "/appointments", service=odd)).keys() == {"service"}


def test_without_a_service_title_and_length_have_to_be_said(api: ApiCaller) -> None:
    start = {"start": NINE}
    assert errors(api("POST", "/appointments", {**start, "end": TEN})) == {
        "title": ["Field required"]
    }
    assert errors(api("POST", "/appointments", {**start, "title": "Tap"})).keys() == {"end"}


def test_a_service_is_booked_with_who_can_do_it_and_is_free(
    api: ApiCaller, alice: Member, bob: Member
) -> None:
    def team(**said: Any) -> set[str]:
        answer = api("POST", "/appointments", {"start": NINE, **said})
        assert answer.status_code == 201, answer.content
        Appointment.objects.get(pk=answer.json()["id"]).delete()
        return {one["name"] for one in answer.json()["assignees"]}

    bobs = str(service(alice, bob, name="Boiler service").pk)
    everybodys, for_two = str(service(alice).pk), str(service(alice, name="Two", people=2).pk)
    assert team(service_id=bobs) == {"Bob"}
    assert team(service_id=everybodys) == {"Alice"}
    assert team(service_id=for_two) == {"Alice", "Bob"}
    assert team(service_id=bobs, assignees=[alice.email]) == {"Alice"}  # on purpose
    api("POST", "/appointments", {"title": "Taken", "start": NINE, "end": TEN})
    assert team(service_id=everybodys) == {"Bob"}
    # Who is to do it is named by nobody, and nobody is free: the answer says what is in the way.
    taken = {"title": "Taken", "start": NINE, "end": TEN, "assignees": [bob.email]}
    api("POST", "/appointments", taken)
    refused = problem(api("POST", "/appointments", {"start": NINE, "service_id": bobs}), 409)
    assert [one["member_id"] for one in refused["conflicts"]] == [str(bob.id)]


def test_the_service_of_an_appointment_changes_and_goes(
    api: ApiCaller, gas: dict[str, Any]
) -> None:
    booked = api("POST", "/appointments", {"title": "Tap", "start": NINE, "end": TEN}).json()
    one = f"/appointments/{booked['id']}"
    changed = api("PATCH", one, {"service_id": gas["id"], "travel_minutes": 30}).json()
    assert (changed["service_id"], changed["buffer_before"]) == (gas["id"], 10)
    assert (changed["title"], changed["end"], changed["travel_minutes"]) == ("Tap", TEN, 30)
    assert api("DELETE", f"/services/{gas['id']}").status_code == 204
    after = api("GET", one).json()
    assert (after["service_id"], after["buffer_before"]) == (None, 10)
    assert (after["revision"], after["travel_minutes"]) == (changed["revision"], 30)
    unknown = api("PATCH", one, {"service_id": str(uuid4())})
    assert errors(unknown) == {"service_id": ["There is no service with this id."]}
    assert errors(api("PATCH", one, {"travel_minutes": 481})).keys() == {"travel_minutes"}
    assert errors(api("PATCH", one, {"travel_minutes": None})).keys() == {"travel_minutes"}


def test_free_times_for_a_service(api: ApiCaller, alice: Member, bob: Member) -> None:
    made = service(alice, bob, durations=(45, 60), buffer_after=60)
    asked = {**MONDAY, "service": str(made.pk)}
    answer = ask(api, "/availability", **asked).json()
    assert [one["member_id"] for one in answer["members"]] == [str(bob.id)]
    first = answer["slots"][0]
    assert (first["start"], first["end"]) == (NINE, "2026-11-30T09:45:00+11:00")
    longer = ask(api, "/availability", **asked, duration_minutes=60).json()["slots"][0]
    assert longer["end"] == TEN
    refused = errors(ask(api, "/availability", **asked, duration_minutes=50))
    assert refused == {"duration_minutes": ["One of the service's lengths: 45, 60."]}
    named = ask(api, "/availability", **asked, members=f"{alice.id},{bob.id}", match="all")
    assert errors(named) == {"members": ["This service is not done by Alice."]}
    nobody = ask(api, "/availability", **asked, members=str(alice.id)).json()
    assert (nobody["slots"], nobody["members"]) == ([], [])
    without = errors(ask(api, "/availability", **MONDAY))
    assert without == {"duration_minutes": ["Give a length, or a service."]}
    gone = service(alice, name="Gone", active=False)
    assert errors(ask(api, "/availability", **MONDAY, service=str(gone.pk))).keys() == {"service"}


def test_only_those_who_do_it_are_searched(api: ApiCaller, alice: Member, bob: Member) -> None:
    """A business has more members than one search takes, but few do the service."""
    for number in range(50):
        add_member(
            business=alice.business,
            email=f"colleague{number}@example.com",
            name="Colleague",
            role="member",
            password=None,
        )
    made = service(alice, bob)
    answer = ask(api, "/availability", **MONDAY, service=str(made.pk)).json()
    assert answer["slots"][0]["member_ids"] == [str(bob.id)]
    assert errors(ask(api, "/availability", **MONDAY, duration_minutes=60)).keys() == {"members"}


def test_a_slot_of_two_names_two(api: ApiCaller, alice: Member, bob: Member) -> None:
    made = service(alice, name="Two", people=2, duration_minutes=60)
    api("POST", "/appointments", {"title": "Taken", "start": NINE, "end": TEN})
    answer = ask(api, "/availability", **MONDAY, service=str(made.pk), step_minutes=60).json()
    assert answer["slots"][0]["start"] == TEN
    assert all(set(one["member_ids"]) == {str(alice.id), str(bob.id)} for one in answer["slots"])


def test_an_explanation_for_a_service_and_with_a_way(
    api: ApiCaller, alice: Member, bob: Member
) -> None:
    made = service(alice, bob)

    def rules(**asked: Any) -> list[str]:
        answer = ask(api, "/availability/explain", **asked).json()
        assert answer["offered"] == (not answer["reasons"])
        return [one["rule"] for one in answer["reasons"]]

    assert rules(member=bob.email, start=NINE, service=made.pk) == []
    assert rules(member=alice.email, start=NINE, service=made.pk) == ["service"]
    assert rules(member=bob.email, start=NINE, end=TEN, service=made.pk) == ["duration"]
    api("POST", "/appointments", {"title": "Taken", "start": NINE, "end": TEN})
    eleven = "2026-11-30T11:00:00+11:00"
    assert rules(member=alice.email, start=TEN, end=eleven) == []
    assert rules(member=alice.email, start=TEN, end=eleven, travel_minutes=15) == ["buffer"]
    missing = ask(api, "/availability/explain", member=bob.email, start=NINE)
    assert errors(missing) == {"end": ["Give an end, or a service."]}
