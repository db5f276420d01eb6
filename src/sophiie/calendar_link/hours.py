"""Reads a member's working hours from Google, on wish and once.

Linking asks for no permission that would show them. So this walk to Google asks for that one alone,
for an access token that ends within the hour and is never stored: what a link may do stays as it
is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.translation import gettext as _

from sophiie.accounts.models import Member
from sophiie.calendar_link.connect import (
    exchange,
    give_back,
    link_of,
    new_attempt,
    use_attempt,
)
from sophiie.calendar_link.google_app import google_app
from sophiie.calendar_link.models import CalendarLink
from sophiie.calendar_link.signals import link_asks_google
from sophiie.common.in_thread import in_thread
from sophiie.common.logs import log
from sophiie.google.app import CALENDARS, HOURS_SCOPES, google_session
from sophiie.google.calendar import CalendarClient
from sophiie.google.errors import GoogleError
from sophiie.google.oauth import authorization_url
from sophiie.google.working_hours import WorkingHours

logger = log(__name__)

# The state of such a walk begins with it; the digest of the whole state is what counts.
ERRAND = "hours."


class CannotReadHours(Exception):
    """Nothing was read; the message says why."""


@dataclass(frozen=True)
class HoursInGoogle:
    """What the account offers; `hours` is None if it offers none."""

    account: str
    hours: WorkingHours | None


@dataclass(frozen=True)
class _OneToken:
    """An access token that is not renewed."""

    token: str

    async def access_token(self, *, rejected: str = "") -> str:
        return self.token


def begin_for_hours(*, member: Member, session_key: str, redirect_uri: str) -> str:
    """Returns the address at Google to which the person is sent."""
    state, verifier = new_attempt(
        member=member, session_key=session_key, redirect_uri=redirect_uri, errand=ERRAND
    )
    link = link_of(member)
    return authorization_url(
        google_app(),
        redirect_uri=redirect_uri,
        state=state,
        code_verifier=verifier,
        login_hint=link.google_email if link else "",
        scopes=HOURS_SCOPES,
        lasting=False,
    )


def is_for_hours(answer: Mapping[str, str]) -> bool:
    """Whether Google's answer belongs to such a walk."""
    return answer.get("state", "").startswith(ERRAND)


async def finish_for_hours(
    *, member: Member, session_key: str, answer: Mapping[str, str]
) -> HoursInGoogle:
    """Takes Google's answer and reads the hours. Saves nothing.

    Raises `CannotReadHours`, and `LinkProblem` for an answer that belongs to no attempt.
    """
    attempt = await in_thread(use_attempt, member, session_key, answer.get("state", ""))
    code = answer.get("code", "")
    if answer.get("error") or not code:
        raise CannotReadHours(_("Google did not let Sophiie see your hours. Nothing was read."))
    link = await in_thread(link_of, member)

    async def count() -> None:
        if link is not None:
            await link_asks_google.asend(sender=CalendarLink, link_id=link.id)

    async with google_session() as http:
        try:
            grant, account = await exchange(http, attempt, code)
        except GoogleError as error:
            logger.warning("hours not read", reason=error.reason, status=error.status)
            raise CannotReadHours(_not_now()) from None
        try:
            if CALENDARS not in grant.scopes:
                raise CannotReadHours(
                    _("On Google’s page the permission was not given. Nothing was read.")
                )
            tokens = _OneToken(grant.access_token)
            client = CalendarClient(http, google_app().api_url, tokens, before_call=count)
            return HoursInGoogle(account.email, await client.primary_hours())
        except GoogleError as error:
            logger.warning("hours not read", reason=error.reason, status=error.status)
            raise CannotReadHours(_not_now()) from None
        finally:
            await give_back(http, grant, account.sub)


def _not_now() -> str:
    return _("Google did not answer as expected. Nothing was read; try again in a moment.")
