"""A visit of a series says so wherever it is shown, and costs no query more."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from sophiie.accounts.models import Member
from sophiie.appointments.booking import book
from sophiie.appointments.models import Appointment
from sophiie.series.models import Series
from tests.conftest import details
from tests.series.making import FIRST, made
from tests.web.pages import parsed
from tests.web.series.shown import (
    HOUR,
    address,
    visit,
)

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine("2027-01-04T00:00:00Z")]


def test_the_sheet_says_which_visit_it_is_and_leads_to_the_others(
    page: Client, weekly: Series
) -> None:
    for where in (address(visit(weekly, 3)), f"{address(visit(weekly, 3))}/sheet"):
        shown = parsed(page.get(where))
        assert "Repeats: 3 of 5 · every week on Tuesday, 5 times" in shown.words
        assert shown.one("a", href=f"/series/{weekly.id}").words == "3 of 5"
        assert "Previous: Tue 19 Jan" in shown.words
        assert shown.one("a", href=address(visit(weekly, 4))).words == "Next: Tue 2 Feb"


def test_lists_and_the_calendar_mark_visits_without_more_queries(
    page: Client, alice: Member, weekly: Series
) -> None:
    start = datetime(2027, 1, 12, 3, tzinfo=UTC)
    book(by=alice, details=details(title="Once", start=start, end=start + HOUR), assignees=[alice])
    week = {"from": "2027-01-11", "to": "2027-01-18"}
    feed = {one["title"]: one for one in page.get("/calendar/feed", week).json()["appointments"]}
    assert feed["Leaking tap"]["visit"] == [1, 5]
    assert "visit" not in feed["Once"]
    agenda = parsed(page.get("/calendar?week=2027-01-11&plain=1"))
    assert [one.words for one in agenda.all("li") if "Repeats:" in one.words][-1].endswith("1 of 5")
    day_sheet = parsed(page.get("/day-sheet?date=2027-01-12"))
    assert day_sheet.words.count("Repeats: 1 of 5") == 1


def test_ten_series_cost_the_calendar_no_query_and_few_bytes(page: Client, alice: Member) -> None:
    """Compared with as many single appointments at the same times."""
    week = {"from": "2027-01-11", "to": "2027-01-18"}

    def cost() -> tuple[int, int, int]:
        with CaptureQueriesContext(connection) as queries:
            answer = page.get("/calendar/feed", week)
        found = answer.json()["appointments"]
        return len(queries), len(answer.content), len(found)

    first = datetime(2027, 1, 11, 22, tzinfo=UTC)
    for n in range(10):
        start = first + n * HOUR / 2
        about = details(start=start, end=start + HOUR / 2)
        book(by=alice, details=about, assignees=[alice])
    single = cost()
    Appointment.objects.update(deleted_at=first, status="cancelled")
    for one in Appointment.objects.all():
        one.assignments.all().delete()
    for n in range(10):
        made(alice, first=FIRST + n * HOUR / 2, length=HOUR / 2)
    repeated = cost()
    assert repeated[0] == single[0]
    assert repeated[2] == single[2] == 10
    assert repeated[1] - single[1] <= 10 * 20
