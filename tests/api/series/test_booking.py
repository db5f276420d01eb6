"""`/series`: booking and reading what repeats."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from django.db import connection
from django.test.utils import CaptureQueriesContext

from sophiie.accounts.models import Member
from sophiie.appointments import booking
from sophiie.appointments.models import Appointment
from sophiie.resources.editing import make
from sophiie.series.models import Series
from tests.api.problems import problem
from tests.api.series.booked import PLAIN, book, starts
from tests.conftest import ApiCaller, details
from tests.services.made import service


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


def test_the_same_key_books_once(api: ApiCaller) -> None:
    first = api("POST", "/series", PLAIN, **{"Idempotency-Key": "one"})
    again = api("POST", "/series", PLAIN, **{"Idempotency-Key": "one"})
    assert first.json() == again.json()
    assert Series.objects.count() == 1


def test_a_series_is_held_and_confirmed(api: ApiCaller) -> None:
    held = book(api, hold_minutes=10)
    assert {visit["status"] for visit in held["visits"]} == {"held"}
    confirmed = api("POST", f"/series/{held['id']}/confirm").json()
    assert {visit["status"] for visit in confirmed["visits"]} == {"scheduled"}
    assert api("POST", f"/series/{held['id']}/confirm").status_code == 200


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
