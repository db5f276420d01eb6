"""The day sheet: who goes where on a day, in order."""

from __future__ import annotations

import json
from contextlib import closing
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.test import Client

from sophiie.accounts.models import Member
from sophiie.accounts.people import add_member
from sophiie.appointments.booking import book, cancel
from sophiie.appointments.models import Appointment
from sophiie.common.clock import now
from sophiie.common.wall_time import in_zone
from tests.conftest import SYDNEY, details
from tests.web.pages import parsed

pytestmark = pytest.mark.django_db


def today() -> date:
    return in_zone(now(), SYDNEY).date()


def at(hour: int, *, day: int = 1) -> datetime:
    """When Sydney's clocks show that hour, some days ahead; 26 is two o'clock of the next day."""
    later, hour = divmod(hour, 24)
    wall = datetime.combine(today() + timedelta(days=day + later), time(hour))
    return wall.replace(tzinfo=ZoneInfo(SYDNEY)).astimezone(UTC)


def visit(by: Member, hour: int, *people: Member, day: int = 1, **more: Any) -> Appointment:
    words = {"title": f"At {hour}", "start": at(hour, day=day), **more}
    words.setdefault("end", words["start"] + timedelta(minutes=30))
    return book(by=by, details=details(**words), assignees=list(people) or [by])


def sheet(page: Client, **asked: str) -> Any:
    response = page.get("/day-sheet", asked)
    assert response.status_code == 200
    return parsed(response)


def titles(html: Any) -> list[str]:
    return [title.one("a").words for title in html.all("h3", class_="visit-title")]


@pytest.mark.every_date
def test_my_day_has_my_visits_in_order_and_nothing_else(
    page: Client, alice: Member, bob: Member
) -> None:
    for hour in (15, 9):
        visit(alice, hour)
    visit(alice, 11, bob)
    visit(alice, 8, day=2)
    cancel(by=alice, appointment_id=visit(alice, 12).id)
    tomorrow = str(today() + timedelta(days=1))
    assert titles(sheet(page, date=tomorrow)) == ["At 9", "At 15"]
    assert titles(sheet(page, date=tomorrow, team="1")) == ["At 9", "At 15", "At 11"]
    assert titles(sheet(page)) == []


def test_a_visit_of_two_stands_on_both_sheets(page: Client, alice: Member, bob: Member) -> None:
    visit(alice, 9, alice, bob)
    html = sheet(page, date=str(today() + timedelta(days=1)), team="1")
    sheets = html.all("section", class_="day-sheet")
    assert [one.one("h2").words for one in sheets] == ["Alice", "Bob"]
    assert "with Bob" in sheets[0].words
    assert "with Alice" in sheets[1].words


def test_it_calls_and_shows_the_way(page: Client, alice: Member) -> None:
    more = {"location": "5 Rose St\nSydney", "customer_phone": "+61 2 9999 0000"}
    visit(alice, 9, customer_name="Charlie", notes="Gate code 12\nDog", **more)
    html = sheet(page, date=str(today() + timedelta(days=1)))
    links = {link["href"] for link in html.one("ol").all("a")}
    assert {"tel:+61299990000", "geo:0,0?q=5%20Rose%20St%20Sydney"} < links
    assert html.one("p", class_="visit-notes").text == "Gate code 12Dog"


@pytest.mark.every_date
def test_a_night_stands_on_both_days_with_the_other_days_name(page: Client, alice: Member) -> None:
    visit(alice, 22, end=at(28))
    for day, said in ((1, "22:00"), (2, "04:00")):
        html = sheet(page, date=str(today() + timedelta(days=day)))
        when = html.one("p", class_="visit-time").words
        assert said in when
        other = at(28) if day == 1 else at(22)
        assert f"{in_zone(other, SYDNEY):%a %-d %b}" in when


