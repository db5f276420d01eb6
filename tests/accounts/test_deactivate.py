"""Ending a member's access: at once, by whom it may be, and never so that nobody is left."""

from __future__ import annotations

import json
import threading
from typing import Any

import psycopg
import pytest
from asgiref.sync import async_to_sync
from django.db import connection, transaction
from django.test import Client

from sophiie.accounts.api_keys import create_api_key, living_key
from sophiie.accounts.models import Member
from sophiie.accounts.people import (
    NotAllowed,
    add_member,
    deactivate,
    may_deactivate,
    reactivate,
)
from sophiie.accounts.sessions import SignedIn
from sophiie.accounts.signals import member_deactivated, member_reactivated
from sophiie.appointments.errors import InvalidAppointment
from sophiie.appointments.models import Appointment
from sophiie.appointments.rules import assignees_of
from sophiie.common.direct import direct_parameters
from sophiie.common.live import CHANNEL
from sophiie.web.serving.hub import Hub
from tests.conftest import PASSWORD
from tests.linking import browser_of
from tests.mails import delivered
from tests.processes import until


@pytest.fixture
def admin(alice: Member) -> Member:
    """Another person of Alice's business, with the rights of an admin."""
    return colleague(alice, "alice.admin@example.com", "admin")


def colleague(alice: Member, email: str, role: str) -> Member:
    return add_member(
        business=alice.business, email=email, name="Alice Two", role=role, password=PASSWORD
    )


def is_active(member: Member) -> bool:
    return Member.objects.get(pk=member.pk).is_active


def signs_in(member: Member) -> bool:
    answer = Client().post("/login", {"login": member.email, "password": PASSWORD})
    assert answer.status_code in (200, 302)
    return bool(answer["Location"] == "/calendar")


def test_sessions_and_keys_end_at_once(alice: Member, bob: Member) -> None:
    page, key = browser_of(bob), create_api_key(bob)
    assert page.get("/calendar").status_code == 200
    assert getattr(living_key(key), "member", None) == bob
    deactivate(alice, bob)
    answer = page.get("/calendar")
    assert answer.status_code == 302
    assert answer["Location"].startswith("/login")
    assert living_key(key) is None
    authorization = {"Authorization": f"Bearer {key}"}
    assert Client().get("/api/v1/members/me", headers=authorization).status_code == 401


def test_signing_in_says_that_the_account_is_off(alice: Member, bob: Member) -> None:
    assert signs_in(bob)
    deactivate(alice, bob)
    answer = Client().post("/login", {"login": bob.email, "password": PASSWORD}, follow=True)
    assert "This account is not active" in answer.content.decode()
    assert not answer.wsgi_request.user.is_authenticated


def test_no_new_password_is_mailed_to_a_deactivated_member(alice: Member, bob: Member) -> None:
    deactivate(alice, bob)
    answer = Client().post("/password/reset", {"email": bob.email}, follow=True)
    assert answer.status_code == 200  # and tells nobody whether the address is known
    assert delivered() == []


def test_reactivated_they_sign_in_anew_and_old_sessions_stay_ended(
    alice: Member, bob: Member
) -> None:
    """A phone that was lost stays signed out, and what a program knew lets it in no more."""
    page, key = browser_of(bob), create_api_key(bob)
    deactivate(alice, bob)
    reactivate(alice, bob)
    assert page.get("/calendar").status_code == 302
    assert signs_in(bob)
    assert browser_of(Member.objects.get(pk=bob.pk)).get("/calendar").status_code == 200
    assert living_key(key) is None


def test_they_are_no_longer_offered_as_assignee(alice: Member, bob: Member, page: Client) -> None:
    deactivate(alice, bob)
    with pytest.raises(InvalidAppointment):
        assignees_of(alice.business, [bob.email])
    assert str(bob.pk) not in page.get("/appointments/new").content.decode()


def test_their_appointments_stay_as_they_are(
    alice: Member, bob: Member, booked: Appointment, page: Client
) -> None:
    """Also when a colleague changes one: the form keeps whom it was assigned to."""
    Appointment.objects.get().assignments.update(member=bob)
    deactivate(alice, bob)
    kept = Appointment.objects.get()
    assert (kept.status, kept.revision) == ("scheduled", booked.revision)
    assert [a.member_id for a in kept.assignments.all()] == [bob.pk]
    assert str(bob.pk) in page.get(f"/appointments/{booked.pk}").content.decode()


