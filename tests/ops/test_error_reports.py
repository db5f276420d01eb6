"""Errors are reported where the operator says, without people and secrets; otherwise nowhere."""

from __future__ import annotations

import gzip
import importlib
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tests.ops.conftest import refusal, sophiie
from tests.processes import until

SECRET = "a-key-that-nobody-may-see-0123456789"


class Receiver(ThreadingHTTPServer):
    """Takes what a server that speaks like Sentry would take."""

    def __init__(self) -> None:
        self.envelopes: list[str] = []
        super().__init__(("127.0.0.1", 0), _Taker)

    @property
    def dsn(self) -> str:
        return f"http://public@127.0.0.1:{self.server_address[1]}/1"

    def events(self) -> list[dict[str, Any]]:
        lines = [line for envelope in self.envelopes for line in envelope.splitlines()]
        found = [json.loads(line) for line in lines if line.startswith("{")]
        return [event for event in found if "exception" in event or "logentry" in event]


class _Taker(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        match self.headers.get("Content-Encoding"):
            case "gzip":
                body = gzip.decompress(body)
            case "br":  # where that library happens to be installed
                body = importlib.import_module("brotli").decompress(body)
        assert isinstance(self.server, Receiver)
        self.server.envelopes.append(body.decode())
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


# A process that ends as ours do, with an error that nobody caught and one that was logged.
_BREAKS = f"""
from sophiie.common import error_reports
from sophiie.common.logs import configure_logging, log
configure_logging("INFO", known=["{SECRET}"])
error_reports.begin("DSN", release="1")
logger = log("tests")
def charge(password):
    raise RuntimeError("no access with {SECRET} and Bearer abcdefghijklmnopqrstuvwxyz012345")
try:
    charge("{SECRET}")
except RuntimeError:
    logger.exception("it broke", refresh_token="{SECRET}")
error_reports.flush()
"""


def test_a_report_says_what_broke_and_nothing_else(receiver: Receiver) -> None:
    code = _BREAKS.replace("DSN", receiver.dsn)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "it broke" in done.stderr
    until(receiver.events, what="a report came")
    text = "".join(receiver.envelopes)
    assert "charge" in text
    assert "RuntimeError" in text
    assert SECRET not in text
    assert "abcdefghijklmnopqrstuvwxyz012345" not in text
    for event in receiver.events():
        assert not event.get("user")
        assert not (event.get("breadcrumbs") or {}).get("values")


def test_of_a_request_only_its_page_is_reported() -> None:
    from sophiie.common.error_reports import without_secrets

    event = without_secrets(
        {
            "request": {
                "method": "POST",
                "url": "https://example.com/login?next=/alice",
                "query_string": "next=/alice",
                "cookies": {"sophiie_session": "1"},
                "headers": {"Authorization": "Bearer 1"},
                "data": {"password": "1"},
            },
            "user": {"email": "alice@example.com"},
        }
    )
    assert event == {"request": {"method": "POST", "url": "https://example.com/login"}}


def test_an_address_that_cannot_be_one_is_refused_in_a_sentence(database: str) -> None:
    said = refusal(
        sophiie("status", SOPHIIE_DATABASE_URL=database, SOPHIIE_SENTRY_DSN="http://nowhere")
    )
    assert "SOPHIIE_SENTRY_DSN" in said


def test_without_an_address_the_library_is_not_even_loaded() -> None:
    code = "import sys, sophiie.config.bootstrap; sys.exit('sentry_sdk' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
