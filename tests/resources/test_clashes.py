"""A resource that two appointments have at once is said on both, wherever they are shown."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from sophiie.accounts.models import Member
from sophiie.appointments.booking import book, cancel, change, delete, reinstate
from sophiie.appointments.clashes import clashes_of
from sophiie.appointments.models import Appointment
from sophiie.common.clock import now
from sophiie.resources.editing import make
from sophiie.resources.models import Resource, ResourceUse
from tests.conftest import ApiCaller, details, tomorrow_at
from tests.web.pages import parsed

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine("2026-12-01T02:17Z")]


@pytest.fixture
def van(alice: Member) -> Resource:
    return make(by=alice, name="Blue van")


@pytest.fixture
def pair(alice: Member, bob: Member, van: Resource) -> tuple[Appointment, Appointment]:
    """Alice's, and Bob's half an hour later, which was booked over hers: both have the van."""
    first = book(by=alice, details=details(title="Tap"), assignees=[alice], resources=[van])
    start = first.start + timedelta(minutes=30)
    over = details(title="Boiler", start=start)
    second = book(by=alice, details=over, assignees=[bob], resources=[van], allow_overlap=True)
    return first, second


def said(*appointments: Appointment) -> dict[str, list[tuple[str, str]]]:
    """By title, what clashes: the resource, and the other appointment."""
    fresh = Appointment.objects.filter(pk__in=[one.pk for one in appointments], deleted_at=None)
    found = clashes_of(fresh)
    return {
        one.title: [(it.member_name, it.title) for it in found[one.pk]]
        for one in fresh
        if found.get(one.pk)
    }


BOTH = {"Tap": [("Blue van", "Boiler")], "Boiler": [("Blue van", "Tap")]}


def test_both_say_it_until_one_gives_way(
    alice: Member, pair: tuple[Appointment, Appointment]
) -> None:
    first, second = pair
    assert said(*pair) == BOTH
    cancel(by=alice, appointment_id=first.pk)
    assert said(*pair) == {}
    reinstate(by=alice, appointment_id=first.pk)
    assert said(*pair) == BOTH
    delete(by=alice, appointment_id=second.pk)
    assert said(*pair) == {}
    reinstate(by=alice, appointment_id=second.pk)
    later = {"start": first.end, "end": first.end + timedelta(hours=1)}
    change(by=alice, appointment_id=second.pk, changes=later)
    assert said(*pair) == {}


def test_what_gives_the_van_back_or_never_had_it_clashes_with_nothing(
    alice: Member, bob: Member, pair: tuple[Appointment, Appointment]
) -> None:
    room = make(by=alice, name="Room 2")
    start = pair[0].start + timedelta(hours=4)
    for title, who in (("Near", alice), ("Far", bob)):
        away = details(title=title, start=start)
        book(by=alice, details=away, assignees=[who], resources=[room] if who == bob else [])
    assert said(*Appointment.objects.all()) == BOTH
    change(by=alice, appointment_id=pair[1].pk, changes={}, resources=[room])
    assert said(*Appointment.objects.all()) == {}


def test_what_the_clocks_put_together_clashes_on_both(
    alice: Member, pair: tuple[Appointment, Appointment]
) -> None:
    ResourceUse.objects.filter(appointment=pair[1]).update(booked_anyway=False, displaced=True)
    assert said(*pair) == BOTH


def test_a_hold_that_ran_out_clashes_with_nothing(
    alice: Member, pair: tuple[Appointment, Appointment]
) -> None:
    ResourceUse.objects.filter(appointment=pair[1]).update(held_until=now())
    assert said(pair[0]) == {}


def test_every_place_shows_resources_and_that_they_are_booked_twice(
    page: Client, api: ApiCaller, bob: Member, pair: tuple[Appointment, Appointment]
) -> None:
    first, second = pair
    week = {"from": "2026-11-30", "to": "2026-12-07"}
    told = {one["title"]: one for one in page.get("/calendar/feed", week).json()["appointments"]}
    for title in ("Tap", "Boiler"):
        assert told[title]["resources"] == ["Blue van"]
        assert told[title]["twice"] == ["Blue van"]
    for one, other in ((first, second), (second, first)):
        for place in ("", "/sheet"):
            words = parsed(page.get(f"/appointments/{one.pk}{place}")).words
            assert "ResourcesBlue van" in words
            assert f"Blue van is used by “{other.title}” on" in words
        (clash,) = api("GET", f"/appointments/{one.pk}").json()["clashes"]
        assert (clash["source"], clash["appointment_id"]) == ("resource", str(other.pk))
    day = first.local_start.date().isoformat()
    sheets = parsed(page.get("/day-sheet", {"date": day, "team": "1"})).words
    assert sheets.count("Resources: Blue van") == sheets.count("Booked twice: Blue van") > 0
    rows = parsed(page.get("/calendar", {"week": day, "plain": "1"})).all("li", class_="row")
    assert len(rows) == 2
    for row in rows:
        assert "Resources: Blue van" in row.words
        assert "Blue van is booked twice" in row.words


def test_the_feed_asks_once_however_many_there_are(
    page: Client, alice: Member, van: Resource, pair: tuple[Appointment, Appointment]
) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as found:
            page.get("/calendar/feed", {"from": "2026-11-30", "to": "2026-12-07"})
        return len(found)

    queries()
    before = queries()
    for hour in range(5, 9):
        one = details(start=tomorrow_at(hour))
        book(by=alice, details=one, assignees=[alice], resources=[van])
    assert queries() == before
