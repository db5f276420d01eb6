"""Facts 3.10 and 4: listing, paging, incremental sync."""

from __future__ import annotations

from urllib.parse import quote

import pytest

WINDOW = {"timeMin": "2027-02-28T00:00:00Z", "timeMax": "2027-03-10T00:00:00Z"}


def _ids(items) -> set[str]:
    return {item["id"] for item in items}


def _make(google, calendar, timed, count, **more) -> list[str]:
    return [
        google.insert(timed(f"2027-03-01T{8 + number % 12:02}:00:00+11:00", **more), calendar)
        .json["id"]
        for number in range(count)
    ]  # fmt: skip


# -- 3.10 the list -------------------------------------------------------------------------


def test_3_10_the_envelope_tells_zone_and_role(google, calendar) -> None:
    body = google.events(calendar, **WINDOW).json
    assert body["kind"] == "calendar#events"
    assert body["accessRole"] == "owner"
    assert body["timeZone"]
    assert "nextSyncToken" in body
    assert "nextPageToken" not in body


def test_3_10_bounds_are_exclusive(google, calendar, timed) -> None:
    event_id = google.insert(timed("2027-03-01T10:00:00+11:00"), calendar).json["id"]
    start, end = "2027-03-01T10:00:00+11:00", "2027-03-01T11:00:00+11:00"
    before, after = "2027-02-28T00:00:00Z", "2027-03-02T00:00:00Z"
    touching_end = google.all_pages(calendar, timeMin=end, timeMax=after)[0]
    touching_start = google.all_pages(calendar, timeMin=before, timeMax=start)[0]
    inside = google.all_pages(calendar, timeMin=start, timeMax=end)[0]
    assert event_id not in _ids(touching_end)
    assert event_id not in _ids(touching_start)
    assert event_id in _ids(inside)


def test_3_10_an_empty_range_is_refused(google, calendar) -> None:
    moment = "2027-03-01T00:00:00Z"
    reply = google.events(calendar, timeMin=moment, timeMax=moment)
    assert (reply.status, reply.reason) == (400, "timeRangeEmpty")


@pytest.mark.parametrize(
    "query",
    [
        {"timeMin": "2027-03-01T00:00:00"},
        {"timeMin": "2027-03-01"},
        {"maxResults": "0"},
        {"maxResults": "many"},
        {"orderBy": "summary"},
        {"singleEvents": "perhaps"},
        {"pageToken": "nonsense"},
        {"timeZone": "Mars/Olympus"},
        {"eventTypes": "party"},
    ],
)
def test_3_10_bad_parameters_are_400(google, calendar, query) -> None:
    assert google.events(calendar, **query).status == 400


def test_3_10_order_by_start_needs_single_events(google, calendar, timed) -> None:
    refused = google.events(calendar, orderBy="startTime")
    assert refused.status == 400
    assert refused.json["error"]["message"] == (
        "The requested ordering is not available for the particular query."
    )
    late = google.insert(timed("2027-03-02T10:00:00+11:00"), calendar).json["id"]
    early = google.insert(timed("2027-03-01T10:00:00+11:00"), calendar).json["id"]
    items, _ = google.all_pages(calendar, orderBy="startTime", singleEvents="true", **WINDOW)
    ours = [item["id"] for item in items if item["id"] in (early, late)]
    assert ours == [early, late]


def test_3_10_pages_join_to_the_whole(google, calendar, timed) -> None:
    made = set(_make(google, calendar, timed, 7))
    pages, query, token = [], {"maxResults": 3, **WINDOW}, None
    while True:
        body = google.events(calendar, **query, **({"pageToken": token} if token else {})).json
        pages.append(body["items"])
        token = body.get("nextPageToken")
        assert ("nextSyncToken" in body) == (token is None)
        if token is None:
            break
    ids = [item["id"] for page in pages for item in page]
    assert len(ids) == len(set(ids))
    assert made <= set(ids)
    assert all(len(page) <= 3 for page in pages)


@pytest.mark.parametrize("paging", ["short", "empty"])
def test_3_10_pages_may_be_short_or_empty(simulator, google, calendar, timed, paging) -> None:
    made = set(_make(google, calendar, timed, 5))
    simulator.switch(paging=paging)
    first = google.events(calendar, maxResults=4).json
    assert len(first["items"]) == (2 if paging == "short" else 0)
    assert "nextPageToken" in first
    items, token = google.all_pages(calendar, maxResults=4)
    assert [item["id"] for item in items if item["id"] in made] == list(
        dict.fromkeys(item["id"] for item in items)
    )
    assert _ids(items) == made
    assert token


