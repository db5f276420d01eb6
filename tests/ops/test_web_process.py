"""The process `sophiie web`, over HTTP and behind a proxy."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.conftest import PASSWORD
from tests.ops.conftest import Clinic

PUBLIC = "https://book.example.com"
METRICS_TOKEN = "a-token-for-tests-only"


@dataclass(frozen=True)
class Answer:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Web:
    """A web process behind a proxy that speaks https to the world."""

    port: int
    log: Path

    def __call__(self, method: str, path: str, body: str | None = None, **headers: str) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        with closing(connection):
            connection.request(method, path, body, names)
            response = connection.getresponse()
            return Answer(response.status, response.headers, response.read())

    def public(self, method: str, path: str, body: str = "", **headers: str) -> Answer:
        return self(
            *(method, path, body), Host="book.example.com", X_Forwarded_Proto="https", **headers
        )


@pytest.fixture(scope="module")
def web(
    empty_database: str, clinic: Clinic, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Web]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    log = tmp_path_factory.mktemp("web") / "stderr"
    with log.open("w") as stderr:
        process = subprocess.Popen(
            [sys.executable, "-m", "sophiie", "web", "--port", str(port)],
            env={
                **os.environ,
                "SOPHIIE_DATABASE_URL": empty_database,
                "SOPHIIE_PUBLIC_URL": PUBLIC,
                "SOPHIIE_METRICS_TOKEN": METRICS_TOKEN,
            },
            stderr=stderr,
        )
        running = Web(port, log)
        try:
            _wait_for(running, process)
            yield running
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(60) in (0, -signal.SIGTERM)


def _wait_for(web: Web, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + 30
    while time.monotonic() < end:
        assert process.poll() is None, web.log.read_text()
        try:
            if web("GET", "/healthz").status == 200:
                return
        except OSError:
            time.sleep(0.05)
    raise AssertionError("the web process did not answer")


def test_the_key_of_the_command_works_over_http(web: Web, clinic: Clinic) -> None:
    bearer = f"Bearer {clinic.key}"
    answer = web.public("GET", "/api/v1/members/me", Authorization=bearer)
    assert (answer.status, answer.json["email"]) == (200, "dora@example.com")
    assert web.public("GET", "/api/v1/members/me", Authorization=bearer[:-1] + "_").status == 401
    booking = {"title": "Check-up", "start": "2026-12-01T09:00:00+01:00", "duration_minutes": 30}
    made = web.public("POST", "/api/v1/appointments", json.dumps(booking), Authorization=bearer)
    assert (made.status, made.json["timezone"]) == (201, "Europe/Berlin")


def test_signing_in_behind_https_has_secure_cookies(web: Web) -> None:
    page = web.public("GET", "/login")
    assert page.status == 200
    assert page.headers["Strict-Transport-Security"] == "max-age=31536000"
    (cookie,) = page.headers.get_all("Set-Cookie", [])
    assert "sophiie_csrf=" in cookie
    token = page.body.decode().partition('name="csrfmiddlewaretoken" value="')[2][:64]
    answer = web.public(
        "POST",
        "/login",
        f"csrfmiddlewaretoken={token}&login=dora%40example.com&password="
        + PASSWORD.replace(" ", "+"),
        Content_Type="application/x-www-form-urlencoded",
        Cookie=cookie.partition(";")[0],
        Referer=f"{PUBLIC}/login",
        Origin=PUBLIC,
    )
    assert (answer.status, answer.headers["Location"]) == (302, "/calendar")
    cookies = [cookie, *answer.headers.get_all("Set-Cookie", [])]
    assert any(kept.startswith("sophiie_session=") for kept in cookies)
    for kept in cookies:
        assert "; Secure" in kept
        assert "; HttpOnly" in kept
        assert "; SameSite=Lax" in kept


def test_a_form_from_another_site_is_refused(web: Web) -> None:
    answer = web.public("POST", "/login", "login=x", Origin="https://evil.example")
    assert answer.status == 403


@pytest.mark.parametrize("host", ["evil.example", "localhost", "127.0.0.1", "[::1]", ""])
def test_another_host_is_refused(web: Web, host: str) -> None:
    """Also this machine's own name: whoever asks may write any name they like."""
    for path in ("/login", "/api/v1/members/me"):
        assert web("GET", path, Host=host).status == 400


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost:1", "10.1.2.3"])
def test_a_supervisor_may_ask_by_any_name(web: Web, path: str, host: str) -> None:
    # Without a token the metrics are refused, but not because of the name.
    expected = (403,) if path == "/metrics" else (200, 503)
    assert web("GET", path, Host=host).status in expected


def test_healthz_readyz_and_metrics(web: Web) -> None:
    assert web("GET", "/healthz").body == b"ok\n"
    ready = web("GET", "/readyz")
    assert ready.status == 503
    assert ready.json == {
        "ready": False,
        "reasons": ["No worker is running: start `sophiie worker`."],
    }
    assert web.public("GET", "/metrics").status == 403
    metrics = web.public("GET", "/metrics", Authorization=f"Bearer {METRICS_TOKEN}")
    assert metrics.status == 200
    assert b"sophiie_workers 0.0" in metrics.body


def test_static_files_are_served(web: Web) -> None:
    answer = web("GET", "/static/sophiie/shared/tokens.css")
    assert (answer.status, answer.headers.get_content_type()) == (200, "text/css")


def test_the_log_is_json_and_holds_no_secret(web: Web, clinic: Clinic) -> None:
    web("GET", f"/login?next=/x&token={clinic.key}")
    web.public("GET", "/integrations/google/callback?state=the-state&code=4/the-code")
    web.public("GET", "/password/reset/key/abc-c8o1xg-0123456789abcdef")
    web.public("GET", "/nothing/here?code=4/the-code")
    web.public("POST", "/api/v1/appointments", "{", Authorization=f"Bearer {clinic.key}")
    lines = [json.loads(line) for line in web.log.read_text().splitlines()]
    paths = {line.get("path") for line in lines if line["event"] == "request"}
    assert {"/login", "/integrations/google/callback", "/nothing/here"} <= paths
    text = web.log.read_text()
    for secret in ("the-state", "the-code", clinic.key, "c8o1xg", PASSWORD, "password="):
        assert secret not in text


def test_a_switched_off_member_is_out(web: Web, clinic: Clinic, empty_database: str) -> None:
    bearer = f"Bearer {clinic.key}"
    switch = "UPDATE accounts_member SET is_active = %s WHERE email = 'dora@example.com'"
    with psycopg.connect(empty_database, autocommit=True) as connection:
        connection.execute(switch, [False])
        try:
            assert web.public("GET", "/api/v1/members/me", Authorization=bearer).status == 401
        finally:
            connection.execute(switch, [True])
    assert web.public("GET", "/api/v1/members/me", Authorization=bearer).status == 200
