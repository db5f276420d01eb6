"""Businesses and members are made with every refusal as one sentence."""

from __future__ import annotations

from typing import Any

import pytest

from sophiie.accounts.models import Business, Member
from sophiie.accounts.people import InvalidAccount, add_member, create_business
from tests.conftest import PASSWORD

BUSINESS = {
    "name": "Hill Clinic",
    "timezone": "Europe/Berlin",
    "owner_email": "dora@example.com",
    "owner_name": "Dora",
    "password": PASSWORD,
}


@pytest.mark.django_db
def test_a_business_begins_with_its_owner() -> None:
    business, owner = create_business(**{**BUSINESS, "owner_email": " Dora@Example.com "})
    assert (owner.role, owner.email, owner.business) == ("owner", "dora@example.com", business)
    assert owner.check_password(PASSWORD)
    assert owner.manages_business


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"timezone": "Mars/Phobos"}, "'Mars/Phobos' is not an IANA time zone"),
        ({"name": "  "}, "name of the business must have 1 to 200"),
        ({"name": "x" * 201}, "name of the business must have 1 to 200"),
        ({"owner_name": ""}, "name of the person must have 1 to 200"),
        ({"owner_email": "dora"}, "'dora' is not an email address"),
        ({"owner_email": f"{'d' * 60}@{'a.' * 110}example.com"}, "is not an email address"),
        ({"password": "12345678"}, "too common"),
        ({"password": ""}, "too short"),
        ({"password": "dora@example.com"}, "too similar"),
    ],
)
def test_a_refusal_is_a_sentence_and_leaves_nothing_behind(
    change: dict[str, Any], says: str
) -> None:
    with pytest.raises(InvalidAccount, match=says):
        create_business(**{**BUSINESS, **change})
    assert not Business.objects.exists()


def test_an_address_belongs_to_one_member_whatever_its_case(alice: Member) -> None:
    with pytest.raises(InvalidAccount, match="already a member"):
        add_member(
            business=alice.business,
            email="ALICE@example.com",
            name="Another",
            role="member",
            password=None,
        )
    assert Member.objects.count() == 1  # and the transaction around it goes on


def test_roles_are_three(alice: Member) -> None:
    with pytest.raises(InvalidAccount, match="owner, admin, member"):
        add_member(
            business=alice.business, email="eve@example.com", name="Eve", role="god", password=None
        )


@pytest.mark.parametrize(("role", "manages"), [("owner", 1), ("admin", 1), ("member", 0)])
def test_owners_and_admins_manage(alice: Member, role: str, manages: bool) -> None:
    member = add_member(
        business=alice.business, email="eve@example.com", name="Eve", role=role, password=None
    )
    assert member.manages_business == manages
    assert not member.has_usable_password()
