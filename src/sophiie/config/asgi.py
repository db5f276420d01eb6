"""The web process's application.

Pages and API are synchronous. Under ASGI Django would hop between threads for every middleware; as
a WSGI application each request stays in one thread, which takes a third of the time. The event loop
itself answers what must never wait for a thread: the live streams, thousands of which stay open,
and the questions of a load balancer.
"""

from __future__ import annotations

from typing import Any

from django.core.wsgi import get_wsgi_application

_django = get_wsgi_application()

from sophiie.ops import health  # models can be imported from here on
from sophiie.web.serving import live
from sophiie.web.serving.whole_requests import WholeRequests, environ_of, plain, send_answer

_pages = WholeRequests(_django)
_readiness = health.Readiness()


async def application(scope: Any, receive: Any, send: Any) -> None:
    """The ASGI entry point."""
    path, method = scope["path"], scope["method"]
    if path == "/healthz":
        await send_answer(plain(health.healthz(_request(scope))), method, send)
    elif path == "/readyz":
        await send_answer(plain(await _readiness.answer(_request(scope))), method, send)
    elif path == live.PATH and method == "GET":
        await live.stream(scope, receive, send)
    else:
        await _pages(scope, receive, send)


def _request(scope: Any) -> Any:
    return _django.request_class(environ_of(scope))
