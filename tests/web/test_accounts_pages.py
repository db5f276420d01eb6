"""Signing up, joining, and the settings of people, business and keys, as pages."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.core import mail
from django.test import Client

from sophiie.accounts.models import Business, Invitation, Member, Role
from sophiie.accounts.people import change_role
from sophiie.appointments.booking import book
from sophiie.common.clock import now
from tests.conftest import PASSWORD, details
from tests.mails import delivered, invited, mailed_link
from tests.web.pages import alerts, message_at, parsed, statuses, values

pytestmark = pytest.mark.django_db
PageOf = Callable[[Member], Client]
ADDRESS = "dora@example.com"
NEW = {
    "business_name": "Dora's Salon",
    "timezone": "Europe/Berlin",
    "name": "Dora",
    "password": "correct horse battery",
}


@pytest.fixture
def open_to_all(settings: Any) -> None:
    settings.SIGN_UP_OPEN = True


@pytest.fixture
def link(open_to_all: None, db: None) -> str:
    """Where the mail leads that somebody gets who signs up."""
    response = Client().post("/signup", {"email": "Dora@example.com"})
    assert response["Location"] == "/signup/sent"
    return mailed_link(ADDRESS)


def test_signing_up_makes_a_business_and_leads_to_its_calendar(link: str) -> None:
    browser = Client()
    assert ADDRESS in browser.get(link).content.decode()
    assert not Member.objects.exists()
    response = browser.post(link, NEW, follow=True)
    assert response.redirect_chain[-1][0] == "/calendar"
    owner = Member.objects.get(email=ADDRESS)
    assert (owner.role, owner.business.name) == (Role.OWNER, "Dora's Salon")
    assert owner.business.timezone == "Europe/Berlin"
    shown = parsed(response)
    assert "Welcome, Dora." in statuses(shown)
    assert "0 of 3 steps done" in shown.words


def test_the_link_works_once_and_for_a_day(link: str) -> None:
    with time_machine.travel(now() + timedelta(hours=25)):
        assert Client().post(link, NEW).status_code == 404
    assert Client().get(link[:-1]).status_code == 404
    Client().post(link, NEW)
    assert Client().post(link, NEW).status_code == 404
    assert Business.objects.count() == 1


def test_a_closed_installation_has_no_sign_up(client: Client) -> None:
    for path in ("/signup", "/signup/sent", "/signup/x"):
        assert client.get(path).status_code == 404
    assert client.post("/signup", {"email": ADDRESS}).status_code == 404
    assert delivered() == []
    assert "/signup" not in client.get("/login").content.decode()


def test_an_open_one_offers_it(open_to_all: None, client: Client) -> None:
    assert "/signup" in client.get("/login").content.decode()
    assert client.get("/signup").status_code == 200


@pytest.mark.parametrize("email", ["", "dora", "x" * 250 + "@example.com", "a\x00@example.com"])
def test_what_is_no_address_is_told(open_to_all: None, client: Client, email: str) -> None:
    response = client.post("/signup", {"email": email})
    assert response.status_code == 422
    assert message_at(parsed(response), "email")
    assert delivered() == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("business_name", ""),
        ("business_name", "x" * 201),
        ("timezone", ""),
        ("timezone", "Mars/Phobos"),
        ("name", "  "),
        ("password", "short"),
        ("password", "password"),
        ("name", "a\x00b"),
    ],
)
def test_what_cannot_be_is_told_at_its_field(
    link: str, client: Client, name: str, value: str
) -> None:
    response = client.post(link, {**NEW, name: value})
    assert response.status_code == 422
    shown = parsed(response)
    assert message_at(shown, name)
    assert shown.one("input", name="business_name")["value"] == {**NEW, name: value}[
        "business_name"
    ].replace("\x00", "")
    assert shown.one("input", type="password")["value"] == ""
    assert not Member.objects.exists()


def test_signing_up_is_limited(open_to_all: None, client: Client) -> None:
    for number in range(10):
        client.post("/signup", {"email": f"d{number}@example.com"})
    assert client.post("/signup", {"email": "one.more@example.com"}).status_code == 429
    assert len(delivered()) == 10


# Joining


def test_from_the_invitation_to_the_calendar(page: Client) -> None:
    response = page.post(
        "/settings/team/invite", {"email": "dora@example.com", "role": "admin"}, follow=True
    )
    assert "dora@example.com gets an email" in statuses(parsed(response))
    link = mailed_link("dora@example.com")
    assert mail.outbox[0].subject == "You are invited to Sophiie"
    assert "Harbour Plumbing" in str(mail.outbox[0].body)
    assert link.partition("/join/")[2] not in response.content.decode()
    browser = Client()
    assert "Alice invites you" in browser.get(link).content.decode()
    joined = browser.post(link, {"name": "Dora", "password": PASSWORD}, follow=True)
    assert joined.redirect_chain[-1][0] == "/calendar"
    assert Member.objects.get(email="dora@example.com").role == Role.ADMIN
    assert Client().get(link).status_code == 404


def test_the_invited_are_listed_and_can_be_withdrawn(page: Client, alice: Member) -> None:
    secret = invited(by=alice, email="dora@example.com", role="member")
    shown = parsed(page.get("/settings/team"))
    assert "dora@example.com" in shown.words
    (form,) = [f for f in shown.all("form") if f["action"].endswith("/withdraw")]
    page.post(form["action"])
    assert not Invitation.objects.exists()
    assert Client().get(f"/join/{secret}").status_code == 404


def test_a_link_that_is_none_tells_nothing(client: Client, alice: Member) -> None:
    response = client.get("/join/nonsense")
    assert response.status_code == 404
    assert "Harbour" not in response.content.decode()


def test_signed_in_one_is_not_made_somebody_else(page: Client, alice: Member) -> None:
    secret = invited(by=alice, email="dora@example.com", role="member")
    assert page.get(f"/join/{secret}").status_code == 409
    assert page.post(f"/join/{secret}", {"name": "D", "password": PASSWORD}).status_code == 409
    assert not Member.objects.filter(email="dora@example.com").exists()


def test_the_secret_is_in_no_log(
    alice: Member, client: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    secret = invited(by=alice, email="dora@example.com", role="member")
    client.get(f"/join/{secret}")
    log = capsys.readouterr().out
    assert "/join/…" in log
    assert secret not in log


@pytest.fixture
def stuck(page: Client, settings: Any) -> str:
    """Dora is invited, and the mail server is away; the address of the button for her link."""
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
    page.post("/settings/team/invite", {"email": "dora@example.com", "role": "member"})
    assert "/link" not in page.get("/settings/team").content.decode()
    delivered()
    return f"/settings/team/invitations/{Invitation.objects.get().pk}/link"


def test_a_mail_that_cannot_be_sent_is_told_and_its_link_can_be_handed_on(
    page: Client, stuck: str, charlie: Member, page_of: PageOf
) -> None:
    shown = parsed(page.get("/settings/team"))
    assert "could not be sent yet" in shown.words
    assert page_of(charlie).post(stuck).status_code == 404
    shown = parsed(page.post(stuck))
    link = next(c.words for c in shown.all("code") if "/join/" in c.words)
    assert Client().get("/join/" + link.partition("/join/")[2]).status_code == 200
    assert "/join/" not in page.get("/settings/team").content.decode()  # shown this once
    with time_machine.travel(now() + timedelta(hours=2)):
        assert delivered() == []  # or its link would end the one that was handed on
    assert page.post(stuck).status_code == 404


def test_where_strangers_sign_up_a_link_proves_an_address_only_if_it_was_mailed(
    page: Client, stuck: str, open_to_all: None
) -> None:
    assert stuck not in page.get("/settings/team").content.decode()
    assert page.post(stuck).status_code == 404


# Settings


@pytest.mark.parametrize("path", ["/settings/business", "/settings/team"])
def test_members_do_not_see_what_is_for_managers(bob: Member, page_of: PageOf, path: str) -> None:
    theirs = page_of(bob)
    assert theirs.get(path).status_code == 403
    assert path not in theirs.get("/settings/profile").content.decode()


def test_changing_a_role(page: Client, bob: Member, charlie: Member) -> None:
    page.post(f"/settings/team/{bob.pk}/role", {"role": "admin"})
    bob.refresh_from_db()
    assert bob.role == Role.ADMIN
    assert page.post(f"/settings/team/{charlie.pk}/role", {"role": "member"}).status_code == 404
    response = page.post(f"/settings/team/{bob.pk}/role", {"role": "king"}, follow=True)
    assert "Only an owner" in alerts(parsed(response))


def test_an_admin_is_not_offered_to_make_owners(
    alice: Member, bob: Member, page_of: PageOf
) -> None:
    change_role(alice, bob, Role.ADMIN)
    shown = parsed(page_of(bob).get("/settings/team"))
    offered = {option["value"] for option in shown.one("select", id="id_role").all("option")}
    assert offered == {"admin", "member"}


def test_the_profile(page: Client, alice: Member) -> None:
    sent = {"name": "Alice B", "language": "", "clock": "12"}
    response = page.post("/settings/profile", {**sent, "week_numbers": "on"}, follow=True)
    assert "Saved." in statuses(parsed(response))
    alice.refresh_from_db()
    assert (alice.name, alice.clock, alice.week_numbers) == ("Alice B", "12", True)
    (box,) = parsed(page.get("/settings/profile")).all("input", name="week_numbers")
    assert "checked" in box.attributes
    assert "Week numbers: no → yes" in parsed(page.get("/settings/audit")).words
    response = page.post("/settings/profile", {**sent, "name": "", "language": "tlh"})
    shown = parsed(response)
    assert response.status_code == 422
    assert message_at(shown, "name") == "Tell us your name."
    assert message_at(shown, "language") == "Choose a language from the list."


def test_twelve_hours_everywhere(page: Client, alice: Member) -> None:
    booked = book(
        by=alice,
        details=details(start=datetime(2027, 1, 5, 3, 30, tzinfo=UTC)),
        assignees=[alice],
    )
    address = f"/appointments/{booked.id}"
    assert parsed(page.get(address)).one("input", name="start")["value"] == "14:30"
    Member.objects.filter(pk=alice.pk).update(clock="12")
    shown = parsed(page.get(address))
    assert shown.one("input", name="start")["value"] == "2:30 pm"
    assert page.post(address, {**values(shown), "start": "9 pm", "end": "10pm"}).status_code == 302
    booked.refresh_from_db()
    assert (booked.local_start.hour, booked.local_end.hour) == (21, 22)
    assert "9:00 pm" in parsed(page.get("/calendar?week=2027-01-04")).words


CHANGE = {"email": "Alice.New@example.com", "password": PASSWORD}


def lets_in(email: str) -> bool:
    answer = Client().post("/login", {"login": email, "password": PASSWORD})
    return bool(answer.status_code == 302)


def test_another_address_to_sign_in_with_counts_when_a_mail_proved_it(page: Client) -> None:
    wrong = page.post("/settings/profile/email", {**CHANGE, "password": "no"})
    assert message_at(parsed(wrong), "password") == "This is not your password."
    response = page.post("/settings/profile/email", CHANGE, follow=True)
    assert "alice.new@example.com gets an email" in statuses(parsed(response))
    link = mailed_link("alice.new@example.com")
    assert "alice.new@example.com" in parsed(page.get(link)).words  # looking changes nothing
    assert (lets_in("alice@example.com"), lets_in("alice.new@example.com")) == (True, False)
    response = page.post(link, follow=True)
    assert "you sign in as alice.new@example.com" in statuses(parsed(response))
    assert (lets_in("alice@example.com"), lets_in("alice.new@example.com")) == (False, True)
    (told,) = delivered()
    assert told.to == ["alice@example.com"]  # the old address is told
    assert "alice.new" not in str(told.body)
    assert page.post(link).status_code == 404


def test_the_link_to_a_new_address_is_for_nobody_else(
    page: Client, charlie: Member, page_of: PageOf
) -> None:
    """Whoever is sent one by a stranger cannot give their address away by following it."""
    page.post("/settings/profile/email", CHANGE)
    link = mailed_link()
    assert Client().post(link)["Location"].startswith("/login")
    assert page_of(charlie).post(link).status_code == 404
    assert not Member.objects.filter(email="alice.new@example.com").exists()


def test_the_link_to_a_new_address_ends_with_the_password(page: Client, alice: Member) -> None:
    page.post("/settings/profile/email", CHANGE)
    link = mailed_link()
    with time_machine.travel(now() + timedelta(hours=25)):
        assert page.post(link).status_code in (302, 404)
    new = {"oldpassword": PASSWORD, "password1": "other phrase", "password2": "other phrase"}
    assert page.post("/password/change", new).status_code == 302
    assert page.post(link).status_code == 404
    alice.refresh_from_db()
    assert alice.email == "alice@example.com"


def test_two_who_prove_the_same_address(page: Client, bob: Member, page_of: PageOf) -> None:
    links = []
    for browser in (page, page_of(bob)):
        browser.post("/settings/profile/email", CHANGE)
        links.append(mailed_link())
    page.post(links[0])
    response = page_of(bob).post(links[1], follow=True)
    assert "already a member" in alerts(parsed(response))


def test_the_old_address_gets_no_reset_either(page: Client, alice: Member) -> None:
    page.post("/settings/profile/email", CHANGE)
    page.post(mailed_link())
    delivered()
    Client().post("/password/reset", {"email": "alice@example.com"})
    assert delivered() == []


def test_the_business(page: Client, alice: Member) -> None:
    sent = {
        "business_name": "Harbour",
        "timezone": "Australia/Perth",
        "clock": "12",
        "week_start": "7",
    }
    response = page.post("/settings/business", sent, follow=True)
    assert "Saved." in statuses(parsed(response))
    business = Business.objects.get(pk=alice.business_id)
    assert (business.name, business.clock, business.week_start) == ("Harbour", "12", 7)
    assert not business.invite_guests  # a box that is not ticked is not sent
    response = page.post("/settings/business", {**sent, "timezone": "Mars", "week_start": "x"})
    shown = parsed(response)
    assert message_at(shown, "timezone") == "Choose a time zone from the list."
    assert message_at(shown, "week_start") == "Choose a day from the list."
