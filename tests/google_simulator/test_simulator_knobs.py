"""The knobs: faults, log, clock, reset, and that other web sites cannot turn them."""

from __future__ import annotations

import time
from http.client import HTTPConnection, HTTPException
from urllib.parse import urlsplit

import pytest

from google_simulator.client import GoogleClient, answers
from google_simulator.control import ControlError
from google_simulator.testing import RunningSimulator

ALICE = "alice@example.com"
EVENT = {
    "summary": "Leaking tap",
    "start": {"dateTime": "2026-12-01T10:00:00+11:00"},
    "end": {"dateTime": "2026-12-01T11:00:00+11:00"},
}


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_cut_connection(simulator: RunningSimulator, alice: GoogleClient, when: str) -> None:
    simulator.fault(method="calendar.events.insert", kind="cut", when=when, count=1)
    with pytest.raises((HTTPException, ConnectionError)):
        alice.insert(EVENT)
    assert len(simulator.events(ALICE)) == (1 if when == "after" else 0)
    (call,) = simulator.calls(method="calendar.events.insert")
    assert (call["status"], call["fault"]) == (0, f"{when}:cut")
    assert alice.insert(EVENT).status == 200


def test_a_slow_body_is_whole_in_the_end(simulator: RunningSimulator, alice) -> None:
    simulator.fault(method="calendar.events.insert", kind="slow", seconds=0.3, count=1)
    begun = time.perf_counter()
    assert alice.insert(EVENT).json["summary"] == "Leaking tap"
    assert time.perf_counter() - begun >= 0.25


def test_a_timeout_hangs_and_then_cuts(simulator: RunningSimulator, alice) -> None:
    simulator.fault(method="calendar.events.list", kind="timeout", seconds=0.3, count=1)
    begun = time.perf_counter()
    with pytest.raises((HTTPException, ConnectionError)):
        alice.events()
    assert time.perf_counter() - begun >= 0.25


def test_a_lost_refresh_can_be_repeated(simulator: RunningSimulator, alice) -> None:
    simulator.fault(method="oauth.refresh", kind="cut", when="after", count=1)
    with pytest.raises((HTTPException, ConnectionError)):
        alice.refresh()
    assert alice.refresh().status == 200


def test_a_share_of_calls(simulator: RunningSimulator, alice: GoogleClient) -> None:
    simulator.fault(method="calendar.events.get", share=0.5)
    event_id = alice.insert(EVENT).json["id"]
    statuses = [alice.get(event_id).status for _ in range(80)]
    assert 15 < statuses.count(503) < 65
    simulator.clear_faults()
    assert {alice.get(event_id).status for _ in range(5)} == {200}


def test_a_fault_of_one_account_or_calendar(simulator, alice, bob) -> None:
    simulator.fault(account=ALICE, status=500)
    assert (alice.events().status, bob.events().status) == (500, 200)
    simulator.clear_faults()
    simulator.fault(calendar_id="team@group.calendar.google.com", status=500)
    assert bob.events("team@group.calendar.google.com").status == 500
    assert bob.events().status == 200


def test_oauth_faults_have_the_shape_of_oauth(simulator, alice) -> None:
    simulator.fault(method="oauth.refresh", status=400, reason="invalid_grant", message="Bad")
    assert alice.refresh().json == {"error": "invalid_grant", "error_description": "Bad"}


def test_retry_after(simulator, alice) -> None:
    simulator.fault(status=429, reason="rateLimitExceeded", retry_after=7, domain="usageLimits")
    assert alice.events().headers["Retry-After"] == "7"


def test_latency(simulator: RunningSimulator, alice: GoogleClient) -> None:
    simulator.latency(ms=120)
    begun = time.perf_counter()
    alice.events()
    assert time.perf_counter() - begun >= 0.11


@pytest.mark.parametrize(
    "fault",
    [{"kind": "bang"}, {"when": "later"}, {"share": 2}, {"nonsense": 1}],
)
def test_a_faulty_fault_is_refused(simulator: RunningSimulator, fault: dict) -> None:
    with pytest.raises(ControlError) as refused:
        simulator.fault(**fault)
    assert refused.value.status == 400
    assert simulator.faults() == []


