"""What a form says about its time while one types: free, taken, by what, and what there is instead.

Tuesday, 5 January 2027; Sydney is eleven hours ahead; everybody works Monday to Friday, 9 to 17.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from sophiie.accounts.models import Member
from sophiie.appointments.booking import book
from sophiie.appointments.models import Appointment
from sophiie.availability.editing import save_rules
from sophiie.availability.rules import Rules
from tests.busy import busy
from tests.conftest import details
from tests.web.pages import parsed
from tests.web.test_calendar_changes import send
from tests.web.test_team import colleague

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine("2027-01-03T23:00:00Z")]

TUESDAY = {"date": "2027-01-05", "start": "9am", "end": "10", "timezone": "Australia/Sydney"}
Checked = Callable[..., Any]


def sydney(day: int, hour: int, minute: int = 0) -> datetime:
    """A time on that day of January 2027."""
    return datetime(2027, 1, day, hour, minute, tzinfo=UTC) - timedelta(hours=11)


def taken(who: Member, day: int, start: int, end: int, title: str = "Boiler") -> None:
    about = details(title=title, start=sydney(day, start), end=sydney(day, end))
    book(by=who, details=about, assignees=[who])


@pytest.fixture
def check(page: Client) -> Checked:
    def checked(*who: Member, **said: str) -> Any:
        asked: dict[str, Any] = {**TUESDAY, "assignees": [str(one.id) for one in who], **said}
        return parsed(page.get("/appointments/time-check", asked))

    return checked


def pills(shown: Any) -> list[str]:
    return [pill.words for pill in shown.all("button")]


def test_a_free_time_is_said_to_be_free(check: Checked, alice: Member, bob: Member) -> None:
    assert "Alice is free." in check(alice).words
    assert "Alice and Bob are free." in check(alice, bob).words


@pytest.mark.parametrize("minutes", ["99999999999999999999", "-1", "481", "x"])
def test_nothing_is_said_of_a_way_that_cannot_be(
    check: Checked, alice: Member, minutes: str
) -> None:
    """20 digits of minutes were a 500."""
    assert "Alice is free." in check(alice, travel_minutes="30").words
    assert check(alice, travel_minutes=minutes).words == ""


def test_hours_past_and_notice_are_said(check: Checked, alice: Member, bob: Member) -> None:
    late = check(alice, start="21:00", end="22:00").words
    assert "On Tuesday 5 January 2027 Alice works 09:00–17:00." in late
    assert "is free" not in late
    assert "This time has passed." in check(alice, date="2026-12-29").words
    sunday = check(alice, bob, date="2027-01-10").words
    assert "Alice does not work on Sunday 10 January 2027." in sunday
    assert "Bob does not work on Sunday 10 January 2027." in sunday
    save_rules(by=alice, rules=Rules(notice_minutes=3 * 24 * 60))
    assert "Appointments are booked at least 3 days ahead" in check(alice).words


def test_who_is_free_then_can_take_it(check: Checked, alice: Member, bob: Member) -> None:
    taken(alice, 5, 9, 10)
    shown = check(alice)
    (pill,) = [p for p in shown.all("button") if p.words == "Bob is free then"]
    assert (pill["data-member"], pill["data-instead-of"]) == (str(bob.id), str(alice.id))
    assert "Conflicts with: Alice has “Boiler” on Tue 5 Jan, 09:00–10:00" in shown.words
    taken(bob, 5, 9, 10)
    assert "free then" not in check(alice).words


def test_of_many_who_are_free_a_few_are_buttons(check: Checked, alice: Member) -> None:
    for name in ("Carla", "Dora", "Emil", "Fay", "Gus"):
        colleague(alice, name)
    taken(alice, 5, 9, 10)
    shown = check(alice)
    assert len([pill for pill in pills(shown) if pill.endswith("is free then")]) == 3
    assert "Fay and Gus are free then, too" in shown.words


def test_other_times_are_spread_over_days_with_the_same_hour_first(
    check: Checked, alice: Member
) -> None:
    """Four quarters of an hour on one day help nobody who asked for ten o'clock."""
    taken(alice, 5, 9, 17)
    taken(alice, 7, 9, 11)
    shown = check(alice, start="10:00", end="11:00")
    instead = [pill for pill in pills(shown) if "," in pill]
    days = ("Wed 6 Jan", "Fri 8 Jan", "Mon 11 Jan", "Tue 12 Jan")
    assert instead[:4] == [f"{day}, 10:00" for day in days]


def test_the_asked_day_is_offered_as_well(check: Checked, alice: Member) -> None:
    taken(alice, 5, 9, 12)
    instead = [pill for pill in pills(check(alice, start="11:00", end="12:00")) if "," in pill]
    same_hour = [f"{day} Jan, 11:00" for day in ("Wed 6", "Thu 7", "Fri 8")]
    assert instead[:4] == [*same_hour, "Tue 5 Jan, 12:00"]


def test_the_next_free_time_of_one_of_any_and_of_all(
    check: Checked, alice: Member, bob: Member
) -> None:
    taken(alice, 5, 9, 12)
    taken(bob, 5, 10, 14)
    assert check(alice).words.endswith("Next free time: Tue 5 Jan, 12:00")
    both = check(alice, bob)
    assert both.words.endswith("Next free time: all, Tue 5 Jan, 14:00 Alice, Tue 5 Jan, 12:00")
    assert [p["data-member"] for p in both.all("button") if p.words.startswith("Alice,")] == [
        str(alice.id)
    ]


def test_after_a_free_time_the_next_is_another_one(check: Checked, alice: Member) -> None:
    assert check(alice).words.endswith("Next free time: Tue 5 Jan, 10:00")


