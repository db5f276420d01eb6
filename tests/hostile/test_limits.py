"""Flooding what counts attempts, and writing other names into the Host header."""

from __future__ import annotations

import http.client
import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import urlencode

import pytest

from tests.processes import Demo, Running, answers, free_port, until

RESET = "/password/reset"


class Stranger:
    """Somebody at an address of their own, who fills in a form of the pages."""

    def __init__(self, address: str, port: int, *, host: str = "") -> None:
        self._connection = http.client.HTTPConnection(
            "127.0.0.1", port, timeout=60, source_address=(address, 0)
        )
        self._headers = {"Host": host or f"localhost:{port}"}

    def __enter__(self) -> Stranger:
        page = self._ask("GET", RESET).read().decode()
        found = re.search('name="csrfmiddlewaretoken" value="([^"]+)"', page)
        assert found, page
        self._token = found[1]
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def ask_for_reset(self, email: str) -> int:
        sent = urlencode({"email": email, "csrfmiddlewaretoken": self._token})
        response = self._ask("POST", RESET, sent)
        response.read()
        return response.status

    def _ask(self, method: str, path: str, body: str = "") -> http.client.HTTPResponse:
        kind = {"Content-Type": "application/x-www-form-urlencoded"} if body else {}
        self._connection.request(method, path, body or None, {**self._headers, **kind})
        response = self._connection.getresponse()
        if cookie := response.headers.get("Set-Cookie"):
            self._headers["Cookie"] = cookie.partition(";")[0]
        return response


@pytest.fixture
def second(product: Demo, tmp_path: Path) -> Iterator[int]:
    """The port of another web process of the same product."""
    port = free_port()
    variables = {**product.variables, "SOPHIIE_PUBLIC_URL": product.url}
    running = Running("web", "--port", str(port), log=tmp_path / "second.log", **variables)
    try:
        until(
            lambda: answers(f"http://127.0.0.1:{port}/healthz"),
            what="the second web process answers",
        )
        yield port
    finally:
        running.stop()


def test_a_flood_flushes_no_limit_and_processes_count_together(product: Demo, second: int) -> None:
    """330 posts cleared a third of all counters, and each process had counters of its own."""
    victim = "somebody@example.com"
    with Stranger("127.0.0.2", product.port) as stranger:
        assert [stranger.ask_for_reset(victim) for _ in range(6)] == [302] * 5 + [429]
    for number in range(16):
        with Stranger(f"127.0.1.{number + 1}", product.port) as flood:
            for one in range(19):
                assert flood.ask_for_reset(f"flood.{number}.{one}@example.com") == 302
    with Stranger("127.0.0.3", second) as elsewhere:
        assert elsewhere.ask_for_reset(victim) == 429
        assert elsewhere.ask_for_reset("another@example.com") == 302  # and nobody else pays


def test_a_mail_leaves_by_the_worker_with_a_link_to_the_public_address(product: Demo) -> None:
    folder = product.folder / "mail"

    def mails() -> list[str]:
        return [path.read_text() for path in folder.glob("*")] if folder.exists() else []

    with Stranger("127.0.0.4", product.port, host="127.0.0.1:6666") as stranger:
        assert stranger.ask_for_reset("charlie@example.com") == 302
    (mail,) = until(
        lambda: [text for text in mails() if "To: charlie@example.com" in text],
        what="the mail is in the folder",
    )
    links = re.findall(r"http\S+", mail)
    assert links
    assert all(link.startswith(f"{product.url}/password/reset/key/") for link in links), links
    with closing(http.client.HTTPConnection("127.0.0.1", product.port, timeout=60)) as connection:
        connection.request("GET", "/login", headers={"Host": "evil.example"})
        assert connection.getresponse().status == 400
