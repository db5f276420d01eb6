"""The page of a series."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from uuid import uuid4

import pytest
from django.test import Client

from sophiie.accounts.models import Member
from sophiie.appointments.booking import book
from sophiie.series.models import Series
from sophiie.series.planning import Timing
from tests.conftest import details
from tests.series.making import FIRST, appointments_of, made, walls
from tests.web.pages import alerts, parsed, statuses
from tests.web.series.shown import (
    HOUR,
    TUESDAYS,
    saved,
    text,
    titles,
    visit,
)

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine("2027-01-04T00:00:00Z")]


def waits(series: Series) -> str:
    """Something is in the way of 18 January 2028."""
    taken = details(start=AT, end=AT + HOUR, title="Meeting")
    book(by=series.created_by, details=taken, assignees=[series.created_by])
    Series.objects.filter(pk=series.pk).update(not_booked=["2028-01-18"], left_out=[])
    return f"/series/{series.id}"


AT = datetime(2028, 1, 17, 22, tzinfo=UTC)


def test_days_that_could_not_be_booked_wait_for_an_answer(page: Client, alice: Member) -> None:
    series = made(alice, "FREQ=WEEKLY;BYDAY=TU", left_out=[date(2028, 1, 18)]).series
    where = waits(series)
    shown = parsed(page.get(where))
    assert "1 visit could not be booked when the series went on" in text(shown)
    assert "Alice has “Meeting” on Tue 18 Jan" in text(shown)
    assert "This series has no end." in text(shown)
    page.post(f"{where}/leave-out", {"day": "2028-01-18"})
    series.refresh_from_db()
    assert (series.not_booked, series.left_out) == ([], ["2028-01-18"])


@pytest.mark.time_machine("2027-02-02T00:00:00Z")
def test_a_visit_that_could_not_be_booked_is_booked_by_one_button(
    page: Client, alice: Member
) -> None:
    series = made(alice, "FREQ=WEEKLY;BYDAY=TU", left_out=[date(2028, 1, 18)]).series
    where = waits(series)
    shown = parsed(page.get(where))
    (button,) = [one for one in shown.all("button") if one.words == "Book Tue 18 Jan, 10:00"]
    assert button["type"] == "submit"
    (start,) = [one["value"] for one in shown.all("input", name="start")]
    page.post(f"{where}/book", {"day": "2028-01-18", "start": start})
    after = parsed(page.get(where))
    assert "The visit is booked on Tue 18 Jan 2028, 10:00." in statuses(after)
    assert "Tue 18 Jan 10:00" in walls(series)
    page.post(f"{where}/book", {"day": "2028-01-18", "start": start})
    assert "Somebody has booked this visit already" in alerts(parsed(page.get(where)))


@pytest.mark.time_machine("2027-02-02T00:00:00Z")
def test_a_visit_that_could_not_be_booked_is_booked_when_somebody_types(
    page: Client, alice: Member
) -> None:
    series = made(alice, "FREQ=WEEKLY;BYDAY=TU", left_out=[date(2028, 1, 18)]).series
    where = waits(series)
    for typed, said in (
        ({"date": "2028-01-18", "time": "09:30"}, "Alice already has an appointment"),
        ({"date": "2028-01-18", "time": "nine"}, "Give a day and a time."),
        ({"date": "", "time": ""}, "Alice already has an appointment"),
        ({"date": "2028-10-01", "time": "02:30"}, "02:30"),
        ({"date": "2028-99-99", "time": "02:30"}, "Give a day and a time."),
        ({"start": "soon"}, "This is not a time."),
        ({"start": "0001-01-01T00:00:00+23:00"}, "This is not a time."),
    ):
        page.post(f"{where}/book", {"day": "2028-01-18", **typed})
        assert said in alerts(parsed(page.get(where)))
    assert page.post(f"{where}/book", {"day": "when?"}).status_code == 302
    page.post(f"{where}/book", {"day": "2028-01-18", "date": "2028-01-19", "time": "15:00"})
    assert "Wed 19 Jan 15:00" in walls(series)


def test_a_held_series_is_booked_as_a_whole(page: Client, alice: Member) -> None:
    held = made(alice, "FREQ=WEEKLY;BYDAY=TU;COUNT=3", hold_minutes=15).series
    shown = parsed(page.get(f"/series/{held.id}"))
    assert "These times are only held." in text(shown)
    page.post(f"/series/{held.id}/confirm")
    assert {one.status for one in appointments_of(held)} == {"scheduled"}


def test_other_businesses_and_the_signed_out_find_no_series(
    page_of: Callable[[Member], Client], charlie: Member, weekly: Series
) -> None:
    theirs = page_of(charlie)
    act = weekly.acts.get()
    for where in (f"/series/{weekly.id}", f"/series/{uuid4()}"):
        assert theirs.get(where).status_code == 404
        for act_on in ("/confirm", "/leave-out", "/book"):
            assert theirs.post(f"{where}{act_on}", {"day": "2027-01-12"}).status_code == 404
    assert theirs.post(f"/series/acts/{act.id}/undo").status_code == 404
    assert Client().get(f"/series/{weekly.id}")["Location"].startswith("/login")
    assert walls(weekly) == TUESDAYS


def test_the_timing_that_the_form_shows_is_that_of_the_series(page: Client, alice: Member) -> None:
    """A rule of each kind is shown such that saving it again changes nothing."""
    rules = [
        *("FREQ=DAILY;INTERVAL=3;COUNT=4", "FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,TH;UNTIL=20270310"),
        *(
            "FREQ=MONTHLY;BYMONTHDAY=12;COUNT=3",
            "FREQ=MONTHLY;BYDAY=2TU",
            "FREQ=MONTHLY;BYDAY=-1TU",
        ),
        "FREQ=MONTHLY;BYMONTHDAY=-1;COUNT=3",
    ]
    for n, rule in enumerate(rules):
        left_out = [date(2027, 3, 9)] if n == 1 else []
        series = made(alice, rule, first=FIRST + n * HOUR, left_out=left_out).series
        before: Timing = series.timing
        first = visit(series, 1)
        shown = saved(page, first, title=f"Rule {n}", scope="all", confirmed="all")
        assert shown.status_code == 302, alerts(parsed(shown))
        series.refresh_from_db()
        assert series.timing == before
        assert set(titles(series)) == {f"Rule {n}"}
