"""Facts 3.7 and 3.8: event types and times."""

from __future__ import annotations

import pytest

SYDNEY = "Australia/Sydney"
NEW_YORK = "America/New_York"


def _day(start: str, end: str, **more) -> dict:
    return {"summary": "Contract test", "start": {"date": start}, "end": {"date": end}, **more}


def _local(start: str, end: str, zone: str = SYDNEY, **more) -> dict:
    return {
        "summary": "Contract test",
        "start": {"dateTime": start, "timeZone": zone},
        "end": {"dateTime": end, "timeZone": zone},
        **more,
    }


# -- 3.7 event types ------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["outOfOffice", "focusTime"])
def test_3_7_status_types_exist_on_the_primary_calendar_only(simulator, google, timed, kind):
    assert google.insert(timed(eventType=kind), "primary").json["eventType"] == kind
    jobs = "jobs-alice@group.calendar.google.com"
    assert google.insert(timed(eventType=kind), jobs).status == 400


def test_3_7_the_event_type_is_fixed(google, calendar, timed) -> None:
    event_id = google.insert(timed(), calendar).json["id"]
    assert google.patch(event_id, {"eventType": "focusTime"}, calendar).status == 400


def test_3_7_from_gmail_cannot_be_made(google, calendar, timed) -> None:
    assert google.insert(timed(eventType="fromGmail"), calendar).status == 400


def test_3_7_a_working_location_must_be_transparent_and_public(simulator, google, timed):
    properties = {"type": "homeOffice", "homeOffice": {}}
    kind = {"eventType": "workingLocation", "workingLocationProperties": properties}
    assert google.insert(timed(**kind)).status == 400
    right = google.insert(timed(**kind, transparency="transparent", visibility="public"))
    assert right.status == 200


def test_3_7_all_day_events_made_by_api_are_opaque(google, calendar) -> None:
    event = google.insert(_day("2027-03-01", "2027-03-02"), calendar).json
    assert event.get("transparency", "opaque") == "opaque"


def test_3_7_times_only_readers_get_times_without_details(
    simulator, google, timed, sign_in
) -> None:
    simulator.set_role("bob@example.com", "alice@example.com", "freeBusyReader")
    event = google.insert(timed(location="secret", recurrence=["RRULE:FREQ=DAILY;COUNT=2"])).json
    items = sign_in("bob").events("alice@example.com").json
    assert items["accessRole"] == "freeBusyReader"
    # It behaves as singleEvents=true: two instances, no master.
    assert {item["recurringEventId"] for item in items["items"]} == {event["id"]}
    assert len(items["items"]) == 2
    for item in items["items"]:
        assert "start" in item
        assert "summary" not in item
        assert "location" not in item


def test_3_7_readers_see_private_events_as_times(simulator, google, timed, sign_in) -> None:
    simulator.set_role("bob@example.com", "alice@example.com", "reader")
    private = google.insert(timed(visibility="private", summary="secret")).json["id"]
    public = google.insert(timed(summary="shown")).json["id"]
    bob = sign_in("bob")
    assert "summary" not in bob.get(private, "alice@example.com").json
    assert bob.get(public, "alice@example.com").json["summary"] == "shown"


# -- 3.8 times ------------------------------------------------------------------------------


def test_3_8_all_day_ends_are_exclusive(google, calendar) -> None:
    event = google.insert(_day("2027-03-01", "2027-03-02"), calendar).json
    assert (event["start"], event["end"]) == ({"date": "2027-03-01"}, {"date": "2027-03-02"})
    refused = google.insert(_day("2027-03-01", "2027-03-01"), calendar)
    assert (refused.status, refused.reason) == (400, "timeRangeEmpty")


@pytest.mark.parametrize(
    "body",
    [
        {"start": {"date": "2027-03-01"}, "end": {"dateTime": "2027-03-02T10:00:00Z"}},
        {"start": {"date": "2027-03-01", "dateTime": "2027-03-01T10:00:00Z"},
         "end": {"date": "2027-03-02"}},
        {"start": {"dateTime": "yesterday"}, "end": {"dateTime": "2027-03-02T10:00:00Z"}},
        {"start": {"date": "2027-02-30"}, "end": {"date": "2027-03-02"}},
        {"start": {"dateTime": "2027-03-01T10:00:00", "timeZone": "Mars/Olympus"},
         "end": {"dateTime": "2027-03-01T11:00:00", "timeZone": "Mars/Olympus"}},
    ],
)  # fmt: skip
def test_3_8_nonsense_is_refused(google, calendar, body) -> None:
    assert google.insert(body, calendar).status == 400


