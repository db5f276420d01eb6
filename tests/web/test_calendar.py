"""The agenda, and what the pages do with an appointment besides its form."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from sophiie.accounts.models import Business, Member, WeekStart
from sophiie.appointments.booking import book, cancel
from sophiie.appointments.models import Appointment
from tests.conftest import details, tomorrow_at
from tests.web.pages import alerts, parsed, statuses, values


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def titles(page: Client, week: str = "") -> list[str]:
    response = page.get("/calendar", {"week": week} if week else {})
    assert response.status_code == 200
    return [heading.words for heading in parsed(response).all("h3")]


@pytest.mark.time_machine("2026-11-29T13:00:00Z")
def test_a_week_is_the_week_of_the_business_not_of_the_server(page: Client, alice: Member) -> None:
    # Sunday 13:00 UTC is Monday 00:00 in Sydney.
    for title, start in (("Sunday night", "2026-11-29 11:30"), ("Monday", "2026-11-29 13:30")):
        book(by=alice, details=details(title=title, start=at(start)), assignees=[alice])
    assert titles(page, "2026-11-24") == ["Sunday night"]
    assert titles(page, "2026-12-01") == ["Monday"]
    assert titles(page) == ["Monday"]


def test_a_day_shows_its_appointments_in_order_with_times_and_people(
    page: Client, alice: Member, bob: Member
) -> None:
    later = details(title="Later", start=at("2026-12-01 03:00"), location="12 <Bay> Street")
    book(by=alice, details=later, assignees=[alice, bob])
    first = book(
        by=alice,
        details=details(title="<i>First</i>", start=at("2026-12-01 01:00")),
        assignees=[bob],
    )
    shown = parsed(page.get("/calendar?week=2026-12-01"))
    (day,) = [section for section in shown.all("section") if section.all("h3")]
    assert "Tuesday" in day.one("h2").words
    assert [h.words for h in day.all("h3")] == ["<i>First</i>", "Later"]
    rows = [row.words for row in day.all("li") if row.all("h3")]
    assert "12:00–13:00" in rows[0]
    assert "Bob" in rows[0]
    assert "Alice, Bob" in rows[1]
    assert "12 <Bay> Street" in rows[1]
    assert day.all("a", href=f"/appointments/{first.id}")


def test_an_appointment_of_several_weeks_is_in_each_of_them(page: Client, alice: Member) -> None:
    long = details(title="Works", start=at("2026-12-03 00:00"), end=at("2026-12-16 00:00"))
    book(by=alice, details=long, assignees=[alice])
    for week, there in (
        *(("2026-11-23", False), ("2026-11-30", True), ("2026-12-07", True)),
        *(("2026-12-14", True), ("2026-12-21", False)),
    ):
        assert titles(page, week) == (["Works"] if there else []), week


def test_cancelled_is_shown_as_such_and_deleted_is_not(page: Client, alice: Member) -> None:
    booked = book(by=alice, details=details(start=at("2026-12-01 01:00")), assignees=[alice])
    cancel(by=alice, appointment_id=booked.id)
    assert "Cancelled" in parsed(page.get("/calendar?week=2026-12-01")).one("main").words
    page.post(f"/appointments/{booked.id}/delete")
    assert titles(page, "2026-12-01") == []


@pytest.mark.parametrize(
    "week",
    ["garbage", "2026-13-01", "0001-01-01", "9999-12-31", "2100-01-01", "\x00", "١", "x" * 5000],
)
def test_a_week_that_is_none_is_this_week(page: Client, booked: Appointment, week: str) -> None:
    now, shown = (
        parsed(response).one("h1").words
        for response in (page.get("/calendar"), page.get("/calendar", {"week": week}))
    )
    assert shown == now


@pytest.mark.parametrize("week", ["2000-01-01", "2099-12-31"])
def test_the_first_and_the_last_week_can_be_shown(page: Client, week: str) -> None:
    assert titles(page, week) == []


def test_one_can_walk_from_week_to_week(page: Client) -> None:
    shown = parsed(page.get("/calendar?week=2026-12-02"))
    assert shown.one("a", rel="prev")["href"] == "/calendar?week=2026-11-23"
    assert shown.one("a", rel="next")["href"] == "/calendar?week=2026-12-07"


@pytest.mark.parametrize(
    ("week_start", "days"),
    [
        (WeekStart.MONDAY, ("2026-11-30", "2026-12-06")),
        (WeekStart.SATURDAY, ("2026-11-28", "2026-12-04")),
        (WeekStart.SUNDAY, ("2026-11-29", "2026-12-05")),
    ],
)
def test_a_week_begins_on_the_day_that_the_business_chose(
    page: Client, alice: Member, week_start: WeekStart, days: tuple[str, str]
) -> None:
    """As in the calendar that a script draws."""
    Business.objects.update(week_start=week_start)
    book(by=alice, details=details(start=at("2026-12-01 01:00")), assignees=[alice])
    for day in days:
        shown = parsed(page.get(f"/calendar?week={day}"))
        listed = [heading["id"] for heading in shown.all("h2", class_="day-head")]
        assert (listed[0], listed[-1], len(listed)) == (f"day-{days[0]}", f"day-{days[1]}", 7)
    after = date.fromisoformat(days[1]) + timedelta(days=1)
    assert shown.one("a", rel="next")["href"] == f"/calendar?week={after}"


def test_a_week_costs_the_same_number_of_queries_whatever_it_holds(
    page: Client, alice: Member, bob: Member, django_assert_max_num_queries: Any
) -> None:
    for n in range(10):
        start = at("2026-12-01 00:00") + timedelta(hours=n)
        book(by=alice, details=details(start=start), assignees=[alice, bob])
    with django_assert_max_num_queries(13):
        assert len(titles(page, "2026-12-01")) == 10


def test_cancelling_keeps_it_in_sight_and_can_be_taken_back(
    page: Client, booked: Appointment
) -> None:
    address = f"/appointments/{booked.id}"
    shown = parsed(page.post(f"{address}/cancel", follow=True))
    assert "cancelled" in statuses(shown)
    assert "Schedule again" in [b.words for b in shown.all("button")]
    assert Appointment.objects.get().status == "cancelled"
    shown = parsed(page.post(f"{address}/reinstate", follow=True))
    assert "back" in statuses(shown)
    assert "Cancel appointment" in [b.words for b in shown.all("button")]
    assert Appointment.objects.get().status == "scheduled"


def test_deleting_can_be_undone_right_afterwards(page: Client, booked: Appointment) -> None:
    address = f"/appointments/{booked.id}"
    shown = parsed(page.post(f"{address}/delete", follow=True))
    assert "“Leaking tap” is deleted." in statuses(shown)
    assert page.get(address).status_code == 404
    undo = shown.one("form", action=f"{address}/reinstate")
    assert "Undo" in undo.words
    assert page.post(undo["action"], follow=True).status_code == 200
    assert page.get(address).status_code == 200


def test_what_was_deleted_does_not_come_back_over_another(
    page: Client, alice: Member, booked: Appointment
) -> None:
    page.post(f"/appointments/{booked.id}/delete")
    book(by=alice, details=details(start=booked.start), assignees=[alice])
    shown = parsed(page.post(f"/appointments/{booked.id}/reinstate", follow=True))
    assert "cannot be brought back: Alice already has" in alerts(shown)
    assert page.get(f"/appointments/{booked.id}").status_code == 404


@pytest.mark.parametrize("deleted", ["x", "\x00", "00000000-0000-0000-0000-000000000000"])
def test_an_undo_of_nothing_is_not_offered(page: Client, deleted: str) -> None:
    shown = page.get("/calendar", {"deleted": deleted})
    assert statuses(parsed(shown)) == ""
    assert "/reinstate" not in shown.content.decode()


def test_the_undo_of_another_business_is_not_offered(
    page: Client, page_of: Callable[[Member], Client], charlie: Member, booked: Appointment
) -> None:
    page.post(f"/appointments/{booked.id}/delete")
    response = page_of(charlie).get("/calendar", {"deleted": str(booked.id)})
    assert "Leaking tap" not in response.content.decode()


def test_history_tells_who_did_what_in_the_appointments_own_time(
    page: Client, page_of: Callable[[Member], Client], bob: Member, alice: Member
) -> None:
    start = at("2026-12-01 01:00")  # 12:00 in Sydney
    booked = book(by=alice, details=details(start=start), assignees=[alice])
    address = f"/appointments/{booked.id}"
    theirs = page_of(bob)
    changed = {
        **values(parsed(theirs.get(address))),
        "title": "<u>Gas</u>",
        "start": "09:00",
        "assignees": [str(bob.id)],
        "notes": "Hurry",
    }
    assert theirs.post(address, changed).status_code == 302
    page.post(f"{address}/cancel")
    told = [p.words for p in parsed(page.get(address)).one("ol", class_="history").all("p")]
    assert [told[0], told[4]] == ["Cancelled it", "Made the appointment"]
    assert set(told[2].split("; ")) == {
        "Title: Leaking tap → <u>Gas</u>",
        "Start: Tue 1 Dec 12:00 → Tue 1 Dec 09:00",
        "Notes: – → Hurry",
        "Assignees: Alice → Bob",
    }
    assert [line.split(" · ")[0] for line in told[1::2]] == ["Alice", "Bob", "Alice"]


def test_a_conflict_is_shown_with_its_cause_and_book_anyway_is_for_managers(
    page: Client,
    page_of: Callable[[Member], Client],
    alice: Member,
    bob: Member,
    booked: Appointment,
) -> None:
    typed = {
        **values(parsed(page.get(f"/appointments/{booked.id}"))),
        "title": "Second",
        "notes": "Kept",
    }
    response = page.post("/appointments/new", typed)
    assert response.status_code == 409
    shown = parsed(response)
    assert f"Alice has “Leaking tap” on {booked.local_start:%a}" in alerts(shown)
    assert f"{booked.local_start:%H:%M}–{booked.local_end:%H:%M}" in alerts(shown)
    kept = values(shown)
    assert (kept["title"], kept["notes"]) == ("Second", "Kept")
    button = shown.one("button", name="allow_overlap")
    assert button.words == "Book anyway, over “Leaking tap”"
    anyway = {**kept, button["name"]: button["value"]}

    theirs = page_of(bob)
    shown = parsed(theirs.post("/appointments/new", typed))
    assert not shown.all("button", name="allow_overlap")
    assert theirs.post("/appointments/new", anyway).status_code == 409  # crafted
    assert Appointment.objects.count() == 1

    assert page.post("/appointments/new", anyway).status_code == 302
    made = Appointment.objects.get(title="Second").assignments.get()
    assert (made.blocking, made.booked_anyway) == (False, True)


def test_moving_onto_another_appointment_shows_the_conflict_too(
    page: Client, alice: Member, booked: Appointment
) -> None:
    other = book(by=alice, details=details(start=tomorrow_at(9)), assignees=[alice])
    address = f"/appointments/{other.id}"
    onto = values(parsed(page.get(f"/appointments/{booked.id}")))
    response = page.post(address, {**onto, "revision": "1"})
    assert response.status_code == 409
    assert "This time is taken" in alerts(parsed(response))
    assert Appointment.objects.get(pk=other.pk).start == other.start
