"""`/series`: what cannot be booked or read, and why."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from sophiie.accounts.models import Member
from sophiie.resources.editing import make
from sophiie.series.models import Series
from tests.api.problems import errors, problem
from tests.api.series.booked import PLAIN, book
from tests.conftest import ApiCaller
from tests.services.made import service

Call = Callable[[Member], ApiCaller]


@pytest.mark.parametrize(
    "wrong",
    [
        {"title": "Nul \x00"},
        {"location": "x" * 501},
        {"travel_minutes": 481},
        {"end": PLAIN["start"], "duration_minutes": None},
    ],
    ids=["title", "location", "travel_minutes", "end"],
)
def test_a_preview_refuses_what_booking_would(api: ApiCaller, wrong: dict[str, Any]) -> None:
    body = {name: value for name, value in (PLAIN | wrong).items() if value is not None}
    seen, booked = api("POST", "/series?preview=true", body), api("POST", "/series", body)
    assert errors(seen) == errors(booked)
    assert errors(seen).keys() == {next(iter(wrong))}


@pytest.mark.parametrize("name", ["service_id", "customer_id", "resource_ids"])
def test_a_preview_refuses_what_is_not_there_as_the_act_does(
    api: ApiCaller, charlie: Member, name: str
) -> None:
    """What another business has is not there."""
    strange = {
        "service_id": service(charlie).pk,
        "customer_id": uuid4(),
        "resource_ids": [str(make(by=charlie, name="Van").pk)],
    }
    said = {name: strange[name] if isinstance(strange[name], list) else str(strange[name])}
    seen, done = (
        api("POST", f"/series{query}", {**PLAIN, **said}) for query in ("?preview=true", "")
    )
    assert errors(seen) == errors(done)
    made = book(api)
    second = made["visits"][1]["appointment_id"]
    for scope in ("this", "following", "all"):
        path = f"/series/{made['id']}?scope={scope}&appointment={second}"
        seen, done = (api("PATCH", path + more, said) for more in ("&preview=true", ""))
        assert errors(seen) == errors(done)
        assert errors(seen).keys() == {name}


def test_a_series_ends_after_it_starts(api: ApiCaller) -> None:
    given = {name: value for name, value in PLAIN.items() if name != "duration_minutes"}
    told = errors(api("POST", "/series", {**given, "end": "2027-01-12T08:00:00+11:00"}))
    assert told == {"end": ["The end must be after the start."]}


def test_only_who_may_books_over_what_is_in_the_way(api_of: Call, bob: Member) -> None:
    problem(api_of(bob)("POST", "/series", {**PLAIN, "in_the_way": "book_anyway"}), 403)
    answers = [{"day": "2027-01-26", "in_the_way": "book_anyway"}]
    problem(api_of(bob)("POST", "/series", {**PLAIN, "answers": answers}), 403)


REFUSED = {
    "no rule": ("", "rule"),
    "yearly": ("FREQ=YEARLY;COUNT=3", "rule"),
    "hourly": ("FREQ=HOURLY", "rule"),
    "a part that is not ours": ("FREQ=DAILY;BYHOUR=9", "rule"),
    "too often": ("FREQ=DAILY;COUNT=367", "rule"),
    "too many": ("FREQ=DAILY;UNTIL=20400101", "rule"),
    "an interval of nothing": ("FREQ=DAILY;INTERVAL=0", "rule"),
    "a long interval": ("FREQ=DAILY;INTERVAL=100", "rule"),
    "two ends": ("FREQ=DAILY;COUNT=3;UNTIL=20280101", "rule"),
    "twice the same": ("FREQ=DAILY;FREQ=WEEKLY", "rule"),
    "no number": ("FREQ=DAILY;COUNT=many", "rule"),
    "a number of other digits": ("FREQ=DAILY;COUNT=٣", "rule"),
    "no weekday": ("FREQ=WEEKLY;BYDAY=XX", "rule"),
    "a fifth": ("FREQ=MONTHLY;BYDAY=5TU", "rule"),
    "two days of a month": ("FREQ=MONTHLY;BYDAY=1TU,2WE", "rule"),
    "the 32nd": ("FREQ=MONTHLY;BYMONTHDAY=32;COUNT=2", "rule"),
    "a day of the month of a week": ("FREQ=WEEKLY;BYMONTHDAY=3", "rule"),
    "a weekday of days": ("FREQ=DAILY;BYDAY=MO", "rule"),
    "over before it begins": ("FREQ=DAILY;UNTIL=20260101", "rule"),
    "never in all the years": ("FREQ=MONTHLY;INTERVAL=12;COUNT=100", "rule"),
    "no day": ("FREQ=DAILY;UNTIL=20279999", "rule"),
}


@pytest.mark.parametrize(("text", "field"), REFUSED.values(), ids=[*REFUSED])
def test_a_rule_that_is_not_ours_is_refused_with_a_reason(
    api: ApiCaller, text: str, field: str
) -> None:
    assert field in errors(api("POST", "/series", {**PLAIN, "rule": text}))
    assert not Series.objects.exists()


def test_visits_that_lie_over_one_another_are_refused(api: ApiCaller) -> None:
    long = {**PLAIN, "rule": "FREQ=DAILY;COUNT=3", "duration_minutes": 25 * 60}
    assert "rule" in errors(api("POST", "/series", long))


def test_a_time_that_the_clocks_skip_is_asked_about(api: ApiCaller) -> None:
    """In London 01:30 does not exist on 28 March 2027."""
    asked = {
        **PLAIN,
        "timezone": "Europe/London",
        "start": "2027-03-27T01:30:00+00:00",
        "rule": "FREQ=DAILY;COUNT=3",
    }
    answer = problem(api("POST", "/series", asked), 422)
    assert answer["type"].endswith("/clocks-ask")
    assert list(answer["errors"]) == ["clocks.skipped"]
    (question,) = answer["questions"]
    assert (question["day"], question["kind"]) == ("2027-03-28", "skipped")
    assert not Series.objects.exists()
    later = book(api, **asked, clocks={"skipped": "later"})
    assert later["visits"][1]["start"] == "2027-03-28T02:30:00+01:00"
    assert later["visits"][2]["start"] == "2027-03-29T01:30:00+01:00"


def test_more_than_may_be_held_is_refused(api: ApiCaller) -> None:
    many = {**PLAIN, "rule": "FREQ=DAILY;COUNT=21", "hold_minutes": 10}
    assert "hold_minutes" in errors(api("POST", "/series", many))


FAR = {
    "an answer in another millennium": {
        "answers": [{"day": "2027-01-26", "start": "9999-12-31T20:00:00Z"}]
    },
    "an answer long ago": {"answers": [{"day": "2027-01-26", "start": "0001-01-01T00:00:00Z"}]},
    "two answers in one": {
        "answers": [
            {"day": "2027-01-26", "start": "2027-01-27T00:00:00Z", "in_the_way": "leave_out"}
        ]
    },
    "a start long ago": {"start": "0001-01-01T00:00:00Z"},
    "a start far ahead": {"start": "9999-12-31T23:00:00Z"},
    "an end before the start": {"duration_minutes": None, "end": "2027-01-12T08:00:00+11:00"},
    "no such zone": {"timezone": "Mars/Olympus"},
}


def test_visits_that_overlap_by_an_answer_are_listed_with_another_time(api: ApiCaller) -> None:
    onto_the_first = [{"day": "2027-01-26", "start": "2027-01-12T09:30:00+11:00"}]
    answer = api("POST", "/series", {**PLAIN, "answers": onto_the_first})
    (listed,) = problem(answer, 409)["visits"]
    assert (listed["number"], listed["nearest"]) == (2, "2027-01-12T10:00:00+11:00")
    assert not Series.objects.exists()


@pytest.mark.parametrize("more", FAR.values(), ids=[*FAR])
def test_what_cannot_be_is_refused_at_its_field(api: ApiCaller, more: dict[str, Any]) -> None:
    body = {name: value for name, value in {**PLAIN, **more}.items() if value is not None}
    assert errors(api("POST", "/series", body))
    assert not Series.objects.exists()


def test_a_resource_or_service_that_is_not_there_is_refused(api: ApiCaller, alice: Member) -> None:
    for name, value in (("service_id", str(alice.id)), ("resource_ids", [str(alice.id)])):
        assert name in errors(api("POST", "/series", {**PLAIN, name: value}))


@pytest.mark.parametrize("cursor", ["x", "-1", "1.5", "9" * 30, "٣"])
def test_what_is_no_cursor_of_visits_is_refused(api: ApiCaller, cursor: str) -> None:
    made = book(api)
    assert "cursor" in errors(api("GET", f"/series/{made['id']}?cursor={cursor}"))
    assert "limit" in errors(api("GET", f"/series/{made['id']}?limit=201"))