def test_3_10_a_page_token_belongs_to_its_listing(google, calendar, timed) -> None:
    _make(google, calendar, timed, 3)
    token = google.events(calendar, maxResults=1, **WINDOW).json["nextPageToken"]
    assert google.events(calendar, maxResults=1, pageToken=token, q="x").status == 400


def test_3_10_search_and_filters(google, calendar, timed, new_id) -> None:
    tap = google.insert(timed(summary=f"Tap {new_id}"), calendar).json
    google.insert(timed(summary="Pipe"), calendar)
    assert _ids(google.all_pages(calendar, q=new_id)[0]) == {tap["id"]}
    assert _ids(google.all_pages(calendar, iCalUID=tap["iCalUID"])[0]) == {tap["id"]}
    away, _ = google.all_pages(calendar, eventTypes=["outOfOffice", "focusTime"], **WINDOW)
    assert tap["id"] not in _ids(away)


def test_3_10_updated_min_includes_deletions(google, calendar, timed) -> None:
    event = google.insert(timed(), calendar).json
    google.delete(event["id"], calendar)
    items, _ = google.all_pages(calendar, updatedMin=event["updated"])
    assert [item["status"] for item in items if item["id"] == event["id"]] == ["cancelled"]


# -- 4 sync ----------------------------------------------------------------------------------


def test_4_increments_hold_what_changed_and_nothing_else(google, calendar, timed) -> None:
    kept, changed, deleted = _make(google, calendar, timed, 3)
    _, token = google.all_pages(calendar)
    google.patch(changed, {"summary": "new"}, calendar)
    google.delete(deleted, calendar)
    added = google.insert(timed(), calendar).json["id"]
    items, following = google.all_pages(calendar, syncToken=token)
    states = {item["id"]: item["status"] for item in items}
    assert states == {changed: "confirmed", deleted: "cancelled", added: "confirmed"}
    assert kept not in states
    assert google.all_pages(calendar, syncToken=following)[0] == []
    # A token is not used up by use.
    assert _ids(google.all_pages(calendar, syncToken=token)[0]) == set(states)


def test_4_a_tombstone_is_little_more_than_an_id(google, calendar, timed) -> None:
    (event_id,) = _make(google, calendar, timed, 1)
    _, token = google.all_pages(calendar)
    google.delete(event_id, calendar)
    (tombstone,), _ = google.all_pages(calendar, syncToken=token)
    assert tombstone["id"] == event_id
    assert tombstone["status"] == "cancelled"
    assert "start" not in tombstone


def test_4_changes_between_two_pages_are_told_later(google, calendar, timed) -> None:
    ids = _make(google, calendar, timed, 4)
    _, token = google.all_pages(calendar)
    for event_id in ids:
        google.patch(event_id, {"summary": "1"}, calendar)
    first = google.events(calendar, syncToken=token, maxResults=2).json
    google.patch(ids[0], {"summary": "2"}, calendar)
    rest, following = google.all_pages(
        calendar, syncToken=token, maxResults=2, pageToken=first["nextPageToken"]
    )
    assert _ids(first["items"]) | _ids(rest) >= set(ids[1:])
    assert ids[0] in _ids(google.all_pages(calendar, syncToken=following)[0])


@pytest.mark.parametrize(
    "query",
    [
        {"timeMin": "2027-03-01T00:00:00Z"},
        {"timeMax": "2027-03-01T00:00:00Z"},
        {"q": "x"},
        {"orderBy": "updated"},
        {"iCalUID": "x"},
        {"updatedMin": "2099-03-01T00:00:00Z"},
        {"privateExtendedProperty": "a=b"},
        {"sharedExtendedProperty": "a=b"},
        {"showDeleted": "false"},
    ],
)
def test_4_parameters_that_no_token_tolerates(google, calendar, query) -> None:
    _, token = google.all_pages(calendar, **WINDOW)
    assert google.events(calendar, syncToken=token, **query).status == 400


@pytest.mark.parametrize("setting", ["badRequest", "invalid"])
def test_4_switch_reason_of_a_forbidden_parameter(simulator, google, calendar, setting) -> None:
    simulator.switch(sync_restriction_reason=setting)
    _, token = google.all_pages(calendar)
    reply = google.events(calendar, syncToken=token, q="x")
    assert (reply.status, reply.reason) == (400, setting)


