"""The worker sends the mails that wait: each as often as it takes, delivered once.

A worker claims a mail before sending it, and deletes the row when the server took it. A retry has
the same Message-ID, so a mailbox recognises it. A mail that fails holds up none of the others.
"""

from __future__ import annotations

import time
from contextlib import suppress
from datetime import timedelta
from smtplib import SMTPRecipientsRefused, SMTPResponseException
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.db.models import Q
from django.utils import translation

from sophiie.accounts.mail_texts import text_of
from sophiie.accounts.models import OutgoingMail
from sophiie.common.clock import now
from sophiie.common.horizon import over
from sophiie.common.logs import log

logger = log(__name__)

KEPT_FOR = timedelta(days=3)
FIRST_RETRY = timedelta(minutes=1)
LAST_RETRY = timedelta(hours=1)
# A round of the worker ends after this time, or with the first mail that the server did not answer:
# whoever stops the worker does not wait for the rest.
ROUND_SECONDS = 3.0


class _ServerAway(Exception):
    """The server is away, and the next mails would wait as long."""


def send_due() -> int:
    """Sends what is due and returns how many left. Several workers may do so at once."""
    sent, end = 0, time.monotonic() + ROUND_SECONDS
    with suppress(_ServerAway):
        while mail := _claim():
            sent += _send(mail)
            if time.monotonic() > end:
                break
    return sent


def _claim() -> OutgoingMail | None:
    """Claims the next mail for this worker until its next attempt is due."""
    moment = now()
    with transaction.atomic():
        is_due = over("next_attempt_at", moment, at_most=LAST_RETRY) | Q(attempts=0)
        due = OutgoingMail.objects.filter(is_due).order_by("next_attempt_at")
        mail = due.select_for_update(skip_locked=True).first()
        if mail is None:
            return None
        wait = min(FIRST_RETRY * 2 ** min(mail.attempts, 10), LAST_RETRY)
        mail.attempts, mail.next_attempt_at = mail.attempts + 1, moment + wait
        mail.save(update_fields=["attempts", "next_attempt_at"])
    return mail


def _send(mail: OutgoingMail) -> int:
    if mail.created_at < now() - KEPT_FOR:
        logger.error("mail given up", kind=mail.kind, attempts=mail.attempts - 1)
        mail.delete()
        return 0
    try:
        sent = _made_and_sent(mail)
    except (SMTPResponseException, SMTPRecipientsRefused) as error:
        logger.warning("mail refused", kind=mail.kind, error=type(error).__name__)
        return 0
    except OSError as error:  # the mail library's other errors, too
        logger.warning("mail not sent", kind=mail.kind, error=type(error).__name__)
        raise _ServerAway from None
    except Exception:  # one that cannot be made must not hold up the others
        logger.exception("mail cannot be made", kind=mail.kind)
        return 0
    mail.delete()
    return sent


def _made_and_sent(mail: OutgoingMail) -> int:
    with translation.override(mail.language):
        text = text_of(mail)
    if text is None:
        return 0
    # The same at each attempt: a mailbox that gets the mail twice keeps one.
    host = urlsplit(settings.PUBLIC_URL).hostname or "localhost"
    headers = {"Message-ID": f"<{mail.id}@{host}>"}
    EmailMessage(text.subject, text.body, to=[mail.to], headers=headers).send()
    logger.info("mail sent", kind=mail.kind)
    return 1
