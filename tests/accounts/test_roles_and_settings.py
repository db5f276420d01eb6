"""Roles, one's own profile, the business, and keys made and revoked by a person."""

from __future__ import annotations

from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress

from sophiie.accounts.api_keys import (
    create_api_key,
    living_key,
    living_keys_of,
    living_keys_of_team,
    revoke_api_key,
)
from sophiie.accounts.business import BusinessDetails, change_business
from sophiie.accounts.models import ApiKey, Member, Role
from sophiie.accounts.people import InvalidAccount, NotAllowed, change_role, may_change_role
from sophiie.accounts.profile import (
    ask_for_new_address,
    change_profile,
    new_address_secret,
    take_new_address,
)
from sophiie.common.clock import now
from sophiie.sync.models import GuestReview
from tests.mails import delivered

pytestmark = pytest.mark.django_db

# Roles


def test_an_owner_changes_roles(alice: Member, bob: Member) -> None:
    change_role(alice, bob, Role.OWNER)
    bob.refresh_from_db()
    assert bob.role == Role.OWNER
    change_role(bob, alice, Role.MEMBER)
    alice.refresh_from_db()
    assert alice.role == Role.MEMBER


def test_nobody_changes_their_own_role(alice: Member) -> None:
    """So a business always keeps an owner."""
    with pytest.raises(NotAllowed):
        change_role(alice, alice, Role.MEMBER)
    assert not may_change_role(alice, alice)


def test_an_admin_neither_makes_nor_unmakes_owners(alice: Member, bob: Member) -> None:
    change_role(alice, bob, Role.ADMIN)
    bob.refresh_from_db()
    with pytest.raises(NotAllowed):
        change_role(bob, alice, Role.MEMBER)
    dora = Member.objects.create_member(
        business=alice.business, email="d@example.com", name="D", role=Role.MEMBER, password=None
    )
    with pytest.raises(NotAllowed):
        change_role(bob, dora, Role.OWNER)
    change_role(bob, dora, Role.ADMIN)


def test_a_member_changes_no_role(alice: Member, bob: Member, charlie: Member) -> None:
    for by, whose in ((bob, alice), (charlie, bob), (alice, charlie)):
        with pytest.raises(NotAllowed):
            change_role(by, whose, Role.ADMIN)


def test_a_role_that_is_none_is_refused(alice: Member, bob: Member) -> None:
    with pytest.raises(NotAllowed):
        change_role(alice, bob, "king")


# Profile


def test_the_old_address_does_not_let_in_any_more(alice: Member) -> None:
    EmailAddress.objects.create(user=alice, email=alice.email, verified=True, primary=True)
    secret = new_address_secret(alice, email="alice.new@example.com")
    assert take_new_address(alice, secret=secret)
    assert Member.objects.get(pk=alice.pk).email == "alice.new@example.com"
    assert not EmailAddress.objects.filter(email="alice@example.com").exists()


def test_another_address_takes_the_password(alice: Member) -> None:
    with pytest.raises(InvalidAccount) as refused:
        ask_for_new_address(alice, email="new@example.com", password="guess")
    assert refused.value.field == "password"
    assert delivered() == []


def test_an_address_belongs_to_one_member(alice: Member, charlie: Member) -> None:
    secret = new_address_secret(alice, email=charlie.email)
    with pytest.raises(InvalidAccount) as refused:
        take_new_address(alice, secret=secret)
    assert refused.value.field == "email"
    assert Member.objects.get(pk=alice.pk).email == alice.email == "alice@example.com"


@pytest.mark.parametrize(("name", "clock"), [("", "24"), ("x" * 201, "24"), ("Al", "13")])
def test_a_profile_that_cannot_be(alice: Member, name: str, clock: str) -> None:
    with pytest.raises(InvalidAccount):
        change_profile(alice, name=name, language="", clock=clock)
    assert Member.objects.get(pk=alice.pk).name == "Alice"


def test_the_clock_is_the_members_or_else_the_businesss(alice: Member) -> None:
    assert not alice.reads_twelve_hours
    alice.business.clock = "12"
    assert alice.reads_twelve_hours
    alice.clock = "24"
    assert not alice.reads_twelve_hours


# Business


def about(**changes: object) -> BusinessDetails:
    plain = {
        "name": "Harbour",
        "timezone": "Australia/Perth",
        "clock": "12",
        "week_start": 7,
        "invite_guests": True,
    }
    return BusinessDetails(**{**plain, **changes})  # type: ignore[arg-type]


def test_the_business_is_changed_and_its_guests_looked_at_anew(alice: Member) -> None:
    business = change_business(alice, about(invite_guests=False))
    business.refresh_from_db()
    assert (business.name, business.timezone) == ("Harbour", "Australia/Perth")
    assert (business.clock, business.week_start) == ("12", 7)
    assert not business.invite_guests
    assert GuestReview.objects.filter(business_id=business.pk).exists()


@pytest.mark.parametrize(
    ("field", "value"),
    [("business_name", " "), ("timezone", "Mars/Phobos"), ("clock", "13"), ("week_start", 3)],
)
def test_a_business_that_cannot_be(alice: Member, field: str, value: object) -> None:
    with pytest.raises(InvalidAccount) as refused:
        change_business(alice, about(**{field.removeprefix("business_"): value}))
    assert refused.value.field == field


def test_members_do_not_change_the_business(bob: Member) -> None:
    with pytest.raises(NotAllowed):
        change_business(bob, about())


# Keys


def test_a_revoked_key_is_nobodys(alice: Member) -> None:
    text = create_api_key(alice, name="phone")
    (key,) = living_keys_of(alice)
    assert getattr(living_key(text), "member", None) == alice
    assert revoke_api_key(by=alice, key_id=key.id)
    assert living_key(text) is None
    assert not living_keys_of(alice)


def test_use_is_noted_to_the_hour(alice: Member) -> None:
    text = create_api_key(alice)
    living_key(text)
    first = ApiKey.objects.get().last_used_at
    assert first
    living_key(text)
    assert ApiKey.objects.get().last_used_at == first
    ApiKey.objects.update(last_used_at=now() - timedelta(hours=2))
    living_key(text)
    last = ApiKey.objects.get().last_used_at
    assert last
    assert now() - last < timedelta(minutes=1)


def test_whose_keys_one_sees_and_revokes(alice: Member, bob: Member, charlie: Member) -> None:
    create_api_key(alice)
    create_api_key(bob)
    create_api_key(charlie)
    assert [key.member for key in living_keys_of_team(alice)] == [bob]
    assert not living_keys_of_team(bob)
    of_alice, of_bob = (living_keys_of(who).get() for who in (alice, bob))
    assert revoke_api_key(by=bob, key_id=of_alice.id) is None
    assert revoke_api_key(by=charlie, key_id=of_bob.id) is None
    assert ApiKey.objects.filter(revoked_at=None).count() == 3
    assert revoke_api_key(by=alice, key_id=of_bob.id)