@pytest.mark.parametrize("day", ["", "x", "9999-12-31", "0001-01-01", "2027-01-02"])
def test_the_quick_form_begins_at_a_working_hour_whatever_is_asked(
    page: Client, charlie: Member, day: str
) -> None:
    """It is a moment after ten on Monday morning."""
    answer = page.get("/calendar/next-hour", {"from": day, "who": str(charlie.id)})
    assert answer.json() == {"start": "2027-01-04T11:00:00"}


def test_what_is_in_the_way_is_not_said_twice(page: Client, alice: Member) -> None:
    taken(alice, 5, 9, 10)
    asked = {**TUESDAY, "title": "Second", "assignees": [str(alice.id)]}
    refused = parsed(page.post("/appointments/new", asked))
    assert "data-said" in refused.one("div", id="time-check").attributes
    fresh = parsed(page.get("/appointments/new"))
    assert "data-said" not in fresh.one("div", id="time-check").attributes


def test_whole_days_in_google_are_said_as_days(check: Checked, alice: Member, bob: Member) -> None:
    busy(bob, sydney(5, 0), sydney(8, 0))
    busy(alice, sydney(29, 0), sydney(31, 0) + timedelta(days=2))
    words = check(bob).words
    assert "Bob is busy in Google all day, Tue 5 to Thu 7 January" in words
    assert "00:00" not in words
    over = check(alice, date="2027-01-29").words
    assert "Alice is busy in Google all day, Fri 29 January to Mon 1 February" in over
    busy(bob, sydney(12, 0), sydney(13, 0))
    one = check(bob, date="2027-01-12").words
    assert "Bob is busy in Google all day, Tue 12 January" in one


def test_the_clock_of_the_reader_holds(check: Checked, alice: Member) -> None:
    alice.clock = "12"
    alice.save()
    taken(alice, 5, 9, 10)
    late = check(alice, start="9pm", end="10pm").words
    assert "Alice works 9:00 am–5:00 pm" in late
    assert "9:00 am–10:00 am" in check(alice).words


def test_the_clock_of_the_reader_holds_in_search_hours_and_explanations(
    page: Client, alice: Member
) -> None:
    alice.clock = "12"
    alice.save()
    about = details(title="Boiler", start=sydney(5, 15), end=sydney(5, 16))
    book(by=alice, details=about, assignees=[alice])
    found = parsed(page.get("/calendar/search", {"q": "boiler"})).words
    assert "3:00 pm" in found
    assert "15:00" not in found
    hours = parsed(page.get("/settings/hours"))
    assert hours.one("input", id="id_day0_0_until")["value"] == "5:00 pm"
    assert not hours.all("input", type="time")
    sent = {"date": "2027-01-05", "start": "3pm", "end": "4 pm", "member": str(alice.id)}
    why = parsed(page.get("/availability/explain", sent))
    assert why.one("input", id="id_start")["value"] == "3pm"
    assert "Alice, 3:00 pm–4:00 pm on Tuesday, 5 January 2027" in why.words
    assert "Alice has an appointment 3:00 pm–4:00 pm on" in why.words
    evening = parsed(page.get("/availability/explain", {**sent, "start": "8pm", "end": "9pm"}))
    assert "Alice works 9:00 am–5:00 pm" in evening.words


def test_an_appointment_that_stays_where_it_is_is_not_judged(check: Checked, alice: Member) -> None:
    """Somebody who opens a past appointment does not want to hear that it has passed."""
    about = details(start=sydney(1, 20), end=sydney(1, 21))
    past = book(by=alice, details=about, assignees=[alice])
    same = {"date": "2027-01-01", "start": "20:00", "end": "21:00", "appointment": str(past.id)}
    assert check(alice, **same).words == ""
    assert "has passed" in check(alice, **{**same, "end": "21:15"}).words


def test_who_may_book_over_it_reads_over_what(
    page: Client, page_of: Callable[[Member], Client], alice: Member, bob: Member
) -> None:
    taken(alice, 5, 9, 10, "Boiler")
    busy(alice, sydney(5, 9, 30), sydney(5, 11))
    asked = {
        "title": "Second",
        "start": "2027-01-05T09:00:00",
        "end": "2027-01-05T10:00:00",
        "assignees": [str(alice.id)],
    }
    status, answer = send(page, "book", asked)
    assert status == 409
    over = "Book anyway, over “Boiler” and the time that Alice is busy in Google"
    assert answer["anyway"] == over
    status, answer = send(page_of(bob), "book", asked)
    assert (status, answer["anyway"], answer["consent"]) == (409, "", "")


def test_the_quick_form_keeps_customer_and_place(page: Client, alice: Member) -> None:
    asked = {
        "title": "Tap",
        "location": "7 Hill Rd",
        "customer_name": "Ms Green",
        "customer_phone": "0400 111 222",
        "customer_email": "green@example.com",
        "start": "2027-01-05T09:00:00",
        "end": "2027-01-05T10:00:00",
        "assignees": [str(alice.id)],
    }
    status, answer = send(page, "book", asked)
    assert status == 201
    made = Appointment.objects.get(pk=answer["id"])
    texts = ("title", "location", "customer_name", "customer_phone", "customer_email")
    assert {name: getattr(made, name) for name in texts}.items() <= asked.items()
    status, answer = send(page, "book", {**asked, "customer_email": "nothing"})
    assert (status, list(answer["errors"])) == (422, ["customer_email"])
    # The next call of the same customer, from a number typed in another way.
    (option,) = parsed(page.get("/customers/options", {"customer_name": "0400111"})).all("option")
    assert option["value"] == "Ms Green"
    assert option["data-place"] == "7 Hill Rd"
    assert option["data-job"] == "Tap, 5 Jan 2027"
