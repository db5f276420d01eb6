"""Cancelling and deleting visits of a series: which ones, and one way back."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
import time_machine
from django.test import Client

from sophiie.accounts.models import Member
from sophiie.appointments.booking import change
from sophiie.appointments.models import Appointment
from sophiie.series.models import Series
from tests.series.making import walls
from tests.web.pages import alerts, parsed
from tests.web.series.shown import (
    TUESDAYS,
    address,
    undo_in,
    visit,
)

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine("2027-01-04T00:00:00Z")]


def test_cancelling_asks_for_which_visits_and_says_how_many(
    page: Client, alice: Member, weekly: Series
) -> None:
    change(by=alice, appointment_id=visit(weekly, 4).id, changes={"notes": "Dog"})
    sheet = parsed(page.get(address(visit(weekly, 2))))
    (way,) = [f for f in sheet.all("form") if f["action"] == f"{address(visit(weekly, 2))}/end"][:1]
    assert way.one("button").words == "Cancel appointment"
    shown = parsed(page.get(f"{address(visit(weekly, 2))}/end"))
    choices = [label.words for label in shown.all("label", class_="choice")]
    assert choices[0].startswith("This visit only Tue 19 Jan 2027, 09:00")
    assert "3 visits, Tue 19 Jan 2027 to Tue 9 Feb 2027" in choices[1]
    assert "1 that was changed alone stays: Tue 2 Feb, 09:00" in choices[1]
    assert "1 visit before stays as it is." in choices[1]
    assert "4 visits, Tue 12 Jan 2027 to Tue 9 Feb 2027" in choices[2]
    assert walls(weekly) == TUESDAYS


@pytest.mark.parametrize(
    ("scope", "left"),
    [("this", [0, 2, 3, 4]), ("following", [0]), ("all", [])],
)
@pytest.mark.parametrize("act", ["cancel", "delete"])
def test_ending_visits_and_undoing_it_where_one_came_from(
    page: Client, weekly: Series, act: str, scope: str, left: list[int]
) -> None:
    came_from = "/calendar?date=2027-01-12"
    said = {"act": act, "scope": scope, "back": came_from}
    response = page.post(f"{address(visit(weekly, 2))}/end", said)
    assert response.status_code == 302
    assert walls(weekly) == [TUESDAYS[n] for n in left]
    gone = Appointment.objects.exclude(deleted_at=None).count()
    assert gone == (5 - len(left) if act == "delete" else 0)
    if scope == "this":
        return
    assert response["Location"] == came_from
    action, more = undo_in(page, response)
    response = page.post(action, more)
    assert response["Location"] == came_from
    assert walls(weekly) == TUESDAYS
    assert not Appointment.objects.exclude(deleted_at=None).exists()
    history = parsed(page.get(address(visit(weekly, 3)))).words
    assert ("Brought it back" in history) == (act == "delete")


def test_what_was_changed_alone_is_ended_only_if_ticked(
    page: Client, alice: Member, weekly: Series
) -> None:
    change(by=alice, appointment_id=visit(weekly, 4).id, changes={"notes": "Dog"})
    where = f"{address(visit(weekly, 2))}/end"
    page.post(where, {"act": "cancel", "scope": "following"})
    assert walls(weekly) == [TUESDAYS[0], TUESDAYS[3]]
    where = f"{address(visit(weekly, 1))}/end"
    page.post(where, {"act": "cancel", "scope": "all", "include_changed": "1"})
    assert walls(weekly) == []


def test_past_visits_stay_and_an_end_without_any_ahead_is_refused_in_words(
    page: Client, weekly: Series
) -> None:
    with time_machine.travel(datetime(2027, 1, 13, tzinfo=UTC), tick=False):
        page.post(f"{address(visit(weekly, 1))}/end", {"act": "cancel", "scope": "all"})
        assert walls(weekly) == TUESDAYS[:1]
        where = f"{address(visit(weekly, 1))}/end"
        response = page.post(where, {"act": "cancel", "scope": "all"})
        assert "No visit of this series is ahead." in alerts(parsed(page.get(response["Location"])))
        shown = parsed(page.get(where))
        assert len(shown.all("label", class_="choice")) == 1


def test_an_undo_that_is_too_late_says_why(page: Client, alice: Member, weekly: Series) -> None:
    end = {"act": "cancel", "scope": "all", "back": "/calendar"}
    action, more = undo_in(page, page.post(f"{address(visit(weekly, 1))}/end", end))
    page.post(f"{address(visit(weekly, 1))}/reinstate")
    assert walls(weekly) == TUESDAYS[:1]
    response = page.post(action, more)
    assert "a visit was changed since" in alerts(parsed(page.get(response["Location"])))
    assert walls(weekly) == TUESDAYS[:1]


def test_undo_leads_to_no_other_site(page: Client, weekly: Series) -> None:
    page.post(f"{address(visit(weekly, 1))}/end", {"act": "cancel", "scope": "all"})
    where = f"/series/acts/{weekly.acts.get(kind='cancelled').id}/undo"
    for there in ("https://example.com/", "//example.com/calendar", "/settings", "javascript:x"):
        assert page.post(where, {"next": there})["Location"].startswith("/calendar")