def test_unknown_things_are_404_and_bad_values_400(simulator: RunningSimulator) -> None:
    for act, status in (
        (lambda: simulator.events("nobody@example.com"), 404),
        (lambda: simulator.events(ALICE, "nothing"), 404),
        (lambda: simulator.delete_event(ALICE, ALICE, "nothing"), 404),
        (lambda: simulator.switch(nonsense="1"), 400),
        (lambda: simulator.switch(utc_as="GMT"), 400),
        (lambda: simulator.set_clock("tomorrow"), 400),
        (lambda: simulator.advance_clock("x"), 400),
        (lambda: simulator.reset("party"), 400),
        (lambda: simulator.set_role(ALICE, ALICE, "emperor"), 400),
        (lambda: simulator.fail_tokens(ALICE, "boredom"), 400),
        (lambda: simulator.delete_calendar(ALICE, ALICE), 400),
        (lambda: simulator.add_account(ALICE), 400),
        (lambda: simulator.add_account("x@y.z", time_zone="Mars"), 400),
        (lambda: simulator.insert_event(ALICE, ALICE, {}), 400),
        (lambda: simulator.send("POST", "/latency", {"ms": "x"}), 400),
        (lambda: simulator.send("POST", "/quotas", {"per_user": "x"}), 400),
        (lambda: simulator.send("POST", "/push", {"nonsense": 1}), 400),
        (lambda: simulator.send("GET", "/calls?after=x"), 400),
    ):
        with pytest.raises(ControlError) as refused:
            act()
        assert refused.value.status == status


def test_the_log_can_be_narrowed_and_goes_on_counting(simulator, alice, bob) -> None:
    simulator.clear_calls()
    alice.events()
    bob.events()
    last = simulator.state()["last_call"]
    alice.insert(EVENT)
    assert [call["method"] for call in simulator.calls(after=last)] == ["calendar.events.insert"]
    assert len(simulator.calls(method="calendar.events.*", account=ALICE)) == 2
    assert len(simulator.calls(calendar_id="bob@example.com")) == 1
    simulator.clear_calls()
    assert simulator.calls() == []
    assert simulator.state()["last_call"] > last


def test_reset_forgets_everything(simulator: RunningSimulator, alice: GoogleClient) -> None:
    simulator.switch(utc_as="+00:00")
    simulator.advance_clock(86_400)
    simulator.fault(status=500)
    alice.insert(EVENT)
    simulator.reset("empty")
    assert simulator.accounts() == []
    simulator.add_account("dora@example.com", "Dora", "Europe/Rome")
    redirect = simulator.authorize(alice.authorization_url(), account="dora@example.com")
    assert alice.exchange(answers(redirect)["code"]).status == 200
    assert alice.events().json["timeZone"] == "Europe/Rome"
    simulator.reset("calendars")
    assert simulator.state()["switches"]["utc_as"] == "Z"
    assert alice.refresh().json["error"] == "invalid_grant"


def test_the_demo_seed_holds_one_of_each_kind(simulator: RunningSimulator, sign_in) -> None:
    simulator.reset("demo")
    alice = sign_in("alice")
    events = alice.events(maxResults=2500, singleEvents="true").json["items"]
    assert {event["eventType"] for event in events} == {
        "default", "focusTime", "outOfOffice", "workingLocation", "birthday",
    }  # fmt: skip
    assert any("date" in event["start"] for event in events)
    assert any(event.get("transparency") == "transparent" for event in events)
    assert any(event["status"] == "tentative" for event in events)
    assert any(event["start"].get("timeZone") == "Europe/London" for event in events)
    answers_given = {
        row["responseStatus"]
        for event in events
        for row in event.get("attendees", [])
        if row.get("self")
    }
    assert answers_given == {"declined"}
    plain = alice.events(maxResults=2500).json["items"]
    statuses = {event["status"] for event in plain if "recurringEventId" in event}
    assert statuses == {"confirmed", "cancelled"}


def _raw(simulator: RunningSimulator, headers: dict[str, str], path: str) -> int:
    parts = urlsplit(simulator.base_url)
    connection = HTTPConnection(parts.hostname, parts.port)
    connection.request("POST", path, body="{}", headers=headers)
    status = connection.getresponse().status
    connection.close()
    return status


@pytest.mark.parametrize(
    "path",
    ["/simulator/api/reset", "/simulator/accounts/alice@example.com/events/add",
     "/o/oauth2/v2/auth/step"],
)  # fmt: skip
def test_other_sites_cannot_turn_knobs(simulator: RunningSimulator, path: str) -> None:
    simulator.insert_event(ALICE, ALICE, EVENT)
    own = simulator.base_url
    for headers in (
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site", "Origin": own},
    ):
        assert _raw(simulator, headers, path) == 403
    assert len(simulator.events(ALICE)) == 1
    assert _raw(simulator, {"Origin": own, "Sec-Fetch-Site": "same-origin"}, path) != 403


def test_tokens_of_a_former_world_do_not_fit(simulator: RunningSimulator, sign_in) -> None:
    alice = sign_in("alice")
    _, token = alice.all_pages()
    listed = alice.call("GET", "users/me/calendarList").json["nextSyncToken"]
    simulator.advance_clock(86_400)
    simulator.reset()
    alice = sign_in("alice")
    assert alice.events(syncToken=token).status == 410
    assert alice.call("GET", "users/me/calendarList", syncToken=listed).status == 410
    assert alice.insert(EVENT).json["updated"] <= simulator.now()
