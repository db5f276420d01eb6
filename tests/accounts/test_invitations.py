"""Inviting people: who may, what the link does, and that it works once."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.db import connection

from sophiie.accounts.invitations import (
    GOOD_FOR,
    accept,
    invitation_of,
    invite,
    open_invitations,
    withdraw,
)
from sophiie.accounts.models import Invitation, Member, Role
from sophiie.accounts.people import InvalidAccount, NotAllowed, change_role, deactivate
from tests.conftest import PASSWORD
from tests.mails import invited

DORA = "dora@example.com"


def accepted(secret: str) -> Member | None:
    return accept(secret=secret, name="Dora", password=PASSWORD)


def test_who_accepts_is_a_member_with_the_role_and_the_address(alice: Member) -> None:
    secret = invited(by=alice, email=" Dora@Example.com ", role=Role.ADMIN)
    assert invitation_of(secret) == Invitation.objects.get()
    member = accepted(secret)
    assert member is not None
    assert (member.email, member.role) == (DORA, Role.ADMIN)
    assert member.business == alice.business
    assert member.check_password(PASSWORD)


def test_the_link_works_once(alice: Member) -> None:
    secret = invited(by=alice, email=DORA, role=Role.MEMBER)
    assert accepted(secret)
    assert accepted(secret) is None
    assert invitation_of(secret) is None


def test_only_a_digest_is_kept(alice: Member) -> None:
    secret = invited(by=alice, email=DORA, role=Role.MEMBER)
    invitation = Invitation.objects.get()
    kept = Invitation.objects.filter(pk=invitation.pk).values().get()
    assert secret not in str(kept)


@pytest.mark.every_date
def test_it_works_for_a_week(alice: Member) -> None:
    secret = invited(by=alice, email=DORA, role=Role.MEMBER)
    invitation = Invitation.objects.get()
    Invitation.objects.update(expires_at=invitation.expires_at - GOOD_FOR - timedelta(seconds=1))
    assert invitation_of(secret) is None
    assert accepted(secret) is None


def test_a_second_invitation_makes_the_first_useless(alice: Member) -> None:
    first = invited(by=alice, email=DORA, role=Role.MEMBER)
    second = invited(by=alice, email=DORA.upper(), role=Role.ADMIN)
    assert invitation_of(first) is None
    assert invitation_of(second)
    assert open_invitations(alice).count() == 1


def test_a_withdrawn_one_is_useless(alice: Member, charlie: Member) -> None:
    secret = invited(by=alice, email=DORA, role=Role.MEMBER)
    invitation = Invitation.objects.get()
    assert withdraw(by=charlie, invitation_id=invitation.id) is None
    assert invitation_of(secret)
    assert withdraw(by=alice, invitation_id=invitation.id)
    assert invitation_of(secret) is None


def test_members_invite_nobody(bob: Member) -> None:
    with pytest.raises(NotAllowed):
        invite(by=bob, email=DORA, role=Role.MEMBER)


def test_an_admin_makes_no_owner(alice: Member, bob: Member) -> None:
    change_role(alice, bob, Role.ADMIN)
    bob.refresh_from_db()
    with pytest.raises(InvalidAccount) as refused:
        invite(by=bob, email=DORA, role=Role.OWNER)
    assert refused.value.field == "role"


def test_who_lost_the_right_since_then_has_invited_nobody(alice: Member, bob: Member) -> None:
    change_role(alice, bob, Role.ADMIN)
    bob.refresh_from_db()
    secret = invited(by=bob, email=DORA, role=Role.ADMIN)
    change_role(alice, bob, Role.MEMBER)
    assert accepted(secret) is None
    change_role(alice, bob, Role.ADMIN)
    deactivate(alice, bob)
    assert accepted(secret) is None
    assert not Member.objects.filter(email=DORA).exists()


def test_a_password_that_is_refused_leaves_the_link_working(alice: Member) -> None:
    secret = invited(by=alice, email=DORA, role=Role.MEMBER)
    with pytest.raises(InvalidAccount) as refused:
        accept(secret=secret, name="Dora", password="123")
    assert refused.value.field == "password"
    assert accepted(secret)


def test_somebody_in_the_team_is_not_invited_again(alice: Member, bob: Member) -> None:
    with pytest.raises(InvalidAccount) as refused:
        invite(by=alice, email=bob.email.upper(), role=Role.MEMBER)
    assert refused.value.field == "email"


def test_a_member_of_another_business_can_be_invited_but_not_join(
    alice: Member, charlie: Member
) -> None:
    """Inviting must not tell who has an account elsewhere."""
    secret = invited(by=alice, email=charlie.email, role=Role.MEMBER)
    with pytest.raises(InvalidAccount):
        accept(secret=secret, name="Charlie", password=PASSWORD)
    assert Member.objects.get(email=charlie.email).business == charlie.business


@pytest.mark.django_db(transaction=True)
def test_of_two_clicks_at_once_one_makes_the_member(alice: Member) -> None:
    secret = invited(by=alice, email=DORA, role=Role.MEMBER)
    made: list[Member | None] = []

    def click() -> None:
        try:
            made.append(accepted(secret))
        finally:
            connection.close()

    clicks = [threading.Thread(target=click) for _ in range(2)]
    for one in clicks:
        one.start()
    for one in clicks:
        one.join()
    assert sorted(member is None for member in made) == [False, True]
    assert Member.objects.filter(email=DORA).count() == 1
