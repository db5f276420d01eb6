"""The life of an event over HTTP, and the hand of the Google user beside it."""

from __future__ import annotations

from google_simulator.client import GoogleClient
from google_simulator.testing import RunningSimulator

ALICE = "alice@example.com"
EVENT = {
    "summary": "Leaking tap",
    "location": "12 High St",
    "start": {"dateTime": "2026-12-01T10:00:00+11:00", "timeZone": "Australia/Sydney"},
    "end": {"dateTime": "2026-12-01T11:00:00+11:00", "timeZone": "Australia/Sydney"},
}


def test_an_event_lives_and_dies(simulator: RunningSimulator, alice: GoogleClient) -> None:
    made = alice.insert({**EVENT, "id": "abcde12345"}, sendUpdates="none")
    assert made.status == 200
    assert made.json["start"] == EVENT["start"]
    assert made.json["status"] == "confirmed"
    assert [event["id"] for event in simulator.events(ALICE)] == ["abcde12345"]

    changed = alice.patch("abcde12345", {"location": None, "summary": "Tap"})
    assert "location" not in changed.json
    assert changed.json["summary"] == "Tap"
    assert changed.json["etag"] != made.json["etag"]
    stale = alice.patch("abcde12345", {"summary": "x"}, headers={"If-Match": made.json["etag"]})
    assert (stale.status, stale.reason) == (412, "conditionNotMet")

    gone = alice.delete("abcde12345")
    assert (gone.status, gone.content) == (204, b"")
    assert alice.delete("abcde12345").status == 410
    assert alice.insert({**EVENT, "id": "abcde12345"}).reason == "duplicate"
    assert alice.get("abcde12345").json["status"] == "cancelled"
    assert simulator.events(ALICE) == []
    assert len(simulator.all_events(ALICE)) == 1
    assert alice.patch("abcde12345", {**EVENT, "status": "confirmed"}).status == 200
    assert len(simulator.events(ALICE)) == 1


def test_what_the_user_does_by_hand_is_synced(
    simulator: RunningSimulator, alice: GoogleClient
) -> None:
    _, token = alice.all_pages()
    lunch = simulator.insert_event(ALICE, ALICE, {**EVENT, "summary": "Lunch"})
    changes = alice.events(syncToken=token).json
    assert [item["summary"] for item in changes["items"]] == ["Lunch"]
    simulator.patch_event(ALICE, ALICE, lunch["id"], {"summary": "Late lunch"})
    simulator.delete_event(ALICE, ALICE, lunch["id"])
    later = alice.events(syncToken=changes["nextSyncToken"]).json
    assert later["items"] == [
        {
            "kind": "calendar#event",
            "etag": later["items"][0]["etag"],
            "id": lunch["id"],
            "status": "cancelled",
        }
    ]


def test_the_digest_watches_foreign_events_only(
    simulator: RunningSimulator, alice: GoogleClient
) -> None:
    lunch = simulator.insert_event(ALICE, ALICE, EVENT)
    before = simulator.digest()
    own = alice.insert(EVENT).json
    alice.patch(own["id"], {"summary": "x"})
    assert simulator.digest() == before
    alice.patch(lunch["id"], {"summary": "x"})
    assert simulator.digest() != before


def test_faults_before_and_after_the_write(
    simulator: RunningSimulator, alice: GoogleClient
) -> None:
    simulator.fault(method="calendar.events.insert", count=1, status=503)
    refused = alice.insert(EVENT)
    assert (refused.status, refused.reason) == (503, "backendError")
    assert simulator.events(ALICE) == []
    simulator.fault(method="calendar.events.insert", count=1, when="after", status=500)
    assert alice.insert(EVENT).status == 500
    assert len(simulator.events(ALICE)) == 1
    assert alice.insert(EVENT).status == 200
    faults = [call["fault"] for call in simulator.calls(method="calendar.events.insert")]
    assert faults == ["before:error", "after:error", None]


def test_calls_are_logged_with_ids_and_units(
    simulator: RunningSimulator, alice: GoogleClient
) -> None:
    simulator.clear_calls()
    event = alice.insert(EVENT, sendUpdates="none").json
    alice.patch(event["id"], {"summary": "x"}, fields="id,etag")
    inserted, patched = simulator.calls(method="calendar.events.*")
    assert (inserted["account"], inserted["calendar_id"], inserted["event_id"]) == (
        ALICE,
        ALICE,
        event["id"],
    )
    assert inserted["query"] == {"sendUpdates": "none"}
    assert (patched["units"], patched["status"]) == (3, 200)
    assert patched["query"] == {"fields": "id,etag"}


def test_accounts_do_not_see_each_other(alice: GoogleClient, bob: GoogleClient) -> None:
    event = alice.insert(EVENT).json
    assert bob.get(event["id"]).status == 404
    assert bob.get(event["id"], ALICE).reason == "notFound"
    calendars = {item["id"] for item in bob.call("GET", "users/me/calendarList").json["items"]}
    assert ALICE not in calendars