def test_3_8_a_patch_from_timed_to_all_day_must_clear_the_time(google, calendar, timed) -> None:
    event_id = google.insert(timed(), calendar).json["id"]
    day = {"start": {"date": "2027-03-01"}, "end": {"date": "2027-03-02"}}
    assert google.patch(event_id, day, calendar).status == 400
    cleared = {name: {**edge, "dateTime": None, "timeZone": None} for name, edge in day.items()}
    assert google.patch(event_id, cleared, calendar).json["start"] == {"date": "2027-03-01"}


def test_3_8_the_end_is_checked_first(google, calendar) -> None:
    reply = google.insert({}, calendar)
    assert (reply.status, reply.reason) == (400, "required")
    assert reply.json["error"]["message"] == "Missing end time."
    only_end = google.insert({"end": {"date": "2027-03-02"}}, calendar)
    assert only_end.json["error"]["message"] == "Missing start time."


def test_3_8_end_before_start(google, calendar) -> None:
    body = _local("2027-03-01T11:00:00", "2027-03-01T10:00:00")
    reply = google.insert(body, calendar)
    assert (reply.status, reply.reason) == (400, "timeRangeEmpty")


@pytest.mark.parametrize(("setting", "status"), [("accepted", 200), ("refused", 400)])
def test_3_8_switch_an_event_without_length(simulator, google, calendar, setting, status):
    simulator.switch(empty_event=setting)
    body = _local("2027-03-01T10:00:00", "2027-03-01T10:00:00")
    assert google.insert(body, calendar).status == status


def test_3_8_local_time_needs_a_zone(simulator, google, calendar) -> None:
    body = {
        "start": {"dateTime": "2027-03-01T10:00:00"},
        "end": {"dateTime": "2027-03-01T11:00:00"},
    }
    reply = google.insert(body, calendar)
    assert (reply.status, reply.reason) == (400, "required")


def test_3_8_switch_local_time_without_zone_is_the_calendars(simulator, google, calendar) -> None:
    simulator.switch(missing_zone="calendar")
    body = {
        "start": {"dateTime": "2027-03-01T10:00:00"},
        "end": {"dateTime": "2027-03-01T11:00:00"},
    }
    assert google.insert(body, calendar).json["start"]["dateTime"] == "2027-03-01T10:00:00+11:00"


def test_3_8_answers_are_in_the_asked_zone_and_keep_the_events_own(google, calendar) -> None:
    body = _local("2027-03-01T10:00:00", "2027-03-01T11:00:00", NEW_YORK)
    event = google.insert(body, calendar).json
    assert event["start"]["timeZone"] == NEW_YORK
    asked = google.get(event["id"], calendar, timeZone="Europe/Paris").json
    assert asked["start"] == {"dateTime": "2027-03-01T16:00:00+01:00", "timeZone": NEW_YORK}


def test_3_8_without_asking_answers_are_in_the_calendars_zone(simulator, google, calendar):
    body = _local("2027-03-01T10:00:00", "2027-03-01T11:00:00", NEW_YORK)
    assert google.insert(body, calendar).json["start"]["dateTime"] == "2027-03-02T02:00:00+11:00"


@pytest.mark.parametrize(("setting", "tail"), [("Z", "Z"), ("+00:00", "+00:00")])
def test_3_8_switch_how_utc_is_written(simulator, google, calendar, timed, setting, tail):
    simulator.switch(utc_as=setting)
    event_id = google.insert(timed(), calendar).json["id"]
    shown = google.get(event_id, calendar, timeZone="UTC").json
    assert shown["start"]["dateTime"] == "2027-02-28T23:00:00" + tail


@pytest.mark.parametrize(
    ("setting", "gap", "overlap"),
    [
        ("earlier", "2027-03-14T03:30:00-04:00", "2027-11-07T01:30:00-04:00"),
        ("later", "2027-03-14T01:30:00-05:00", "2027-11-07T01:30:00-05:00"),
    ],
)
def test_3_8_switch_wall_clock_in_a_dst_gap_or_overlap(
    simulator, google, calendar, setting, gap, overlap
) -> None:
    simulator.switch(dst_fold=setting)
    for start, end, expected in (
        ("2027-03-14T02:30:00", "2027-03-14T05:00:00", gap),
        ("2027-11-07T01:30:00", "2027-11-07T03:00:00", overlap),
    ):
        event_id = google.insert(_local(start, end, NEW_YORK), calendar).json["id"]
        shown = google.get(event_id, calendar, timeZone=NEW_YORK).json
        assert shown["start"]["dateTime"] == expected


def test_3_8_two_zones_in_one_event(google, calendar) -> None:
    flight = {
        "start": {"dateTime": "2027-03-01T10:00:00", "timeZone": SYDNEY},
        "end": {"dateTime": "2027-03-01T20:00:00", "timeZone": "Asia/Tokyo"},
    }
    event = google.insert(flight, calendar).json
    assert (event["start"]["timeZone"], event["end"]["timeZone"]) == (SYDNEY, "Asia/Tokyo")
