"""Fact 3.9: series, instances, exceptions."""

from __future__ import annotations

import pytest

NEW_YORK = "America/New_York"


def _day(start: str, end: str, **more) -> dict:
    return {"summary": "Contract test", "start": {"date": start}, "end": {"date": end}, **more}


def _local(start: str, end: str, zone: str = NEW_YORK, **more) -> dict:
    return {
        "summary": "Contract test",
        "start": {"dateTime": start, "timeZone": zone},
        "end": {"dateTime": end, "timeZone": zone},
        **more,
    }


WEEKLY = ["RRULE:FREQ=WEEKLY;COUNT=4"]


def _series(google, calendar, **more) -> dict:
    """09:00 in New York across the spring change of 2027-03-14, four weeks from March 1st."""
    body = _local("2027-03-01T09:00:00", "2027-03-01T10:00:00", NEW_YORK, recurrence=WEEKLY)
    return google.insert({**body, **more}, calendar).json


def _instances(google, calendar, event_id, **query) -> list[dict]:
    path = f"calendars/{calendar}/events/{event_id}/instances"
    items: list[dict] = []
    page: dict[str, str] = {}
    while True:
        body = google.call("GET", path, **query, **page).json
        items += body["items"]
        if "nextPageToken" not in body:
            return items
        page = {"pageToken": body["nextPageToken"]}


def test_3_9_nine_stays_nine_across_dst(google, calendar) -> None:
    series = _series(google, calendar)
    starts = [
        item["start"]["dateTime"]
        for item in _instances(google, calendar, series["id"], timeZone=NEW_YORK)
    ]
    assert starts == [
        "2027-03-01T09:00:00-05:00",
        "2027-03-08T09:00:00-05:00",
        "2027-03-15T09:00:00-04:00",
        "2027-03-22T09:00:00-04:00",
    ]


def test_3_9_instances_carry_their_series_and_original_start(google, calendar) -> None:
    series = _series(google, calendar)
    first = _instances(google, calendar, series["id"])[0]
    assert first["id"] == f"{series['id']}_20270301T140000Z"
    assert first["recurringEventId"] == series["id"]
    assert first["iCalUID"] == series["iCalUID"]
    assert "recurrence" not in first
    assert google.get(first["id"], calendar).json["id"] == first["id"]
    assert google.get(f"{series['id']}_20270302T140000Z", calendar).status == 404


def test_3_9_all_day_instances_have_days_in_their_ids(google, calendar) -> None:
    body = _day("2027-03-01", "2027-03-02", recurrence=["RRULE:FREQ=DAILY;COUNT=2"])
    series = google.insert(body, calendar).json
    ids = [item["id"] for item in _instances(google, calendar, series["id"])]
    assert ids == [f"{series['id']}_20270301", f"{series['id']}_20270302"]


def test_3_9_a_patched_instance_is_an_exception(google, calendar) -> None:
    series = _series(google, calendar)
    second = _instances(google, calendar, series["id"])[1]
    moved = google.patch(
        second["id"],
        {
            "start": {"dateTime": "2027-03-09T15:00:00-05:00"},
            "end": {"dateTime": "2027-03-09T16:00:00-05:00"},
        },
        calendar,
    ).json
    assert moved["originalStartTime"] == second["originalStartTime"]
    master = google.get(series["id"], calendar).json
    assert (master["etag"], master["start"]) == (series["etag"], series["start"])
    listed = _instances(google, calendar, series["id"], timeZone=NEW_YORK)
    assert listed[1]["start"]["dateTime"] == "2027-03-09T15:00:00-05:00"
    assert len(listed) == 4


def test_3_9_cancelled_exceptions_show_bare_in_a_plain_list(google, calendar) -> None:
    series = _series(google, calendar)
    second = _instances(google, calendar, series["id"])[1]
    google.delete(second["id"], calendar)
    window = {"timeMin": "2027-02-28T00:00:00Z", "timeMax": "2027-04-01T00:00:00Z"}
    plain, _ = google.all_pages(calendar, **window)
    ours = {item["id"]: item for item in plain if series["id"] in item["id"]}
    assert set(ours) == {series["id"], second["id"]}
    assert ours[second["id"]]["status"] == "cancelled"
    assert "start" not in ours[second["id"]]
    assert "summary" not in ours[second["id"]]
    singly, _ = google.all_pages(calendar, singleEvents="true", **window)
    ids = {item["id"] for item in singly}
    assert second["id"] not in ids
    assert series["id"] not in ids
    assert len([one for one in ids if one.startswith(series["id"])]) == 3


def test_3_9_recurring_events_need_a_zone(google, calendar) -> None:
    body = {
        "start": {"dateTime": "2027-03-01T09:00:00-05:00"},
        "end": {"dateTime": "2027-03-01T10:00:00-05:00"},
        "recurrence": WEEKLY,
    }
    assert google.insert(body, calendar).reason == "required"


@pytest.mark.parametrize("line", ["RRULE:FREQ=NEVER", "DTSTART:20270301", "nonsense"])
def test_3_9_bad_rules_are_refused(google, calendar, line) -> None:
    body = _local("2027-03-01T09:00:00", "2027-03-01T10:00:00", recurrence=[line])
    assert google.insert(body, calendar).status == 400


