"""The pages of this process's test database over real HTTP, for a real browser."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar

import uvicorn
from django.conf import settings
from django.db import connections
from django.test import Client, override_settings
from playwright.sync_api import Page

from sophiie.accounts.models import Member
from sophiie.ops.connections import server_settings
from tests.processes import free_port

Result = TypeVar("Result")
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


@contextmanager
def running_site(application: Any = None) -> Iterator[str]:
    """The whole application (pages, API, live stream), or another, in a thread; its address."""
    port = free_port()
    how = server_settings() | ({"app": application} if application else {})
    server = uvicorn.Server(
        uvicorn.Config(**how, host="127.0.0.1", port=port, timeout_graceful_shutdown=20)
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    end = time.monotonic() + 30
    while not server.started:
        assert time.monotonic() < end, "the site did not start"
        time.sleep(0.02)
    address = f"http://localhost:{port}"
    try:
        with override_settings(PUBLIC_URL=address):
            yield address
    finally:
        server.should_exit = True
        thread.join(30)


def wait_for_requests(seconds: float = 20) -> None:
    """Waits until the pages of this process answer nobody, but no longer than that."""
    asgi = sys.modules.get("sophiie.config.asgi")
    end = time.monotonic() + seconds
    while asgi is not None and asgi._pages._under_way and time.monotonic() < end:
        time.sleep(0.01)


def elsewhere(act: Callable[[], Result]) -> Result:
    """Does something with the database while a browser is open.

    Playwright keeps an event loop running in this thread, in which Django refuses to work.
    """

    def work() -> Result:
        try:
            return act()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(work).result()


def sign_in(page: Page, address: str, member: Member) -> None:
    """Makes the browser one in which the member is signed in, without the walk through the page."""
    name = settings.SESSION_COOKIE_NAME

    def key() -> str:
        client = Client()
        client.force_login(member, backend=BACKEND)
        return str(client.cookies[name].value)

    page.context.add_cookies([{"name": name, "value": elsewhere(key), "url": address}])


def open_and_listen(page: Page, address: str) -> None:
    """Opens a page of somebody who is signed in, and waits until it would hear what changes."""
    with page.expect_response("**/live"):
        page.goto(address)
