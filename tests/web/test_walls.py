"""Who may see and do what: signed out, another business, a member without special rights."""

from __future__ import annotations

import re
from collections.abc import Callable
from uuid import uuid4

import pytest
from django.test import Client

from sophiie.accounts.models import Member
from sophiie.accounts.sessions import SignedIn
from sophiie.appointments.models import Appointment
from sophiie.customers.editing import make
from sophiie.customers.models import Customer
from sophiie.customers.rules import CustomerDetails
from sophiie.web.serving.hub import Hub
from tests.web.pages import parsed, values
from tests.web.routes import ROUTES

# Open to everybody: signing in, help, and what the sign-in library guards by itself.
OPEN = {
    *("account_login", "account_logout", "account_reset_password", "account_reset_password_done"),
    *("account_reset_password_from_key", "account_reset_password_from_key_done"),
    *("account_inactive", "help-google-calendar", "home", "settings", "live", "sign-up", "join"),
    *("sign-up-sent", "sign-up-finish"),
    *("manifest", "service-worker"),  # the same for everybody
    # `test_sign_in_elsewhere.py` says who gets in there.
    *("openid_connect_login", "openid_connect_callback", "socialaccount_login_cancelled"),
    "set_language",
    "google-notifications",  # Google's own; `tests/sync/test_webhook.py` knocks at it
}
# Asked for by the calendar's script, which is told so instead of sent to a page.
FOR_SCRIPTS = {
    *("calendar-feed", "calendar-book", "calendar-move", "calendar-delete", "calendar-next-hour"),
}
GUARDED = {name: route for name, route in ROUTES.items() if name not in OPEN}
WITH_ID = {name: route for name, route in ROUTES.items() if "appointment_id" in route}
OF_CUSTOMERS = {name: route for name, route in ROUTES.items() if "customer_id" in route}


def address(route: str, appointment_id: object) -> str:
    return "/" + re.sub(r"<\w+:\w+>", str(appointment_id), route)


@pytest.mark.parametrize("name", GUARDED)
def test_signed_out_every_page_leads_to_the_sign_in(booked: Appointment, name: str) -> None:
    where = address(GUARDED[name], booked.id)
    for response in (Client().get(where), Client().post(where, {"title": "x"})):
        if name == "google-callback" and response.status_code == 405:
            continue  # only ever followed, never sent a form
        if name in FOR_SCRIPTS:
            assert response.status_code == 401
            assert response.json() == {"message": "You are signed out."}
            continue
        assert response.status_code == 302
        assert response["Location"].partition("?")[0] == "/login"
    assert Appointment.objects.get().revision == 1


def test_the_start_page_leads_to_the_calendar(page: Client) -> None:
    assert page.get("/")["Location"] == "/calendar"


def test_the_address_of_all_appointments_leads_to_the_list(page: Client) -> None:
    """`/appointments/{id}` is a page, so people cut the address there."""
    assert page.get("/appointments")["Location"] == "/calendar?view=list"
    more = page.get("/appointments?service=x&view=week&date=2027-01-12")["Location"]
    assert more == "/calendar?service=x&view=list&date=2027-01-12"


@pytest.mark.parametrize("name", WITH_ID)
def test_there_is_nothing_behind_the_ids_of_another_business(
    page: Client,
    page_of: Callable[[Member], Client],
    charlie: Member,
    booked: Appointment,
    name: str,
) -> None:
    form = values(parsed(page.get(f"/appointments/{booked.id}")))
    theirs = page_of(charlie)
    where = address(WITH_ID[name], booked.id)
    if name in ("appointment", "appointment-badge", "appointment-sheet"):
        response = theirs.get(where)
        assert response.status_code == 404
        assert "Leaking tap" not in response.content.decode()
    if name != "appointment-badge":
        assert theirs.post(where, {**form, "title": "Charlie's"}).status_code == 404
    nothing = address(WITH_ID[name], uuid4())
    assert theirs.post(nothing, form).status_code in (404, 405)
    kept = Appointment.objects.get()
    assert (kept.title, kept.status, kept.revision) == ("Leaking tap", "scheduled", 1)


