"""Fact 2: calendarList and calendars."""

from __future__ import annotations

from urllib.parse import quote

import pytest

ALICE = "alice@example.com"
JOBS = "jobs-alice@group.calendar.google.com"
TEAM = "team@group.calendar.google.com"
HOLIDAYS = "en.australian#holiday@group.v.calendar.google.com"
LIST = "users/me/calendarList"


def _entries(google, **query) -> dict[str, dict]:
    return {item["id"]: item for item in google.call("GET", LIST, **query).json["items"]}


def test_2_an_entry_has_what_a_client_shows(google, calendar) -> None:
    entries = _entries(google)
    (primary,) = [entry for entry in entries.values() if entry.get("primary")]
    assert primary["accessRole"] == "owner"
    assert primary["timeZone"]
    assert primary["backgroundColor"].startswith("#")
    assert "hidden" not in primary


def test_2_roles_and_the_data_owner(simulator, google) -> None:
    entries = _entries(google)
    assert {calendar: entries[calendar]["accessRole"] for calendar in entries} == {
        ALICE: "owner",
        JOBS: "owner",
        TEAM: "reader",
        "clinic@group.calendar.google.com": "freeBusyReader",
        HOLIDAYS: "reader",
    }
    assert entries[TEAM]["dataOwner"] == "bob@example.com"
    assert "dataOwner" not in entries[ALICE]


def test_2_ids_with_a_hash_must_be_encoded(simulator, google) -> None:
    assert google.call("GET", f"{LIST}/{quote(HOLIDAYS, safe='')}").json["id"] == HOLIDAYS
    assert google.events(HOLIDAYS).status == 200


@pytest.mark.parametrize(
    ("least", "count"), [("owner", 2), ("writer", 2), ("reader", 4), ("freeBusyReader", 5)]
)
def test_2_minimum_role(simulator, google, least, count) -> None:
    assert len(_entries(google, minAccessRole=least)) == count


def test_2_hidden_and_deleted_entries(simulator, google) -> None:
    simulator.show_calendar(ALICE, JOBS, hidden=True)
    simulator.delete_calendar("bob@example.com", TEAM)
    assert {JOBS, TEAM} & set(_entries(google)) == set()
    assert _entries(google, showHidden="true")[JOBS]["hidden"] is True
    assert _entries(google, showDeleted="true")[TEAM]["deleted"] is True


def test_2_pages_and_the_sync_token(simulator, google) -> None:
    first = google.call("GET", LIST, maxResults=2).json
    assert len(first["items"]) == 2
    assert "nextSyncToken" not in first
    second = google.call("GET", LIST, maxResults=2, pageToken=first["nextPageToken"]).json
    last = google.call("GET", LIST, maxResults=2, pageToken=second["nextPageToken"]).json
    assert len(last["items"]) == 1
    token = last["nextSyncToken"]
    assert _entries(google, syncToken=token) == {}
    simulator.show_calendar(ALICE, JOBS, summary_override="My jobs")
    changed = _entries(google, syncToken=token)
    assert changed[JOBS]["summaryOverride"] == "My jobs"
    assert set(changed) == {JOBS}


def test_2_role_changes_do_not_show_in_increments(simulator, google) -> None:
    token = google.call("GET", LIST).json["nextSyncToken"]
    simulator.set_role(ALICE, TEAM, "writer")
    assert _entries(google, syncToken=token) == {}
    assert _entries(google)[TEAM]["accessRole"] == "writer"
    assert google.events(TEAM).json["accessRole"] == "writer"


def test_2_hidden_and_deleted_entries_always_show_in_increments(simulator, google) -> None:
    token = google.call("GET", LIST).json["nextSyncToken"]
    simulator.show_calendar(ALICE, JOBS, hidden=True)
    simulator.delete_calendar("bob@example.com", TEAM)
    changed = _entries(google, syncToken=token)
    assert changed[JOBS]["hidden"] is True
    assert changed[TEAM]["deleted"] is True


@pytest.mark.parametrize("query", [{"minAccessRole": "owner"}, {"showOwnOrganizationOnly": "true"}])
def test_2_parameters_that_no_token_tolerates(google, query) -> None:
    token = google.call("GET", LIST, maxResults=250).json["nextSyncToken"]
    assert google.call("GET", LIST, syncToken=token, **query).status == 400


def test_2_an_expired_list_token(simulator, google) -> None:
    token = google.call("GET", LIST).json["nextSyncToken"]
    simulator.send("POST", f"/accounts/{ALICE}/expire-list-tokens")
    reply = google.call("GET", LIST, syncToken=token)
    assert (reply.status, reply.reason) == (410, "fullSyncRequired")


def test_2_the_data_owner_cannot_unsubscribe(simulator, google) -> None:
    refused = google.call("DELETE", f"{LIST}/{JOBS}")
    assert (refused.status, refused.reason) == (403, "cannotUnsubscribeFromOwnedCalendar")
    assert google.call("DELETE", f"{LIST}/{TEAM}").status == 204
    assert TEAM not in _entries(google)
    assert google.call("POST", LIST, {"id": TEAM}).json["id"] == TEAM
    assert TEAM in _entries(google)


