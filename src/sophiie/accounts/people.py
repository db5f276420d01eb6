"""Making businesses and members, with every refusal as one sentence."""

from __future__ import annotations

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator, validate_email
from django.db import IntegrityError, transaction

from sophiie.accounts.models import Business, Member, Role
from sophiie.common.wall_time import is_zone

_short_enough = MaxLengthValidator(254)


class InvalidAccount(Exception):
    """What was asked for cannot be made; the message says why, in one sentence."""


@transaction.atomic
def create_business(
    *, name: str, timezone: str, owner_email: str, owner_name: str, password: str | None
) -> tuple[Business, Member]:
    """A business with its first member, the owner. Without a password the owner resets one."""
    name = _text(name, "name of the business")
    if not is_zone(timezone):
        raise InvalidAccount(f"{timezone!r} is not an IANA time zone, e.g. Australia/Sydney.")
    business = Business.objects.create(name=name, timezone=timezone)
    owner = add_member(
        business=business, email=owner_email, name=owner_name, role=Role.OWNER, password=password
    )
    return business, owner


def add_member(
    *, business: Business, email: str, name: str, role: str, password: str | None
) -> Member:
    """A further member of `business`. Raises `InvalidAccount`."""
    name = _text(name, "name of the person")
    if role not in Role.values:
        raise InvalidAccount(f"{role!r} is not a role: use {', '.join(Role.values)}.")
    try:
        validate_email(email.strip())
        _short_enough(email.strip())
    except ValidationError:
        raise InvalidAccount(f"{email!r} is not an e-mail address.") from None
    if password is not None:
        _check_password(password, email=email, name=name)
    try:
        with transaction.atomic():
            return Member.objects.create_member(
                business=business, email=email, name=name, role=role, password=password
            )
    except IntegrityError:
        raise InvalidAccount(f"{email} is already a member of a business.") from None


def _check_password(password: str, *, email: str, name: str) -> None:
    try:
        validate_password(password, Member(email=email, name=name))
    except ValidationError as error:
        raise InvalidAccount(" ".join(error.messages)) from None


def _text(value: str, what: str) -> str:
    value = " ".join(value.split())
    if not value or len(value) > 200:
        raise InvalidAccount(f"The {what} must have 1 to 200 characters.")
    return value
