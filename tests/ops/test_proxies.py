"""Whom the web server believes about where a request came from, and whom it does not."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from django.test import Client

from sophiie.config.environment import read_environment
from sophiie.config.errors import ConfigurationError
from sophiie.ops.web_process import configuration

STRANGER, CLIENT = "203.0.113.9", "198.51.100.7"


def arrived(
    settings: Any, trusted: str, peer: str, *headers: tuple[str, str], monkeypatch: Any
) -> tuple[str, str]:
    """Address and scheme that the product sees, behind its own server's configuration."""
    seen: list[tuple[str, str]] = []

    async def product(scope: Any, receive: Any, send: Any) -> None:
        seen.append((scope["client"][0], scope["scheme"]))

    monkeypatch.setenv("SOPHIIE_TRUSTED_PROXIES", trusted)
    settings.TRUSTED_PROXIES = read_environment().trusted_proxies
    server = configuration(host="127.0.0.1", port=0)
    server.app = product
    server.load()
    scope = {
        "type": "http",
        "method": "GET",
        "path": "/",
        "scheme": "http",
        "client": (peer, 5),
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers],
    }
    asyncio.run(server.loaded_app(scope, None, None))  # type: ignore[arg-type]
    return seen[0]


FOR, PROTO = "X-Forwarded-For", "X-Forwarded-Proto"
HOME = "127.0.0.1,::1"
OFFICE = "10.1.0.0/16, 192.0.2.4, 2001:db8::/32"


@pytest.mark.parametrize(
    ("trusted", "peer", "headers", "seen"),
    [
        (HOME, "127.0.0.1", [(FOR, CLIENT), (PROTO, "https")], (CLIENT, "https")),
        (HOME, "::1", [(FOR, CLIENT)], (CLIENT, "http")),
        (HOME, "127.0.0.1", [], ("127.0.0.1", "http")),
        # A client that says itself where it comes from: the proxy adds what it saw.
        (HOME, "127.0.0.1", [(FOR, f"10.0.0.1, {CLIENT}")], (CLIENT, "http")),
        (HOME, "127.0.0.1", [(FOR, "10.0.0.1"), (FOR, CLIENT)], (CLIENT, "http")),
        (HOME, "127.0.0.1", [(FOR, f"{CLIENT}:4711")], (CLIENT, "http")),
        # Whoever reaches us directly is not believed.
        (HOME, STRANGER, [(FOR, CLIENT), (PROTO, "https")], (STRANGER, "http")),
        (HOME, STRANGER, [(FOR, "127.0.0.1")], (STRANGER, "http")),
        ("", "127.0.0.1", [(FOR, CLIENT), (PROTO, "https")], ("127.0.0.1", "http")),
        # Proxies on other machines, several in a row; the rest of the chain is hearsay.
        (OFFICE, "10.1.2.3", [(FOR, CLIENT), (PROTO, "https")], (CLIENT, "https")),
        (OFFICE, "10.1.2.3", [(FOR, f"{STRANGER}, {CLIENT}, 10.1.9.9")], (CLIENT, "http")),
        (OFFICE, "2001:db8::5", [(FOR, CLIENT)], (CLIENT, "http")),
        (OFFICE, "192.0.2.4", [(FOR, CLIENT)], (CLIENT, "http")),
        (OFFICE, "192.0.2.5", [(FOR, CLIENT)], ("192.0.2.5", "http")),
        (OFFICE, "127.0.0.1", [(FOR, CLIENT)], ("127.0.0.1", "http")),
    ],
)
def test_only_trusted_proxies_are_believed(
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
    trusted: str,
    peer: str,
    headers: list[tuple[str, str]],
    seen: tuple[str, str],
) -> None:
    assert arrived(settings, trusted, peer, *headers, monkeypatch=monkeypatch) == seen


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("proxy.example.com", "must be a comma list of IP addresses and networks"),
        ("*", "must be a comma list"),
        ("10.0.0.0/33", "must be a comma list"),
        ("0.0.0.0/0", "must not name everybody"),
        ("10.0.0.1, ::/0", "must not name everybody"),
    ],
)
def test_what_names_no_proxy_is_refused(
    monkeypatch: pytest.MonkeyPatch, value: str, problem: str
) -> None:
    monkeypatch.setenv("SOPHIIE_TRUSTED_PROXIES", value)
    with pytest.raises(ConfigurationError, match=f"SOPHIIE_TRUSTED_PROXIES: {problem}"):
        read_environment()


def test_a_short_token_for_metrics_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOPHIIE_METRICS_TOKEN", "short")
    with pytest.raises(ConfigurationError, match="SOPHIIE_METRICS_TOKEN: must have at least 16"):
        read_environment()


@pytest.mark.parametrize("said", ["https", "http", "ftp", "https,http", ""])
def test_the_product_itself_believes_no_header(db: None, said: str) -> None:
    """What the server did not take from a trusted proxy means nothing further in."""
    answer = Client().get("/login", headers={PROTO: said, FOR: CLIENT})
    assert not answer.wsgi_request.is_secure()
    assert answer.wsgi_request.META["REMOTE_ADDR"] == "127.0.0.1"


def test_an_address_that_is_none_breaks_nothing(db: None) -> None:
    client = Client(REMOTE_ADDR="<script>")
    assert client.get("/login").status_code == 200
    assert client.post("/login", {"login": "a@example.com", "password": "x"}).status_code < 500
