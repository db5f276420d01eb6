"""Mails that the worker would send now, and the links in them."""

from __future__ import annotations

import re
from typing import Any

from django.core import mail

from sophiie.accounts.invitations import invite, link_secret
from sophiie.accounts.mail_sending import send_due


def delivered() -> list[Any]:
    """What leaves when the worker comes by."""
    mail.outbox.clear()
    send_due()
    return list(mail.outbox)


def mailed_link(address: str = "") -> str:
    """The path of the link in the one mail that leaves (to this address)."""
    return link_in(delivered(), address)


def link_in(messages: list[Any], address: str = "") -> str:
    """The path of the link in the one mail of these (to this address)."""
    (message,) = [m for m in messages if not address or m.to == [address]]
    found = re.search(r"http://localhost:\d+(/\S+)", str(message.body))
    assert found, message.body
    return found[1]


def invited(**whom: Any) -> str:
    """Invites somebody; the secret of the link in their mail."""
    secret = link_secret(invite(**whom))
    assert secret
    return secret
