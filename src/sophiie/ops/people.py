"""The commands that create businesses, members and keys."""

from __future__ import annotations

import json
from uuid import UUID

from django.db import transaction

from sophiie import audit
from sophiie.accounts import api_keys, people, two_factor
from sophiie.accounts.models import Business, Member
from sophiie.ops.errors import CommandError


def create_business(
    *, name: str, timezone: str, owner_email: str, owner_name: str, password: str | None
) -> str:
    try:
        with audit.by_command("create-business"):
            business, owner = people.create_business(
                name=name,
                timezone=timezone,
                owner_email=owner_email,
                owner_name=owner_name,
                password=password,
            )
    except people.InvalidAccount as error:
        raise CommandError(str(error)) from None
    return _ids(business, owner)


def add_member(*, email: str, name: str, role: str, business: str, password: str | None) -> str:
    try:
        with audit.by_command("add-member"), transaction.atomic():
            member = people.add_member(
                business=business_called(business),
                email=email,
                name=name,
                role=role,
                password=password,
            )
            people.record_about(audit.Act.MEMBER_ADDED, member, by=None, role=role)
    except people.InvalidAccount as error:
        raise CommandError(str(error)) from None
    return _ids(member.business, member)


def reset_two_factor(email: str) -> str:
    member = _member_called(email)
    with audit.by_command("reset-two-factor"), transaction.atomic():
        was_on = two_factor.switch_off(member)
    return f"{member.email} signs in with the password alone{'' if was_on else ', as before'}."


def create_api_key(email: str) -> str:
    member = _member_called(email)
    with audit.by_command("create-api-key"):
        return api_keys.create_api_key(member)


def _member_called(email: str) -> Member:
    member = Member.objects.filter(email__iexact=email.strip(), is_active=True).first()
    if member is None:
        raise CommandError(f"Nobody with the address {email} is a member of a business.")
    return member


def _ids(business: Business, member: Member) -> str:
    return json.dumps(
        {
            "business_id": str(business.id),
            "member_id": str(member.id),
            "email": member.email,
            "role": str(member.role),
        }
    )


def business_called(name: str, *, option: str = "--business") -> Business:
    """The business with this id or name, or the only one there is."""
    found = Business.objects.all()
    if name:
        found = found.filter(pk=name) if _is_id(name) else found.filter(name=name)
    matches = list(found[:2])
    if len(matches) == 1:
        return matches[0]
    if not matches:
        raise CommandError(
            f"There is no business “{name}”." if name else "There is no business yet."
        )
    raise CommandError(f"There are several businesses: name one with {option} NAME or ID.")


def _is_id(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
