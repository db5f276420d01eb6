"""What people type into the fields for dates and times."""

from __future__ import annotations

import json
from datetime import date, time
from pathlib import Path

import pytest
from django.utils import translation

from sophiie.web.shared.shown_times import clock, clock_of
from sophiie.web.shared.typed_times import parse_date, parse_time

TODAY = date(2026, 11, 26)


# Typed text and the time of day that it means, null for none: what the server says and the script.
CASES: dict[str, str | None] = json.loads(Path(__file__).with_suffix(".json").read_text())


@pytest.mark.parametrize("text", CASES)
def test_a_time_is_understood_or_refused(text: str) -> None:
    meant = CASES[text]
    assert parse_time(text) == (time.fromisoformat(meant) if meant else None)


@pytest.mark.parametrize("twelve", [False, True])
def test_a_time_as_it_is_shown_is_understood(twelve: bool) -> None:
    with clock_of(twelve_hours=twelve):
        for hour in range(24):
            for minute in (0, 5, 59):
                moment = time(hour, minute)
                assert parse_time(clock(moment)) == moment


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
    assert parse_date(text, today=TODAY) == meant


@pytest.mark.parametrize(
    "text", ["", "5/6/2027", "31 Feb 2027", "2026-13-01", "next year", "32.1."]
)
def test_a_date_that_could_be_two_or_none_is_not_guessed(text: str) -> None:
    assert parse_date(text, today=TODAY) is None


def test_months_are_understood_in_the_persons_language() -> None:
    with translation.override("de"):
        assert parse_date("31. Dezember 2026", today=TODAY) == date(2026, 12, 31)
        assert parse_date("1. März", today=TODAY) == date(2027, 3, 1)