@pytest.mark.every_date
def test_what_ends_at_midnight_is_not_on_the_next_day(page: Client, alice: Member) -> None:
    visit(alice, 23, end=at(24))
    assert titles(sheet(page, date=str(today() + timedelta(days=2)))) == []


@pytest.mark.parametrize("asked", ["", "x", "0001-01-01", "9999-12-31", "2026-02-30", "\x00"])
def test_a_day_that_is_none_is_today(page: Client, alice: Member, asked: str) -> None:
    visit(alice, 24, day=0, end=at(25, day=0))  # the next day
    html = sheet(page, date=asked)
    assert f"{today():%A}" in html.one("h1").words
    assert titles(html) == []


def test_ahead_are_my_next_eight_days_without_a_link_into_the_pages(
    page: Client, alice: Member, bob: Member
) -> None:
    visit(alice, 9, day=7)
    visit(alice, 10, day=8)
    visit(alice, 11, bob, day=1)
    html = parsed(page.get("/day-sheet/ahead"))
    assert [title.words for title in html.all("h3", class_="visit-title")] == ["At 9"]
    assert len(html.all("h2", class_="day-sheet-name")) == 8
    assert not [*html.all("script"), *html.all("form"), *html.one("ol").all("a")]


def test_it_costs_as_many_queries_for_a_full_day(
    page: Client, alice: Member, django_assert_max_num_queries: Any
) -> None:
    people = [
        add_member(
            business=alice.business,
            email=f"p{n}@example.com",
            name=f"P{n}",
            role="member",
            password=None,
        )
        for n in range(3)
    ]
    tomorrow = str(today() + timedelta(days=1))
    for hour in range(8, 18):
        visit(alice, hour, *people)
    with django_assert_max_num_queries(10):
        assert len(titles(sheet(page, date=tomorrow, team="1"))) == 30


def test_signing_out_makes_the_browser_forget(page: Client) -> None:
    assert "Clear-Site-Data" not in page.get("/logout").headers
    assert page.post("/logout")["Clear-Site-Data"] == '"storage"'


def test_it_can_be_installed(client: Client, db: None) -> None:
    manifest = client.get("/manifest.webmanifest")
    assert manifest["Content-Type"] == "application/manifest+json"
    said = json.loads(manifest.content)
    assert {icon["sizes"] for icon in said["icons"]} == {"192x192", "512x512"}
    for icon in said["icons"]:
        with closing(client.get(icon["src"])) as answer:
            assert answer.status_code == 200
    worker = client.get("/service-worker.js")
    assert worker["Content-Type"].startswith("text/javascript")
    assert "worker-src 'self'" in worker["Content-Security-Policy"]


def test_how_a_visit_went_is_said_on_the_sheet_and_taken_back(page: Client, alice: Member) -> None:
    """Once it has begun; the answer leads back to the visit on the sheet."""
    done = visit(alice, 9, day=0, start=now() - timedelta(hours=1))
    visit(alice, 10, day=0, start=now() + timedelta(minutes=1))
    where = f"/day-sheet?date={in_zone(done.start, SYDNEY):%Y-%m-%d}"
    for pressed, status in (("Done: At 9", "completed"), ("Mark as scheduled: At 9", "scheduled")):
        html = parsed(page.get(where))
        buttons = {b.words: b for b in html.all("button") if b["name"] == "status"}
        assert not [words for words in buttons if "At 10" in words]
        form = buttons[pressed].parent
        assert form
        sent = {i["name"]: i["value"] for i in form.all("input")} | {"status": status}
        answer = page.post(form["action"], sent)
        assert (answer.status_code, answer["Location"]) == (302, f"{where}#visit-{done.id}")
        assert Appointment.objects.get(pk=done.pk).status == status
    done.refresh_from_db()
    page.post(f"/appointments/{done.id}/status", {"status": "no_show"})
    team = parsed(page.get(f"{where}&team=1"))
    assert "Did not show up" in team.one("li", class_="visit visit-off").words
