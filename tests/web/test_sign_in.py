"""Signing in and out, and the pages around the password."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from sophiie.accounts.models import Member
from sophiie.appointments.models import Appointment
from tests.conftest import PASSWORD
from tests.mails import delivered, mailed_link
from tests.web.pages import alerts, message_at, parsed, statuses

NEW = "a quite different phrase"


def sign_in(client: Client, email: str, password: str, **more: str) -> Any:
    return client.post("/login", {"login": email, "password": password, **more})


def is_signed_in(client: Client) -> bool:
    return bool(client.get("/calendar").status_code == 200)


def test_signing_in_leads_to_the_calendar(alice: Member) -> None:
    client = Client()
    shown = parsed(client.get("/login"))
    labels = [label.words for label in shown.all("label")]
    assert labels[:2] == ["Email", "Password"]
    assert "Sign in" in [button.words for button in shown.all("button")]
    response = sign_in(client, "Alice@Example.com", PASSWORD)
    assert (response.status_code, response["Location"]) == (302, "/calendar")
    assert is_signed_in(client)


@pytest.mark.parametrize(
    ("email", "password"),
    [("alice@example.com", "wrong"), ("nobody@example.com", PASSWORD), ("alice@example.com", "")],
)
def test_a_wrong_password_and_an_unknown_address_are_told_alike(
    alice: Member, email: str, password: str
) -> None:
    client = Client()
    response = sign_in(client, email, password)
    shown = parsed(response)
    said = alerts(shown) + message_at(shown, "password")
    assert "not correct" in said or "required" in said
    assert shown.one("input", name="login")["value"] == email  # what was typed is kept
    assert password not in response.content.decode() or not password
    assert not is_signed_in(client)


def test_the_two_refusals_have_the_same_words(alice: Member) -> None:
    known, unknown = (
        alerts(parsed(sign_in(Client(), email, "wrong")))
        for email in ("alice@example.com", "nobody@example.com")
    )
    assert known == unknown


def test_after_ten_wrong_passwords_even_the_right_one_waits(alice: Member) -> None:
    client = Client()
    for _ in range(10):
        sign_in(client, "alice@example.com", "wrong")
    response = sign_in(client, "alice@example.com", PASSWORD)
    assert "Too many" in response.content.decode()
    assert not is_signed_in(client)


def test_after_signing_in_one_is_where_one_wanted_to_be(alice: Member) -> None:
    client = Client()
    there = client.get("/settings/profile")["Location"]
    assert there == "/login?next=/settings/profile"
    assert client.get(there).status_code == 200
    response = sign_in(client, "alice@example.com", PASSWORD, next="/settings/profile")
    assert response["Location"] == "/settings/profile"


@pytest.mark.parametrize(
    ("came_from", "then"),
    [
        ("http://testserver/calendar?view=list", "/calendar%3Fview%3Dlist"),
        ("http://testserver//evil.example", "/calendar"),
        ("https://evil.example/settings", "/calendar"),
        ("", "/calendar"),
    ],
)
def test_after_a_button_pressed_signed_out_one_is_back_at_the_button(
    booked: Appointment, came_from: str, then: str
) -> None:
    client = Client()
    response = client.post(f"/appointments/{booked.id}/cancel", headers={"Referer": came_from})
    assert response["Location"] == f"/login?next={then}"
    shown = parsed(client.get(response["Location"]))
    assert "nothing was done" in alerts(shown) + statuses(shown)
    booked.refresh_from_db()
    assert booked.is_on


@pytest.mark.parametrize("next_", ["https://evil.example/", "//evil.example", "/\\evil.example"])
def test_nobody_is_led_to_another_site(alice: Member, next_: str) -> None:
    response = sign_in(Client(), "alice@example.com", PASSWORD, next=next_)
    assert response["Location"] == "/calendar"


def test_signing_out_ends_the_session(page: Client) -> None:
    old = page.cookies["sophiie_session"].value
    assert page.get("/logout").status_code == 200  # a link alone signs nobody out
    assert is_signed_in(page)
    assert page.post("/logout")["Location"] == "/login"
    assert not is_signed_in(page)
    page.cookies["sophiie_session"] = old
    assert not is_signed_in(page)


def test_a_switched_off_member_is_out_at_once_and_stays_out(page: Client, alice: Member) -> None:
    Member.objects.filter(pk=alice.pk).update(is_active=False)
    assert not is_signed_in(page)
    client = Client()
    sign_in(client, "alice@example.com", PASSWORD)
    assert not is_signed_in(client)


def test_the_session_cookie_is_hidden_from_scripts(alice: Member) -> None:
    client = Client()
    client.get("/login")
    sign_in(client, "alice@example.com", PASSWORD)
    for name in ("sophiie_session", "sophiie_csrf"):
        assert client.cookies[name]["httponly"]
        assert client.cookies[name]["samesite"] == "Lax"


def test_nobody_signs_up_alone(db: None) -> None:
    for path in ("/signup", "/register", "/accounts/signup/"):
        assert Client().get(path).status_code == 404
    assert "ign up" not in Client().get("/login").content.decode()


def test_a_password_is_changed_with_the_old_one(page: Client) -> None:
    wrong = {"oldpassword": "wrong", "password1": NEW, "password2": NEW}
    assert message_at(parsed(page.post("/password/change", wrong)), "oldpassword")
    unlike = {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW + "x"}
    assert message_at(parsed(page.post("/password/change", unlike)), "password2")
    weak = {"oldpassword": PASSWORD, "password1": "12345678", "password2": "12345678"}
    assert "too common" in message_at(parsed(page.post("/password/change", weak)), "password1")
    right = {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW}
    assert page.post("/password/change", right).status_code == 302
    client = Client()
    sign_in(client, "alice@example.com", PASSWORD)
    assert not is_signed_in(client)
    sign_in(client, "alice@example.com", NEW)
    assert is_signed_in(client)


def test_a_changed_password_ends_the_other_sessions(page: Client, alice: Member) -> None:
    elsewhere = Client()
    sign_in(elsewhere, "alice@example.com", PASSWORD)
    assert is_signed_in(elsewhere)
    page.post("/password/change", {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW})
    assert not is_signed_in(elsewhere)


def reset_link(email: str) -> str:
    """Asks for a reset and takes the link out of the mail."""
    response = Client().post("/password/reset", {"email": email})
    assert (response.status_code, response["Location"]) == (302, "/password/reset/done")
    link = mailed_link(email)
    assert link.startswith("/password/reset/key/")
    return link


@pytest.mark.parametrize("password", [PASSWORD, None], ids=["forgotten", "never had one"])
def test_a_password_is_reset_by_mail(alice: Member, password: str | None) -> None:
    alice.set_password(password)
    alice.save()
    link = reset_link("alice@example.com")
    client = Client()
    form = client.get(link, follow=True)
    assert "Choose a new password" in parsed(form).one("h1").words
    address = form.redirect_chain[-1][0]
    assert link not in address  # the key does not stay in the address bar
    weak = client.post(address, {"password1": "12345678", "password2": "12345678"})
    assert "too common" in message_at(parsed(weak), "password1")
    done = client.post(address, {"password1": NEW, "password2": NEW})
    assert done.status_code == 302
    assert client.get(done["Location"]).status_code == 200
    sign_in(client, "alice@example.com", NEW)
    assert is_signed_in(client)
    again = Client().get(link, follow=True)
    assert "no longer works" in parsed(again).one("h1").words


def test_a_made_up_reset_link_is_told_so(alice: Member) -> None:
    for key in ("1-abc", f"{alice.id.hex}-cabc12-0123456789abcdef"):
        response = Client().get(f"/password/reset/key/{key}", follow=True)
        assert "no longer works" in parsed(response).one("h1").words


def test_an_unknown_address_gets_the_same_answer_and_no_mail(db: None) -> None:
    response = Client().post("/password/reset", {"email": "nobody@example.com"})
    assert (response.status_code, response["Location"]) == (302, "/password/reset/done")
    assert delivered() == []


def test_something_that_is_no_address_is_told_at_the_field(db: None) -> None:
    shown = parsed(Client().post("/password/reset", {"email": "not an address"}))
    assert message_at(shown, "email")
    assert shown.one("input", name="email")["value"] == "not an address"
    long = {"email": "x" * 250 + "@example.com"}
    assert message_at(parsed(Client().post("/password/reset", long)), "email")
