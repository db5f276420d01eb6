"""Ends a link: from the first line on nothing new begins, and at the end no secret is left."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from django.db import transaction

from sophiie import audit
from sophiie.accounts.models import Member
from sophiie.calendar_link.audit_records import record_about
from sophiie.calendar_link.connect import link_of
from sophiie.calendar_link.lease import wait_until_free
from sophiie.calendar_link.models import CalendarLink, LinkState, Revocation
from sophiie.calendar_link.revocation import is_in_use, record_revocation, revoke
from sophiie.calendar_link.signals import link_changed, link_ending, link_unlinking
from sophiie.common.clock import now
from sophiie.common.horizon import bring_back
from sophiie.common.in_thread import in_thread
from sophiie.common.logs import log
from sophiie.common.reasons import NO_REASON, keep
from sophiie.google.app import google_session
from sophiie.google.errors import Unreachable

logger = log(__name__)

# How long Google may be away before upcoming events are left where they are.
REMOVAL_LASTS = timedelta(days=1)


async def unlink(*, member: Member) -> bool | None:
    """Ends the member's link at once; the events stay in Google.

    0. Receivers close what they have open at Google for this link, if that is quick.
    1. In one transaction the link becomes `unlinked` and loses its tokens. If no other link depends
       on the grant, it moves into a record of its own.
    2. Wait until a worker that uses the link has finished its call, if that is soon.
    3. Revoke at Google; a failure is tried again in the background.

    Returns True if the grant is revoked, or still serves another member; False if that is still to
    be done (by the person, if the grant cannot be decrypted any more); None if there was no link. A
    crash after 1 leaves only the revocation, which the worker's sweep carries out.
    """
    link = await in_thread(link_of, member)
    if link is None:
        return None
    await link_ending.asend_robust(sender=CalendarLink, link=link)
    revocation = await in_thread(end_link, link.id)
    try:
        await wait_until_free(link.id)
    except Unreachable:
        return revocation is None
    if revocation is None:
        return not link.grant_is_lost or await in_thread(is_in_use, link.google_sub)
    async with google_session() as http:
        return await revoke(http, revocation)


def unlink_and_remove(*, member: Member) -> bool:
    """Begins an unlinking that removes the upcoming events first; False if there are none.

    The worker removes them and then ends the link.
    """
    with transaction.atomic():
        link = link_of(member)
        if link is None:
            return False
        link = CalendarLink.objects.select_for_update().get(pk=link.pk)
        if link.state not in (LinkState.ACTIVE, LinkState.BACKFILLING):
            return False
        link.state, link.unlinked_at = LinkState.UNLINKING, now()
        link.save(update_fields=["state", "unlinked_at"])
        answers = link_unlinking.send(sender=CalendarLink, link=link)
        if any(answer for _, answer in answers):
            record_about(audit.Act.LINK_UNLINKING, link)
            return True
        link.state = LinkState.ACTIVE  # nothing to wait for: the caller unlinks at once
        link.save(update_fields=["state"])
    return False


def end_link(link_id: UUID) -> Revocation | None:
    """Erases the link's secrets and records the grant that is to be revoked."""
    with transaction.atomic():
        link = CalendarLink.objects.select_for_update().get(pk=link_id)
        if link.state != LinkState.UNLINKED:
            record_about(audit.Act.LINK_UNLINKED, link)
        token = link.refresh_token or link.access_token
        link.state, link.unlinked_at = LinkState.UNLINKED, now()
        link.refresh_token = link.access_token = ""
        keep(link, "problem", NO_REASON)
        link.access_token_expires_at = link.refreshing_until = None
        link.busy_calendar_ids, link.busy_calendar_names = [], {}
        link.save(
            update_fields=[
                "state",
                "unlinked_at",
                "refresh_token",
                "access_token",
                "problem",
                "problem_reason",
                "access_token_expires_at",
                "refreshing_until",
                "busy_calendar_ids",
                "busy_calendar_names",
            ]
        )
        link_changed.send(sender=CalendarLink, link=link)
        logger.info("unlinked", link_id=str(link.id))
        return record_revocation(token, link.google_sub) if token else None


def end_overdue_unlinkings() -> None:
    """Ends unlinkings whose events could not be removed for too long; the events stay in Google."""
    moment, links = now(), CalendarLink.objects.filter(state=LinkState.UNLINKING)
    bring_back(links, "unlinked_at", moment, at_most=timedelta())
    for link in links.filter(unlinked_at__lt=moment - REMOVAL_LASTS):
        end_link(link.id)
