"""Facts 3.1 to 3.5: one event at a time."""

from __future__ import annotations

import threading
from urllib.parse import quote

import pytest


def test_3_1_only_start_and_end_are_required(google, calendar, timed) -> None:
    body = timed()
    reply = google.insert({"start": body["start"], "end": body["end"]}, calendar)
    assert reply.status == 200
    event = reply.json
    assert event["kind"] == "calendar#event"
    assert event["status"] == "confirmed"
    assert event["eventType"] == "default"
    assert event["iCalUID"] == f"{event['id']}@google.com"
    assert event["etag"].startswith('"')
    assert event["etag"].endswith('"')
    assert event["htmlLink"].startswith("https://www.google.com/calendar/event?eid=")
    assert event["sequence"] == 0
    assert "summary" not in event


@pytest.mark.parametrize(
    "bad", ["abc", "ABCDEF", "with-hyphen", "under_score", "wxyz1", "a" * 1025]
)
def test_3_1_ids_outside_the_alphabet_are_refused(google, calendar, timed, bad) -> None:
    reply = google.insert(timed(id=bad), calendar)
    assert (reply.status, reply.reason) == (400, "invalid")
    assert reply.json["error"]["message"] == "Invalid resource id value."


def test_3_1_an_own_id_is_kept(google, calendar, timed, new_id) -> None:
    assert google.insert(timed(id=new_id), calendar).json["id"] == new_id


def test_3_1_the_same_id_again_is_a_duplicate_and_changes_nothing(
    google, calendar, timed, new_id
) -> None:
    first = google.insert(timed(id=new_id, summary="first"), calendar).json
    reply = google.insert(timed(id=new_id, summary="second"), calendar)
    assert (reply.status, reply.reason) == (409, "duplicate")
    assert reply.json["error"]["message"] == "The requested identifier already exists."
    assert google.get(new_id, calendar).json == first


def test_3_1_the_id_of_a_deleted_event_is_taken(google, calendar, timed, new_id) -> None:
    google.insert(timed(id=new_id), calendar)
    google.delete(new_id, calendar)
    assert google.insert(timed(id=new_id), calendar).status == 409


def test_3_1_ids_are_unique_per_calendar_only(simulator, google, timed, new_id) -> None:
    jobs = "jobs-alice@group.calendar.google.com"
    assert google.insert(timed(id=new_id), "primary").status == 200
    assert google.insert(timed(id=new_id), jobs).status == 200


