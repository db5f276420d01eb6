"""Members and their calendar links, as an API key sees them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sophiie.accounts.models import Member
from sophiie.calendar_link.models import CalendarLink
from sophiie.common.clock import now
from tests.api.problems import problem
from tests.conftest import ApiCaller

LINK = {
    *("state", "google_email", "calendar_id", "calendar_name", "covers", "privacy"),
    *("last_synced_at", "pending", "failed", "progress"),
}


@pytest.fixture
def linked(bob: Member) -> CalendarLink:
    return CalendarLink.objects.create(
        member=bob,
        state="active",
        google_sub="1",
        google_email="bob@gmail.example",
        calendar_id="work@group.calendar.google.com",
        calendar_name="Work",
        refresh_token="1//secret-refresh",
        access_token="ya29.secret-access",
        created_at=now(),
        activated_at=now(),
    )


def shown(member: Member) -> dict[str, Any]:
    return {
        "id": str(member.id),
        "name": member.name,
        "email": member.email,
        "role": str(member.role),
    }


def test_the_team_is_listed_without_others_and_without_the_switched_off(
    api: ApiCaller, alice: Member, bob: Member, charlie: Member
) -> None:
    body = api("GET", "/members").json()
    assert body == {"items": [shown(alice), shown(bob)], "next_cursor": None}
    Member.objects.filter(pk=bob.pk).update(is_active=False)
    assert api("GET", "/members").json()["items"] == [shown(alice)]


def test_a_key_knows_whose_it_is(
    api_of: Callable[[Member], ApiCaller], alice: Member, bob: Member
) -> None:
    assert api_of(alice)("GET", "/members/me").json() == shown(alice)
    assert api_of(bob)("GET", "/members/me").json() == shown(bob)


def test_a_link_is_told_without_its_tokens(
    api_of: Callable[[Member], ApiCaller], bob: Member, linked: CalendarLink
) -> None:
    response = api_of(bob)("GET", f"/members/{bob.id}/calendar-link")
    assert response.json() == {
        "state": "active",
        "google_email": "bob@gmail.example",
        "calendar_id": "work@group.calendar.google.com",
        "calendar_name": "Work",
        "covers": "assigned_or_created",
        "privacy": "full",
        "last_synced_at": None,
        "pending": 0,
        "failed": 0,
        "progress": {"done": 0, "total": 0},
    }
    assert b"secret" not in response.content


def test_no_link_is_unlinked(api: ApiCaller, alice: Member) -> None:
    body = api("GET", f"/members/{alice.id}/calendar-link").json()
    assert body.keys() == LINK
    assert body["state"] == "unlinked"


def test_managers_see_the_links_of_others_and_members_do_not(
    api: ApiCaller,
    api_of: Callable[[Member], ApiCaller],
    alice: Member,
    bob: Member,
    linked: CalendarLink,
) -> None:
    assert api("GET", f"/members/{bob.id}/calendar-link").json()["state"] == "active"
    problem(api_of(bob)("GET", f"/members/{alice.id}/calendar-link"), 403)


def test_there_is_no_member_behind_other_ids(
    api: ApiCaller, bob: Member, charlie: Member, linked: CalendarLink
) -> None:
    Member.objects.filter(pk=bob.pk).update(is_active=False)
    for name in (charlie.id, bob.id, "me", "00000000-0000-0000-0000-000000000000"):
        problem(api("GET", f"/members/{name}/calendar-link"), 404)


def test_the_list_is_paged(api: ApiCaller, alice: Member, bob: Member) -> None:
    first = api("GET", "/members?limit=1").json()
    assert len(first["items"]) == 1
    second = api("GET", f"/members?limit=1&cursor={first['next_cursor']}").json()
    assert second["next_cursor"] is None
    emails = {item["email"] for item in first["items"] + second["items"]}
    assert emails == {alice.email, bob.email}
    assert api("GET", "/members?cursor=x").status_code == 422
    assert api("GET", "/members?limit=0").status_code == 422
