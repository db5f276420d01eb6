"""What people type into the fields for dates and times."""

from __future__ import annotations

from datetime import date, time

import pytest
from django.utils import translation

from sophiie.web.shared.shown_times import clock, clock_of
from sophiie.web.shared.typed_times import date_typed, time_typed

TODAY = date(2026, 11, 26)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("2pm", time(14)),
        ("2 PM", time(14)),
        ("2:30 p.m.", time(14, 30)),
        ("2.30pm", time(14, 30)),
        ("12am", time(0)),
        ("12 pm", time(12)),
        ("12:15 am", time(0, 15)),
        ("14:00", time(14)),
        ("14:00:00", time(14)),
        ("14.05", time(14, 5)),
        ("1430", time(14, 30)),
        ("930", time(9, 30)),
        ("0930", time(9, 30)),
        ("9", time(9)),
        ("14h", time(14)),
        ("14h30", time(14, 30)),
        ("14 Uhr", time(14)),
        ("14:30 uhr", time(14, 30)),
        (" noon ", time(12)),
        ("Midnight", time(0)),
        ("Mittag", time(12)),
        ("24:00", time(0)),
    ],
)
def test_a_time_is_understood(text: str, meant: time) -> None:
    assert time_typed(text) == meant


@pytest.mark.parametrize(
    "text",
    [
        "",
        "soon",
        "25",
        "14:60",
        "13pm",
        "0am",
        "2:3",
        "24:30",
        "14:00:30",
        "-2",
        "2 pm or 3",
        "1430pm",
        "99999",
    ],
)
def test_what_is_no_time_is_not_guessed(text: str) -> None:
    assert time_typed(text) is None


@pytest.mark.parametrize("twelve", [False, True])
def test_a_time_as_it_is_shown_is_understood(twelve: bool) -> None:
    with clock_of(twelve_hours=twelve):
        for hour in range(24):
            for minute in (0, 5, 59):
                moment = time(hour, minute)
                assert time_typed(clock(moment)) == moment


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("2026-12-31", date(2026, 12, 31)),
        ("today", TODAY),
        ("Tomorrow", date(2026, 11, 27)),
        ("31 Dec 2026", date(2026, 12, 31)),
        ("31 december", date(2026, 12, 31)),
        ("Dec 31st, 2026", date(2026, 12, 31)),
        ("1 Nov", date(2027, 11, 1)),
        ("31.12.2026", date(2026, 12, 31)),
        ("1.2.", date(2027, 2, 1)),
        ("31/12/2026", date(2026, 12, 31)),
        ("12/31/2026", date(2026, 12, 31)),
        ("5/5/2027", date(2027, 5, 5)),
    ],
)
def test_a_date_is_understood(text: str, meant: date) -> None:
    assert date_typed(text, today=TODAY) == meant


@pytest.mark.parametrize(
    "text", ["", "5/6/2027", "31 Feb 2027", "2026-13-01", "next year", "32.1."]
)
def test_a_date_that_could_be_two_or_none_is_not_guessed(text: str) -> None:
    assert date_typed(text, today=TODAY) is None


def test_months_are_understood_in_the_persons_language() -> None:
    with translation.override("de"):
        assert date_typed("31. Dezember 2026", today=TODAY) == date(2026, 12, 31)
        assert date_typed("1. März", today=TODAY) == date(2027, 3, 1)