def test_3_1_of_two_inserts_at_once_one_wins(google, calendar, timed, new_id) -> None:
    statuses = []

    def insert() -> None:
        statuses.append(google.insert(timed(id=new_id), calendar).status)

    threads = [threading.Thread(target=insert) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [200, 409]


def test_3_1_overlaps_are_not_checked(google, calendar, timed) -> None:
    assert google.insert(timed(), calendar).status == 200
    assert google.insert(timed(), calendar).status == 200


def test_3_1_unknown_and_read_only_fields_are_ignored(google, calendar, timed) -> None:
    reply = google.insert(
        timed(nonsense=1, htmlLink="http://x/", etag="x", creator={"email": "x@y.z"}), calendar
    )
    assert reply.status == 200
    assert "nonsense" not in reply.json
    assert reply.json["creator"]["email"] != "x@y.z"


def test_3_2_get_of_a_deleted_event_shows_a_tombstone(simulator, google, calendar, timed) -> None:
    event_id = google.insert(timed(), calendar).json["id"]
    google.delete(event_id, calendar)
    reply = google.get(event_id, calendar)
    assert (reply.status, reply.json["status"]) == (200, "cancelled")


@pytest.mark.parametrize(("setting", "status"), [("404", 404), ("410", 410)])
def test_3_2_switch_get_of_a_deleted_event(
    simulator, google, calendar, timed, setting, status
) -> None:
    event_id = google.insert(timed(), calendar).json["id"]
    google.delete(event_id, calendar)
    simulator.switch(deleted_get=setting)
    assert google.get(event_id, calendar).status == status


def test_3_2_lists_leave_deleted_events_out_unless_asked(google, calendar, timed) -> None:
    event_id = google.insert(timed(), calendar).json["id"]
    google.delete(event_id, calendar)
    window = {"timeMin": "2027-02-28T00:00:00Z", "timeMax": "2027-03-02T00:00:00Z"}
    plain, _ = google.all_pages(calendar, **window)
    assert event_id not in {item["id"] for item in plain}
    deleted, _ = google.all_pages(calendar, showDeleted="true", **window)
    assert [item["status"] for item in deleted if item["id"] == event_id] == ["cancelled"]


def test_3_3_patch_merges_objects_replaces_arrays_and_clears_null(google, calendar, timed) -> None:
    event = google.insert(
        timed(
            location="Here",
            description="kept",
            extendedProperties={"private": {"a": "1", "b": "2"}},
            attendees=[{"email": "x@example.org"}, {"email": "y@example.org"}],
        ),
        calendar,
    ).json
    changed = google.patch(
        event["id"],
        {
            "location": None,
            "extendedProperties": {"private": {"a": None, "c": "3"}},
            "attendees": [{"email": "z@example.org"}],
        },
        calendar,
    ).json
    assert "location" not in changed
    assert changed["description"] == "kept"
    assert changed["extendedProperties"] == {"private": {"b": "2", "c": "3"}}
    assert [row["email"] for row in changed["attendees"]] == ["z@example.org"]


def test_3_3_update_loses_what_is_not_sent(google, calendar, timed) -> None:
    event = google.insert(
        timed(location="Here", extendedProperties={"private": {"a": "1"}}), calendar
    ).json
    path = f"calendars/{quote(calendar, safe='')}/events/{event['id']}"
    replaced = google.call("PUT", path, timed(summary="new")).json
    assert replaced["summary"] == "new"
    assert "location" not in replaced
    assert "extendedProperties" not in replaced
    missing = google.call("PUT", path, {"summary": "x"})
    assert (missing.status, missing.reason) == (400, "required")


def test_3_3_delete_is_204_then_410_and_404_for_what_never_was(
    google, calendar, timed, new_id
) -> None:
    event_id = google.insert(timed(), calendar).json["id"]
    first = google.delete(event_id, calendar)
    assert (first.status, first.content) == (204, b"")
    again = google.delete(event_id, calendar)
    assert (again.status, again.reason) == (410, "deleted")
    assert again.json["error"]["message"] == "Resource has been deleted"
    never = google.delete(new_id, calendar)
    assert (never.status, never.reason) == (404, "notFound")


def test_3_3_a_deleted_event_can_be_revived(google, calendar, timed) -> None:
    event_id = google.insert(timed(), calendar).json["id"]
    google.delete(event_id, calendar)
    reply = google.patch(event_id, timed(summary="back", status="confirmed"), calendar)
    assert (reply.status, reply.json["status"]) == (200, "confirmed")
    assert google.get(event_id, calendar).json["summary"] == "back"


def test_3_3_after_the_trash_is_emptied_the_id_is_taken_but_dead(
    simulator, google, calendar, timed
) -> None:
    event_id = google.insert(timed(), calendar).json["id"]
    google.delete(event_id, calendar)
    simulator.empty_trash(calendar, calendar)
    assert google.insert(timed(id=event_id), calendar).status == 409
    refused = google.patch(event_id, timed(status="confirmed"), calendar)
    assert (refused.status, refused.reason) == (403, "forbidden")
    assert google.get(event_id, calendar).json["status"] == "cancelled"
    simulator.switch(emptied_trash_get="not_found")
    assert google.get(event_id, calendar).status == 404


def test_3_3_switch_patch_without_status_on_a_tombstone(simulator, google, calendar, timed) -> None:
    event_id = google.insert(timed(), calendar).json["id"]
    google.delete(event_id, calendar)
    assert google.patch(event_id, {"summary": "x"}, calendar).json["status"] == "cancelled"
    simulator.switch(patch_on_tombstone="revives")
    assert google.patch(event_id, {"summary": "x"}, calendar).json["status"] == "confirmed"


def test_3_3_status_cancelled_in_a_patch_deletes(google, calendar, timed) -> None:
    event_id = google.insert(timed(), calendar).json["id"]
    assert google.patch(event_id, {"status": "cancelled"}, calendar).json["status"] == "cancelled"
    assert google.delete(event_id, calendar).status == 410


def test_3_3_updated_does_not_move_for_reminders(google, calendar, timed) -> None:
    event = google.insert(timed(), calendar).json
    reminded = google.patch(
        event["id"],
        {"reminders": {"useDefault": False, "overrides": [{"method": "popup", "minutes": 5}]}},
        calendar,
    ).json
    assert reminded["updated"] == event["updated"]
    assert google.patch(event["id"], {"summary": "x"}, calendar).json["updated"] > event["updated"]


def test_3_3_sequence_grows_with_the_time(google, calendar, timed) -> None:
    event = google.insert(timed(), calendar).json
    moved = timed("2027-03-01T12:00:00+11:00")
    later = google.patch(event["id"], {"start": moved["start"], "end": moved["end"]}, calendar)
    assert later.json["sequence"] > event["sequence"]


@pytest.mark.parametrize(("setting", "same"), [("keeps_etag", True), ("new_etag", False)])
def test_3_3_switch_a_patch_that_changes_nothing(
    simulator, google, calendar, timed, setting, same
) -> None:
    simulator.switch(no_op_patch=setting)
    event = google.insert(timed(), calendar).json
    again = google.patch(event["id"], {"summary": event["summary"]}, calendar).json
    assert (again["etag"] == event["etag"]) is same


def test_3_4_if_match(google, calendar, timed) -> None:
    event = google.insert(timed(), calendar).json
    changed = google.patch(event["id"], {"summary": "1"}, calendar, {"If-Match": event["etag"]})
    assert changed.status == 200
    for attempt in (
        google.patch(event["id"], {"summary": "2"}, calendar, {"If-Match": event["etag"]}),
        google.delete(event["id"], calendar, {"If-Match": event["etag"]}),
    ):
        assert (attempt.status, attempt.reason) == (412, "conditionNotMet")
        item = attempt.json["error"]["errors"][0]
        assert (item["locationType"], item["location"]) == ("header", "If-Match")
    forced = google.patch(event["id"], {"summary": "3"}, calendar, {"If-Match": "*"})
    assert forced.status == 200


def test_3_4_if_none_match(google, calendar, timed) -> None:
    event = google.insert(timed(), calendar).json
    path = f"calendars/{quote(calendar, safe='')}/events/{event['id']}"
    known = google.call("GET", path, headers={"If-None-Match": event["etag"]})
    assert (known.status, known.content) == (304, b"")
    google.patch(event["id"], {"summary": "x"}, calendar)
    assert google.call("GET", path, headers={"If-None-Match": event["etag"]}).status == 200


def test_3_4_move_answers_cancelled_and_keeps_the_id(simulator, google, calendar, timed) -> None:
    jobs = "jobs-alice@group.calendar.google.com"
    event = google.insert(timed(), calendar).json
    path = f"calendars/{calendar}/events/{event['id']}/move"
    stale = google.call("POST", path, headers={"If-Match": '"1"'}, destination=jobs)
    assert stale.status == 412
    moved = google.call("POST", path, destination=jobs)
    assert (moved.status, moved.json["status"]) == (200, "cancelled")
    there = google.get(event["id"], jobs).json
    assert there["status"] == "confirmed"
    assert there["etag"] != event["etag"]
    assert there["organizer"]["email"] == jobs
    assert google.get(event["id"], calendar).json["status"] == "cancelled"


def test_3_5_import_is_keyed_by_uid(simulator, google, calendar, timed) -> None:
    path = f"calendars/{calendar}/events/import"
    body = timed(iCalUID="uid-1@elsewhere.example")
    first, second = google.call("POST", path, body), google.call("POST", path, body)
    assert (first.status, second.status) == (200, 200)
    assert first.json["id"] == second.json["id"]
    assert google.call("POST", path, timed()).reason == "required"


@pytest.mark.parametrize("word", ["guest@example.org", "Grace", "alice@example.com"])
def test_3_10_a_search_covers_the_people(google, calendar, timed, simulator, word) -> None:
    guests = [{"email": "guest@example.org", "displayName": "Grace Hopper"}]
    with_guest = google.insert(timed(attendees=guests), calendar).json
    found = google.events(calendar, q=word.lower()).json["items"]
    assert with_guest["id"] in {event["id"] for event in found}
    assert google.events(calendar, q="nobody-of-that-name").json["items"] == []


def test_3_7_only_default_events_can_be_moved(simulator, google, timed) -> None:
    away = google.insert(timed(eventType="outOfOffice")).json
    jobs = "jobs-alice@group.calendar.google.com"
    path = f"calendars/primary/events/{away['id']}/move"
    assert google.call("POST", path, destination=jobs).status == 400
    assert google.get(away["id"]).json["status"] == "confirmed"
