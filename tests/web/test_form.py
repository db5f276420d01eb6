"""The appointment form: what was typed is kept, what is wrong is said where it is."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.test import Client

from sophiie.accounts.models import Member
from sophiie.accounts.people import add_member
from sophiie.appointments.booking import book, change, find
from sophiie.appointments.models import Appointment
from tests.busy import busy, calendar_of
from tests.conftest import details, tomorrow_at
from tests.web.pages import alerts, message_at, parsed, statuses, values

HOUR = timedelta(hours=1)
SYDNEY = ZoneInfo("Australia/Sydney")
NOTES = "Ring twice.\r\n<script>alert('x')</script> & \"quotes\"\r\n\r\nThird line"


@pytest.fixture
def typed(alice: Member, bob: Member) -> dict[str, Any]:
    """A form filled in by a careful person."""
    return {
        "title": "Tap <b>leaks</b> & drips",
        "date": "2026-12-01",
        "start": "09:00",
        "end": "10:30",
        "timezone": "Australia/Sydney",
        "location": "12 Bay Street, “The Hut”",
        "assignees": [str(alice.id), str(bob.id)],
        "notes": NOTES,
        "customer_name": "Ms O'Green",
        "customer_phone": "+61 2 5550 1234",
        "customer_email": "green@example.com",
    }


def test_the_empty_form_proposes_the_next_hour_for_oneself(page: Client, alice: Member) -> None:
    proposed = values(parsed(page.get("/appointments/new")))
    assert proposed["timezone"] == "Australia/Sydney"
    assert proposed["assignees"] == [str(alice.id)]
    assert proposed["start"].endswith(":00")
    response = page.post("/appointments/new", {**proposed, "title": "As proposed"})
    assert response.status_code == 302
    made = Appointment.objects.get()
    assert (made.end - made.start).total_seconds() == 3600
    assert made.start > datetime.now(UTC)


def working_morning(hour: int) -> datetime:
    """That hour on a Tuesday of next week, on the clocks in Sydney."""
    day = datetime.now(SYDNEY).date()
    tuesday = day + timedelta(days=8 - day.weekday())
    return datetime.combine(tuesday, time(hour), SYDNEY)


@pytest.mark.every_date
def test_the_empty_form_proposes_an_hour_at_which_one_is_free(page: Client, alice: Member) -> None:
    """Taken by an appointment, then by an event; a calendar that was never read changes nothing."""
    nine, eleven = working_morning(9), working_morning(11)
    book(by=alice, details=details(start=nine, end=nine + HOUR), assignees=[alice])
    busy(alice, nine + HOUR, nine + HOUR + HOUR / 4)
    with time_machine.travel(nine - timedelta(minutes=1), tick=False):
        proposed = values(parsed(page.get("/appointments/new")))
        assert (proposed["date"], proposed["start"]) == (f"{eleven:%Y-%m-%d}", "11:00")
        calendar_of(alice, calendar_id="other", age=None)
        assert values(parsed(page.get("/appointments/new")))["start"] == "11:00"
        given = values(parsed(page.get("/appointments/new", {"start": "09:00"})))
        assert given["start"] == "09:00"


@pytest.mark.every_date
def test_in_the_evening_the_form_proposes_the_next_working_day(page: Client, alice: Member) -> None:
    evening = working_morning(19)
    for days, ahead in ((0, 1), (3, 3)):  # on Tuesday for Wednesday, on Friday for Monday
        with time_machine.travel(evening + timedelta(days=days, minutes=15), tick=False):
            wanted = f"{evening + timedelta(days=days + ahead):%Y-%m-%d}"
            proposed = values(parsed(page.get("/appointments/new")))
            assert (proposed["date"], proposed["start"]) == (wanted, "09:00")
            # The quick form asks the same.
            answer = page.get("/calendar/next-hour").json()
            assert answer == {"start": f"{wanted}T09:00:00"}


def test_a_booking_keeps_every_field_and_says_so(
    page: Client, typed: dict[str, Any], alice: Member, bob: Member
) -> None:
    response = page.post("/appointments/new", typed)
    made = Appointment.objects.get()
    assert (response.status_code, response["Location"]) == (302, f"/appointments/{made.id}")
    assert (made.title, made.location) == (typed["title"], typed["location"])
    assert made.notes == NOTES.replace("\r\n", "\n")
    assert made.start == datetime(2026, 11, 30, 22, 0, tzinfo=UTC)
    assert made.end == datetime(2026, 11, 30, 23, 30, tzinfo=UTC)
    assert made.customer_name == "Ms O'Green"
    assert [a.member for a in find(alice, made.id).assignments.all()] == [alice, bob]
    shown = page.get(response["Location"])
    assert "is booked" in statuses(parsed(shown))
    assert b"<b>leaks" not in shown.content
    assert b"<script>alert" not in shown.content
    assert {k: v for k, v in values(parsed(shown)).items() if k in typed} == typed


def test_saving_what_is_shown_changes_nothing(page: Client, typed: dict[str, Any]) -> None:
    address = page.post("/appointments/new", typed)["Location"]
    response = page.post(address, values(parsed(page.get(address))))
    assert response.status_code == 302
    assert Appointment.objects.get().revision == 1


BAD = [
    ({"title": ""}, "title", "Give the appointment a title."),
    ({"title": "   "}, "title", "Give the appointment a title."),
    ({"title": "x" * 10_000}, "title", "At most 300 characters; this has 10,000."),
    ({"title": "a\x00b"}, "title", "Null characters are not allowed."),
    ({"date": ""}, "date", "Choose a date."),
    ({"date": "next year"}, "date", "Write the date as 2026-12-31 or 31 Dec 2026."),
    ({"date": "2026-02-30"}, "date", "Write the date as 2026-12-31 or 31 Dec 2026."),
    ({"date": "1900-01-01"}, "date", "Use a date between the years 2000 and 2099."),
    ({"date": "9999-12-31"}, "date", "Use a date between the years 2000 and 2099."),
    ({"start": ""}, "start", "Choose when it starts."),
    ({"start": "25:00"}, "start", "Write the time as 14:30 or 2:30 pm."),
    ({"end": ""}, "end", "Choose when it ends."),
    ({"end": "late"}, "end", "Write the time as 14:30 or 2:30 pm."),
    ({"end": "08:00"}, "end", "The end must be after the start."),
    ({"end": "09:00"}, "end", "The end must be after the start."),
    ({"timezone": "Mars/Phobos"}, "timezone", "Choose a time zone from the list."),
    ({"timezone": ""}, "timezone", "Choose a time zone from the list."),
    ({"location": "x" * 501}, "location", "At most 500 characters; this has 501."),
    ({"notes": "x" * 5001}, "notes", "At most 5,000 characters; this has 5,001."),
    ({"assignees": []}, "assignees", "Choose at least one assignee."),
    ({"assignees": ["x"]}, "assignees", "Choose assignees from the list."),
    ({"assignees": [str(uuid4())]}, "assignees", "Choose assignees from the list."),
    ({"customer_name": "x" * 201}, "customer_name", "At most 200 characters; this has 201."),
    ({"customer_phone": "1" * 51}, "customer_phone", "At most 50 characters; this has 51."),
    ({"customer_email": "green"}, "customer_email", "This is not an email address."),
]


@pytest.mark.parametrize(("change_", "name", "message"), BAD)
@pytest.mark.parametrize("existing", [False, True], ids=["new", "existing"])
def test_a_bad_value_is_told_at_its_field_and_nothing_typed_is_lost(
    page: Client,
    typed: dict[str, Any],
    booked: Appointment,
    change_: dict[str, Any],
    name: str,
    message: str,
    existing: bool,
) -> None:
    address = f"/appointments/{booked.id}" if existing else "/appointments/new"
    sent = {**typed, **change_}
    response = page.post(address, sent)
    assert response.status_code == 422
    shown = parsed(response)
    assert message_at(shown, name) == message
    assert message in alerts(shown)  # and in the summary that takes the focus
    assert shown.one("title").words.startswith("Error:")
    kept = values(shown)
    for other, value in typed.items():
        if other != name:
            assert kept[other] == value
    if name not in ("timezone", "assignees") and change_[name].strip("\x00").strip():
        assert kept[name] == change_[name]
    assert Appointment.objects.count() == 1
    assert Appointment.objects.get().revision == 1


def test_several_mistakes_are_told_at_once(page: Client, typed: dict[str, Any]) -> None:
    bad = {**typed, "title": "", "end": "08:00", "customer_email": "x", "notes": "x" * 6000}
    shown = parsed(page.post("/appointments/new", bad))
    named = [n for n in typed if message_at(shown, n)]
    assert named == ["title", "end", "notes", "customer_email"]


def test_nobody_of_another_business_can_be_assigned(
    page: Client, typed: dict[str, Any], charlie: Member
) -> None:
    response = page.post("/appointments/new", {**typed, "assignees": [str(charlie.id)]})
    assert message_at(parsed(response), "assignees") == "Choose assignees from the list."
    assert "Charlie" not in page.get("/appointments/new").content.decode()


def test_one_person_ticked_twice_is_assigned_once(
    page: Client, typed: dict[str, Any], alice: Member
) -> None:
    response = page.post("/appointments/new", {**typed, "assignees": [str(alice.id)] * 2})
    assert response.status_code == 302
    assert Appointment.objects.get().assignments.count() == 1


def test_an_empty_post_is_a_form_with_messages(page: Client) -> None:
    response = page.post("/appointments/new", {})
    assert response.status_code == 422
    assert message_at(parsed(response), "title") == "Give the appointment a title."


def test_until_midnight_means_the_end_of_the_day(page: Client, typed: dict[str, Any]) -> None:
    address = page.post("/appointments/new", {**typed, "start": "22:00", "end": "00:00"})[
        "Location"
    ]
    made = Appointment.objects.get()
    assert made.local_end.isoformat() == "2026-12-02T00:00:00+11:00"
    kept = values(parsed(page.get(address)))
    assert (kept["date"], kept["end"]) == ("2026-12-01", "00:00")
    assert "end_date" not in kept
    page.post(address, {**kept, "title": "Later"})
    assert Appointment.objects.get().end == made.end


@pytest.mark.every_date
def test_an_appointment_of_several_days_keeps_its_last_day(page: Client, alice: Member) -> None:
    start, end = tomorrow_at(1), tomorrow_at(3, days=3)
    made = book(by=alice, details=details(start=start, end=end), assignees=[alice])
    address = f"/appointments/{made.id}"
    kept = values(parsed(page.get(address)))
    assert kept["end_date"] == made.local_end.date().isoformat()
    assert page.post(address, {**kept, "title": "Renovation"}).status_code == 302
    assert Appointment.objects.get().end == end
    kept = values(parsed(page.get(address)))
    response = page.post(address, {**kept, "end_date": "2001-01-01"})
    assert message_at(parsed(response), "end") == "The end must be after the start."
    response = page.post(address, {**kept, "end_date": "9999-12-31"})
    assert message_at(parsed(response), "end_date").startswith("Use a date between")


def test_the_form_says_who_changed_the_appointment_meanwhile_and_keeps_ones_words(
    page: Client, bob: Member, booked: Appointment
) -> None:
    address = f"/appointments/{booked.id}"
    mine = {**values(parsed(page.get(address))), "title": "My words"}
    change(by=bob, appointment_id=booked.id, changes={"location": "Bob's place"})
    response = page.post(address, mine)
    assert response.status_code == 409
    shown = parsed(response)
    assert "Bob changed this appointment while you had it open" in alerts(shown)
    assert "Bob's place" in alerts(shown)
    again = values(shown)
    assert again["title"] == "My words"
    assert Appointment.objects.get().title == "Leaking tap"
    assert page.post(address, again).status_code == 302  # now it is meant
    assert Appointment.objects.get().title == "My words"


@pytest.mark.parametrize("revision", ["x", "-1", "9" * 40, "1.5"])
def test_a_crafted_revision_is_no_error_of_the_server(
    page: Client, booked: Appointment, revision: str
) -> None:
    address = f"/appointments/{booked.id}"
    sent = {**values(parsed(page.get(address))), "title": "New", "revision": revision}
    assert page.post(address, sent).status_code in (409, 422)
    assert Appointment.objects.get().title == "Leaking tap"


def test_a_switched_off_assignee_can_stay_but_is_not_offered_anew(
    page: Client, alice: Member
) -> None:
    eve = add_member(
        business=alice.business, email="eve@example.com", name="Eve", role="member", password=None
    )
    made = book(by=alice, details=details(), assignees=[eve])
    Member.objects.filter(pk=eve.pk).update(is_active=False)
    address = f"/appointments/{made.id}"
    kept = values(parsed(page.get(address)))
    assert kept["assignees"] == [str(eve.id)]
    assert page.post(address, {**kept, "title": "Still Eve's"}).status_code == 302
    assert ">Eve<" not in page.get("/appointments/new").content.decode()


def test_a_zone_of_an_old_spelling_stays_what_it_is(page: Client, alice: Member) -> None:
    made = book(by=alice, details=details(timezone="Australia/NSW"), assignees=[alice])
    address = f"/appointments/{made.id}"
    kept = values(parsed(page.get(address)))
    assert kept["timezone"] == "Australia/NSW"
    page.post(address, kept)
    assert Appointment.objects.get().revision == 1
