"""The form on the days when the clocks are changed, in both hemispheres."""

from __future__ import annotations

from datetime import UTC, datetime, time
from typing import Any

import pytest
from django.test import Client

from sophiie.accounts.models import Member
from sophiie.appointments.booking import book
from sophiie.appointments.models import Appointment
from sophiie.availability.editing import save_week
from sophiie.availability.hours import Span
from tests.conftest import details
from tests.web.pages import alerts, message_at, parsed, values


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.fixture
def typed(alice: Member) -> dict[str, Any]:
    return {"title": "Night shift", "assignees": [str(alice.id)], "notes": "Kept"}


def test_nine_in_the_morning_stays_nine_when_moved_over_a_change(
    page: Client, typed: dict[str, Any]
) -> None:
    zone = {"timezone": "Australia/Sydney"}
    at_nine = {**typed, **zone, "date": "2026-10-02", "start": "09:00", "end": "10:00"}
    address = page.post("/appointments/new", at_nine)["Location"]
    assert Appointment.objects.get().start == utc("2026-10-01 23:00")  # +10
    shown = values(parsed(page.get(address)))
    page.post(address, {**shown, "date": "2026-10-05"})
    moved = Appointment.objects.get()
    assert moved.start == utc("2026-10-04 22:00")  # +11
    assert moved.local_start.isoformat() == "2026-10-05T09:00:00+11:00"
    assert values(parsed(page.get(address)))["start"] == "09:00"


def test_another_zone_means_the_same_clock_time_there(page: Client, typed: dict[str, Any]) -> None:
    sydney = {"date": "2026-12-01", "start": "09:00", "end": "10:00"}
    address = page.post("/appointments/new", {**typed, **sydney, "timezone": "Australia/Sydney"})[
        "Location"
    ]
    shown = values(parsed(page.get(address)))
    page.post(address, {**shown, "timezone": "Europe/London"})
    assert Appointment.objects.get().start == utc("2026-12-01 09:00")


@pytest.mark.parametrize(
    ("zone", "day", "start", "end", "field"),
    [
        ("Australia/Sydney", "2026-10-04", "02:30", "04:00", "start"),
        ("Australia/Sydney", "2026-10-04", "01:30", "02:30", "end"),
        ("Europe/London", "2026-03-29", "01:30", "03:00", "start"),
        ("America/New_York", "2026-03-08", "01:30", "02:30", "end"),
    ],
)
def test_a_time_that_the_clocks_skip_is_told_at_its_field(
    page: Client, typed: dict[str, Any], zone: str, day: str, start: str, end: str, field: str
) -> None:
    sent = {**typed, "timezone": zone, "date": day, "start": start, "end": end}
    response = page.post("/appointments/new", sent)
    assert response.status_code == 422
    shown = parsed(response)
    assert "does not exist on" in message_at(shown, field)
    assert "the clocks go forward" in message_at(shown, field)
    kept = values(shown)
    assert {name: kept[name] for name in sent} == sent
    assert not Appointment.objects.exists()


AMBIGUOUS = [
    # zone, day, start, end; the start by the first and by the second passage, in UTC
    ("Australia/Sydney", "2026-04-05", "02:30", "04:00", "2026-04-04 15:30", "2026-04-04 16:30"),
    ("Europe/London", "2026-10-25", "01:30", "03:00", "2026-10-25 00:30", "2026-10-25 01:30"),
    ("America/New_York", "2026-11-01", "01:30", "03:00", "2026-11-01 05:30", "2026-11-01 06:30"),
]


@pytest.mark.parametrize(("zone", "day", "start", "end", "first", "second"), AMBIGUOUS)
@pytest.mark.parametrize("choice", ["0", "1"])
def test_a_time_that_comes_twice_is_asked_about_and_the_answer_counts(
    page: Client,
    typed: dict[str, Any],
    zone: str,
    day: str,
    start: str,
    end: str,
    first: str,
    second: str,
    choice: str,
) -> None:
    sent = {**typed, "timezone": zone, "date": day, "start": start, "end": end}
    response = page.post("/appointments/new", sent)
    assert response.status_code == 422
    shown = parsed(response)
    assert "happens twice" in message_at(shown, "start")
    radios = shown.all("input", type="radio", name="fold")
    assert [radio["value"] for radio in radios] == ["0", "1"]
    labels = [radio.parent.words for radio in radios if radio.parent]
    assert labels[0].startswith("The first")
    assert labels[1].startswith("The second")
    assert {name: values(shown)[name] for name in sent} == sent
    assert page.post("/appointments/new", {**values(shown), "fold": choice}).status_code == 302
    assert Appointment.objects.get().start == utc(second if choice == "1" else first)


