"""What the calendar page is told: times on the wall, people, holds, Google's busy times, walls."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.test import Client

from google_simulator.testing import RunningSimulator
from sophiie.accounts.models import Member
from sophiie.accounts.people import add_member, deactivate
from sophiie.appointments.booking import book, cancel, delete
from sophiie.appointments.models import Appointment
from sophiie.busy_time.models import BusyCalendar, BusyPeriod
from sophiie.common.clock import now
from sophiie.sync.models import MirroredEvent, MirrorState
from tests.conftest import details
from tests.linking import link

WEEK = {"from": "2026-11-30", "to": "2026-12-07"}


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def told(page: Client, **period: str) -> Any:
    response = page.get("/calendar/feed", {**WEEK, **period})
    assert response.status_code == 200, response.content
    return response.json()


def titles(page: Client, **period: str) -> list[str]:
    return [one["title"] for one in told(page, **period)["appointments"]]


def busy(member: Member, *times: tuple[str, str], calendar: str = "own") -> None:
    found, _ = BusyCalendar.objects.get_or_create(
        member=member,
        calendar_id=calendar,
        defaults={
            "checked_at": now(),
            "known_from": at("2026-01-01"),
            "known_until": at("2027-12-01"),
        },
    )
    for start, end in times:
        BusyPeriod.objects.create(
            calendar=found,
            member=member,
            event_id=start + end,
            during=DateTimeTZRange(at(start), at(end)),
        )


def test_an_appointment_is_told_in_the_businesss_clocks(
    page: Client, alice: Member, bob: Member
) -> None:
    plain = details(
        title="<b>Tap</b>",
        start=at("2026-12-01 01:00"),
        location="12 Bay",
        customer_name="Ms Green",
    )
    booked = book(by=alice, details=plain, assignees=[bob, alice])
    feed = told(page)
    (one,) = feed["appointments"]
    assert one == {
        "id": str(booked.id),
        "revision": 1,
        "title": "<b>Tap</b>",
        "start": "2026-12-01T12:00:00",
        "end": "2026-12-01T13:00:00",
        "who": [1, 0],
        "place": "12 Bay",
        "customer": "Ms Green",
    }
    assert [feed["people"][n]["name"] for n in one["who"]] == ["Bob", "Alice"]


def test_the_period_is_days_of_the_business(page: Client, alice: Member) -> None:
    # Sunday 13:30 UTC is Monday 00:30 in Sydney; what began before and reaches in is there too.
    for title, start in (("Before", "2026-11-29 11:30"), ("Into", "2026-11-29 12:30")):
        book(by=alice, details=details(title=title, start=at(start)), assignees=[alice])
    late = details(title="Last", start=at("2026-12-06 12:00"))
    book(by=alice, details=late, assignees=[alice])
    after = details(title="After", start=at("2026-12-06 13:00"))
    book(by=alice, details=after, assignees=[alice])
    assert titles(page) == ["Into", "Last"]
    assert titles(page, **{"from": "2026-11-29", "to": "2026-11-30"}) == ["Before", "Into"]


def test_another_zone_is_said_beside_the_businesss_time(page: Client, alice: Member) -> None:
    for zone in ("Europe/London", "Australia/Melbourne"):
        start = at("2026-12-01 01:00") + timedelta(hours=2 * (zone != "Europe/London"))
        book(by=alice, details=details(start=start, timezone=zone), assignees=[alice])
    first, second = told(page)["appointments"]
    assert first["elsewhere"] == "01:00–02:00 Europe/London"
    assert "elsewhere" not in second  # the same clocks under another name


def test_where_the_clocks_go_back_it_is_drawn_as_long_as_it_lasts(
    page: Client, alice: Member
) -> None:
    # Sydney, 4 April 2027, 03:00 becomes 02:00: 02:30 is there twice.
    start = at("2027-04-03 15:30")
    book(by=alice, details=details(start=start), assignees=[alice])
    long = details(title="Long", start=start + timedelta(hours=1), end=start + timedelta(hours=4))
    book(by=alice, details=long, assignees=[alice])
    first, second = told(page, **{"from": "2027-04-04", "to": "2027-04-05"})["appointments"]
    assert (first["start"], first["end"]) == ("2027-04-04T02:30:00", "2027-04-04T02:30:00")
    assert first["drawn_end"] == "2027-04-04T03:30:00"
    assert "it lasts 1 h" in first["note"]
    assert "drawn_end" not in second
    assert "note" not in second


def test_a_day_of_23_hours_is_told_whole(page: Client, alice: Member) -> None:
    # Sydney, 4 October 2026: 02:00 becomes 03:00.
    for title, start in (("Early", "2026-10-03 15:30"), ("Late", "2026-10-04 12:30")):
        book(by=alice, details=details(title=title, start=at(start)), assignees=[alice])
    first, second = told(page, **{"from": "2026-10-04", "to": "2026-10-05"})["appointments"]
    assert (first["start"], first["end"]) == ("2026-10-04T01:30:00", "2026-10-04T03:30:00")
    assert "it lasts 1 h" in first["note"]
    assert second["start"] == "2026-10-04T23:30:00"


@pytest.mark.time_machine("2026-11-30T10:00:00Z")
def test_a_hold_is_there_until_it_lets_go(page: Client, alice: Member) -> None:
    held = book(by=alice, details=details(start=at("2026-12-01 01:00")), assignees=[alice])
    until = at("2026-11-30 10:10")
    Appointment.objects.filter(pk=held.pk).update(status="held", held_until=until)
    with time_machine.travel(until - timedelta(minutes=1), tick=False):
        (one,) = told(page)["appointments"]
    assert (one["status"], one["until"]) == ("held", "2026-11-30T21:10:00")
    with time_machine.travel(until, tick=False):
        assert titles(page) == []


def test_cancelled_is_told_as_such_and_deleted_not_at_all(page: Client, alice: Member) -> None:
    for n, act in enumerate((cancel, delete)):
        start = at("2026-12-01 01:00") + timedelta(hours=2 * n)
        act(
            by=alice,
            appointment_id=book(by=alice, details=details(start=start), assignees=[alice]).id,
        )
    (one,) = told(page)["appointments"]
    assert one["status"] == "cancelled"


def test_busy_times_of_google_are_times_and_nothing_else(
    page: Client, alice: Member, bob: Member
) -> None:
    busy(alice, ("2026-12-01 01:00", "2026-12-01 02:00"), ("2026-12-01 01:30", "2026-12-01 03:00"))
    busy(alice, ("2026-12-01 03:00", "2026-12-01 04:00"), calendar="second")
    busy(bob, ("2026-11-28 00:00", "2026-11-30 00:00"))
    assert sorted(told(page)["busy"]) == [
        [0, "2026-12-01T12:00:00", "2026-12-01T15:00:00"],  # three that touch are one
        [1, "2026-11-30T00:00:00", "2026-11-30T11:00:00"],  # cut at the edge of what was asked
    ]


@pytest.mark.time_machine("2026-11-26T01:00:00Z")
def test_an_appointment_over_a_busy_time_says_whose(
    page: Client, alice: Member, bob: Member
) -> None:
    _, over = (
        book(by=alice, details=details(title=title, start=at(start)), assignees=[bob, alice])
        for title, start in (("Touching", "2026-12-01 00:30"), ("Over", "2026-12-01 03:00"))
    )
    busy(alice, ("2026-11-30 20:00", "2026-11-30 21:00"), ("2026-12-01 01:30", "2026-12-01 04:00"))
    clashes = {one["title"]: one.get("clash") for one in told(page)["appointments"]}
    assert clashes == {"Touching": None, "Over": [0]}
    cancel(by=alice, appointment_id=over.id)
    assert all("clash" not in one for one in told(page)["appointments"])


def test_whose_google_calendar_cannot_be_read_is_said(
    page: Client, alice: Member, bob: Member
) -> None:
    BusyCalendar.objects.create(member=bob, calendar_id="bob", problem="Google is away")
    feed = told(page)
    assert feed["unread"] == [{"who": 1, "why": "Google is away"}]
    assert feed["people"][1]["name"] == "Bob"


@pytest.mark.django_db(transaction=True)
def test_what_needs_somebody_in_google_is_marked_and_what_is_well_is_not(
    page: Client, alice: Member, google: RunningSimulator
) -> None:
    link(alice, google)
    good, bad = (
        book(by=alice, details=details(title=title, start=at(start)), assignees=[alice])
        for title, start in (("Good", "2026-12-01 01:00"), ("Bad", "2026-12-01 03:00"))
    )
    MirroredEvent.objects.filter(appointment=good).update(state=MirrorState.SYNCED)
    MirroredEvent.objects.filter(appointment=bad).update(state=MirrorState.FAILED, error="Too long")
    first, second = told(page)["appointments"]
    assert "state" not in first
    assert (second["state"], second["says"]) == ("failed", "Needs attention: Too long")


def test_colours_and_initials_stay_with_their_person(
    page: Client, alice: Member, bob: Member
) -> None:
    def people() -> dict[str, tuple[int, str]]:
        return {p["name"]: (p["colour"], p["initials"]) for p in told(page)["people"]}

    assert people() == {"Alice": (0, "A"), "Bob": (1, "B")}
    add_member(
        business=alice.business, email="a@x.com", name="Anna Bell", role="member", password=None
    )
    deactivate(alice, bob)
    assert people() == {"Alice": (0, "Al"), "Anna Bell": (2, "AB"), "Bob": (1, "B")}
    assert [p["active"] for p in told(page)["people"]] == [True, True, False]


def test_nothing_of_another_business_is_told(
    page: Client, page_of: Callable[[Member], Client], alice: Member, charlie: Member
) -> None:
    book(by=alice, details=details(start=at("2026-12-01 01:00")), assignees=[alice])
    busy(alice, ("2026-12-01 01:00", "2026-12-01 02:00"))
    feed = told(page_of(charlie))
    assert (feed["appointments"], feed["busy"]) == ([], [])
    assert [person["name"] for person in feed["people"]] == ["Charlie"]


@pytest.mark.parametrize(
    "period",
    [
        *({"from": "x"}, {"from": ""}, {"to": "2026-13-01"}, {"from": "0001-01-01"}),
        *({"to": "9999-12-31"}, {"from": "\x00"}, {"from": "١"}, {"to": "2026-11-30"}),
        *({"to": "2026-11-01"}, {"to": "2027-02-01"}, {"from": "x" * 9999}),
    ],
)
def test_a_period_that_is_none_is_refused_in_a_sentence(
    page: Client, period: dict[str, str]
) -> None:
    response = page.get("/calendar/feed", {**WEEK, **period})
    assert response.status_code == 400
    assert response.json()["message"].endswith(".")


@pytest.mark.time_machine("2026-11-26T01:00Z")
def test_it_costs_the_same_few_queries_whatever_it_holds(
    page: Client, alice: Member, bob: Member, django_assert_num_queries: Any
) -> None:
    def count(queries: int, appointments: int) -> None:
        with django_assert_num_queries(queries):
            assert len(titles(page)) == appointments

    # Session, member, business, people, busy, appointments, attention, working hours; how fresh it
    # is, what clashes, and which busy time is their own events go past Django and its counting.
    count(8, 0)
    for n in range(10):
        start = at("2026-12-01 00:00") + timedelta(hours=n)
        book(by=alice, details=details(start=start), assignees=[alice, bob])
    count(8, 10)
    busy(alice, ("2026-12-01 01:00", "2026-12-01 02:00"))
    count(8, 10)
    busy(alice, ("2026-12-01 03:00", "2026-12-01 09:00"))
    count(8, 10)


def test_it_is_packed_for_the_way_and_kept_nowhere(page: Client, alice: Member) -> None:
    for n in range(20):
        start = at("2026-12-01 00:00") + timedelta(hours=n)
        book(by=alice, details=details(start=start), assignees=[alice])
    response = page.get("/calendar/feed", WEEK, headers={"Accept-Encoding": "gzip"})
    assert response["Content-Encoding"] == "gzip"
    assert len(json.loads(gzip.decompress(response.content))["appointments"]) == 20
    assert response["Cache-Control"] == "private, no-store"
