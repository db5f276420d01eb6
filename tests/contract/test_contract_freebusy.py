"""Fact 6: freebusy.query."""

from __future__ import annotations

import pytest

ALICE = "alice@example.com"
DAY = {"timeMin": "2027-03-01T00:00:00+11:00", "timeMax": "2027-03-02T00:00:00+11:00"}


def _query(google, *ids: str, **more):
    body = {**DAY, "items": [{"id": calendar} for calendar in ids], **more}
    return google.call("POST", "freeBusy", body)


def _busy(google, calendar=ALICE, **more) -> list[tuple[str, str]]:
    periods = _query(google, calendar, **more).json["calendars"][calendar]["busy"]
    return [(period["start"], period["end"]) for period in periods]


def test_6_busy_periods_in_utc(simulator, google, calendar, timed) -> None:
    google.insert(timed("2027-03-01T10:00:00+11:00"), calendar)
    reply = _query(google, calendar).json
    assert reply["kind"] == "calendar#freeBusy"
    assert reply["timeMin"] == "2027-02-28T13:00:00.000Z"
    busy = reply["calendars"][calendar]["busy"]
    assert {"start": "2027-02-28T23:00:00Z", "end": "2027-03-01T00:00:00Z"} in busy


def test_6_an_unreadable_calendar_has_errors_and_an_empty_busy(google, calendar) -> None:
    reply = _query(google, "nobody@nowhere.example", calendar)
    assert reply.status == 200
    unknown = reply.json["calendars"]["nobody@nowhere.example"]
    assert unknown["errors"] == [{"domain": "global", "reason": "notFound"}]
    assert unknown["busy"] == []
    assert "errors" not in reply.json["calendars"][calendar]


def test_6_primary_is_echoed(google) -> None:
    assert set(_query(google, "primary").json["calendars"]) == {"primary"}


def test_6_ranges(google, calendar) -> None:
    empty = _query(google, calendar, timeMax=DAY["timeMin"])
    assert (empty.status, empty.reason) == (400, "timeRangeEmpty")
    long = _query(google, calendar, timeMax="2027-08-01T00:00:00Z")
    assert (long.status, long.reason) == (400, "timeRangeTooLong")
    assert _query(google, calendar, timeMax="2027-03-30T00:00:00Z").status == 200


def test_6_free_cancelled_and_declined_do_not_count(simulator, google, timed) -> None:
    google.insert(timed("2027-03-01T08:00:00+11:00", transparency="transparent"))
    gone = google.insert(timed("2027-03-01T09:00:00+11:00")).json["id"]
    google.delete(gone)
    declined = [{"email": ALICE, "responseStatus": "declined"}]
    google.insert(timed("2027-03-01T10:00:00+11:00", attendees=declined))
    assert _busy(google) == []
    simulator.switch(busy_declined="busy")
    assert len(_busy(google)) == 1


@pytest.mark.parametrize(("setting", "count"), [("busy", 1), ("free", 0)])
def test_6_switch_tentative(simulator, google, timed, setting, count) -> None:
    simulator.switch(busy_tentative=setting)
    google.insert(timed(status="tentative"))
    assert len(_busy(google)) == count


def test_6_switch_merged_and_clipped(simulator, google, timed) -> None:
    google.insert(timed("2027-02-28T23:00:00+11:00", hours=2))
    google.insert(timed("2027-03-01T00:30:00+11:00", hours=2))
    assert _busy(google) == [("2027-02-28T13:00:00Z", "2027-02-28T15:30:00Z")]
    simulator.switch(busy_periods="separate")
    assert len(_busy(google)) == 2
    assert _busy(google)[0][0] == "2027-02-28T12:00:00Z"


def test_6_series_and_whole_days_count(simulator, google, timed) -> None:
    google.insert(timed(recurrence=["RRULE:FREQ=DAILY;COUNT=3"]))
    google.insert({"start": {"date": "2027-03-02"}, "end": {"date": "2027-03-03"}})
    busy = _busy(google, timeMax="2027-03-05T00:00:00+11:00", timeZone="Australia/Sydney")
    assert busy == [
        ("2027-03-01T10:00:00+11:00", "2027-03-01T11:00:00+11:00"),
        ("2027-03-02T00:00:00+11:00", "2027-03-03T00:00:00+11:00"),
        ("2027-03-03T10:00:00+11:00", "2027-03-03T11:00:00+11:00"),
    ]


def test_6_a_cap_on_calendars(simulator, google) -> None:
    reply = _query(google, ALICE, "jobs-alice@group.calendar.google.com", calendarExpansionMax=1)
    capped = reply.json["calendars"]["jobs-alice@group.calendar.google.com"]
    assert capped["errors"][0]["reason"] == "tooManyCalendarsRequested"
    many = [f"{number}@nowhere.example" for number in range(51)]
    assert len(_query(google, *many).json["calendars"]) == 51


@pytest.mark.parametrize(
    "body", [{}, {"timeMin": DAY["timeMin"]}, {**DAY, "items": "x"}, {**DAY, "timeZone": "Mars"}]
)
def test_6_faulty_queries(google, body) -> None:
    assert google.call("POST", "freeBusy", body).status == 400
