"""An appointment's life over the API, in the shapes of the contract."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import pytest
from django.test import Client

from sophiie.accounts.models import Member
from sophiie.appointments.models import Appointment
from tests.api.problems import errors, problem
from tests.conftest import ApiCaller

APPOINTMENT = {
    *("id", "title", "notes", "location", "start", "end", "timezone", "status", "assignees"),
    *("customer", "customer_id", "revision", "held_until", "created_at", "updated_at", "sync"),
    *("clashes", "service_id", "travel_minutes", "buffer_before", "buffer_after", "series"),
    "resource_ids",
}
# 09:00 in Sydney, where it is summer.
START, END = "2026-12-01T09:00:00+11:00", "2026-12-01T10:30:00+11:00"
PLAIN = {"title": "Leaking tap", "start": START, "end": END}


@pytest.fixture
def made(api: ApiCaller) -> dict[str, Any]:
    response = api("POST", "/appointments", PLAIN)
    assert response.status_code == 201, response.content
    body: dict[str, Any] = response.json()
    return body


def test_a_booking_is_answered_whole(api: ApiCaller, alice: Member, bob: Member) -> None:
    response = api(
        "POST",
        "/appointments",
        {
            **PLAIN,
            "location": "12 Bay Street",
            "notes": "Ring twice\nDog",
            "timezone": "Australia/Perth",
            "assignees": [bob.email, str(alice.id)],
            "customer": {"name": "Ms Green", "phone": "+61 2 5550 1234", "email": "g@example.com"},
        },
    )
    assert response.status_code == 201
    body = response.json()
    assert body.keys() == APPOINTMENT
    assert response["Location"] == f"/api/v1/appointments/{body['id']}"
    assert response["ETag"] == '"1"'
    assert UUID(body["id"])
    people = [{"id": str(m.id), "name": m.name, "email": m.email} for m in (bob, alice)]
    assert body["assignees"] == people
    assert body["customer"] == {
        "name": "Ms Green",
        "phone": "+61 2 5550 1234",
        "email": "g@example.com",
    }
    assert (body["title"], body["location"]) == ("Leaking tap", "12 Bay Street")
    assert (body["notes"], body["status"]) == ("Ring twice\nDog", "scheduled")
    assert (body["revision"], body["held_until"], body["sync"]) == (1, None, [])
    # The same instants, as the clocks of Perth show them.
    assert body["timezone"] == "Australia/Perth"
    assert (body["start"], body["end"]) == (
        "2026-12-01T06:00:00+08:00",
        "2026-12-01T07:30:00+08:00",
    )
    assert api("GET", f"/appointments/{body['id']}").json() == body


def test_what_is_left_out_has_a_sensible_default(made: dict[str, Any], alice: Member) -> None:
    assert made["timezone"] == "Australia/Sydney"
    assert [person["id"] for person in made["assignees"]] == [str(alice.id)]
    assert (made["customer"], made["location"], made["notes"]) == (None, "", "")


@pytest.mark.parametrize(
    ("start", "shown"),
    [
        ("2026-12-01T09:00:00+11:00", "2026-12-01T09:00:00+11:00"),
        ("2026-11-30T22:00:00Z", "2026-12-01T09:00:00+11:00"),
        ("2026-06-30T23:00:00Z", "2026-07-01T09:00:00+10:00"),  # no summer time in July
        # Both of the two times that the clocks call 02:30.
        ("2027-04-03T15:30:00Z", "2027-04-04T02:30:00+11:00"),
        ("2027-04-03T16:30:00Z", "2027-04-04T02:30:00+10:00"),
    ],
)
def test_instants_are_shown_with_the_offset_of_their_zone(
    api: ApiCaller, start: str, shown: str
) -> None:
    body = {"title": "x", "start": start, "duration_minutes": 15}
    assert api("POST", "/appointments", body).json()["start"] == shown


def test_a_duration_may_stand_in_place_of_the_end(api: ApiCaller) -> None:
    body = {"title": "x", "start": START, "duration_minutes": 90}
    assert api("POST", "/appointments", body).json()["end"] == END


def test_a_change_touches_only_what_is_named(api: ApiCaller, made: dict[str, Any]) -> None:
    response = api("PATCH", f"/appointments/{made['id']}", {"title": "Burst pipe"})
    assert response.status_code == 200
    assert response["ETag"] == '"2"'
    body = response.json()
    assert body.pop("updated_at") > made.pop("updated_at")
    assert body == {**made, "title": "Burst pipe", "revision": 2}


def test_a_change_that_changes_nothing_keeps_the_revision(
    api: ApiCaller, made: dict[str, Any]
) -> None:
    same = {"title": "Leaking tap", "start": START, "duration_minutes": 90, "customer": None}
    assert api("PATCH", f"/appointments/{made['id']}", same).json() == made
    assert api("PATCH", f"/appointments/{made['id']}", {}).json() == made


def test_a_new_zone_keeps_the_instant_and_a_new_time_keeps_the_zone(
    api: ApiCaller, made: dict[str, Any]
) -> None:
    one = f"/appointments/{made['id']}"
    body = api("PATCH", one, {"timezone": "Europe/London"}).json()
    assert (body["start"], body["timezone"]) == ("2026-11-30T22:00:00Z", "Europe/London")
    body = api("PATCH", one, {"start": "2026-12-01T09:15:00+11:00", "duration_minutes": 5}).json()
    assert body["start"] == "2026-11-30T22:15:00Z"
    assert body["end"] == "2026-11-30T22:20:00Z"


def test_a_customer_can_be_replaced_and_removed(api: ApiCaller, made: dict[str, Any]) -> None:
    one = f"/appointments/{made['id']}"
    body = api("PATCH", one, {"customer": {"name": "Mr Brown", "phone": "1"}}).json()
    assert body["customer"] == {"name": "Mr Brown", "phone": "1", "email": ""}
    body = api("PATCH", one, {"customer": {"email": "b@example.com"}}).json()
    assert body["customer"] == {"name": "", "phone": "", "email": "b@example.com"}
    assert api("PATCH", one, {"customer": None}).json()["customer"] is None


def test_assignees_are_replaced_as_a_whole(
    api: ApiCaller, made: dict[str, Any], bob: Member
) -> None:
    body = api("PATCH", f"/appointments/{made['id']}", {"assignees": [bob.email]}).json()
    assert [person["name"] for person in body["assignees"]] == ["Bob"]
    assert errors(api("PATCH", f"/appointments/{made['id']}", {"assignees": []}))["assignees"]


@pytest.mark.parametrize("status", ["completed", "no_show", "cancelled"])
def test_statuses_lead_out_and_back(api: ApiCaller, made: dict[str, Any], status: str) -> None:
    one = f"/appointments/{made['id']}"
    assert api("PATCH", one, {"status": status}).json()["status"] == status
    assert api("PATCH", one, {"status": "scheduled"}).json()["status"] == "scheduled"


def test_a_cancellation_stands_alone(api: ApiCaller, made: dict[str, Any]) -> None:
    body = {"status": "cancelled", "title": "x"}
    assert "status" in errors(api("PATCH", f"/appointments/{made['id']}", body))


def test_cancel_frees_the_time_and_twice_is_as_once(api: ApiCaller, made: dict[str, Any]) -> None:
    first = api("POST", f"/appointments/{made['id']}/cancel")
    assert (first.status_code, first.json()["status"]) == (200, "cancelled")
    assert api("POST", f"/appointments/{made['id']}/cancel").json() == first.json()
    assert api("POST", "/appointments", PLAIN).status_code == 201


def test_a_deleted_appointment_is_not_found_but_kept(api: ApiCaller, made: dict[str, Any]) -> None:
    one = f"/appointments/{made['id']}"
    response = api("DELETE", one)
    assert (response.status_code, response.content) == (204, b"")
    for method in ("GET", "PATCH", "DELETE"):
        problem(api(method, one, {} if method == "PATCH" else None), 404)
    assert Appointment.objects.filter(pk=made["id"]).exists()


def test_retry_sync_of_what_is_in_nobodys_calendar_is_harmless(
    api: ApiCaller, made: dict[str, Any]
) -> None:
    assert api("POST", f"/appointments/{made['id']}/retry-sync").json() == made


def test_a_conflict_names_what_is_in_the_way(
    api: ApiCaller, made: dict[str, Any], alice: Member
) -> None:
    for response in (
        api("POST", "/appointments", {**PLAIN, "title": "Second"}),
        api("POST", "/appointments", {**PLAIN, "timezone": "Europe/London"}),
    ):
        body = problem(response, 409)
        assert body["type"].endswith("/conflict")
        assert body["conflicts"] == [
            {
                "member_id": str(alice.id),
                "start": made["start"],
                "end": made["end"],
                "source": "appointment",
                "appointment_id": made["id"],
            }
        ]


def test_moving_into_a_conflict_is_refused(api: ApiCaller, made: dict[str, Any]) -> None:
    other = {"title": "Other", "start": END, "duration_minutes": 30}
    body = api("POST", "/appointments", other).json()
    response = api("PATCH", f"/appointments/{body['id']}", {"start": START})
    assert problem(response, 409)["conflicts"][0]["appointment_id"] == made["id"]


def test_overlaps_are_allowed_to_those_who_manage(
    api: ApiCaller, api_of: Any, bob: Member, made: dict[str, Any]
) -> None:
    over = {**PLAIN, "allow_overlap": True}
    problem(api_of(bob)("POST", "/appointments", {**over, "assignees": [bob.email]}), 403)
    assert api("POST", "/appointments", over).status_code == 201


@pytest.mark.parametrize(
    ("if_match", "status"),
    [
        ("1", 200),
        ('"1"', 200),
        ('W/"1"', 200),
        ("*", 200),
        ("", 200),
        ("2", 412),
        ('"0"', 412),
        ("999999999", 412),
        ("9" * 40, 400),
        ("garbage", 400),
        ("-1", 400),
        ('"1", "2"', 400),
        ("١", 400),  # a digit, but not one of these
    ],
)
@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
def test_if_match_protects_what_others_wrote(
    api: ApiCaller, made: dict[str, Any], if_match: str, status: int, method: str
) -> None:
    body = {"title": "Mine"} if method == "PATCH" else None
    response = api(method, f"/appointments/{made['id']}", body, **{"If-Match": if_match})
    if status == 200:
        assert response.status_code in (200, 204)
        return
    said = problem(response, status)
    if status == 412:
        assert said["revision"] == 1
    assert Appointment.objects.get().revision == 1


def test_a_stale_cancellation_by_patch_is_refused(api: ApiCaller, made: dict[str, Any]) -> None:
    cancel = {"status": "cancelled"}
    problem(api("PATCH", f"/appointments/{made['id']}", cancel, **{"If-Match": "7"}), 412)


def test_times_are_rfc_3339_with_offset_everywhere(made: dict[str, Any]) -> None:
    for name in ("start", "end", "created_at", "updated_at"):
        assert datetime.fromisoformat(made[name]).utcoffset() is not None
        assert made[name].endswith(("+11:00", "+10:00"))


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
@pytest.mark.parametrize("bad", ["not-an-id", "1", str(UUID(int=4, version=4)), "%00", "..%2F.."])
def test_what_is_no_appointment_is_not_found(api: ApiCaller, method: str, bad: str) -> None:
    problem(api(method, f"/appointments/{bad}", {} if method == "PATCH" else None), 404)


@pytest.mark.parametrize("zone", ["Etc/UTC", "GMT", "UTC"])
def test_common_time_by_any_of_its_names(api: ApiCaller, page: Client, zone: str) -> None:
    answer = api("POST", "/appointments", {**PLAIN, "timezone": zone})
    assert answer.status_code == 201
    made = answer.json()
    assert made["timezone"] == zone
    assert datetime.fromisoformat(made["start"]) == datetime.fromisoformat(START)
    assert page.get(f"/appointments/{made['id']}").status_code == 200
