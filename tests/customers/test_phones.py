"""Phone numbers as people write them, and what is compared and searched of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sophiie.customers.keys import folded, reach_of, search_text, search_words
from sophiie.customers.phones import national_digits, read_phone, read_phones, shown
from sophiie.customers.regions import region_of

SYDNEY = "+61255504711"


@pytest.mark.parametrize(
    ("typed", "region", "read"),
    [
        ("02 5550 4711", "AU", SYDNEY),
        ("(02) 5550-4711", "AU", SYDNEY),
        ("+61 2 5550 4711", "DE", SYDNEY),
        ("+61 2 5550 4711", None, SYDNEY),
        ("0061-2-5550 4711", "AU", SYDNEY),
        ("0011 61 2 5550 4711", "AU", SYDNEY),
        ("tel:+61255504711", "AU", SYDNEY),
        ("٠٢٥٥٥٠٤٧١١", "AU", SYDNEY),
        ("0412 345 678", "AU", "+61412345678"),
        ("030 23125 000", "DE", "+493023125000"),
        ("020 7946 0018", "GB", "+442079460018"),
        ("(202) 555-0123", "US", "+12025550123"),
        # Without its area code, or without a country, it is nobody's.
        *(("5550 4711", "AU", ""), ("02 5550 4711", None, ""), ("0400 1", "AU", "")),
        *(("", "AU", ""), ("ask Anna", "AU", ""), ("+999999999", "AU", ""), ("+", "AU", "")),
        *(("000", "AU", ""), ("7" * 60, "AU", ""), ("++61255504711", None, SYDNEY)),
    ],
)
def test_a_number_is_read_in_the_country_of_the_business(
    typed: str, region: str | None, read: str
) -> None:
    assert read_phone(typed, region) == read


@pytest.mark.parametrize("typed", ["02 5550 4711 ext 3", "Anna, 02 5550 4711", "5550 4711"])
def test_what_a_number_has_no_place_for_stays_as_typed(typed: str) -> None:
    assert typed in read_phones([typed], "AU")[1]


def test_each_number_stays_once() -> None:
    typed = ["02 5550 4711", "+61 2 5550 4711", " ", "room  5", "room 5"]
    assert read_phones(typed, "AU") == ([SYDNEY], ["room 5"])


@given(st.text(max_size=60), st.sampled_from(["AU", "DE", "US", "IN", None]))
def test_reading_never_fails_loses_nothing_and_reads_itself(typed: str, region: str | None) -> None:
    numbers, others = read_phones([typed], region)
    assert bool(numbers or others) == bool(typed.split())
    for number in numbers:
        assert number.startswith("+")
        assert number[1:].isascii()
        assert number[1:].isdecimal()
        assert 4 <= len(number) <= 18
        # As it is stored, and as it is shown, it is the same number in every country.
        assert read_phone(number, None) == number
        assert read_phone(shown(number), "US") == number
        assert national_digits(number)
    assert all(other == " ".join(typed.split()) for other in others)


def test_a_number_is_shown_in_groups() -> None:
    assert shown(SYDNEY) == "+61 2 5550 4711"
    assert shown("room 5") == "room 5"


@pytest.mark.parametrize(
    ("zone", "region"),
    [
        ("Australia/Sydney", "AU"),
        ("Europe/Berlin", "DE"),
        ("Europe/London", "GB"),
        ("America/New_York", "US"),
        ("Asia/Calcutta", "IN"),
        ("US/Eastern", "US"),
        ("Etc/UTC", None),
        ("Mars/Olympus", None),
    ],
)
def test_the_country_is_that_of_the_time_zone(zone: str, region: str | None) -> None:
    assert region_of(zone) == region


def test_ways_to_reach_somebody_are_compared_without_their_looks() -> None:
    found = reach_of([" Dana@Example.com "], [SYDNEY], ["5550 4711", "room 5"])
    assert found == ["dana@example.com", SYDNEY, "55504711"]


def test_a_search_looks_for_words_without_case_accents_and_signs() -> None:
    text = search_text(["Müller GmbH", "12 Bay Street"], [SYDNEY], ["5550-9999"])
    numbers = ("02 5550 4711", "(02)", "+61 2", "0061 2 5550-4711", "9999")
    for asked in ("MULLER", "müller bay", "bay 12", *numbers):
        assert search_words(asked)
        assert all(word in text for word in search_words(asked)), asked
    assert folded("  Ａnna\u0301  ") == "anna"
    assert len(search_words("a b c d e f g h")) == 6
    assert search_words("\x00") == []
