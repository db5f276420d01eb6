"""The page of a series."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from uuid import uuid4

import pytest
from django.test import Client

from sophiie.accounts.models import Member
from sophiie.series.models import Series
from sophiie.series.planning import Timing
from tests.series.making import FIRST, appointments_of, made, walls
from tests.web.pages import alerts, parsed, values
from tests.web.series.shown import (
    HOUR,
    TUESDAYS,
    saved,
    text,
    titles,
    visit,
)

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine("2027-01-04T00:00:00Z")]


def test_days_that_could_not_be_booked_wait_for_an_answer(page: Client, alice: Member) -> None:
    series = made(alice, "FREQ=WEEKLY;BYDAY=TU").series
    Series.objects.filter(pk=series.pk).update(not_booked=["2028-01-18"])
    shown = parsed(page.get(f"/series/{series.id}"))
    assert "1 visit could not be booked when the series went on" in text(shown)
    assert "This series has no end." in text(shown)
    (way,) = [one for one in shown.all("a") if one.words.startswith("Choose a time")]
    assert "date=2028-01-18" in way["href"]
    assert values(parsed(page.get(way["href"])))["date"] == "2028-01-18"
    page.post(f"/series/{series.id}/leave-out", {"day": "2028-01-18"})
    series.refresh_from_db()
    assert (series.not_booked, series.left_out) == ([], ["2028-01-18"])


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
        for act_on in ("/confirm", "/leave-out"):
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