def test_3_9_exdate_and_rdate(google, calendar) -> None:
    lines = [
        "RRULE:FREQ=DAILY;COUNT=3",
        f"EXDATE;TZID={NEW_YORK}:20270302T090000",
        "RDATE:20270310T140000Z",
    ]
    series = _series(google, calendar, recurrence=lines)
    items = _instances(google, calendar, series["id"], timeZone=NEW_YORK)
    assert [item["start"]["dateTime"] for item in items] == [
        "2027-03-01T09:00:00-05:00",
        "2027-03-03T09:00:00-05:00",
        "2027-03-10T09:00:00-05:00",
    ]


def test_3_9_until_in_utc_includes_its_moment(google, calendar) -> None:
    series = _series(google, calendar, recurrence=["RRULE:FREQ=DAILY;UNTIL=20270303T140000Z"])
    assert len(_instances(google, calendar, series["id"])) == 3


def test_3_9_the_window_of_instances_includes_its_start(google, calendar) -> None:
    series = _series(google, calendar)
    end_of_first = "2027-03-01T10:00:00-05:00"
    assert len(_instances(google, calendar, series["id"], timeMin=end_of_first)) == 4
    window = {"timeMin": end_of_first, "timeMax": "2027-04-01T00:00:00Z", "singleEvents": "true"}
    listed, _ = google.all_pages(calendar, **window)
    assert len([item for item in listed if item["id"].startswith(series["id"])]) == 3


def test_3_9_instances_of_an_instance_is_that_one(google, calendar) -> None:
    series = _series(google, calendar)
    second = _instances(google, calendar, series["id"])[1]["id"]
    assert [item["id"] for item in _instances(google, calendar, second)] == [second]


def test_3_9_deleting_the_series_deletes_its_exceptions(simulator, google, calendar) -> None:
    series = _series(google, calendar)
    second = _instances(google, calendar, series["id"])[1]
    google.patch(second["id"], {"summary": "moved"}, calendar)
    google.delete(series["id"], calendar)
    assert google.get(second["id"], calendar).json["status"] == "cancelled"
    window = {"timeMin": "2027-02-28T00:00:00Z", "timeMax": "2027-04-01T00:00:00Z"}
    for single in ("true", "false"):
        left, _ = google.all_pages(calendar, singleEvents=single, **window)
        assert not [item for item in left if item["id"].startswith(series["id"])]


def test_3_9_exceptions_off_the_changed_rule_go(simulator, google, calendar) -> None:
    series = _series(google, calendar)
    last = _instances(google, calendar, series["id"])[3]
    google.patch(last["id"], {"summary": "moved"}, calendar)
    google.patch(series["id"], {"recurrence": ["RRULE:FREQ=WEEKLY;COUNT=2"]}, calendar)
    assert len(_instances(google, calendar, series["id"])) == 2
    assert google.get(last["id"], calendar).json["status"] == "cancelled"


def test_3_9_an_empty_recurrence_is_none(google, calendar, timed) -> None:
    made = google.insert(timed(recurrence=[]), calendar)
    assert made.status == 200
    assert "recurrence" not in made.json
    series = _series(google, calendar)
    single = google.patch(series["id"], {"recurrence": []}, calendar)
    assert single.status == 200
    assert "recurrence" not in google.get(series["id"], calendar).json


@pytest.mark.parametrize(("setting", "status"), [("accepted", 200), ("refused", 400)])
def test_3_9_switch_a_rule_that_ends_with_a_semicolon(
    simulator, google, calendar, timed, setting, status
) -> None:
    simulator.switch(trailing_semicolon=setting)
    made = google.insert(timed(recurrence=["RRULE:FREQ=WEEKLY;COUNT=3;"]), calendar)
    assert made.status == status
    if status == 200:
        assert len(_instances(google, calendar, made.json["id"])) == 3


def test_3_9_original_start_finds_one_instance(google, calendar) -> None:
    series = _series(google, calendar)
    third = _instances(google, calendar, series["id"])[2]
    google.patch(
        third["id"],
        _local("2027-03-16T12:00:00", "2027-03-16T13:00:00"),
        calendar,
    )
    for spelt in ("2027-03-15T09:00:00-04:00", "2027-03-15T13:00:00Z"):
        found = _instances(google, calendar, series["id"], originalStart=spelt)
        assert [item["id"] for item in found] == [third["id"]]
    elsewhere = _instances(google, calendar, series["id"], originalStart="2027-03-16T12:00:00Z")
    assert elsewhere == []
    days = google.insert(_day("2027-03-01", "2027-03-02", recurrence=WEEKLY), calendar).json
    found = _instances(google, calendar, days["id"], originalStart="2027-03-08")
    assert [item["start"] for item in found] == [{"date": "2027-03-08"}]
    path = f"calendars/{calendar}/events/{series['id']}/instances"
    assert google.call("GET", path, originalStart="soon").status == 400


@pytest.mark.parametrize(("setting", "status"), [("cancelled", 200), ("404", 404)])
def test_3_9_switch_an_exception_whose_series_is_gone(
    simulator, google, calendar, setting, status
) -> None:
    simulator.switch(exception_of_deleted_series=setting)
    series = _series(google, calendar)
    second = _instances(google, calendar, series["id"])[1]
    google.patch(second["id"], {"summary": "Alone"}, calendar)
    google.delete(series["id"], calendar)
    assert google.get(second["id"], calendar).status == status
