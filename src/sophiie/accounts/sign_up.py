"""A new business with its owner, made by whoever proved that an e-mail address is theirs.

Until the link of the mail is followed there is neither business nor member nor password: whoever
signs up with somebody else's address has nothing, and does not stand in its owner's way.
"""

from __future__ import annotations

from datetime import timedelta

from django.core import signing

from sophiie.accounts.models import Member
from sophiie.accounts.people import create_business

GOOD_FOR = timedelta(days=1)
_SALT = "sophiie.sign-up"


def sign_up_secret(email: str) -> str:
    """The secret of a link; it says itself whose mailbox it was sent to."""
    return signing.dumps(email.lower(), salt=_SALT)


def email_of_sign_up(secret: str) -> str | None:
    """The address that a link proves; None for a link that is none, too old or used."""
    try:
        email = str(signing.loads(secret, salt=_SALT, max_age=GOOD_FOR))
    except signing.BadSignature:
        return None
    return None if Member.objects.filter(email__iexact=email).exists() else email


def finish_sign_up(
    *, secret: str, business_name: str, timezone: str, name: str, password: str
) -> Member | None:
    """The owner of the new business; None if the link does not work any more.

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
