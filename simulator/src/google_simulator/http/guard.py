"""Knobs and pages are for this machine's people and tests, not for other web sites.

A page from elsewhere that is open in the same browser must not be able to turn a knob: every
request that changes something is refused when the browser says that it comes from another site.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from aiohttp import web

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def is_cross_site(request: web.Request) -> bool:
    """Browsers send `Sec-Fetch-Site` or `Origin`; tools send neither and pass.

    The first is believed alone: a page without a referrer sends `Origin: null` to itself.
    """
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site not in ("same-origin", "none")
    origin = request.headers.get("Origin")
    if origin is None:
        return False
    return urlsplit(origin).netloc != request.headers.get("Host")


@web.middleware
async def refuse_cross_site(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Let a request through, unless it comes from another site and changes something."""
    guarded = request.path.startswith(("/simulator", "/o/oauth2/v2/auth/step"))
    if guarded and request.method not in SAFE and is_cross_site(request):
        return web.json_response({"error": "Refused: a request from another site."}, status=403)
    return await handler(request)
