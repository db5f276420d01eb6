"""`/series`: booking, reading, changing and calling off what repeats."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from sophiie.accounts.models import Member
from sophiie.appointments import booking
from sophiie.appointments.models import Appointment
from sophiie.resources.editing import make
from sophiie.series.models import Series
from tests.api.problems import errors, problem
from tests.conftest import ApiCaller, details
from tests.services.made import service

Call = Callable[[Member], ApiCaller]
PLAIN = {
    "title": "Physiotherapy",
    "start": "2027-01-12T09:00:00+11:00",
    "duration_minutes": 60,
    "rule": "FREQ=WEEKLY;INTERVAL=2;COUNT=5",
}


@pytest.fixture(autouse=True)
def clock() -> Iterator[None]:
    with time_machine.travel(datetime(2027, 1, 4, tzinfo=UTC), tick=False):
        yield


def book(api: ApiCaller, **more: Any) -> Any:
    answer = api("POST", "/series", {**PLAIN, **more})
    assert answer.status_code == 201, answer.content
    return answer.json()


def starts(answer: Any) -> list[str]:
    return [visit["start"][:16] for visit in answer["visits"] if visit["status"] != "cancelled"]


def test_a_series_is_booked_and_told_in_plain_words(api: ApiCaller) -> None:
    answer = api("POST", "/series", PLAIN)
    made = answer.json()
    assert answer["Location"] == f"/api/v1/series/{made['id']}"
    assert made["words"] == "every 2 weeks on Tuesday, 5 times"
    assert starts(made)[:2] == ["2027-01-12T09:00", "2027-01-26T09:00"]
    assert [visit["number"] for visit in made["visits"]] == [1, 2, 3, 4, 5]
    assert api("GET", f"/series/{made['id']}").json()["visits"] == made["visits"]


def test_every_appointment_says_which_visit_it_is(api: ApiCaller) -> None:
    made = book(api)
    third = made["visits"][2]["appointment_id"]
    expected = {"id": made["id"], "number": 3, "of": 5}
    assert api("GET", f"/appointments/{third}").json()["series"] == expected
    listed = api("GET", "/appointments?from=2027-01-01T00:00:00Z").json()["items"]
    assert [item["series"]["number"] for item in listed] == [1, 2, 3, 4, 5]
    single = {"title": "Once", "start": "2027-01-13T09:00:00+11:00", "duration_minutes": 30}
    assert api("POST", "/appointments", single).json()["series"] is None


def test_the_list_needs_no_query_for_each_visit(api: ApiCaller) -> None:
    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as seen:
            assert api("GET", "/appointments").status_code == 200
        return len(seen)

    book(api, rule="FREQ=WEEKLY;COUNT=2")
    queries()
    few = queries()
    book(api, start="2027-01-13T09:00:00+11:00", rule="FREQ=WEEKLY;COUNT=40")
    assert queries() == few


def test_a_preview_books_nothing(api: ApiCaller, alice: Member) -> None:
    start = datetime(2027, 1, 25, 22, tzinfo=UTC)
    booking.book(
        by=alice, details=details(start=start, end=start + timedelta(hours=1)), assignees=[alice]
    )
    seen = api("POST", "/series?preview=true", PLAIN)
    assert seen.status_code == 200
    assert len(seen.json()["visits"]) == 5
    (in_the_way,) = seen.json()["in_the_way"]
    assert (in_the_way["number"], in_the_way["day"]) == (2, "2027-01-26")
    assert in_the_way["nearest"] == "2027-01-26T10:00:00+11:00"
    assert in_the_way["conflicts"][0]["source"] == "appointment"
    assert Appointment.objects.count() == 1


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


def test_a_series_ends_after_it_starts(api: ApiCaller) -> None:
    given = {name: value for name, value in PLAIN.items() if name != "duration_minutes"}
    told = errors(api("POST", "/series", {**given, "end": "2027-01-12T08:00:00+11:00"}))
    assert told == {"end": ["The end must be after the start."]}


def test_what_is_in_the_way_is_a_conflict_until_it_is_answered(
    api: ApiCaller, alice: Member
) -> None:
    start = datetime(2027, 1, 25, 22, tzinfo=UTC)
    booking.book(
        by=alice, details=details(start=start, end=start + timedelta(hours=1)), assignees=[alice]
    )
    refused = problem(api("POST", "/series", PLAIN), 409)
    assert refused["type"].endswith("/conflict")
    assert (refused["of"], len(refused["visits"])) == (5, 1)
    assert Appointment.objects.count() == 1
    left_out = book(api, in_the_way="leave_out", title="A")
    assert "2027-01-26T09:00" not in starts(left_out)
    assert (left_out["left_out"], left_out["total"]) == (["2027-01-26"], 4)
    api("DELETE", f"/series/{left_out['id']}?scope=all")
    moved = book(api, in_the_way="move", title="B")
    assert starts(moved)[1] == "2027-01-26T10:00"
    api("DELETE", f"/series/{moved['id']}?scope=all")
    answered = book(api, answers=[{"day": "2027-01-26", "start": "2027-01-27T14:00:00+11:00"}])
    assert starts(answered)[1] == "2027-01-27T14:00"
    api("DELETE", f"/series/{answered['id']}?scope=all")
    assert starts(book(api, in_the_way="book_anyway"))[1] == "2027-01-26T09:00"


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


def test_the_same_key_books_once(api: ApiCaller) -> None:
    first = api("POST", "/series", PLAIN, **{"Idempotency-Key": "one"})
    again = api("POST", "/series", PLAIN, **{"Idempotency-Key": "one"})
    assert first.json() == again.json()
    assert Series.objects.count() == 1


def test_this_and_the_following_move(api: ApiCaller) -> None:
    made = book(api)
    third = made["visits"][2]["appointment_id"]
    address = f"/series/{made['id']}?scope=following&appointment={third}"
    body = {"start": "2027-02-11T14:00:00+11:00"}
    seen = api("PATCH", f"{address}&preview=true", body).json()
    assert [move["after"][:16] for move in seen["moved"]] == [
        "2027-02-11T14:00",
        "2027-02-25T14:00",
        "2027-03-11T14:00",
    ]
    assert (seen["past"], seen["splits"], seen["cancelled"], seen["added"]) == (2, True, [], [])
    changed = api("PATCH", address, body).json()
    assert starts(changed) == ["2027-02-11T14:00", "2027-02-25T14:00", "2027-03-11T14:00"]
    assert changed["previous_id"] == made["id"]
    assert changed["words"] == "every 2 weeks on Thursday, 5 times"
    undone = api("POST", f"/series/{changed['id']}/undo", {"act_id": changed["act_id"]})
    assert undone.status_code == 204
    assert starts(api("GET", f"/series/{made['id']}").json()) == starts(made)


def test_one_visit_alone_is_changed_and_called_off(api: ApiCaller) -> None:
    made = book(api)
    second, third = (made["visits"][n]["appointment_id"] for n in (1, 2))
    body = {"start": "2027-01-27T11:00:00+11:00"}
    changed = api("PATCH", f"/series/{made['id']}?scope=this&appointment={second}", body).json()
    assert changed["visits"][1]["start"] == "2027-01-27T11:00:00+11:00"
    assert changed["visits"][1]["changed_alone"]
    gone = api("DELETE", f"/series/{made['id']}?scope=this&appointment={third}")
    assert gone.json()["cancelled"] == [third]
    statuses = [v["status"] for v in api("GET", f"/series/{made['id']}").json()["visits"]]
    assert statuses == ["scheduled", "scheduled", "cancelled", "scheduled", "scheduled"]


def test_a_preview_of_one_visit_changes_nothing_and_names_what_is_in_its_way(
    api: ApiCaller,
) -> None:
    made = book(api)
    second = made["visits"][1]["appointment_id"]
    path = f"/series/{made['id']}?scope=this&appointment={second}&preview=true"
    seen = api("PATCH", path, {"start": "2027-01-27T11:00:00+11:00", "title": "Longer"}).json()
    assert [move["after"] for move in seen["moved"]] == ["2027-01-27T11:00:00+11:00"]
    assert (seen["changed"], seen["in_the_way"]) == ([second], [])
    first = made["visits"][0]
    (refused,) = api("PATCH", path, {"start": first["start"]}).json()["in_the_way"]
    assert refused["conflicts"][0]["appointment_id"] == first["appointment_id"]
    assert api("PATCH", path, {"title": ""}).status_code == 422
    assert api("GET", f"/series/{made['id']}").json() == {**made, "act_id": None}


def test_a_series_is_called_off_from_one_visit_on(api: ApiCaller) -> None:
    made = book(api)
    third = made["visits"][2]["appointment_id"]
    address = f"/series/{made['id']}?scope=following&appointment={third}"
    seen = api("DELETE", f"{address}&preview=true").json()
    assert len(seen["cancelled"]) == 3
    assert starts(api("GET", f"/series/{made['id']}").json()) == starts(made)
    gone = api("DELETE", address).json()
    assert gone["cancelled"] == seen["cancelled"]
    assert starts(api("GET", f"/series/{made['id']}").json()) == starts(made)[:2]
    undone = api("POST", f"/series/{made['id']}/undo", {"act_id": gone["act_id"]})
    assert undone.status_code == 204
    assert starts(api("GET", f"/series/{made['id']}").json()) == starts(made)


def test_a_series_is_held_and_confirmed(api: ApiCaller) -> None:
    held = book(api, hold_minutes=10)
    assert {visit["status"] for visit in held["visits"]} == {"held"}
    confirmed = api("POST", f"/series/{held['id']}/confirm").json()
    assert {visit["status"] for visit in confirmed["visits"]} == {"scheduled"}
    assert api("POST", f"/series/{held['id']}/confirm").status_code == 200


def test_more_than_may_be_held_is_refused(api: ApiCaller) -> None:
    many = {**PLAIN, "rule": "FREQ=DAILY;COUNT=21", "hold_minutes": 10}
    assert "hold_minutes" in errors(api("POST", "/series", many))


def test_a_change_without_a_scope_is_refused(api: ApiCaller) -> None:
    made = book(api)
    assert "scope" in errors(api("PATCH", f"/series/{made['id']}", {"title": "Other"}))
    assert "appointment" in errors(
        api("PATCH", f"/series/{made['id']}?scope=following", {"title": "Other"})
    )
    assert "title" in errors(api("PATCH", f"/series/{made['id']}?scope=all", {"title": " "}))


def test_a_visit_of_another_series_is_no_visit_of_this(api: ApiCaller) -> None:
    made, other = book(api), book(api, start="2027-01-13T09:00:00+11:00")
    foreign = other["visits"][0]["appointment_id"]
    for scope in ("this", "following", "all"):
        address = f"/series/{made['id']}?scope={scope}&appointment={foreign}"
        problem(api("PATCH", address, {"title": "Other"}), 404)
        problem(api("DELETE", address), 404)


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


def test_a_left_out_day_at_the_end_of_time_moves_nowhere(api: ApiCaller) -> None:
    made = book(api, left_out=["9999-12-31", "0001-01-01"])
    address = f"/series/{made['id']}?scope=all"
    moved = api("PATCH", address, {"start": "2027-01-14T09:00:00+11:00"}).json()
    assert starts(moved)[0] == "2027-01-14T09:00"


def test_a_series_has_service_travel_and_resources(api: ApiCaller, alice: Member) -> None:
    kind, van = service(alice, buffer_before=10), make(by=alice, name="Blue van")
    asked = {**PLAIN, "service_id": str(kind.id), "resource_ids": [str(van.id)]}
    asked |= {"travel_minutes": 15}
    del asked["title"], asked["duration_minutes"]
    answer = api("POST", "/series", asked)
    assert answer.status_code == 201, answer.content
    made = answer.json()
    assert made["duration_minutes"] == 45
    third = f"/appointments/{made['visits'][2]['appointment_id']}"
    shown = api("GET", third).json()
    assert (shown["title"], shown["service_id"]) == ("Gas check", str(kind.id))
    assert (shown["travel_minutes"], shown["resource_ids"]) == (15, [str(van.id)])

    refused = api("POST", "/series", asked)
    assert refused.status_code == 409
    named = {c["resource_id"] for v in refused.json()["visits"] for c in v["conflicts"]}
    assert str(van.id) in named

    changed = {"service_id": None, "travel_minutes": 0, "resource_ids": []}
    done = api("PATCH", f"/series/{made['id']}?scope=all", changed)
    assert done.status_code == 200, done.content
    shown = api("GET", third).json()
    assert (shown["service_id"], shown["travel_minutes"], shown["resource_ids"]) == (None, 0, [])


def test_a_resource_or_service_that_is_not_there_is_refused(api: ApiCaller, alice: Member) -> None:
    for name, value in (("service_id", str(alice.id)), ("resource_ids", [str(alice.id)])):
        assert name in errors(api("POST", "/series", {**PLAIN, name: value}))


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


@pytest.mark.parametrize("scope", ["this", "following", "all"])
@pytest.mark.parametrize("preview", ["false", "true"], ids=["change", "preview"])
def test_a_change_of_a_hold_that_expired_says_so_and_changes_nothing(
    api: ApiCaller, scope: str, preview: str
) -> None:
    held = book(api, hold_minutes=5)
    path = f"/series/{held['id']}?scope={scope}&preview={preview}"
    path += f"&appointment={held['visits'][0]['appointment_id']}"
    with time_machine.travel(datetime(2027, 1, 4, 1, tzinfo=UTC), tick=False):
        before = api("GET", f"/series/{held['id']}").json()
        for body in ({"title": "Other"}, {"start": "2027-01-12T10:00:00+11:00"}):
            said = errors(api("PATCH", path, body))
            assert "not held any more" in said["series"][0]
        assert api("GET", f"/series/{held['id']}").json() == before


def test_the_visits_are_read_page_by_page_at_a_bounded_cost(api: ApiCaller) -> None:
    made = book(api, rule="FREQ=DAILY;COUNT=210", duration_minutes=30)
    assert (len(made["visits"]), made["next_cursor"]) == (200, "200")
    where, seen, cursor = f"/series/{made['id']}", [], ""
    counts = set()
    while cursor is not None:
        with CaptureQueriesContext(connection) as asked:
            page = api("GET", f"{where}?limit=100&cursor={cursor}").json()
        counts.add(len(asked))
        assert page["start"] == made["start"]
        seen += [visit["number"] for visit in page["visits"]]
        cursor = page["next_cursor"]
    assert seen == list(range(1, 211))
    assert max(counts) - min(counts) <= 1
    assert len(api("GET", where).json()["visits"]) == 50
    assert api("GET", f"{where}?cursor=210").json()["visits"] == []


@pytest.mark.parametrize("cursor", ["x", "-1", "1.5", "9" * 30, "٣"])
def test_what_is_no_cursor_of_visits_is_refused(api: ApiCaller, cursor: str) -> None:
    made = book(api)
    assert "cursor" in errors(api("GET", f"/series/{made['id']}?cursor={cursor}"))
    assert "limit" in errors(api("GET", f"/series/{made['id']}?limit=201"))
