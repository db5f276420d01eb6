"""Where Google is and who we are there."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp

SCOPE = "https://www.googleapis.com/auth/"
EMAIL = SCOPE + "userinfo.email"
CALENDAR_LIST = SCOPE + "calendar.calendarlist.readonly"
EVENTS = SCOPE + "calendar.events"
# What we ask for. Google writes `email` out as `…/userinfo.email` in its answer.
ASKED_SCOPES = ("openid", "email", CALENDAR_LIST, EVENTS)
# Asked for once, when somebody wants their working hours read; never kept.
CALENDARS = SCOPE + "calendar.calendars.readonly"
HOURS_SCOPES = ("openid", "email", CALENDARS)
# Without these two the product cannot do its job.
NEEDED_SCOPES = frozenset({CALENDAR_LIST, EVENTS})


@dataclass(frozen=True)
class GoogleApp:
    """An OAuth client and the addresses it talks to."""

    client_id: str
    client_secret: str = field(repr=False)
    auth_url: str
    token_url: str
    revoke_url: str
    userinfo_url: str
    api_url: str


@asynccontextmanager
async def google_session(*, connections: int = 20) -> AsyncIterator[aiohttp.ClientSession]:
    """An HTTP session whose calls always end: 5 s to connect, 20 s for the whole answer."""
    timeout = aiohttp.ClientTimeout(total=20, connect=10, sock_connect=5)
    connector = aiohttp.TCPConnector(limit=connections)
    headers = {"User-Agent": "Sophiie (gzip)", "Accept-Encoding": "gzip"}
    async with aiohttp.ClientSession(
        timeout=timeout, connector=connector, headers=headers
    ) as session:
        yield session
