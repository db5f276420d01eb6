"""Links an account: to Google and back. The choice that follows is in `choose.py`.

The callback can end early in many ways, each a `LinkProblem` with its own words. Nothing is saved
before all of them are ruled out.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from datetime import timedelta

import aiohttp
from django.db import transaction
from django.utils.translation import gettext as _

from sophiie import audit
from sophiie.accounts.models import Member
from sophiie.calendar_link import problems
from sophiie.calendar_link.audit_records import record_about
from sophiie.calendar_link.google_app import google_app
from sophiie.calendar_link.models import (
    CalendarLink,
    LinkAttempt,
    LinkState,
)
from sophiie.calendar_link.problems import LinkProblem
from sophiie.calendar_link.revocation import record_revocation, revoke
from sophiie.calendar_link.signals import link_mended
from sophiie.calendar_link.tokens import expiry_of
from sophiie.common.clock import now
from sophiie.common.horizon import SKEW, is_over, over
from sophiie.common.in_thread import in_thread
from sophiie.common.logs import log
from sophiie.common.reasons import NO_REASON, keep
from sophiie.google.app import NEEDED_SCOPES, google_session
from sophiie.google.errors import AccessLost, GoogleError, Misconfigured
from sophiie.google.oauth import (
    Account,
    Grant,
    account_of,
    authorization_url,
    exchange_code,
    new_code_verifier,
)

logger = log(__name__)

ATTEMPT_LASTS = timedelta(minutes=10)
KEPT_FOR = timedelta(days=1)  # to say that it has expired


def link_of(member: Member) -> CalendarLink | None:
    """The member's link that is not unlinked, if there is one."""
    return CalendarLink.objects.filter(member=member).exclude(state=LinkState.UNLINKED).first()


def begin(*, member: Member, session_key: str, redirect_uri: str) -> str:
    """Starts an attempt and returns the address at Google to which the person is sent."""
    state, verifier = new_attempt(member=member, session_key=session_key, redirect_uri=redirect_uri)
    link = link_of(member)
    return authorization_url(
        google_app(),
        redirect_uri=redirect_uri,
        state=state,
        code_verifier=verifier,
        login_hint=link.google_email if link else "",
    )


def new_attempt(
    *, member: Member, session_key: str, redirect_uri: str, errand: str = ""
) -> tuple[str, str]:
    """Stores an attempt and returns its state, which begins with the errand, and its verifier."""
    moment = now()
    LinkAttempt.objects.filter(
        over("expires_at", moment - KEPT_FOR, at_most=KEPT_FOR + ATTEMPT_LASTS + SKEW)
    ).delete()
    state, verifier = errand + secrets.token_urlsafe(32), new_code_verifier()
    LinkAttempt.objects.create(
        member=member,
        state_digest=_digest(state),
        session_digest=_digest(session_key),
        redirect_uri=redirect_uri,
        code_verifier=verifier,
        created_at=moment,
        expires_at=moment + ATTEMPT_LASTS,
    )
    return state, verifier


async def finish(*, member: Member, session_key: str, answer: Mapping[str, str]) -> CalendarLink:
    """Takes Google's answer (the query of the callback) and saves the grant.

    The link returned is `choosing`, or working again where it had been broken. Raises
    `LinkProblem`; then nothing was saved.
    """
    attempt = await in_thread(use_attempt, member, session_key, answer.get("state", ""))
    if answer.get("error") == "access_denied":
        raise problems.denied()
    if reason := answer.get("error"):
        raise problems.refused_by_google(reason)
    if not (code := answer.get("code", "")):
        raise problems.refused_by_google(_("no code"))
    async with google_session() as http:
        try:
            grant, account = await exchange(http, attempt, code)
        except Misconfigured as error:
            logger.error("google credentials refused", reason=error.reason)
            raise problems.misconfigured() from None
        except AccessLost:
            raise problems.code_refused() from None
        except GoogleError as error:
            logger.warning("linking failed", reason=error.reason, status=error.status)
            raise problems.unreachable() from None
        try:
            return await in_thread(_save_grant, member, grant, account)
        except LinkProblem:
            await give_back(http, grant, account.sub)
            raise


