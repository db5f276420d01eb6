"""Lists: filters, and cursors that lose nothing and show nothing twice."""

from __future__ import annotations

import base64
import functools
import operator
from datetime import timedelta
from typing import Any

import pytest

from sophiie.accounts.models import Member
from sophiie.appointments.booking import book, cancel, change
from sophiie.appointments.models import Appointment
from tests.api.problems import errors
from tests.conftest import ApiCaller, details, tomorrow_at


def utc(moment: Any) -> str:
    return str(moment.isoformat()).replace("+00:00", "Z")


def titles(api: ApiCaller, query: str = "") -> list[str]:
    response = api("GET", f"/appointments?{query}")
    assert response.status_code == 200, response.content
    assert response.json().keys() == {"items", "next_cursor"}
    return [item["title"] for item in response.json()["items"]]


@pytest.fixture
def day(alice: Member, bob: Member) -> dict[str, Appointment]:
    """Morning (Alice), noon (both), evening (Bob)."""
    plan = {"morning": (8, [alice]), "noon": (12, [alice, bob]), "evening": (18, [bob])}
    return {
        name: book(by=alice, details=details(title=name, start=tomorrow_at(hour)), assignees=team)
        for name, (hour, team) in plan.items()
    }


def test_a_list_is_sorted_by_start_and_holds_whole_appointments(
    api: ApiCaller, day: dict[str, Appointment]
) -> None:
    assert titles(api) == ["morning", "noon", "evening"]
    first = api("GET", "/appointments").json()["items"][0]
    assert first == api("GET", f"/appointments/{day['morning'].id}").json()


def test_from_and_to_bound_the_time_that_is_touched(
    api: ApiCaller, day: dict[str, Appointment]
) -> None:
    noon = day["noon"]
    inside = utc(noon.start + timedelta(minutes=30))
    assert titles(api, f"from={inside}&to={inside}") == ["noon"]
    assert titles(api, f"from={utc(noon.end)}") == ["evening"]
    assert titles(api, f"to={utc(noon.start)}") == ["morning"]
    shifted = (noon.end + timedelta(hours=0)).isoformat().replace("+00:00", "%2B00:00")
    assert titles(api, f"from={shifted}") == ["evening"]


def test_filters_by_assignee_and_status_and_change(
    api: ApiCaller, alice: Member, bob: Member, day: dict[str, Appointment]
) -> None:
    assert titles(api, f"assignee={bob.id}") == ["noon", "evening"]
    assert titles(api, "assignee=BOB@example.com") == ["noon", "evening"]
    cancel(by=alice, appointment_id=day["noon"].id)
    assert titles(api, "status=cancelled") == ["noon"]
    assert titles(api, f"status=scheduled&assignee={bob.id}") == ["evening"]
    changed = change(by=alice, appointment_id=day["morning"].id, changes={"notes": "Hurry"})
    assert titles(api, f"updated_since={utc(changed.updated_at)}") == ["morning"]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("assignee=nobody@example.com", "assignee"),
        ("assignee=", "assignee"),
        ("assignee=%00", "assignee"),
        ("status=asleep", "status"),
        ("from=yesterday", "from"),
        ("to=2026-12-01", "to"),
        ("updated_since=1", "updated_since"),
        ("limit=0", "limit"),
        ("limit=-1", "limit"),
        ("limit=201", "limit"),
        ("limit=ten", "limit"),
        ("limit=" + "9" * 30, "limit"),
        ("cursor=garbage", "cursor"),
        ("cursor=%F0%9F%AA%A0", "cursor"),
        ("cursor=" + base64.urlsafe_b64encode(b"[]").decode(), "cursor"),
        ("cursor=" + base64.urlsafe_b64encode(b"7").decode(), "cursor"),
        ("cursor=" + base64.urlsafe_b64encode(b'["2026-12-01","x"]').decode(), "cursor"),
        ("cursor=" + base64.urlsafe_b64encode(b'["2026-12-01T00:00Z",7]').decode(), "cursor"),
        ("cursor=" + "x" * 501, "cursor"),
    ],
)
def test_a_bad_filter_is_named(api: ApiCaller, query: str, field: str) -> None:
    assert list(errors(api("GET", f"/appointments?{query}"))) == [field]


def test_foreign_assignees_are_unknown_here(api: ApiCaller, charlie: Member) -> None:
    assert "assignee" in errors(api("GET", f"/appointments?assignee={charlie.id}"))


def walk(api: ApiCaller, query: str) -> list[list[str]]:
    """All pages, from cursor to cursor."""
    pages, cursor = [], ""
    while cursor is not None:
        body = api("GET", f"/appointments?{query}&cursor={cursor}").json()
        pages.append([item["id"] for item in body["items"]])
        cursor = body["next_cursor"]
    return pages


@pytest.mark.parametrize(("limit", "lengths"), [(1, [1] * 7), (3, [3, 3, 1]), (7, [7]), (200, [7])])
def test_pages_hold_everything_once_also_with_equal_starts(
    api: ApiCaller, alice: Member, limit: int, lengths: list[int]
) -> None:
    made = [
        book(
            by=alice,
            details=details(start=tomorrow_at(8 + n // 4)),
            assignees=[alice],
            allow_overlap=True,
        )
        for n in range(7)
    ]
    pages = walk(api, f"limit={limit}")
    assert [len(page) for page in pages] == lengths
    assert functools.reduce(operator.iadd, pages, []) == [str(a.id) for a in made]


def test_a_cursor_survives_changes_between_the_pages(
    api: ApiCaller, alice: Member, day: dict[str, Appointment]
) -> None:
    first = api("GET", "/appointments?limit=1").json()
    book(by=alice, details=details(title="dawn", start=tomorrow_at(5)), assignees=[alice])
    cancel(by=alice, appointment_id=day["morning"].id)
    rest = titles(api, f"limit=9&cursor={first['next_cursor']}")
    assert rest == ["noon", "evening"]


def test_an_empty_list_is_a_list(api: ApiCaller) -> None:
    assert api("GET", "/appointments").json() == {"items": [], "next_cursor": None}


def test_a_page_of_a_list_costs_the_same_number_of_queries_whatever_its_length(
    api: ApiCaller, alice: Member, bob: Member, django_assert_max_num_queries: Any
) -> None:
    for n in range(12):
        book(by=alice, details=details(start=tomorrow_at(n)), assignees=[alice, bob])
    with django_assert_max_num_queries(6):
        assert len(titles(api)) == 12