@pytest.mark.parametrize("fold", ["2", "x", "\x00"])
def test_a_crafted_answer_is_refused(page: Client, typed: dict[str, Any], fold: str) -> None:
    zone, day, start, end, *_ = AMBIGUOUS[0]
    sent = {**typed, "timezone": zone, "date": day, "start": start, "end": end, "fold": fold}
    assert page.post("/appointments/new", sent).status_code == 422
    assert not Appointment.objects.exists()


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("2026-04-04 15:30", "2026-04-04 18:00"),  # begins in the first 02:30
        ("2026-04-04 16:30", "2026-04-04 18:00"),  # begins in the second
        ("2026-04-04 13:00", "2026-04-04 15:30"),  # ends in the first
        ("2026-04-04 15:30", "2026-04-04 16:30"),  # from the first to the second
        ("2026-04-04 15:45", "2026-04-04 16:15"),  # from the first 02:45 to the second 02:15
    ],
)
def test_an_appointment_in_such_a_night_can_be_edited_without_being_moved(
    page: Client, alice: Member, start: str, end: str
) -> None:
    night = details(start=utc(start), end=utc(end))
    made = book(by=alice, details=night, assignees=[alice])
    address = f"/appointments/{made.id}"
    shown = values(parsed(page.get(address)))
    response = page.post(address, {**shown, "title": "Renamed"})
    assert response.status_code == 302, alerts(parsed(response))
    kept = Appointment.objects.get()
    assert (kept.title, kept.start, kept.end) == ("Renamed", utc(start), utc(end))
    assert set(made.changes.get(revision=2).fields) == {"title"}


def test_moving_into_such_a_night_asks(page: Client, booked: Appointment) -> None:
    address = f"/appointments/{booked.id}"
    shown = values(parsed(page.get(address)))
    moved = {**shown, "date": "2026-04-05", "start": "02:30", "end": "04:00"}
    response = page.post(address, moved)
    assert response.status_code == 422
    assert parsed(response).all("input", type="radio", name="fold")
    assert page.post(address, {**values(parsed(response)), "fold": "1"}).status_code == 302
    assert Appointment.objects.get().start == utc("2026-04-04 16:30")


@pytest.mark.parametrize(
    ("begins_at", "proposed"),
    [
        ("2026-10-03T14:10:00Z", ("03:00", "04:00")),  # 00:10; 01:00 to 02:00 and the next are none
        ("2026-10-03T15:10:00Z", ("03:00", "04:00")),  # 01:10
        ("2026-10-03T16:10:00Z", ("04:00", "05:00")),  # 03:10, an hour later
        ("2027-04-03T13:10:00Z", ("03:00", "04:00")),  # 00:10; 02:00 will be there twice
        ("2027-04-03T14:10:00Z", ("03:00", "04:00")),  # 01:10
        ("2027-04-03T15:10:00Z", ("03:00", "04:00")),  # 02:10, for the first time
        ("2027-04-03T16:10:00Z", ("03:00", "04:00")),  # 02:10, for the second
    ],
)
def test_no_time_is_proposed_that_the_clocks_skip_or_double(
    page: Client, alice: Member, begins_at: str, proposed: tuple[str, str]
) -> None:
    """Alice works at night."""
    save_week(by=alice, member=alice, week=((Span(time(0), time(8)),),) * 7)
    shown = values(parsed(page.get("/appointments/new")))
    assert (shown["start"], shown["end"]) == proposed
    booked = page.post("/appointments/new", {**shown, "title": "Night shift"})
    assert booked.status_code == 302
    why = parsed(page.get("/availability/explain"))
    assert [why.one("input", name=name)["value"] for name in ("start", "end")] == [*proposed]
