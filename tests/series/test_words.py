"""Rules in plain words."""

from __future__ import annotations

import pytest
from django.utils import translation

from sophiie.series.rule import ShortMonths
from sophiie.series.words import in_words
from tests.series.making import rule

WORDS = {
    "FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,TH;COUNT=10": (
        "every 2 weeks on Tuesday and Thursday, 10 times",
        "alle 2 Wochen am Dienstag und Donnerstag, 10-mal",
    ),
    "FREQ=DAILY;UNTIL=20270301": (
        "every day, until 1 March 2027",
        "jeden Tag, bis 1. März 2027",
    ),
    "FREQ=DAILY;INTERVAL=3;COUNT=1": ("every 3 days, 1 time", "alle 3 Tage, 1-mal"),
    "FREQ=MONTHLY;BYDAY=-1FR": (
        "every month on the last Friday",
        "jeden Monat am letzten Freitag",
    ),
    "FREQ=MONTHLY;BYDAY=2TU": (
        "every month on the second Tuesday",
        "jeden Monat am zweiten Dienstag",
    ),
    "FREQ=MONTHLY;BYMONTHDAY=12": ("every month on day 12", "jeden Monat am 12."),
    "FREQ=MONTHLY;BYMONTHDAY=-1": (
        "every month on the last day",
        "jeden Monat am letzten Tag",
    ),
    "FREQ=MONTHLY;BYMONTHDAY=31": (
        "every month on day 31 (not in shorter months)",
        "jeden Monat am 31. (nicht in kürzeren Monaten)",
    ),
}


@pytest.mark.parametrize(("text", "words"), WORDS.items(), ids=[*WORDS])
def test_a_rule_is_said_in_plain_words(text: str, words: tuple[str, str]) -> None:
    english, german = words
    assert in_words(rule(text)) == english
    with translation.override("de"):
        assert in_words(rule(text)) == german


def test_what_happens_in_short_months_is_stated() -> None:
    found = rule("FREQ=MONTHLY;BYMONTHDAY=30", short_months=ShortMonths.LAST_DAY)
    assert in_words(found) == "every month on day 30 (in shorter months on the last day)"