def use_attempt(member: Member, session_key: str, state: str) -> LinkAttempt:
    """Finds the attempt and uses it up, whatever becomes of it."""
    attempt = LinkAttempt.objects.filter(state_digest=_digest(state)).first()
    if (
        attempt is None
        or attempt.member_id != member.id
        or not hmac.compare_digest(attempt.session_digest, _digest(session_key))
    ):
        raise problems.wrong_state()
    moment = now()
    if not LinkAttempt.objects.filter(pk=attempt.pk, used_at=None).update(used_at=moment):
        raise problems.replayed()
    if is_over(attempt.expires_at, moment, at_most=ATTEMPT_LASTS + SKEW):
        raise problems.expired()
    if not attempt.code_verifier:
        logger.warning("attempt cannot be decrypted", attempt_id=str(attempt.id))
        raise problems.key_lost()
    return attempt


async def exchange(
    http: aiohttp.ClientSession, attempt: LinkAttempt, code: str
) -> tuple[Grant, Account]:
    app = google_app()
    grant = await exchange_code(
        http,
        app,
        code=code,
        code_verifier=attempt.code_verifier,
        redirect_uri=attempt.redirect_uri,
    )
    try:
        return grant, await account_of(http, app, access_token=grant.access_token)
    except GoogleError:
        if grant.sub:  # else nobody knows whether another link lives from it
            await give_back(http, grant, grant.sub)
        raise


async def give_back(http: aiohttp.ClientSession, grant: Grant, sub: str) -> None:
    """Revokes a grant that is of no use, unless a link of the same account depends on it."""
    revocation = await in_thread(record_revocation, grant.refresh_token or grant.access_token, sub)
    if revocation:
        await revoke(http, revocation)


def _save_grant(member: Member, grant: Grant, account: Account) -> CalendarLink:
    """Saves the grant. Raises `LinkProblem` if it is of no use; then nothing was saved."""
    if missing := NEEDED_SCOPES - grant.scopes:
        raise problems.permission_missing(frozenset(missing))
    if not grant.refresh_token:
        raise problems.no_refresh_token()
    with transaction.atomic():
        # The member's row is the lock: two callbacks at once must not make two links.
        if not Member.objects.select_for_update(no_key=True).get(pk=member.pk).is_active:
            raise problems.wrong_state()  # deactivated meanwhile
        link = _hold_link_of(member)
        left = ("", "")
        if link is None or link.state == LinkState.CHOOSING:
            link = link or CalendarLink(member=member, created_at=now())
            left = (link.refresh_token, link.google_sub)
            link.google_sub, link.google_email = account.sub, account.email
        elif link.google_sub != account.sub:
            raise problems.other_account(link.google_email)
        link.refresh_token, link.access_token = grant.refresh_token, grant.access_token
        link.access_token_expires_at = expiry_of(grant)
        link.google_email = account.email or link.google_email
        keep(link, "problem", NO_REASON)
        mended = link.state == LinkState.NEEDS_RECONNECT
        if mended:
            link.state, link.broken_at = LinkState.ACTIVE, None
        link.save()
        if left[0] and left[1] != account.sub:  # another account was chosen on the second try
            record_revocation(*left)
        is_new = link.state == LinkState.CHOOSING
        act = audit.Act.LINK_CONNECTED if is_new else audit.Act.LINK_RECONNECTED
        record_about(act, link, by=member, account=link.google_email)
        if mended:
            link_mended.send(sender=CalendarLink, link=link)
    logger.info("google account linked", link_id=str(link.id), state=link.state)
    return link


def _hold_link_of(member: Member) -> CalendarLink | None:
    """The member's link, unless another tab has just ended it."""
    link = link_of(member)
    held = hold(link) if link else None
    return held if held and held.state != LinkState.UNLINKED else None


def hold(link: CalendarLink) -> CalendarLink:
    """The link, locked against bookings under way: see `hold_links` in `sync/outbox/record.py`."""
    return CalendarLink.objects.select_for_update().get(pk=link.pk)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
