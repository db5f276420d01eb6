"""A calendar's id is mostly the address of somebody's private Google account."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import pytest

from google_simulator.testing import RunningSimulator
from sophiie.accounts.models import Member
from sophiie.accounts.people import add_member
from sophiie.appointments.booking import book
from sophiie.appointments.models import Appointment
from tests.conftest import PASSWORD, ApiCaller, details, tomorrow_at
from tests.linking import browser_of, link
from tests.mirroring import drain_all

pytestmark = pytest.mark.django_db(transaction=True)
ACCOUNT = "alice@example.com"
ApiOf = Callable[[Member], ApiCaller]


@pytest.fixture
def charly(alice: Member) -> Member:
    """An admin whose sign-in has nothing to do with the Google account that is linked."""
    return add_member(
        business=alice.business,
        email="admin@work.example",
        name="Charlie",
        role="admin",
        password=PASSWORD,
    )


@pytest.fixture
def both(bob: Member, charly: Member, google: RunningSimulator) -> Appointment:
    """Shown in the admin's calendar, of the account alice@example.com, and in Bob's."""
    link(charly, google, account=ACCOUNT)
    link(bob, google, account="bob@example.com")
    made = book(by=bob, details=details(), assignees=[charly, bob])
    drain_all()
    return made


def entries(answer: Any, member: Member) -> list[dict[str, Any]]:
    assert answer.status_code in (200, 201), answer.content
    body = answer.json()
    shown = body.get("items", [body])
    found = [e for one in shown for e in one["sync"] if e["member_id"] == str(member.id)]
    assert found
    return found


def test_a_member_does_not_see_a_colleagues_account(
    both: Appointment, bob: Member, charly: Member, api_of: ApiOf
) -> None:
    call = api_of(bob)
    encoded = base64.b64encode(ACCOUNT.encode()).decode().rstrip("=")
    for method, path, body in (
        ("GET", f"/appointments/{both.id}", None),
        ("GET", "/appointments", None),
        ("PATCH", f"/appointments/{both.id}", {"notes": "x"}),
        ("POST", f"/appointments/{both.id}/retry-sync", None),
        ("POST", f"/appointments/{both.id}/drift", {"action": "put_back"}),
        ("POST", f"/appointments/{both.id}/cancel", None),
    ):
        answer = call(method, path, body)
        for entry in entries(answer, charly):
            assert (entry["calendar_id"], entry["html_link"]) == (None, None)
            assert entry["state"]
        text = answer.content.decode()
        assert ACCOUNT not in text
        assert encoded[:-2] not in text
        assert all(entry["calendar_id"] == "bob@example.com" for entry in entries(answer, bob))


def test_a_booking_does_not_tell_it_either(
    both: Appointment, bob: Member, charly: Member, api_of: ApiOf
) -> None:
    body = {
        "title": "x",
        "start": tomorrow_at(6).isoformat(),
        "duration_minutes": 30,
        "assignees": [str(charly.id), str(bob.id)],
    }
    answer = api_of(bob)("POST", "/appointments", body, **{"Idempotency-Key": "k"})
    assert all(entry["calendar_id"] is None for entry in entries(answer, charly))


def test_its_owner_and_who_manages_the_business_see_it(
    both: Appointment, alice: Member, bob: Member, charly: Member, api_of: ApiOf
) -> None:
    for reader in (alice, charly):
        answer = api_of(reader)("GET", f"/appointments/{both.id}")
        (entry,) = entries(answer, charly)
        assert entry["calendar_id"] == ACCOUNT
        assert entry["html_link"]
        assert entries(answer, bob)[0]["calendar_id"] == "bob@example.com"


def test_no_page_shows_it_to_a_member(both: Appointment, bob: Member) -> None:
    page = browser_of(bob)
    for path in (
        *(f"/appointments/{both.id}", "/calendar", f"/appointments/{both.id}/badge"),
        *("/calendar?view=list", "/calendar/feed?start=2026-01-01&end=2026-01-08"),
    ):
        assert ACCOUNT not in page.get(path).content.decode()


def test_the_description_says_so() -> None:
    from django.test import Client

    schema = Client().get("/api/v1/openapi.json").json()["components"]["schemas"]["SyncOut"]
    assert "null" in schema["properties"]["calendar_id"]["description"]
