"""Live pages: server-sent events for members, on the event loop alone.

A thread looks up the session and gives its database connection back; from then on the stream needs
neither. When there are too many streams, the page is told to ask now and then instead.
"""

from __future__ import annotations

import asyncio
import random
from contextlib import suppress

from django.conf import settings
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, parse_cookie
from django.views.decorators.http import require_safe

from sophiie.accounts.sessions import SignedIn, who_is_signed_in
from sophiie.common.in_thread import in_thread
from sophiie.web.serving.hub import Stream, hub
from sophiie.web.serving.whole_requests import Receive, Scope, Send, plain, send_answer

PATH = "/live"
# Then the browser reconnects by itself. Streams that began together end at different times.
STREAM_SECONDS = (450.0, 750.0)
# How often a page asks while there is no room for its stream.
ASK_SECONDS = 30
# After a restart all pages come at once.
ARRIVING_SECONDS = 20.0


@require_safe
def live(request: HttpRequest) -> HttpResponse:
    """Says whether a stream would be let in; the streams themselves never come here."""
    session = who_is_signed_in(request.session.session_key or "")
    if session is None:
        return _refused(401)
    return _refused(503 if hub.is_full_for(session) else 204)


async def stream(scope: Scope, receive: Receive, send: Send) -> None:
    """The stream of the member's business: first for how many milliseconds nothing has changed, by
    which a page knows whether it was made before; then ids of what changes, nothing else."""
    session = await _arrived(scope)
    if isinstance(session, HttpResponse):
        await send_answer(plain(session), scope["method"], send)
        return
    with hub.opened(session) as opened, suppress(asyncio.CancelledError):
        await _send_all(opened, receive, send)


async def _arrived(scope: Scope) -> SignedIn | HttpResponse:
    """The session that asks for a stream, or the refusal."""
    headers = dict(scope["headers"])
    cookies = parse_cookie(headers.get(b"cookie", b"").decode("latin-1"))
    key = cookies.get(settings.SESSION_COOKIE_NAME, "")
    if not key:
        return _refused(401)
    if hub.is_full:
        return _refused(503)
    try:
        with hub.arriving():
            async with asyncio.timeout(ARRIVING_SECONDS):
                session = await in_thread(who_is_signed_in, key)
                await hub.listens()
    except (TimeoutError, DatabaseError):
        return _refused(503)
    if session is None:
        return _refused(401)
    return _refused(503) if hub.is_full_for(session) else session


async def _send_all(opened: Stream, receive: Receive, send: Send) -> None:
    headers = [
        (b"content-type", b"text/event-stream"),
        (b"cache-control", b"no-store"),
        (b"x-accel-buffering", b"no"),
        (b"x-content-type-options", b"nosniff"),
    ]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    loop = asyncio.get_running_loop()
    end = loop.call_later(random.uniform(*STREAM_SECONDS), opened.end)  # noqa: S311 - no secret
    gone = asyncio.create_task(_until_gone(opened, receive))
    try:
        quiet = int(hub.seconds_since_a_change(opened.session.business_id) * 1000)
        news = b"retry: 2000\n\nevent: quiet\ndata: %d\n\n" % quiet
        while news:
            await send({"type": "http.response.body", "body": news, "more_body": True})
            news = await opened.news()
        await send({"type": "http.response.body", "body": b"", "more_body": False})
    finally:
        end.cancel()
        gone.cancel()


async def _until_gone(opened: Stream, receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    opened.end()


def _refused(status: int) -> HttpResponse:
    response = HttpResponse(status=status, headers={"Cache-Control": "no-store"})
    if status == 503:
        response["Retry-After"] = str(ASK_SECONDS)
    return response