def test_4_an_expired_token_asks_for_a_full_sync(simulator, google, calendar) -> None:
    _, token = google.all_pages(calendar)
    simulator.expire_sync_tokens(calendar, calendar)
    reply = google.events(calendar, syncToken=token)
    assert (reply.status, reply.reason) == (410, "fullSyncRequired")
    item = reply.json["error"]["errors"][0]
    assert (item["domain"], item["location"]) == ("calendar", "syncToken")
    assert google.events(calendar).status == 200


def test_4_a_token_of_another_calendar_is_no_token_here(simulator, google, calendar) -> None:
    _, token = google.all_pages("jobs-alice@group.calendar.google.com")
    assert google.events(calendar, syncToken=token).status == 410


def test_4_a_changed_role_may_end_the_token(simulator, google, sign_in) -> None:
    team = "team@group.calendar.google.com"
    client = sign_in("alice")
    _, token = client.all_pages(team)
    simulator.set_role("alice@example.com", team, "freeBusyReader")
    assert client.events(team, syncToken=token).status == 410
    simulator.switch(acl_change_expires_tokens="off")
    _, token = client.all_pages(team)
    simulator.set_role("alice@example.com", team, "reader")
    assert client.events(team, syncToken=token).status == 200


def test_4_updated_min_too_long_ago(google, calendar) -> None:
    reply = google.events(calendar, updatedMin="2020-01-01T00:00:00Z")
    assert (reply.status, reply.reason) == (410, "updatedMinTooLongAgo")


def test_4_single_events_work_with_tokens_and_ignore_the_first_window(
    simulator, google, calendar, timed
) -> None:
    _, token = google.all_pages(calendar, singleEvents="true", **WINDOW)
    series = google.insert(timed(recurrence=["RRULE:FREQ=WEEKLY"]), calendar).json
    items, _ = google.all_pages(calendar, syncToken=token, singleEvents="true", maxResults=2500)
    assert len(items) > 500
    assert {item["recurringEventId"] for item in items} == {series["id"]}
    assert max(item["start"]["dateTime"] for item in items) > "2040"
    simulator.switch(sync_ignores_window="off")
    few, _ = google.all_pages(calendar, syncToken=token, singleEvents="true")
    assert len(few) == 2


NOW = "2027-02-28T22:00:00Z"


def _deleted_series(set_clock, google, calendar, timed, **more) -> tuple[str, list[dict]]:
    """A weekly year from today, deleted: its id, and what the increment tells of it."""
    set_clock(NOW)
    series = google.insert(timed(recurrence=["RRULE:FREQ=WEEKLY;COUNT=50"], **more), calendar).json
    _, token = google.all_pages(calendar, singleEvents="true")
    google.delete(series["id"], calendar)
    items, _ = google.all_pages(calendar, syncToken=token, singleEvents="true")
    return series["id"], items


def test_4_a_deleted_series_is_told_by_half_a_year_of_bare_instances(
    set_clock, google, calendar, timed
) -> None:
    series_id, items = _deleted_series(set_clock, google, calendar, timed)
    assert len(items) == 27
    for item in items:
        assert set(item) == {"kind", "etag", "id", "status"}
        assert item["status"] == "cancelled"
        assert item["id"].startswith(f"{series_id}_2027")


def test_4_a_deleted_series_with_an_exception_tells_that_one_alike(
    set_clock, google, calendar, timed
) -> None:
    set_clock(NOW)
    series = google.insert(timed(recurrence=["RRULE:FREQ=WEEKLY;COUNT=50"]), calendar).json
    shown, _ = google.all_pages(calendar, singleEvents="true")
    google.patch(shown[1]["id"], {"summary": "Moved"}, calendar)
    google.patch(shown[45]["id"], {"summary": "Far off"}, calendar)
    _, token = google.all_pages(calendar, singleEvents="true")
    google.delete(series["id"], calendar)
    items, _ = google.all_pages(calendar, syncToken=token, singleEvents="true")
    assert _ids(items) == {item["id"] for item in shown[:27]}
    assert all("recurringEventId" not in item for item in items)


