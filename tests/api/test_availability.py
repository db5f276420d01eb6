"""`/availability` and `/availability/explain`: the contract's shapes, bounds and walls."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from sophiie.accounts.models import Member
from sophiie.accounts.people import add_member
from sophiie.appointments.booking import book
from sophiie.busy_time.models import BusyCalendar, BusyPeriod
from sophiie.common import sql
from tests.api.problems import errors, problem
from tests.conftest import ApiCaller, details

pytestmark = pytest.mark.django_db
# A Monday, nine to five in Sydney.
MONDAY = {"from": "2026-11-30T00:00:00+11:00", "to": "2026-12-01T00:00:00+11:00"}
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def _thursday_before() -> Any:
    with time_machine.travel("2026-11-26T01:00:00Z", tick=False):
        yield


def ask(api: ApiCaller, path: str = "/availability", **query: Any) -> Any:
    plain = {**MONDAY, "duration_minutes": 60} if path == "/availability" else {}
    query = {name.rstrip("_"): value for name, value in query.items()}
    return api("GET", f"{path}?{urlencode({**plain, **query}, doseq=True)}")


def starts(response: Any) -> list[str]:
    assert response.status_code == 200, response.content
    return [slot["start"][11:16] for slot in response.json()["slots"]]


def sydney(hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, 30, tzinfo=UTC) + timedelta(hours=hour - 11, minutes=minute)


def busy(member: Member, start: datetime, end: datetime, **calendar: Any) -> None:
    known = {
        "checked_at": datetime.now(UTC),
        "known_from": start - timedelta(days=30),
        "known_until": end + timedelta(days=300),
        **calendar,
    }
    kept, _ = BusyCalendar.objects.get_or_create(member=member, calendar_id="c", defaults=known)
    BusyPeriod.objects.create(
        calendar=kept, member=member, event_id=str(uuid4()), during=(start, end)
    )


def test_a_business_without_any_settings_offers_nine_to_five(api: ApiCaller, alice: Member) -> None:
    response = ask(api, step_minutes=60)
    assert response.json() == {
        "now": "2026-11-26T12:00:00+11:00",
        "members": [{"member_id": str(alice.id), "checked_at": None, "state": "not_linked"}],
        "slots": [
            {
                "start": f"2026-11-30T{hour:02}:00:00+11:00",
                "end": f"2026-11-30T{hour + 1:02}:00:00+11:00",
                "member_ids": [str(alice.id)],
            }
            for hour in range(9, 17)
        ],
        "next_from": None,
    }


def test_nothing_at_the_weekend_and_nothing_in_the_past(api: ApiCaller, alice: Member) -> None:
    weekend = {"from": "2026-11-28T00:00:00+11:00", "to": "2026-11-30T00:00:00+11:00"}
    assert starts(ask(api, **weekend)) == []
    today = {"from": "2026-11-26T00:00:00+11:00", "to": "2026-11-27T00:00:00+11:00"}
    assert starts(ask(api, **today))[0] == "12:00"


def test_appointments_holds_and_busy_time_are_not_offered(api: ApiCaller, alice: Member) -> None:
    book(by=alice, details=details(start=sydney(9), end=sydney(10)), assignees=[alice])
    busy(alice, sydney(12), sydney(13, 30))
    assert starts(ask(api, step_minutes=30)) == [
        *("10:00", "10:30", "11:00", "13:30", "14:00", "14:30", "15:00", "15:30", "16:00")
    ]


def test_any_lists_who_is_free_and_all_leaves_what_suits_everybody(
    api: ApiCaller, alice: Member, bob: Member
) -> None:
    book(by=alice, details=details(start=sydney(9), end=sydney(12)), assignees=[alice])
    book(by=alice, details=details(start=sydney(13), end=sydney(17)), assignees=[bob])
    both = f"{alice.id},{bob.email.upper()}"
    found = ask(api, members=both, step_minutes=60).json()["slots"]
    assert {s["start"][11:13]: s["member_ids"] for s in found} == {
        **{hour: [str(bob.id)] for hour in ("09", "10", "11")},
        "12": [str(alice.id), str(bob.id)],
        **{hour: [str(alice.id)] for hour in ("13", "14", "15", "16")},
    }
    assert starts(ask(api, members=both, step_minutes=60, match="all")) == ["12:00"]
    # Named twice, or in two parameters, is the same question.
    again = ask(api, members=[alice.id, bob.id, alice.email], step_minutes=60, match="all")
    assert starts(again) == ["12:00"]


def test_without_names_everybody_active_is_meant(
    api: ApiCaller, alice: Member, bob: Member
) -> None:
    assert len(ask(api).json()["members"]) == 2
    Member.objects.filter(pk=bob.pk).update(is_active=False)
    assert [m["member_id"] for m in ask(api).json()["members"]] == [str(alice.id)]
    problem(ask(api, members=bob.id), 404)


def test_the_first_ones_and_where_to_go_on(api: ApiCaller, alice: Member) -> None:
    first = ask(api, limit=3).json()
    assert [s["start"][11:16] for s in first["slots"]] == ["09:00", "09:15", "09:30"]
    assert first["next_from"] == "2026-11-30T09:45:00+11:00"
    assert starts(ask(api, limit=1, from_=first["next_from"])) == ["09:45"]


@pytest.mark.parametrize(
    ("age", "trouble", "state", "count"),
    [
        (timedelta(0), "", "fresh", 29),
        (timedelta(hours=1), "", "stale", 29),
        (timedelta(hours=1), "No answer.", "unreadable", 0),
        (timedelta(0), "No answer.", "fresh", 29),
    ],
)
def test_unreadable_is_not_free_and_old_is_labelled(
    api: ApiCaller, alice: Member, age: timedelta, trouble: str, state: str, count: int
) -> None:
    checked = datetime.now(UTC) - age
    busy(alice, sydney(0), sydney(1), checked_at=checked, problem=trouble)
    answer = ask(api).json()
    assert answer["members"][0]["state"] == state
    assert datetime.fromisoformat(answer["members"][0]["checked_at"]) == checked
    assert len(answer["slots"]) == count


def test_what_was_never_read_is_not_offered(api: ApiCaller, alice: Member) -> None:
    busy(alice, sydney(0), sydney(1), known_until=sydney(11))
    assert starts(ask(api))[-1] == "10:00"
    reasons = explained(api, alice, sydney(10, 30), sydney(11, 30))
    assert [r["rule"] for r in reasons] == ["calendar_unreadable"]
    assert "until 11:00 on Monday 30 November 2026" in reasons[0]["detail"]


def explained(api: ApiCaller, member: Member, start: datetime, end: datetime) -> Any:
    response = ask(
        api, "/availability/explain", member=member.id, start=start.isoformat(), end=end.isoformat()
    )
    assert response.status_code == 200, response.content
    body = response.json()
    assert body["offered"] == (body["reasons"] == [])
    return body["reasons"]


def test_an_explanation_names_each_cause_without_private_details(
    api: ApiCaller, alice: Member
) -> None:
    made = book(
        by=alice,
        details=details(title="Secret", start=sydney(10), end=sydney(11)),
        assignees=[alice],
    )
    busy(alice, sydney(10, 30), sydney(12))
    reasons = explained(api, alice, sydney(10), sydney(11))
    assert reasons == [
        {
            "rule": "appointment",
            "detail": "Alice has an appointment 10:00–11:00 on Monday 30 November 2026.",
            "start": "2026-11-30T10:00:00+11:00",
            "end": "2026-11-30T11:00:00+11:00",
            "appointment_id": str(made.id),
        },
        {
            "rule": "busy_in_google",
            "detail": "Alice is busy in Google 10:30–12:00 on Monday 30 November 2026.",
            "start": "2026-11-30T10:30:00+11:00",
            "end": "2026-11-30T12:00:00+11:00",
        },
    ]
    assert explained(api, alice, sydney(12), sydney(13)) == []


def test_a_time_found_with_other_steps_is_explained_with_these(
    api: ApiCaller, alice: Member
) -> None:
    assert "09:10" in starts(ask(api, step_minutes=10))
    query = {"member": alice.id, "start": sydney(9, 10).isoformat()}
    query["end"] = sydney(10, 10).isoformat()
    (reason,) = ask(api, "/availability/explain", **query).json()["reasons"]
    assert reason["rule"] == "step"
    assert ask(api, "/availability/explain", step_minutes=10, **query).json()["offered"]


def test_ids_of_another_business_do_not_exist(
    api: ApiCaller, api_of: Callable[[Member], ApiCaller], alice: Member, charlie: Member
) -> None:
    times = {"start": MONDAY["from"], "end": MONDAY["to"]}
    for stranger in (charlie.id, charlie.email, uuid4(), f"x{alice.email}"):
        problem(ask(api, members=stranger), 404)
        problem(ask(api, members=f"{alice.id},{stranger}"), 404)
        problem(ask(api, "/availability/explain", member=stranger, **times), 404)
    book(by=alice, details=details(start=sydney(9), end=sydney(17)), assignees=[alice])
    assert [m["member_id"] for m in ask(api_of(charlie)).json()["members"]] == [str(charlie.id)]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"from_": ""}, "from"),
        ({"from_": "2026-11-30T09:00:00"}, "from"),
        ({"from_": "1999-01-01T00:00:00Z"}, "from"),
        ({"to": "2100-01-01T00:00:00Z"}, "to"),
        ({"to": "0001-01-01T00:00:00+14:00"}, "to"),
        ({"to": MONDAY["from"]}, "to"),
        ({"to": "2027-03-05T00:00:00+11:00"}, "to"),
        ({"duration_minutes": 0}, "duration_minutes"),
        ({"duration_minutes": "a"}, "duration_minutes"),
        ({"duration_minutes": 44_641}, "duration_minutes"),
        ({"step_minutes": 4}, "step_minutes"),
        ({"step_minutes": 1441}, "step_minutes"),
        ({"limit": 0}, "limit"),
        ({"limit": 5001}, "limit"),
        ({"match": "some"}, "match"),
        ({"members": ""}, "members"),
        ({"members": ","}, "members"),
        ({"members": "alice"}, "members"),
    ],
)
def test_what_cannot_be_asked_is_said_at_its_field(
    api: ApiCaller, query: dict[str, Any], field: str
) -> None:
    assert list(errors(ask(api, **query))) == [field]


@pytest.mark.parametrize("name", ["from", "to", "duration_minutes"])
def test_what_must_be_given_is_asked_for(api: ApiCaller, name: str) -> None:
    rest = {k: v for k, v in {**MONDAY, "duration_minutes": 60}.items() if k != name}
    assert list(errors(api("GET", f"/availability?{urlencode(rest)}"))) == [name]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"member": "x"}, "member"),
        ({"member": ""}, "member"),
        ({"end": "2026-11-30T00:00:00+11:00"}, "end"),
        ({"end": "2027-11-30T00:00:00+11:00"}, "end"),
        ({"start": "1970-01-01T00:00:00Z"}, "start"),
    ],
)
def test_an_explanation_needs_a_member_and_a_time(
    api: ApiCaller, alice: Member, query: dict[str, str], field: str
) -> None:
    plain = {"member": alice.id, "start": MONDAY["from"], "end": MONDAY["to"]}
    assert list(errors(ask(api, "/availability/explain", **{**plain, **query}))) == [field]


def test_two_members_cannot_be_explained_at_once(
    api: ApiCaller, alice: Member, bob: Member
) -> None:
    both = f"{alice.id},{bob.id}"
    response = ask(
        api, "/availability/explain", member=both, start=MONDAY["from"], end=MONDAY["to"]
    )
    assert list(errors(response)) == ["member"]


def test_a_search_that_would_cost_too_much_is_refused(api: ApiCaller, alice: Member) -> None:
    for number in range(49):
        add_member(
            business=alice.business,
            email=f"{number}@example.com",
            name=f"Bob {number}",
            role="member",
            password=None,
        )
    quarter = {"from": "2027-01-01T00:00:00+11:00", "to": "2027-04-01T00:00:00+11:00"}
    assert "shorter" in errors(ask(api, step_minutes=5, **quarter))["to"][0]
    add_member(
        business=alice.business, email="l@example.com", name="Bob", role="member", password=None
    )
    assert "at most 50" in errors(ask(api))["members"][0]


def test_a_month_of_ten_people_asks_as_often_as_a_day_of_one(
    api: ApiCaller, alice: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Others make a call, or a query, for each person and day."""
    month = {"from": MONDAY["from"], "to": "2026-12-30T00:00:00+11:00"}
    ask(api)  # the first use of a key is noted on it
    one = _queries(monkeypatch, lambda: ask(api))
    for number in range(9):
        person = add_member(
            business=alice.business,
            email=f"{number}@example.com",
            name=f"Bob {number}",
            role="member",
            password=None,
        )
        busy(person, sydney(9), sydney(10))
        book(by=alice, details=details(start=sydney(11)), assignees=[person])
    ten = _queries(monkeypatch, lambda: ask(api, **month))
    assert one == ten
    assert len([q for q in ten if "date_bin" in q]) == 1


