"""Made, moved, resized, handed over and taken back in the calendar page itself."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.test import Client

from sophiie.accounts.models import Member
from sophiie.accounts.people import deactivate
from sophiie.appointments.booking import book, change
from sophiie.appointments.models import Appointment
from tests.conftest import details
from tests.customers.conftest import customer
from tests.web.pages import parsed, values

MORNING = datetime(2026, 12, 1, 1, 0, tzinfo=UTC)  # 12:00 in Sydney


def send(page: Client, path: str, body: Any) -> tuple[int, Any]:
    text = body if isinstance(body, str | bytes) else json.dumps(body)
    response = page.post(f"/calendar/{path}", text, content_type="application/json")
    return response.status_code, response.json()


@pytest.fixture
def noon(alice: Member) -> Appointment:
    """Alice's hour on Tuesday, 1 December 2026, 12:00 in Sydney."""
    return book(by=alice, details=details(start=MORNING), assignees=[alice])


@pytest.fixture
def move(page: Client, noon: Appointment) -> Callable[..., tuple[int, Any]]:
    def moved(**body: Any) -> tuple[int, Any]:
        revision = Appointment.objects.get(pk=noon.pk).revision
        return send(page, f"appointments/{noon.id}/move", {"revision": revision, **body})

    return moved


Move = Callable[..., tuple[int, Any]]


def test_the_quick_form_books_in_the_businesss_clocks(
    page: Client, alice: Member, bob: Member
) -> None:
    status, answer = send(
        page,
        "book",
        {
            "title": "Gas <check>",
            "start": "2026-12-01T12:00:00",
            "end": "2026-12-01T13:30:00",
            "assignees": [str(bob.id)],
        },
    )
    assert status == 201
    made = Appointment.objects.get(pk=answer["id"])
    assert (made.title, made.start, made.timezone) == ("Gas <check>", MORNING, "Australia/Sydney")
    assert made.end - made.start == timedelta(minutes=90)
    assert [a.member for a in made.assignments.all()] == [bob]
    assert made.created_by == alice
    # Taken back, as Undo does it.
    status, _ = send(page, f"appointments/{made.id}/delete", {"revision": answer["revision"]})
    assert status == 200
    assert page.get(f"/appointments/{made.id}").status_code == 404


def test_moved_by_its_start_it_keeps_its_length_and_can_be_put_back(
    page: Client, noon: Appointment, move: Move
) -> None:
    status, answer = move(start="2026-12-02T09:00:00")
    assert status == 200
    moved = Appointment.objects.get()
    assert moved.start == datetime(2026, 12, 1, 22, 0, tzinfo=UTC)
    assert moved.end - moved.start == timedelta(hours=1)
    status, _ = move(**answer["before"])
    assert status == 200
    back = Appointment.objects.get()
    assert (back.start, back.end, back.revision) == (noon.start, noon.end, 3)


def test_its_edge_moves_the_end_alone(move: Move, noon: Appointment) -> None:
    assert move(end="2026-12-01T14:15:00")[0] == 200
    moved = Appointment.objects.get()
    assert (moved.start, moved.end) == (noon.start, MORNING + timedelta(hours=2, minutes=15))
    status, answer = move(end="2026-12-01T11:00:00")
    assert (status, answer["errors"]["end"]) == (422, "The end must be after the start.")


def test_it_is_handed_to_somebody_else(
    move: Move, alice: Member, bob: Member, noon: Appointment
) -> None:
    status, answer = move(assignees=[str(bob.id)])
    assert status == 200
    assert [a.member for a in noon.assignments.all()] == [bob]
    assert answer["before"]["assignees"] == [str(alice.id)]
    # Who was deactivated meanwhile may stay, but not come.
    deactivate(alice, bob)
    assert move(assignees=[str(bob.id), str(alice.id)])[0] == 200
    assert move(assignees=[str(alice.id)])[0] == 200
    assert move(assignees=[str(bob.id)])[0] == 422
    status, answer = move(assignees=[])
    assert (status, answer["message"]) == (422, "Choose at least one assignee.")


