"""The web process's application.

Pages and API are synchronous, and under ASGI Django would hop between threads for every one of its
middlewares; as a WSGI application each request keeps to one thread, which takes a third of the
time. Only the live stream, of which hundreds stay open, is asynchronous.
"""

from __future__ import annotations

from typing import Any, cast

from a2wsgi import WSGIMiddleware
from django.core.asgi import get_asgi_application
from django.core.wsgi import get_wsgi_application

LIVE = "/live"
THREADS = 16

_pages = WSGIMiddleware(cast(Any, get_wsgi_application()), workers=THREADS)
_live = get_asgi_application()


async def application(scope: Any, receive: Any, send: Any) -> None:
    """The ASGI entry point."""
    wanted = _live if scope["type"] == "http" and scope["path"] == LIVE else _pages
    await wanted(scope, receive, send)
