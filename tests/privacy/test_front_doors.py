"""Erasing by page, API and command."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from sophiie.accounts.models import Business, Member
from sophiie.accounts.people import add_member, deactivate
from sophiie.appointments.booking import book
from sophiie.ops import privacy
from sophiie.ops.errors import CommandError
from sophiie.privacy.businesses import ask_to_delete_business
from sophiie.privacy.models import Erasure
from tests.api.problems import errors, problem
from tests.conftest import PASSWORD, ApiCaller, details
from tests.linking import browser_of
from tests.privacy.conftest import EMAIL, NAME, PHONE, TRACES, Book
from tests.privacy.everywhere import places_of
from tests.web.pages import message_at, parsed, statuses

pytestmark = pytest.mark.django_db
ERASE = "/customers/erase"


@pytest.fixture(autouse=True)
def _no_attempts_remembered() -> None:
    cache.clear()


@pytest.fixture
def admin(alice: Member) -> Member:
    return add_member(
        business=alice.business,
        email="admin@example.com",
        name="Ad",
        role="admin",
        password=PASSWORD,
    )


# The customer's page


def test_the_page_shows_what_would_go_and_erases_when_the_name_is_typed(
    alice: Member, page: Client, book_dana: Book
) -> None:
    booked = book_dana()
    address = f"/appointments/{booked.id}/erase-customer"
    assert address in page.get(f"/appointments/{booked.id}").content.decode()
    shown = parsed(page.get(address))
    assert NAME in shown.words
    assert EMAIL in shown.words
    refused = page.post(address, {"confirmation": "yes", "upcoming": "cancel"})
    assert refused.status_code == 422
    assert NAME in message_at(parsed(refused), "confirmation")
    assert places_of(EMAIL)
    done = page.post(address, {"confirmation": NAME.upper(), "upcoming": "keep"}, follow=True)
    assert "data are erased" in done.content.decode()
    assert places_of(*TRACES) == []
    booked.refresh_from_db()
    assert booked.status == "scheduled"
    assert "erase-customer" not in page.get(f"/appointments/{booked.id}").content.decode()
    assert page.get(address, follow=True).status_code == 200


def test_without_a_choice_upcoming_appointments_are_cancelled(
    page: Client, book_dana: Book
) -> None:
    booked = book_dana()
    address = f"/appointments/{booked.id}/erase-customer"
    (chosen,) = [
        radio
        for radio in parsed(page.get(address)).all("input", name="upcoming")
        if "checked" in radio.attributes
    ]
    assert chosen["value"] == "cancel"
    page.post(address, {"confirmation": NAME})
    booked.refresh_from_db()
    assert booked.status == "cancelled"


def test_only_owners_and_admins_of_the_business_reach_the_page(
    alice: Member, admin: Member, bob: Member, charlie: Member, book_dana: Book
) -> None:
    booked = book_dana()
    address = f"/appointments/{booked.id}/erase-customer"
    answers = {m: browser_of(m).get(address).status_code for m in (admin, bob, charlie)}
    assert answers == {admin: 200, bob: 403, charlie: 404}
    assert Client().get(address).status_code == 302
    for member in (bob, charlie):
        browser_of(member).post(address, {"confirmation": NAME})
    assert places_of(EMAIL)
    assert address not in browser_of(bob).get(f"/appointments/{booked.id}").content.decode()


# The API


def test_a_call_previews_unless_it_says_otherwise(api: ApiCaller, book_dana: Book) -> None:
    booked = book_dana()
    found = api("POST", ERASE, {"email": EMAIL}).json()
    assert (found["state"], found["appointments"], found["upcoming"]) == ("preview", 1, 1)
    assert (found["names"], found["phones"]) == ([NAME], [PHONE])
    assert places_of(EMAIL)
    done = api("POST", ERASE, {"phone": "0061255504711", "preview": False}).json()
    assert done["state"] == "erased"
    assert places_of(*TRACES) == []
    again = api("POST", ERASE, {"phone": PHONE, "preview": False}).json()
    assert (again["state"], again["appointments"]) == ("erased", 0)
    assert api("POST", ERASE, {"appointment_id": str(booked.id)}).json()["appointments"] == 0
    assert api("GET", f"/appointments/{booked.id}").json()["customer"] is None


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"email": ""},
        {"email": EMAIL, "phone": PHONE},
        {"email": PHONE},
        {"phone": EMAIL},
        {"phone": "123"},
        {"email": "00000000-0000-0000-0000-000000000000"},
        {"email": EMAIL, "preview": "no"},
        {"email": EMAIL, "upcoming": "move"},
        {"name": NAME},
    ],
)
def test_what_names_nobody_is_a_422(api: ApiCaller, book_dana: Book, body: Any) -> None:
    book_dana()
    errors(api("POST", ERASE, {"preview": False, **body}))
    assert places_of(EMAIL)


def test_walls_of_the_call(
    bob: Member, charlie: Member, book_dana: Book, api_of: Callable[[Member], ApiCaller]
) -> None:
    booked = book_dana()
    problem(api_of(bob)("POST", ERASE, {"email": EMAIL, "preview": False}), 403)
    theirs = {"appointment_id": str(booked.id), "preview": False}
    problem(api_of(charlie)("POST", ERASE, theirs), 404)
    found = api_of(charlie)("POST", ERASE, {"email": EMAIL, "preview": False}).json()
    assert found["appointments"] == 0
    assert places_of(EMAIL)


def test_the_call_is_described(api: ApiCaller) -> None:
    described = api("GET", "/openapi.json").json()["paths"]["/api/v1/customers/erase"]["post"]
    assert "for owners and admins" in described["description"]


# The commands


def test_the_command_shows_first_and_erases_with_yes(alice: Member, book_dana: Book) -> None:
    book_dana()
    told = privacy.erase_customer(EMAIL, inside="", keep_upcoming=False, yes=False)
    assert NAME in told
    assert "Add --yes" in told
    assert places_of(EMAIL)
    privacy.erase_customer(EMAIL, inside="", keep_upcoming=False, yes=True)
    assert places_of(*TRACES) == []
    told = privacy.erase_customer(EMAIL, inside="", keep_upcoming=False, yes=True)
    assert told == "Nothing is known of this customer."


def test_where_there_are_several_businesses_one_is_named(
    alice: Member, charlie: Member, book_dana: Book
) -> None:
    book_dana()
    with pytest.raises(CommandError, match="--in"):
        privacy.erase_customer(EMAIL, inside="", keep_upcoming=False, yes=True)
    told = privacy.erase_customer(EMAIL, inside="Thames Salon", keep_upcoming=False, yes=True)
    assert told == "Nothing is known of this customer."
    assert places_of(EMAIL)
    privacy.erase_customer(EMAIL, inside="Harbour Plumbing", keep_upcoming=False, yes=True)
    assert places_of(EMAIL) == []


def test_members_and_businesses_by_command(alice: Member, bob: Member) -> None:
    book(by=alice, details=details(), assignees=[bob])
    assert "Add --yes" in privacy.erase_member(bob.email, remove_events=False, yes=False)
    assert places_of(bob.email)
    assert "Erased." in privacy.erase_member("BOB@example.com", remove_events=False, yes=True)
    assert places_of(bob.email) == []
    with pytest.raises(CommandError):
        privacy.erase_member(bob.email, remove_events=False, yes=True)
    with pytest.raises(CommandError, match="only owner"):
        privacy.erase_member(alice.email, remove_events=False, yes=True)
    assert "Add --yes" in privacy.erase_business("Harbour Plumbing", remove_events=False, yes=False)
    assert Business.objects.exists()
    assert "Erased." in privacy.erase_business("Harbour Plumbing", remove_events=False, yes=True)
    assert not Business.objects.exists()


# Members and the business, by page


def test_an_owner_has_a_former_colleague_erased_and_calls_it_off(
    alice: Member, admin: Member, bob: Member, page: Client
) -> None:
    address = f"/settings/team/{bob.pk}/erase"
    assert page.get(address).status_code == 404  # still active
    deactivate(alice, bob)
    assert address in page.get("/settings/team").content.decode()
    assert address not in browser_of(admin).get("/settings/team").content.decode()
    assert browser_of(admin).post(address, {"confirmation": "Bob"}).status_code == 403
    assert page.post(address, {"confirmation": "Rob"}).status_code == 422
    assert not Erasure.objects.exists()
    done = page.post(address, {"confirmation": "bob"}, follow=True)
    assert "Bob will be erased on" in done.content.decode()
    kept = page.post(f"/settings/team/{bob.pk}/keep", follow=True)
    assert "Bob is not erased" in kept.content.decode()
    assert not Erasure.objects.exists()


def test_who_is_erased_is_in_no_list_any_more(alice: Member, bob: Member, page: Client) -> None:
    deactivate(alice, bob)
    privacy.erase_member(bob.email, remove_events=False, yes=True)
    for path in ("/settings/team", "/overview", "/appointments/new"):
        assert "Former member" not in page.get(path).content.decode(), path


def test_an_owner_deletes_the_business_and_everybody_reads_when(
    alice: Member, admin: Member, bob: Member, page: Client
) -> None:
    address = "/settings/business/delete"
    page.post("/reauthenticate", {"password": PASSWORD})
    assert browser_of(admin).get(address).status_code == 403
    assert page.post(address, {"confirmation": "Harbor"}).status_code == 422
    page.post(address, {"confirmation": "Harbour Plumbing", "remove_events": "on"})
    assert Erasure.objects.get().remove_events
    for member in (alice, admin, bob):
        said = browser_of(member).get("/calendar").content.decode()
        assert "will be deleted for good on" in said
        assert ("Keep the business" in said) == (member == alice)
    assert browser_of(bob).post("/settings/business/keep").status_code == 403
    kept = page.post("/settings/business/keep", follow=True)
    assert "The business stays" in statuses(parsed(kept))
    assert not Erasure.objects.exists()


def test_a_deletion_that_was_asked_for_is_told_on_no_other_business(
    alice: Member, charlie: Member
) -> None:
    ask_to_delete_business(by=alice, typed_name="Harbour Plumbing", remove_events=False)
    assert "deleted for good" not in browser_of(charlie).get("/calendar").content.decode()