def test_2_primary_is_an_alias_and_answers_carry_the_real_id(simulator, google) -> None:
    assert google.call("GET", f"{LIST}/primary").json["id"] == ALICE
    assert google.call("GET", "calendars/primary").json["id"] == ALICE


def test_2_a_new_calendar_is_in_utc(simulator, google, timed) -> None:
    made = google.call("POST", "calendars", {"summary": "New"}).json
    assert made["timeZone"] == "UTC"
    assert google.insert(timed(), made["id"]).status == 200
    assert google.call("DELETE", f"calendars/{made['id']}").status == 204
    assert google.call("GET", f"calendars/{made['id']}").status == 404


def test_2_a_newly_shared_calendar_is_not_in_the_list(simulator, google) -> None:
    made = simulator.create_calendar("bob@example.com", "Late")
    simulator.set_role(ALICE, made["id"], "reader")
    assert made["id"] not in _entries(google)
    assert google.events(made["id"]).status == 200


def test_3_3_the_same_value_again_keeps_a_calendars_etag(google, calendar) -> None:
    path = f"calendars/{quote(calendar, safe='')}"
    before = google.call("GET", path).json
    assert google.call("PATCH", path, {"summary": before["summary"]}).json["etag"] == before["etag"]


def test_8_the_primary_calendar_cannot_be_deleted_a_secondary_not_cleared(simulator, google):
    assert google.call("DELETE", "calendars/primary").status == 400
    assert google.call("POST", f"calendars/{JOBS}/clear").status == 400


def test_8_a_deleted_or_unshared_calendar_is_not_found(simulator, google, timed) -> None:
    event_id = google.insert(timed(), JOBS).json["id"]
    simulator.delete_calendar(ALICE, JOBS)
    simulator.set_role(ALICE, TEAM, None)
    for reply in (
        google.events(JOBS),
        google.get(event_id, JOBS),
        google.insert(timed(), JOBS),
        google.patch(event_id, {}, JOBS),
        google.delete(event_id, JOBS),
        google.events(TEAM),
        google.call("GET", f"calendars/{JOBS}"),
    ):
        assert (reply.status, reply.reason) == (404, "notFound")


@pytest.mark.parametrize("role", ["reader", "freeBusyReader"])
def test_8_a_lowered_role_still_reads_but_no_longer_writes(
    simulator, google, timed, sign_in, role
) -> None:
    clinic, bob = "clinic@group.calendar.google.com", sign_in("bob")
    event_id = bob.insert(timed(), clinic).json["id"]
    simulator.set_role("bob@example.com", clinic, role)
    assert bob.events(clinic).status == 200
    for reply in (bob.insert(timed(), clinic), bob.patch(event_id, {}, clinic),
                  bob.delete(event_id, clinic)):  # fmt: skip
        assert (reply.status, reply.reason) == (403, "requiredAccessLevel")
        assert reply.json["error"]["errors"][0]["domain"] == "calendar"


def test_8_colors_and_settings(google) -> None:
    colors = google.call("GET", "colors").json
    assert colors["event"]["1"]["background"].startswith("#")
    settings = google.call("GET", "users/me/settings").json["items"]
    assert {"timezone", "weekStart"} <= {item["id"] for item in settings}
    assert google.call("GET", "users/me/settings/timezone").json["value"]
    assert google.call("GET", "users/me/settings/nonsense").status == 404


def test_2_a_sync_token_is_no_page_token(google) -> None:
    token = google.call("GET", LIST).json["nextSyncToken"]
    assert google.call("GET", LIST, pageToken=token).status == 400


def test_2_a_new_calendar_keeps_its_description_and_place(simulator, google) -> None:
    body = {"summary": "Van", "description": "Second van", "location": "Sydney"}
    made = google.call("POST", "calendars", body).json
    assert (made["description"], made["location"]) == ("Second van", "Sydney")
    again = google.call("GET", f"calendars/{quote(made['id'], safe='')}").json
    assert (again["description"], again["location"]) == ("Second van", "Sydney")
    before = len(_entries(google))
    assert google.call("POST", "calendars", {**body, "location": 5}).status == 400
    assert len(_entries(google)) == before


def test_2_working_hours_are_those_of_a_workspace_accounts_primary_calendar(
    simulator, google
) -> None:
    address = f"calendars/{ALICE}"
    assert "workingHours" not in google.call("GET", address).json
    monday = {"dayOfWeek": "monday", "periodStart": 540, "periodEnd": 1020}
    hours = {"workingHoursEnabled": True, "availableTimes": [monday]}
    simulator.change_calendar(ALICE, ALICE, working_hours=hours)
    assert google.call("GET", "calendars/primary").json["workingHours"] == hours
    assert "workingHours" not in google.call("GET", f"calendars/{JOBS}").json
