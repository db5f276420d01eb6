"""Unlinking: from the first line on nothing new begins, at the end nothing secret is left."""

from __future__ import annotations

from django.db import transaction

from sophiie.accounts.models import Member
from sophiie.calendar_link.connect import link_of
from sophiie.calendar_link.lease import wait_until_free
from sophiie.calendar_link.models import CalendarLink, LinkState, Revocation
from sophiie.calendar_link.revocation import record_revocation, revoke
from sophiie.calendar_link.signals import link_changed
from sophiie.common.clock import now
from sophiie.common.in_thread import in_thread
from sophiie.common.logs import log
from sophiie.google.app import google_session

logger = log(__name__)


async def unlink(*, member: Member) -> bool | None:
    """Ends the member's link; the events stay in Google.

    1. In one transaction: the link is `unlinked`, its tokens are gone, and the grant stands in a
       record of its own if no other link lives from it.
    2. Wait until a worker that is at it has finished its call.
    3. Revoke at Google; a failure is tried again in the background.

    Returns True when the grant is withdrawn (or still serves another member), False when that is
    still to be done, None when there was no link. A crash after 1 leaves only the revocation,
    which the worker's sweep carries out.
    """
    link = await in_thread(link_of, member)
    if link is None:
        return None
    revocation = await in_thread(_erase, link)
    await wait_until_free(link.id)
    logger.info("unlinked", link_id=str(link.id))
    if revocation is None:
        return True
    async with google_session() as http:
        return await revoke(http, revocation)


def _erase(link: CalendarLink) -> Revocation | None:
    with transaction.atomic():
        link = CalendarLink.objects.select_for_update().get(pk=link.pk)
        token = link.refresh_token or link.access_token
        link.state, link.unlinked_at = LinkState.UNLINKED, now()
        link.refresh_token = link.access_token = link.problem = ""
        link.access_token_expires_at = link.refreshing_until = None
        link.busy_calendar_ids = []
        link.save()
        link_changed.send(sender=CalendarLink, link=link)
        return record_revocation(token, link.google_sub) if token else None