@pytest.mark.parametrize("setting", ["sparse", "with_series"])
def test_4_switch_what_an_instance_of_a_deleted_series_says(
    simulator, set_clock, google, calendar, timed, setting
) -> None:
    simulator.switch(deleted_instance_rows=setting)
    series_id, items = _deleted_series(set_clock, google, calendar, timed)
    named = {item.get("recurringEventId") for item in items}
    assert named == ({series_id} if setting == "with_series" else {None})


def test_4_switch_a_deleted_series_told_by_its_master(
    simulator, set_clock, google, calendar, timed
) -> None:
    simulator.switch(deleted_series_singly="master")
    series_id, items = _deleted_series(set_clock, google, calendar, timed)
    assert _ids(items) == {series_id}
    assert {item["status"] for item in items} == {"cancelled"}


def test_4_a_single_deleted_instance_names_its_series(google, calendar, timed) -> None:
    series = google.insert(timed(recurrence=["RRULE:FREQ=DAILY;COUNT=3"]), calendar).json
    shown, token = google.all_pages(calendar, singleEvents="true")
    google.delete(shown[1]["id"], calendar)
    items, _ = google.all_pages(calendar, syncToken=token, singleEvents="true")
    cancelled = [item for item in items if item["status"] == "cancelled"]
    assert [item["recurringEventId"] for item in cancelled] == [series["id"]]


@pytest.mark.parametrize(("setting", "told"), [("unreported", 0), ("instances", 17)])
def test_4_switch_what_a_shortened_series_tells(
    simulator, set_clock, google, calendar, timed, setting, told
) -> None:
    simulator.switch(shortened_series_singly=setting)
    set_clock(NOW)
    series = google.insert(timed(recurrence=["RRULE:FREQ=WEEKLY;COUNT=50"]), calendar).json
    shown, token = google.all_pages(calendar, singleEvents="true")
    google.patch(series["id"], {"recurrence": ["RRULE:FREQ=WEEKLY;COUNT=10"]}, calendar)
    items, token = google.all_pages(calendar, syncToken=token, singleEvents="true")
    cancelled = [item for item in items if item["status"] == "cancelled"]
    assert _ids(items) - _ids(cancelled) == {item["id"] for item in shown[:10]}
    assert len(cancelled) == told
    assert _ids(cancelled) <= {item["id"] for item in shown[10:]}
    google.patch(series["id"], {"recurrence": ["RRULE:FREQ=WEEKLY;COUNT=50"]}, calendar)
    again, _ = google.all_pages(calendar, syncToken=token, singleEvents="true")
    assert {item["status"] for item in again} == {"confirmed"}


def test_4_a_cleared_primary_looks_like_many_tombstones(google, calendar, timed, simulator):
    made = set(_make(google, calendar, timed, 3))
    _, token = google.all_pages(calendar)
    assert google.call("POST", f"calendars/{calendar}/clear").status == 204
    items, _ = google.all_pages(calendar, syncToken=token)
    assert _ids(items) == made
    assert {item["status"] for item in items} == {"cancelled"}


def test_8_lists_may_lag_behind_writes(simulator, google, calendar, timed) -> None:
    _, token = google.all_pages(calendar)
    simulator.latency(list_lag_seconds=60)
    event_id = google.insert(timed(), calendar).json["id"]
    assert google.get(event_id, calendar).status == 200
    assert google.events(calendar).json["items"] == []
    stale = google.events(calendar, syncToken=token).json
    assert stale["items"] == []
    simulator.advance_clock(61)
    assert _ids(google.events(calendar).json["items"]) == {event_id}
    assert _ids(google.events(calendar, syncToken=stale["nextSyncToken"]).json["items"]) == {
        event_id
    }


def test_3_4_a_list_has_an_etag_of_its_own(google, calendar, timed) -> None:
    first = google.events(calendar, **WINDOW).json["etag"]
    path = f"calendars/{quote(calendar, safe='')}/events"
    known = {"If-None-Match": first}
    assert google.call("GET", path, headers=known, q="x").status == 200
    google.insert(timed(), calendar)
    assert google.call("GET", path, headers=known, **WINDOW).status == 200


def test_3_4_switch_a_list_that_is_sent_again(simulator, google, calendar) -> None:
    path = f"calendars/{quote(calendar, safe='')}/events"
    known = {"If-None-Match": google.events(calendar, **WINDOW).json["etag"]}
    assert google.call("GET", path, headers=known, **WINDOW).status == 304
    simulator.switch(list_not_modified="off")
    assert google.call("GET", path, headers=known, **WINDOW).status == 200
