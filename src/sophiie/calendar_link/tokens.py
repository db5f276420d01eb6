"""Access tokens of a link: stored, shared, and renewed once an hour by one process at a time.

The right to renew is a claim on the link's row, committed before Google is asked, so no transaction
is open during the call. Whoever does not get the claim waits for the other's result. An access
token lives an hour, and Google's own library renews it 3 min 45 s before its end.
"""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from uuid import UUID

import aiohttp
from django.db import transaction

from sophiie import audit
from sophiie.calendar_link.audit_records import record_about
from sophiie.calendar_link.google_app import google_app
from sophiie.calendar_link.models import CalendarLink, LinkState
from sophiie.calendar_link.problems import GRANT_DEAD, KEY_LOST
from sophiie.calendar_link.signals import link_changed, link_mended
from sophiie.common.claims import Claim
from sophiie.common.clock import now
from sophiie.common.horizon import is_over
from sophiie.common.in_thread import in_thread
from sophiie.common.logs import log
from sophiie.common.reasons import NO_REASON, Reason, keep, kept
from sophiie.google.errors import AccessLost
from sophiie.google.oauth import Grant, refresh
from sophiie.google.patience import pause

logger = log(__name__)

RENEW_BEFORE_EXPIRY = timedelta(minutes=3, seconds=45)
# As long as any access token lives; one that is said to live longer is renewed all the same.
MAX_LIFE = timedelta(hours=1)
# Lasts longer than any one request to Google may take.
RENEWAL = Claim("refreshing_until", timedelta(seconds=25))
WAIT_SECONDS = 0.1


class LinkTokens:
    """The access tokens of one link, for a `CalendarClient`."""

    def __init__(self, http: aiohttp.ClientSession, link_id: UUID) -> None:
        self._http, self._link_id = http, link_id
        self._token, self._expires_at = "", now()
        self._lock = asyncio.Lock()

    async def access_token(self, *, rejected: str = "") -> str:
        """A token that should work now. Raises `AccessLost` when the person has to reconnect."""
        if self._is_good(rejected):
            return self._token
        async with self._lock:
            if self._is_good(rejected):
                return self._token
            while True:
                link = await in_thread(_read, self._link_id)
                if link.grant_is_lost:
                    logger.warning("grant cannot be decrypted", link_id=str(link.id))
                    await in_thread(mark_needs_reconnect, link.id, KEY_LOST)
                if not link.refresh_token:
                    raise AccessLost("This calendar link has no grant any more.", reason="noGrant")
                if link.access_token and link.access_token != rejected:
                    expires_at = link.access_token_expires_at
                    if expires_at and not _is_old(expires_at):
                        self._token, self._expires_at = link.access_token, expires_at
                        return self._token
                if await in_thread(_claim_renewal, link):
                    return await self._renew(link)
                await pause(WAIT_SECONDS)

    def _is_good(self, rejected: str) -> bool:
        return self._token not in ("", rejected) and not _is_old(self._expires_at)

    async def _renew(self, link: CalendarLink) -> str:
        try:
            grant = await refresh(self._http, google_app(), refresh_token=link.refresh_token)
        except AccessLost as error:
            logger.warning("grant refused", link_id=str(link.id), reason=error.reason)
            await in_thread(mark_needs_reconnect, link.id, GRANT_DEAD)
            await in_thread(_end_claim, link.id)
            raise
        except BaseException:
            await in_thread(_end_claim, link.id)
            raise
        self._expires_at = await in_thread(_store, link, grant)
        self._token = grant.access_token
        logger.info("access token renewed", link_id=str(link.id))
        return self._token


def mark_needs_reconnect(link_id: UUID, problem: Reason) -> None:
    """Asks the person to act: nothing more is sent, but everything stays recorded."""
    with transaction.atomic():
        link = CalendarLink.objects.select_for_update(no_key=True).get(pk=link_id)
        if link.state not in (LinkState.ACTIVE, LinkState.BACKFILLING):
            return
        link.state = LinkState.NEEDS_RECONNECT
        keep(link, "problem", problem)
        link.access_token, link.access_token_expires_at = "", None
        link.broken_at, link.reminders_sent = now(), 0
        link.save(
            update_fields=[
                "state",
                "problem",
                "problem_reason",
                "access_token",
                "access_token_expires_at",
                "broken_at",
                "reminders_sent",
            ]
        )
        with audit.by_itself():
            record_about(
                audit.Act.LINK_BROKEN,
                link,
                problem=str(problem),
                problem_code=problem.code,
            )
        link_changed.send(sender=CalendarLink, link=link)


def mend_what_can_be_read_again() -> int:
    """Mends links that broke because their key was gone, once it is back; returns how many."""
    broken = CalendarLink.objects.filter(
        state=LinkState.NEEDS_RECONNECT, problem_reason__code=KEY_LOST.code
    )
    return sum(_mend(link.pk) for link in broken if link.refresh_token)


def _mend(link_id: UUID) -> bool:
    with transaction.atomic():
        link = CalendarLink.objects.select_for_update().get(pk=link_id)
        if link.state != LinkState.NEEDS_RECONNECT or kept(link, "problem").code != KEY_LOST.code:
            return False
        link.state, link.broken_at = LinkState.ACTIVE, None
        keep(link, "problem", NO_REASON)
        link.save(update_fields=["state", "problem", "problem_reason", "broken_at"])
        link_mended.send(sender=CalendarLink, link=link)
    logger.info("grant can be decrypted again", link_id=str(link_id))
    return True


def _is_old(expires_at: datetime) -> bool:
    return is_over(expires_at - RENEW_BEFORE_EXPIRY, now(), at_most=MAX_LIFE)


def expiry_of(grant: Grant) -> datetime:
    """When the access token of a grant that was given just now ends."""
    return now() + min(timedelta(seconds=grant.expires_in), MAX_LIFE)


def _read(link_id: UUID) -> CalendarLink:
    return CalendarLink.objects.get(pk=link_id)


def _claim_renewal(link: CalendarLink) -> bool:
    """Claims the renewal, unless another process has the claim or has just renewed."""
    unchanged = CalendarLink.objects.filter(
        pk=link.pk, access_token_expires_at=link.access_token_expires_at
    )
    return RENEWAL.take(unchanged) is not None


def _end_claim(link_id: UUID) -> None:
    RENEWAL.release(None, CalendarLink.objects.filter(pk=link_id))


def _store(link: CalendarLink, grant: Grant) -> datetime:
    """Stores a renewed token and ends the claim in one step, or another process would renew once
    more in between. Stores nothing if the link was unlinked or reconnected meanwhile."""
    expires_at = expiry_of(grant)
    with transaction.atomic():
        current = CalendarLink.objects.select_for_update(no_key=True).get(pk=link.pk)
        if current.refresh_token == link.refresh_token:
            current.access_token, current.access_token_expires_at = grant.access_token, expires_at
            current.refresh_token = grant.refresh_token or current.refresh_token
        current.refreshing_until = None
        current.save(
            update_fields=[
                "access_token",
                "access_token_expires_at",
                "refresh_token",
                "refreshing_until",
            ]
        )
    return expires_at