def _queries(monkeypatch: pytest.MonkeyPatch, act: Callable[[], Any]) -> list[str]:
    """The kinds of statements of an act: Django's, and those that go around Django."""
    found: list[str] = []
    whole = sql._Cursor.execute

    def execute(self: Any, query: str, *args: Any, **kwargs: Any) -> Any:
        found.append(query)
        return whole(self, query, *args, **kwargs)

    with monkeypatch.context() as patch, CaptureQueriesContext(connection) as captured:
        patch.setattr(sql._Cursor, "execute", execute)
        assert act().status_code == 200
    return [*(q["sql"].partition(" WHERE ")[0] for q in captured), *found]


def test_the_description_describes_the_answers(api: ApiCaller, alice: Member) -> None:
    schema = Client().get("/api/v1/openapi.json").json()
    book(by=alice, details=details(start=sydney(9)), assignees=[alice])
    for name, answer in (
        ("AvailabilityOut", ask(api)),
        (
            "ExplanationOut",
            ask(
                api,
                "/availability/explain",
                member=alice.id,
                start=sydney(9).isoformat(),
                end=sydney(20).isoformat(),
            ),
        ),
    ):
        assert answer.status_code == 200
        described = {"$ref": f"#/components/schemas/{name}", "components": schema["components"]}
        Draft202012Validator(described).validate(answer.json())


some = st.sampled_from(
    [
        *(
            "",
            " ",
            "\x00",
            "a@example.com",
            "9999-12-31T23:59:59-23:59",
            "0001-01-01T00:00:00+23:59",
        ),
        *("2026-11-30T00:00:00+11:00", "2099-12-31T23:59:59Z", "2000-01-01T00:00:00Z", "60", "-1"),
    ]
)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    query=st.dictionaries(
        st.sampled_from(
            [
                *("from", "to", "duration_minutes", "members", "step_minutes", "limit", "match"),
                *("member", "start", "end"),
            ]
        ),
        some | st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    )
)
def test_no_question_whatsoever_is_a_500(
    api: ApiCaller, alice: Member, query: dict[str, str]
) -> None:
    explained = {"member": str(alice.id), "start": MONDAY["from"], "end": MONDAY["to"], **query}
    for response in (ask(api, **query), ask(api, "/availability/explain", **explained)):
        if response.status_code != 200:
            assert response.status_code in (404, 422)
            problem(response, response.status_code)
