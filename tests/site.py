"""The pages of this process's test database over real HTTP, for a real browser."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from django.conf import settings
from django.test import Client
from playwright.sync_api import Page

from sophiie.accounts.models import Member
from tests.processes import free_port

BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


@contextmanager
def running_site() -> Iterator[str]:
    """The whole application (pages, API, live stream) in a thread; its address."""
    port = free_port()
    server = uvicorn.Server(
        uvicorn.Config(
            "sophiie.config.asgi:application",
            host="127.0.0.1",
            port=port,
            lifespan="off",
            log_config=None,
            timeout_graceful_shutdown=1,
        )
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    end = time.monotonic() + 30
    while not server.started:
        assert time.monotonic() < end, "the site did not start"
        time.sleep(0.02)
    try:
        yield f"http://localhost:{port}"
    finally:
        server.should_exit = True
        thread.join(10)


def sign_in(page: Page, address: str, member: Member) -> None:
    """Makes the browser one in which the member is signed in, without the walk through the page."""
    client = Client()
    client.force_login(member, backend=BACKEND)
    name = settings.SESSION_COOKIE_NAME
    page.context.add_cookies([{"name": name, "value": client.cookies[name].value, "url": address}])
