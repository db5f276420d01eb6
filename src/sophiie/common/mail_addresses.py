"""Which texts are email addresses that everybody takes: the form, a mail server, and Google."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator

_check = EmailValidator(allowlist=[])


def is_mail_address(text: str) -> bool:
    """Whether mail can be sent there from anywhere: neither `somebody@localhost` nor an address
    literal such as `somebody@[192.0.2.1]`, which Google refuses as guests."""
    try:
        _check(text)
    except ValidationError:
        return False
    return not text.endswith("]")