def test_what_is_in_the_way_is_said_and_managers_may_book_on_top(
    page: Client,
    page_of: Callable[[Member], Client],
    alice: Member,
    bob: Member,
    noon: Appointment,
    move: Move,
) -> None:
    other = details(title="Boiler", start=MORNING + timedelta(hours=3))
    book(by=alice, details=other, assignees=[alice])
    status, answer = move(start="2026-12-01T15:30:00")
    assert status == 409
    assert answer["message"] == "This time is taken"
    assert answer["obstacles"] == ["Alice has “Boiler” on Tue 1 Dec, 15:00–16:00"]
    assert answer["consent"] == "overlap"
    assert Appointment.objects.get(pk=noon.pk).revision == 1

    theirs = {"revision": 1, "start": "2026-12-01T15:30:00", "consent": "overlap"}
    status, answer = send(page_of(bob), f"appointments/{noon.id}/move", theirs)
    assert (status, answer["consent"]) == (409, "")  # not by asking for it either

    assert move(start="2026-12-01T15:30:00", consent="overlap")[0] == 200
    assert noon.assignments.get().booked_anyway


def test_somebody_was_faster(page: Client, alice: Member, noon: Appointment) -> None:
    change(by=alice, appointment_id=noon.id, changes={"title": "Faster"})
    body = {"revision": 1, "start": "2026-12-02T09:00:00"}
    status, answer = send(page, f"appointments/{noon.id}/move", body)
    assert (status, answer["stale"]) == (409, True)
    assert "changed this appointment meanwhile" in answer["message"]
    status, answer = send(page, f"appointments/{noon.id}/delete", {"revision": 1})
    assert (status, answer["stale"]) == (409, True)
    assert Appointment.objects.get().start == noon.start


def test_a_time_that_the_clocks_skip_is_refused_and_a_doubled_one_asked_about(
    move: Move, noon: Appointment
) -> None:
    status, answer = move(start="2027-10-03T02:30:00")
    assert status == 422
    assert "02:30 does not exist on 3 October 2027" in answer["message"]
    status, answer = move(start="2027-04-04T02:30:00")
    assert status == 422
    assert "happens twice" in answer["message"]
    assert [choice["label"] for choice in answer["which"]] == [
        "The first, AEDT",
        "The second, an hour later, AEST",
    ]
    assert Appointment.objects.get().start == noon.start
    assert move(start="2027-04-04T02:30:00", fold=answer["which"][1]["fold"])[0] == 200
    moved = Appointment.objects.get()
    assert moved.start == datetime(2027, 4, 3, 16, 30, tzinfo=UTC)
    assert moved.end - moved.start == timedelta(hours=1)


@pytest.mark.parametrize(
    "body",
    [
        *("", "[]", "null", "{", b"\xff", "[" * 100_000, '{"revision": "1"}', '{"revision": true}'),
        *({"revision": 1, "start": 5}, {"revision": 1, "assignees": "x"}, {"start": "x"}),
        *({"revision": 1, "assignees": [1]}, '{"revision": 1, "start": "\\ud800"}'),
        *({"revision": 1.5}, {"revision": None}, {"start": "2026-12-02T09:00:00"}),
        *({"revision": 1, "consent": True}, {"revision": 1, "fold": 2}, {"revision": 1, "end": {}}),
    ],
)
def test_what_no_page_would_send_is_refused_in_a_sentence(
    page: Client, noon: Appointment, body: Any
) -> None:
    status, answer = send(page, f"appointments/{noon.id}/move", body)
    assert status in (400, 422)
    assert answer["message"]
    assert Appointment.objects.get().revision == 1


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("start", "tomorrow"), ("start", "1999-12-31T00:00"), ("end", "2026-12-01T12:00:00")),
        *(("start", "9999-12-31T23:59:59-23:59"), ("start", "0001-01-01T00:00:00+23:59")),
        *(("end", "2027-12-01T12:00:00"), ("title", ""), ("title", "x" * 301), ("title", "\x00")),
        *(("assignees", []), ("assignees", ["00000000-0000-0000-0000-000000000000"])),
        *(("start", ""), ("end", ""), ("start", "2026-12-01")),
    ],
)
def test_a_value_that_cannot_be_is_told_at_its_field(
    page: Client, alice: Member, field: str, value: Any
) -> None:
    good = {
        "title": "Gas check",
        "start": "2026-12-01T12:00:00",
        "end": "2026-12-01T12:30:00",
        "assignees": [str(alice.id)],
    }
    # A day alone is its midnight: too far from the end to be meant.
    bad = {**good, field: value, **({"end": "2026-12-01T00:00"} if value == "2026-12-01" else {})}
    bad = {**bad, **({"end": good["start"]} if field == "end" and "12:00" in value else {})}
    status, answer = send(page, "book", bad)
    assert status == 422, answer
    assert answer["errors"]
    assert not Appointment.objects.exists()


