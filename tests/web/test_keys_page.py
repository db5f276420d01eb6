"""The page of API keys, and what asks for the password once more."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from sophiie.accounts.api_keys import create_api_key, living_key, living_keys_of
from sophiie.accounts.models import Member
from tests.conftest import PASSWORD
from tests.linking import browser_of
from tests.web.pages import message_at, parsed, statuses

pytestmark = pytest.mark.django_db
PageOf = Callable[[Member], Client]


def test_a_key_is_made_only_by_who_knows_the_password(page: Client, alice: Member) -> None:
    """It outlasts the session, so a browser that somebody left open is not enough."""
    asked = page.post("/settings/keys", {"name": "phone"})
    assert asked["Location"] == "/reauthenticate?next=%2Fsettings%2Fkeys"
    assert "password once more" in page.get(asked["Location"]).content.decode()
    wrong = page.post(asked["Location"], {"password": "not that one"})
    assert wrong.status_code == 200
    assert not living_keys_of(alice)
    # What was pressed happens then, without being typed again.
    shown = parsed(page.post(asked["Location"], {"password": PASSWORD}))
    key = shown.one("code", id="fresh-key").words
    assert getattr(living_key(key), "member", None) == alice
    assert [kept.name for kept in living_keys_of(alice)] == ["phone"]
    # For some minutes nobody asks again, and looking and revoking need none of it.
    page.post("/settings/keys", {"name": "till"})
    assert living_keys_of(alice).count() == 2
    (other, _) = living_keys_of(alice)
    fresh = browser_of(alice)
    assert fresh.get("/settings/keys").status_code == 200
    fresh.post(f"/settings/keys/{other.id}/revoke")
    assert living_keys_of(alice).count() == 1


def test_a_business_is_deleted_only_by_who_knows_the_password(page: Client, alice: Member) -> None:
    typed = {"confirmation": alice.business.name}
    asked = page.post("/settings/business/delete", typed)
    assert asked["Location"].startswith("/reauthenticate")
    alice.business.refresh_from_db()
    assert alice.business.to_be_deleted_at is None
    page.post(asked["Location"], {"password": PASSWORD})
    alice.business.refresh_from_db()
    assert alice.business.to_be_deleted_at is not None


def test_a_key_is_shown_once(page: Client, alice: Member) -> None:
    page.post("/reauthenticate", {"password": PASSWORD})
    shown = parsed(page.post("/settings/keys", {"name": "phone"}))
    key = shown.one("code", id="fresh-key").words
    assert getattr(living_key(key), "member", None) == alice
    again = page.get("/settings/keys").content.decode()
    assert key not in again
    assert "phone" in again
    assert "no-store" in page.get("/settings/keys")["Cache-Control"]


def test_keys_are_revoked_by_who_may(
    page: Client, alice: Member, bob: Member, charlie: Member, page_of: PageOf
) -> None:
    create_api_key(alice, name="mine")
    (key,) = living_keys_of(alice)
    where = f"/settings/keys/{key.id}/revoke"
    assert page_of(charlie).post(where).status_code == 404
    assert page_of(bob).post(where).status_code == 404
    assert "revoked" in statuses(parsed(page.post(where, follow=True)))
    assert not living_keys_of(alice)


def test_a_key_needs_a_name(page: Client) -> None:
    page.post("/reauthenticate", {"password": PASSWORD})
    shown = parsed(page.post("/settings/keys", {"name": ""}))
    assert message_at(shown, "name").startswith("Give the key a name")
