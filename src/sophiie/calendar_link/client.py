"""A client for Google's calendars on behalf of one link."""

from __future__ import annotations

from uuid import UUID

import aiohttp

from sophiie.calendar_link.google_app import google_app
from sophiie.calendar_link.models import CalendarLink
from sophiie.calendar_link.signals import link_asks_google
from sophiie.calendar_link.tokens import LinkTokens
from sophiie.google.calendar import BeforeCall, CalendarClient


def client_for(
    link_id: UUID, http: aiohttp.ClientSession, *, before_call: BeforeCall
) -> CalendarClient:
    """Every caller says what has to be settled before each call: quota, lease or claim."""
    return CalendarClient(
        http, google_app().api_url, LinkTokens(http, link_id), before_call=before_call
    )


def announcing_client(link_id: UUID, http: aiohttp.ClientSession) -> CalendarClient:
    """For a person who is linking: each call is announced, so that `sync` counts it."""

    async def announce() -> None:
        await link_asks_google.asend(sender=CalendarLink, link_id=link_id)

    return client_for(link_id, http, before_call=announce)