@pytest.mark.parametrize(
    ("actor", "target", "allowed"),
    [
        ("alice", "bob", True),
        ("alice", "admin", True),
        ("alice", "second_owner", True),
        ("admin", "bob", True),
        ("admin", "second_admin", True),
        ("admin", "alice", False),  # an owner
        ("bob", "admin", False),
        ("bob", "alice", False),
        ("alice", "alice", False),
        ("admin", "admin", False),
        ("bob", "bob", False),
        ("charlie", "bob", False),  # another business
        ("alice", "charlie", False),
        ("former_owner", "bob", False),
    ],
)
def test_who_may_end_whose_access(
    alice: Member,
    admin: Member,
    bob: Member,
    charlie: Member,
    actor: str,
    target: str,
    allowed: bool,
) -> None:
    former = colleague(alice, "former@example.com", "owner")
    deactivate(alice, former)
    people = {
        "alice": alice,
        "admin": admin,
        "bob": bob,
        "charlie": charlie,
        "second_owner": colleague(alice, "owner@example.com", "owner"),
        "second_admin": colleague(alice, "admin2@example.com", "admin"),
        "former_owner": former,
    }
    by, member = people[actor], people[target]
    by.refresh_from_db()
    assert may_deactivate(by, member) is allowed
    if allowed:
        deactivate(by, member)
        assert not is_active(member)
        reactivate(by, member)
        assert is_active(member)
        return
    with pytest.raises(NotAllowed):
        deactivate(by, member)
    assert is_active(member)
    Member.objects.filter(pk=member.pk).exclude(pk=by.pk).update(is_active=False)
    with pytest.raises(NotAllowed):
        reactivate(by, member)


def test_rights_are_looked_at_as_they_are_now(alice: Member, admin: Member, bob: Member) -> None:
    """The page may have been open for a while."""
    Member.objects.filter(pk=admin.pk).update(role="member")
    with pytest.raises(NotAllowed):
        deactivate(admin, bob)
    assert is_active(bob)


def test_twice_is_as_once(alice: Member, bob: Member) -> None:
    heard: list[Any] = []

    def hear(member: Member, **_: Any) -> None:
        heard.append((member.pk, member.is_active))

    member_deactivated.connect(hear)
    member_reactivated.connect(hear)
    try:
        for act in (deactivate, deactivate, reactivate, reactivate):
            act(alice, bob)
    finally:
        member_deactivated.disconnect(hear)
        member_reactivated.disconnect(hear)
    assert heard == [(bob.pk, False), (bob.pk, True)]


@pytest.mark.django_db(transaction=True)
def test_two_owners_who_deactivate_each_other_leave_one(alice: Member) -> None:
    other = colleague(alice, "owner@example.com", "owner")
    refused: list[Any] = []

    def act(by: Member, member: Member) -> None:
        try:
            deactivate(by, member)
        except NotAllowed:
            refused.append(by.pk)
        finally:
            connection.close()

    def waiting() -> int:
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
            return int(cursor.fetchone()[0])

    pairs = [(alice, other), (other, alice)]
    threads = [threading.Thread(target=act, args=pair) for pair in pairs]
    with transaction.atomic():  # both have begun before either can go on
        list(Member.objects.select_for_update())
        for thread in threads:
            thread.start()
        until(lambda: waiting() >= 2, what="both wait for their turn")
    for thread in threads:
        thread.join()
    (left,) = Member.objects.filter(is_active=True)
    assert refused == [m.pk for m in (alice, other) if m.pk != left.pk]


@pytest.mark.django_db(transaction=True)
def test_their_open_pages_hear_nothing_more(alice: Member, bob: Member) -> None:
    """The stream of live updates ends; that of a colleague goes on."""
    with psycopg.connect(**direct_parameters(), autocommit=True) as listener:
        listener.execute(f"LISTEN {CHANNEL}")
        deactivate(alice, bob)
        payloads = [n.payload for n in listener.notifies(timeout=60, stop_after=1)]
    news = json.dumps({"business": str(alice.business_id), "appointment": "a"})

    async def heard_by(member: Member) -> bytes:
        hub = Hub()
        with hub.opened(SignedIn("key", member.pk, member.business_id, "")) as stream:
            for payload in [*payloads, news]:
                hub.pass_on(payload)
            return await stream.news()

    assert async_to_sync(heard_by)(bob) == b""
    assert b'"appointment": "a"' in async_to_sync(heard_by)(alice)