@pytest.mark.parametrize("name", OF_CUSTOMERS)
def test_there_is_nothing_behind_the_customers_of_another_business(
    page_of: Callable[[Member], Client], alice: Member, charlie: Member, name: str
) -> None:
    known = make(by=alice, details=CustomerDetails(name="Dana", notes="Dog"))
    own = make(by=charlie, details=CustomerDetails(name="Own"))
    theirs, where = page_of(charlie), address(OF_CUSTOMERS[name], known.id)
    for method in (theirs.get, theirs.post):
        response = method(where, {"name": "Mine", "with": str(own.id), "confirmation": "Dana"})
        assert response.status_code in (404, 405)
        assert "Dog" not in response.content.decode()
    # Nor beside one's own.
    for act in ("customer-merge", "customer-apart"):
        beside = address(OF_CUSTOMERS[act], own.id)
        assert theirs.post(beside, {"with": str(known.id)}).status_code == 404
    kept = Customer.objects.get(pk=known.pk)
    assert (kept.name, kept.notes, Customer.objects.count()) == ("Dana", "Dog", 2)


def test_what_is_for_those_who_manage_customers_is_refused_to_others(
    page_of: Callable[[Member], Client], bob: Member
) -> None:
    known = make(by=bob, details=CustomerDetails(name="Dana"))
    members = page_of(bob)
    assert members.get(f"/customers/{known.id}").status_code == 200
    for path in (f"/customers/{known.id}/delete", f"/customers/{known.id}/erase"):
        assert members.post(path, {"confirmation": "Dana"}).status_code == 403
    for path in ("/customers/import", "/customers/export"):
        assert members.post(path, {"checked": "name\nEve"}).status_code == 403
    assert Customer.objects.get().name == "Dana"


def test_lists_hold_only_ones_own(
    page_of: Callable[[Member], Client], charlie: Member, booked: Appointment
) -> None:
    week = booked.local_start.date().isoformat()
    assert "Leaking tap" not in page_of(charlie).get(f"/calendar?week={week}").content.decode()
    make(by=booked.created_by, details=CustomerDetails(name="Dana"))
    for path in ("/customers", "/customers?q=dana", "/customers/options?customer_name=dana"):
        assert "Dana" not in page_of(charlie).get(path).content.decode().replace("q=dana", "")
    team = page_of(charlie).get("/settings/team").content.decode()
    assert "charlie@example.com" in team
    assert "alice@example.com" not in team


def test_the_team_is_for_those_who_manage(
    page: Client, page_of: Callable[[Member], Client], bob: Member
) -> None:
    assert page.get("/settings/team").status_code == 200
    response = page_of(bob).get("/settings/team")
    assert response.status_code == 403
    assert "You may not do this" in parsed(response).one("h1").words
    assert "Team" not in [a.words for a in parsed(page_of(bob).get("/settings/profile")).all("a")]


def test_acts_are_not_done_by_following_a_link(page: Client, booked: Appointment) -> None:
    for act in ("cancel", "delete", "reinstate"):
        assert page.get(f"/appointments/{booked.id}/{act}").status_code == 405
    for act in ("connect", "callback"):
        path = f"/integrations/google/{act}"
        assert page.get(path, follow=True).status_code in (400, 405)
    assert Appointment.objects.get().revision == 1


async def test_live_news_reach_only_the_pages_of_their_business() -> None:
    hub, mine, theirs = Hub(), uuid4(), uuid4()
    with (
        hub.opened(SignedIn("a", uuid4(), mine, "")) as my_page,
        hub.opened(SignedIn("b", uuid4(), theirs, "")) as their_page,
    ):
        hub.pass_on(f'{{"business": "{theirs}", "appointment": "a"}}')
        hub.pass_on(f'{{"business": "{mine}", "appointment": "b"}}')
        assert await my_page.news() == b'data: {"appointment": "b"}\n\n'
        assert await their_page.news() == b'data: {"appointment": "a"}\n\n'


def test_live_news_are_for_the_signed_in(db: None) -> None:
    assert Client().get("/live").status_code == 401
