"""Makes a new business with its owner, for somebody who has proved an email address.

Until the mail's link is followed there is no business, no member and no password: whoever signs up
with somebody else's address has nothing and does not stand in its owner's way.
"""

from __future__ import annotations

from datetime import timedelta

from django.core import signing

from sophiie.accounts.models import Member
from sophiie.accounts.people import create_business

GOOD_FOR = timedelta(days=1)
_SALT = "sophiie.sign-up"


def sign_up_secret(email: str) -> str:
    """The secret of a link; it carries the address that it was sent to."""
    return signing.dumps(email.lower(), salt=_SALT)


def email_of_sign_up(secret: str) -> str | None:
    """The address that a link proves; None if it is invalid, too old or used."""
    try:
        email = str(signing.loads(secret, salt=_SALT, max_age=GOOD_FOR))
    except signing.BadSignature:
        return None
    return None if Member.objects.filter(email__iexact=email).exists() else email


def finish_sign_up(
    *, secret: str, business_name: str, timezone: str, name: str, password: str
) -> Member | None:
    """Makes the business and returns its owner; None if the link does not work any more.

    Raises `InvalidAccount`, and then the link still works.
    """
    email = email_of_sign_up(secret)
    if email is None:
        return None
    return create_business(
        name=business_name,
        timezone=timezone,
        owner_email=email,
        owner_name=name,
        password=password,
    )[1]
