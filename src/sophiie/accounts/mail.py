"""Mails leave by the worker, so a request takes equally long for known and unknown addresses, and
waits for no mail server.

A row says what a mail is about. Its text and its link's secret are made when it leaves
(`mail_texts`, `mail_sending`).
"""

from __future__ import annotations

from uuid import UUID

from django.conf import settings
from django.utils import translation

from sophiie.accounts.limits import Limit
from sophiie.accounts.models import MailKind, OutgoingMail
from sophiie.common.clock import now
from sophiie.common.logs import log

logger = log(__name__)

# Strangers can have these sent to anybody: so many at once to one address, and in a day.
FROM_STRANGERS = (MailKind.RESET, MailKind.SIGN_UP, MailKind.NEW_ADDRESS)
FOR_ONE_ADDRESS = Limit(name="mail", amount=8, seconds=24 * 3600)
# How many of them may wait altogether when mails do not leave.
MAX_WAITING = 20_000


def post(kind: MailKind, *, to: str, about: UUID | None = None) -> None:
    """Asks for a mail; inside a transaction it is sent when that commits, or never.

    The caller does not learn that there were too many: strangers would learn from it.
    """
    moment = now()
    if kind in FROM_STRANGERS and _are_too_many(to):
        logger.warning("mail not posted: too many for one address, or waiting", kind=kind)
        return
    OutgoingMail.objects.create(
        kind=kind,
        to=to,
        about=about,
        language=translation.get_language() or settings.LANGUAGE_CODE,
        created_at=moment,
        next_attempt_at=moment,
    )


def _are_too_many(to: str) -> bool:
    taken = FOR_ONE_ADDRESS.take(to.lower()) == 0
    return not taken or OutgoingMail.objects.count() >= MAX_WAITING