def test_another_businesss_member_cannot_be_assigned(
    page: Client, charlie: Member, move: Move
) -> None:
    status, answer = move(assignees=[str(charlie.id)])
    assert status == 422
    assert "Unknown assignee" in answer["message"]


def test_the_scripts_requests_need_the_pages_token(alice: Member, noon: Appointment) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(alice)
    path = f"/calendar/appointments/{noon.id}/move"
    body = {"revision": 1, "start": "2026-12-02T09:00:00"}
    assert client.post(path, body, content_type="application/json").status_code == 403
    assert Appointment.objects.get().revision == 1


def test_the_quick_form_names_the_customer_who_was_chosen(page: Client, alice: Member) -> None:
    """Also one of two of the same name; and none of another business."""
    green, _namesake = customer(alice, "Ms Green"), customer(alice, "Ms Green")
    asked = {"title": "Tap", "start": "2026-12-01T10:00", "end": "2026-12-01T11:00"}
    who = {"customer_name": "Ms Green", "customer_id": str(green.id), "assignees": [str(alice.id)]}
    status, answer = send(page, "book", {**asked, **who, "customer_id": str(UUID(int=1))})
    assert (status, list(answer["errors"])) == (422, ["customer_id"])
    assert send(page, "book", {**asked, **who, "customer_id": "x"})[0] == 400
    assert send(page, "book", {**asked, **who})[0] == 201
    assert Appointment.objects.get().customer_id == green.id
    address = f"/appointments/new?title=Tap&customer={green.id}&customer_name=Ms+Green"
    assert values(parsed(page.get(address)))["customer_id"] == str(green.id)


def test_the_full_form_takes_over_what_was_typed(page: Client, bob: Member, alice: Member) -> None:
    address = (
        f"/appointments/new?title=Gas+%3Ccheck%3E&date=2026-12-01&start=12:15&end=13:45"
        f"&assignees={bob.id}&assignees={alice.id}&assignees=nobody"
    )
    kept = values(parsed(page.get(address)))
    assert (kept["title"], kept["date"], kept["start"], kept["end"]) == (
        *("Gas <check>", "2026-12-01", "12:15", "13:45"),
    )
    assert sorted(kept["assignees"]) == sorted([str(bob.id), str(alice.id)])
    assert page.get("/appointments/new?date=x&start=%00&assignees=").status_code == 200


def test_a_search_finds_every_word_wherever_it_stands(page: Client, alice: Member) -> None:
    for n, more in enumerate(
        (
            {"title": "Leaking tap", "customer_name": "Ms Green"},
            {"title": "Boiler", "notes": "ask for GREEN door"},
            {"title": "100% sure"},
        )
    ):
        start = datetime(2031, 1, 1 + n, tzinfo=UTC)
        book(by=alice, details=details(start=start, **more), assignees=[alice])

    def found(asked: str) -> list[str]:
        shown = parsed(page.get("/calendar/search", {"q": asked})).one("div", id="cal-found")
        return [span.words for span in shown.all("span", class_="cal-found-title")]

    assert found("green") == ["Leaking tap", "Boiler"]
    assert found("green tap") == ["Leaking tap"]
    assert found("%") == []  # too short
    assert found("0%") == ["100% sure"]
    assert found("\x00") == found("x" * 3000) == found("nothing") == []


def test_a_search_stays_in_the_business(
    page_of: Callable[[Member], Client], charlie: Member, noon: Appointment
) -> None:
    answer = page_of(charlie).get("/calendar/search?q=leaking").content.decode()
    assert "Nothing found" in answer
    assert "Leaking tap" not in answer
