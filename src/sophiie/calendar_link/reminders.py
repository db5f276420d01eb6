"""Tells a person by email that their link is broken: at once, and again after some days.

A banner on every page says it too; the mail is for those who do not look.
"""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.core.mail import send_mail
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext as _

from sophiie.calendar_link.models import CalendarLink, LinkState
from sophiie.common.clock import now
from sophiie.common.horizon import bring_back
from sophiie.common.logs import log
from sophiie.common.reasons import kept, words

logger = log(__name__)

# How long after the break each of the mails is due.
REMINDERS = (timedelta(), timedelta(days=3))


def send_due_reminders() -> int:
    """Sends what is due and returns how many.

    Counts a mail before sending it, so that neither two workers nor a crash can send it twice. One
    that could not be sent is tried again.
    """
    sent, moment = 0, now()
    broken = CalendarLink.objects.filter(state=LinkState.NEEDS_RECONNECT)
    bring_back(broken, "broken_at", moment, at_most=timedelta())
    for number, after in enumerate(REMINDERS):
        due = broken.filter(
            reminders_sent=number,
            broken_at__lte=moment - after,
            member__is_active=True,
        ).select_related("member__business")
        for link in due:
            claimed = CalendarLink.objects.filter(pk=link.pk, reminders_sent=number)
            if claimed.update(reminders_sent=number + 1):
                sent += _send(link, number)
    return sent


def _send(link: CalendarLink, number: int) -> int:
    with translation.override(link.member.language or settings.LANGUAGE_CODE):
        subject, text = _mail(link, number)
    try:
        send_mail(subject, text, None, [link.member.email])
    except OSError as error:
        logger.warning("reminder not sent", link_id=str(link.id), error=type(error).__name__)
        CalendarLink.objects.filter(pk=link.pk).update(reminders_sent=number)
        return 0
    logger.info("reminder sent", link_id=str(link.id), number=number + 1)
    return 1


def _mail(link: CalendarLink, number: int) -> tuple[str, str]:
    context = {
        "link": link,
        "problem": words(kept(link, "problem")),
        "member": link.member,
        "url": f"{settings.PUBLIC_URL}/settings/calendar",
        "again": number > 0,
    }
    subject = _("Your Google Calendar is no longer connected to Sophiie")
    return subject, render_to_string("mail/link_broken.txt", context)
