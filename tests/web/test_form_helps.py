"""What the form offers: customers, the time on other clocks, lengths, people, a copy."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from sophiie.accounts.models import Member
from sophiie.accounts.people import deactivate
from sophiie.appointments.booking import book
from sophiie.appointments.merging import delete_customer
from sophiie.appointments.models import Appointment
from tests.conftest import details, tomorrow_at
from tests.web.pages import parsed, values
from tests.web.test_team import colleague

pytestmark = pytest.mark.django_db


def seen(by: Member, hour: int, name: str, phone: str = "", email: str = "") -> Appointment:
    about = details(
        start=tomorrow_at(hour), customer_name=name, customer_phone=phone, customer_email=email
    )
    return book(by=by, details=about, assignees=[by])


def offered(page: Client, text: str) -> list[tuple[str, str, str]]:
    options = parsed(page.get("/customers/options", {"customer_name": text})).all("option")
    return [(o["value"], o["data-phone"], o["data-email"]) for o in options]


def test_customers_are_offered_with_what_is_known_of_them(alice: Member, page: Client) -> None:
    seen(alice, 1, "Ms Green", "0412 345 678")
    seen(alice, 2, "ms green", "0412 345 678", "green@example.com")
    seen(alice, 3, "Mr Brown")
    assert offered(page, "GREE") == [("Ms Green", "+61 412 345 678", "")]
    assert offered(page, "412 345") == [("Ms Green", "+61 412 345 678", "")]
    assert offered(page, "mr") == [("Mr Brown", "", "")]
    assert offered(page, "nobody") == []


def test_a_customer_is_offered_with_the_latest_job(alice: Member, page: Client) -> None:
    first = seen(alice, 1, "Ms Green", "0412 345 678")
    about = details(
        start=tomorrow_at(5), title="Second visit", location="4 Hill Road", customer_name="x"
    )
    book(by=alice, details=about, assignees=[alice], customer_id=first.customer_id)
    (option,) = parsed(page.get("/customers/options", {"customer_name": "green"})).all("option")
    assert option["data-id"] == str(first.customer_id)
    assert option["data-place"] == "4 Hill Road"
    assert option["data-job"].startswith("Second visit, ")


def test_one_letter_asks_for_nothing(alice: Member, page: Client) -> None:
    seen(alice, 1, "Ms Green")
    for text in ("", "G", " G ", "G\x00"):
        assert offered(page, text) == []


def test_customers_of_others_and_deleted_ones_are_not(
    alice: Member, charlie: Member, page: Client
) -> None:
    seen(charlie, 1, "Ms Green")
    gone = seen(alice, 2, "Ms Greenwood")
    assert gone.customer_id
    delete_customer(by=alice, customer_id=gone.customer_id)
    assert offered(page, "green") == []


def test_signs_in_a_name_are_only_signs(alice: Member, page: Client) -> None:
    seen(alice, 1, '<b>"Green" & Co</b>')
    assert offered(page, "green") == [('<b>"Green" & Co</b>', "", "")]
    assert offered(page, "%%") == []


# The time on other clocks


def checked(page: Client, **said: str) -> str:
    plain = {"date": "2027-01-05", "start": "9am", "end": "10", "timezone": "Australia/Sydney"}
    return parsed(page.get("/appointments/time-check", {**plain, **said})).words


def test_another_zone_is_translated_into_ones_own(page: Client) -> None:
    words = checked(page, timezone="Europe/London")
    assert "In your own zone, Australia/Sydney, that is Tue 5 Jan, 20:00–21:00" in words
    assert checked(page, timezone="Australia/Melbourne") == ""  # the same clocks
    assert checked(page) == ""


@pytest.mark.parametrize(
    "said", [{"start": "soon"}, {"date": ""}, {"timezone": "Mars"}, {"end": "8:00"}]
)
def test_what_is_not_finished_says_nothing(page: Client, said: dict[str, str]) -> None:
    assert checked(page, **{"timezone": "Europe/London", **said}) == ""


def test_an_appointment_of_another_business_is_nothing(page: Client, charlie: Member) -> None:
    theirs = book(by=charlie, details=details(), assignees=[charlie])
    assert checked(page, appointment=str(theirs.id)) == checked(page, appointment="x") == ""


# What is in the way


@pytest.mark.time_machine("2026-12-01T00:00:00Z")
def test_what_is_in_the_way_is_named_and_free_times_are_offered(
    alice: Member, bob: Member, page: Client
) -> None:
    start = datetime(2027, 1, 4, 22, tzinfo=UTC)  # Tuesday, 9:00 in Sydney
    taken = details(title="Leaking tap", start=start, end=start + timedelta(hours=2))
    book(by=alice, details=taken, assignees=[bob])
    assert "Alice is free." in checked(page, assignees=str(alice.id))
    words = checked(page, assignees=str(bob.id))
    assert "Bob has “Leaking tap” on Tue 5 Jan, 09:00–11:00" in words
    assert "Free instead: Wed 6 Jan, 09:00" in words


def test_an_appointment_is_not_in_its_own_way(alice: Member, page: Client) -> None:
    start = datetime(2027, 1, 4, 22, tzinfo=UTC)
    made = book(by=alice, details=details(start=start), assignees=[alice])
    assert "Conflicts with" in checked(page, assignees=str(alice.id))
    assert checked(page, assignees=str(alice.id), appointment=str(made.id)) == ""


def test_somebody_of_another_business_is_not_looked_up(charlie: Member, page: Client) -> None:
    start = datetime(2027, 1, 4, 22, tzinfo=UTC)
    book(by=charlie, details=details(start=start), assignees=[charlie])
    assert checked(page, assignees=str(charlie.id)) == ""


# A copy


def test_a_copy_begins_with_all_but_the_place_in_google(alice: Member, page: Client) -> None:
    made = seen(alice, 1, "Ms Green", "0400 1")
    shown = parsed(page.get(f"/appointments/{made.id}"))
    (link,) = [a["href"] for a in shown.all("a") if a.words == "Duplicate"]
    copy = values(parsed(page.get(link)))
    assert copy["title"] == "Leaking tap"
    assert copy["customer_phone"] == "0400 1"
    assert copy["revision"] == ""
    response = page.post("/appointments/new", {**copy, "start": "20:00", "end": "21:00"})
    assert response.status_code == 302
    assert Appointment.objects.count() == 2


def test_a_copy_does_not_bring_back_who_has_left(alice: Member, bob: Member, page: Client) -> None:
    made = book(by=alice, details=details(), assignees=[alice, bob])
    deactivate(alice, bob)
    copy = values(parsed(page.get(f"/appointments/new?copy={made.id}")))
    assert copy["assignees"] == [str(alice.id)]


def test_a_copy_of_several_days_keeps_them(alice: Member, page: Client) -> None:
    start, end = datetime(2027, 1, 5, 0, tzinfo=UTC), datetime(2027, 1, 7, 0, tzinfo=UTC)
    made = book(by=alice, details=details(start=start, end=end), assignees=[alice])
    copy = values(parsed(page.get(f"/appointments/new?copy={made.id}")))
    assert copy["end_date"] == "2027-01-07"
    sent: dict[str, Any] = {**copy, "date": "2027-02-05", "end_date": "2027-02-07"}
    assert page.post("/appointments/new", sent).status_code == 302
    newest = Appointment.objects.latest("created_at")
    assert newest.end - newest.start == end - start


@pytest.mark.parametrize("what", ["nothing", "01a2158f-047d-772b-bd71-7dd2de525352"])
def test_a_copy_of_nothing_is_not_found(page: Client, what: str) -> None:
    assert page.get(f"/appointments/new?copy={what}").status_code == 404


def test_a_copy_of_anothers_is_not_found(page: Client, charlie: Member) -> None:
    theirs = book(by=charlie, details=details(), assignees=[charlie])
    assert page.get(f"/appointments/new?copy={theirs.id}").status_code == 404


# Many people


def test_a_search_among_many_people(alice: Member, page: Client) -> None:
    assert "data-finder" not in page.get("/appointments/new").content.decode()
    for number in range(8):
        colleague(alice, f"Number {number}")
    assert "data-finder" in page.get("/appointments/new").content.decode()
