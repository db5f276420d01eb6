"""409: what is in the way, as the contract names it; and what is said to be all right."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sophiie.accounts.models import Member
from sophiie.appointments.booking import book
from sophiie.appointments.models import Appointment
from tests.api.problems import problem
from tests.api.test_life import END, PLAIN, START
from tests.busy import TOO_OLD, busy, calendar_of
from tests.conftest import ApiCaller, details

# A few days before the one that is named below.
pytestmark = pytest.mark.time_machine("2026-11-26T01:00:00Z")

AT = datetime.fromisoformat(START)
UNTIL = datetime.fromisoformat(END)


def test_each_cause_is_named_in_the_zone_of_the_appointment(
    api: ApiCaller, alice: Member, bob: Member
) -> None:
    made = book(by=alice, details=details(start=AT), assignees=[alice])
    busy(alice, AT + timedelta(minutes=30), UNTIL)
    old = calendar_of(bob, age=TOO_OLD)
    body = {**PLAIN, "assignees": [alice.email, bob.email], "timezone": "Australia/Perth"}
    found = problem(api("POST", "/appointments", body), 409)
    assert found["type"].endswith("/conflict")
    assert "Alice is busy in Google 06:30–07:30." in found["detail"]
    checked_at = alice.busy_calendars.get().checked_at
    assert checked_at
    assert [_plain(conflict) for conflict in found["conflicts"]] == [
        {
            "member_id": str(alice.id),
            "start": "2026-12-01T09:00:00+11:00",  # that of the other appointment, in its zone
            "end": "2026-12-01T10:00:00+11:00",
            "source": "appointment",
            "appointment_id": str(made.id),
        },
        {
            "member_id": str(bob.id),
            "start": "2026-12-01T06:00:00+08:00",
            "end": "2026-12-01T07:30:00+08:00",
            "source": "unreadable",
            "checked_at": old.checked_at,
        },
        {
            "member_id": str(alice.id),
            "start": "2026-12-01T06:30:00+08:00",
            "end": "2026-12-01T07:30:00+08:00",
            "source": "google",
            "checked_at": checked_at,
        },
    ]


def _plain(conflict: dict[str, Any]) -> dict[str, Any]:
    if "checked_at" in conflict:
        assert conflict["checked_at"].endswith("+08:00")
        return {**conflict, "checked_at": datetime.fromisoformat(conflict["checked_at"])}
    return conflict


def test_a_calendar_that_was_never_read_has_no_time_of_reading(
    api: ApiCaller, alice: Member
) -> None:
    calendar_of(alice, age=None)
    found = problem(api("POST", "/appointments", PLAIN), 409)
    assert found["title"] == "It is not known whether this time is free"
    assert found["conflicts"][0].keys() == {"member_id", "start", "end", "source"}


def test_accept_unverified_is_for_everybody_and_allow_overlap_is_not(
    api_of: Any, alice: Member, bob: Member
) -> None:
    calendar_of(bob, age=TOO_OLD)
    theirs = api_of(bob)
    problem(theirs("POST", "/appointments", {**PLAIN, "allow_overlap": True}), 403)
    assert Appointment.objects.count() == 0
    made = theirs("POST", "/appointments", {**PLAIN, "accept_unverified": True})
    assert made.status_code == 201
    assert Appointment.objects.get().assignments.get().unverified


def test_moving_is_asked_the_same_and_can_be_told_the_same(api: ApiCaller, alice: Member) -> None:
    made = api("POST", "/appointments", PLAIN).json()
    calendar_of(alice, age=TOO_OLD)
    address = f"/appointments/{made['id']}"
    later = {"start": END, "duration_minutes": 30}
    assert problem(api("PATCH", address, later), 409)["conflicts"][0]["source"] == "unreadable"
    assert api("PATCH", address, {**later, "accept_unverified": True}).status_code == 200


def test_a_clash_that_came_later_is_told_with_the_appointment_and_in_lists(
    api: ApiCaller, alice: Member
) -> None:
    made = api("POST", "/appointments", PLAIN).json()
    assert made["clashes"] == []
    busy(alice, AT, AT + timedelta(minutes=30))
    (clash,) = api("GET", f"/appointments/{made['id']}").json()["clashes"]
    assert clash == {
        "member_id": str(alice.id),
        "start": "2026-12-01T09:00:00+11:00",
        "end": "2026-12-01T09:30:00+11:00",
        "source": "google",
        "appointment_id": None,
        "resource_id": None,
        "checked_at": clash["checked_at"],
    }
    assert api("GET", "/appointments").json()["items"][0]["clashes"] == [clash]


# -- holds ---------------------------------------------------------------------------------------


@pytest.fixture
def hold(api: ApiCaller) -> dict[str, Any]:
    response = api("POST", "/appointments", {**PLAIN, "hold_minutes": 10})
    assert response.status_code == 201, response.content
    return response.json()


def run_out(hold: dict[str, Any]) -> None:
    appointment = Appointment.objects.get(pk=hold["id"])
    appointment.held_until = datetime.now(UTC) - timedelta(seconds=1)
    appointment.save()
    appointment.assignments.update(held_until=appointment.held_until)


def test_a_hold_says_until_when(api: ApiCaller, hold: dict[str, Any]) -> None:
    assert (hold["status"], hold["sync"]) == ("held", [])
    assert hold["held_until"].endswith("+11:00")
    left = datetime.fromisoformat(hold["held_until"]) - datetime.now(UTC)
    assert timedelta(minutes=9) < left <= timedelta(minutes=10)
    assert api("GET", f"/appointments/{hold['id']}").json() == hold
    assert api("GET", "/appointments?status=held").json()["items"] == [hold]


@pytest.mark.parametrize("minutes", [0, 31, -5, "10", 1.5, True])
def test_minutes_that_cannot_be_are_refused_at_the_field(api: ApiCaller, minutes: object) -> None:
    response = api("POST", "/appointments", {**PLAIN, "hold_minutes": minutes})
    assert "hold_minutes" in problem(response, 422)["errors"]


@pytest.mark.parametrize("body", [None, {}, {"accept_unverified": True}])
def test_confirming_schedules_it(
    api: ApiCaller, hold: dict[str, Any], body: dict[str, Any] | None
) -> None:
    address = f"/appointments/{hold['id']}/confirm"
    response = api("POST", address, body)
    assert response.status_code == 200, response.content
    confirmed = response.json()
    assert (confirmed["status"], confirmed["held_until"]) == ("scheduled", None)
    assert response["ETag"] == '"2"'
    assert api("POST", address, body).json() == confirmed


def test_an_expired_hold_reads_as_cancelled_is_in_no_list_and_can_still_be_confirmed(
    api: ApiCaller, hold: dict[str, Any]
) -> None:
    run_out(hold)
    shown = api("GET", f"/appointments/{hold['id']}").json()
    assert shown["status"] == "cancelled"
    assert datetime.fromisoformat(shown["held_until"]) < datetime.now(UTC)
    for query in ("", "?status=held", "?status=cancelled"):
        assert api("GET", f"/appointments{query}").json()["items"] == []
    assert api("POST", f"/appointments/{hold['id']}/confirm").json()["status"] == "scheduled"


def test_an_expired_hold_whose_time_went_to_another_is_a_conflict(
    api: ApiCaller, hold: dict[str, Any]
) -> None:
    run_out(hold)
    other = api("POST", "/appointments", PLAIN).json()
    found = problem(api("POST", f"/appointments/{hold['id']}/confirm"), 409)
    assert [c["appointment_id"] for c in found["conflicts"]] == [other["id"]]


def test_only_a_hold_is_confirmed(api: ApiCaller, api_of: Any, charlie: Member) -> None:
    made = api("POST", "/appointments", PLAIN).json()
    api("POST", f"/appointments/{made['id']}/cancel")
    found = problem(api("POST", f"/appointments/{made['id']}/confirm"), 409)
    assert found["type"].endswith("/not-held")
    assert "it is cancelled" in found["detail"]
    problem(api_of(charlie)("POST", f"/appointments/{made['id']}/confirm"), 404)


def test_setting_the_status_confirms_too(api: ApiCaller, hold: dict[str, Any]) -> None:
    changed = api("PATCH", f"/appointments/{hold['id']}", {"status": "scheduled"}).json()
    assert (changed["status"], changed["held_until"]) == ("scheduled", None)


def test_a_hold_asked_for_again_with_its_key_is_the_same_hold(api: ApiCaller) -> None:
    key = {"Idempotency-Key": "call-4711"}
    body = {**PLAIN, "hold_minutes": 5}
    first = api("POST", "/appointments", body, **key).json()
    assert api("POST", "/appointments", body, **key).json() == first
    assert Appointment.objects.count() == 1


def test_a_conflict_with_google_is_kept_under_its_key_too(api: ApiCaller, alice: Member) -> None:
    key = {"Idempotency-Key": "call-4712"}
    period = busy(alice, AT, UNTIL)
    first = problem(api("POST", "/appointments", PLAIN, **key), 409)
    period.delete()
    assert problem(api("POST", "/appointments", PLAIN, **key), 409) == first
    assert api("POST", "/appointments", PLAIN).status_code == 201
