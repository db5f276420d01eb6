"""Revokes a grant at Google, now or later.

Revoking one token ends the account's whole grant to this installation's Google project, also for
another member who linked the same account. So only the last link of an account may do it.
Source: developers.google.com/identity/protocols/oauth2/web-server, "Revoking a token".
"""

from __future__ import annotations

from datetime import timedelta

import aiohttp
from django.db.models import Q

from sophiie.calendar_link.google_app import google_app
from sophiie.calendar_link.models import CalendarLink, LinkState, Revocation
from sophiie.common.clock import now
from sophiie.common.horizon import over
from sophiie.common.in_thread import in_thread
from sophiie.common.logs import log
from sophiie.google.errors import GoogleError
from sophiie.google.oauth import revoke as revoke_at_google

logger = log(__name__)

# Google drops an unused grant after six months; long before that it is pointless to try again.
MAX_ATTEMPTS = 50
MAX_PAUSE = timedelta(hours=6)


def record_revocation(token: str, google_sub: str) -> Revocation | None:
    """Records that this grant is to be revoked; None while another link depends on it."""
    if is_in_use(google_sub):
        return None
    return Revocation.objects.create(token=token, google_sub=google_sub, next_attempt_at=now())


def is_in_use(google_sub: str) -> bool:
    """Whether a link depends on the grant of this account."""
    links = CalendarLink.objects.filter(google_sub=google_sub)
    return links.exclude(state=LinkState.UNLINKED).exists()


async def revoke(http: aiohttp.ClientSession, revocation: Revocation) -> bool:
    """Tries once; True when the grant is revoked. A failure is tried again later, unless the token
    can no longer be decrypted."""
    if await in_thread(_is_needed_again, revocation):
        return True
    if not revocation.token:
        logger.error("revocation given up, its token cannot be decrypted")
        await in_thread(revocation.delete)
        return False
    try:
        await revoke_at_google(http, google_app(), token=revocation.token)
    except GoogleError as error:
        logger.warning("revocation failed", reason=error.reason, attempts=revocation.attempts + 1)
        await in_thread(_try_later, revocation)
        return False
    await in_thread(revocation.delete)
    logger.info("grant revoked")
    return True


def revocations_due() -> list[Revocation]:
    due = over("next_attempt_at", now(), at_most=MAX_PAUSE) | Q(attempts=0)
    return list(Revocation.objects.filter(due)[:20])


def _is_needed_again(revocation: Revocation) -> bool:
    """Whether the account was linked again meanwhile: revoking would cut off the new link."""
    again = is_in_use(revocation.google_sub)
    if again:
        revocation.delete()
    return again


def _try_later(revocation: Revocation) -> None:
    revocation.attempts += 1
    if revocation.attempts >= MAX_ATTEMPTS:
        revocation.delete()
        return
    pause = min(timedelta(seconds=5 * 2 ** min(revocation.attempts, 13)), MAX_PAUSE)
    revocation.next_attempt_at = now() + pause
    revocation.save(update_fields=["attempts", "next_attempt_at"])
