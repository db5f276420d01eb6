"""Traces go where the operator says, with ids and without people and secrets; otherwise nowhere."""

from __future__ import annotations

import gzip
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from django.test import Client
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from google_simulator.testing import RunningSimulator
from sophiie.accounts.api_keys import create_api_key
from sophiie.accounts.models import Member
from sophiie.calendar_link.models import CalendarLink
from sophiie.common import tracing
from sophiie.common.logs import log
from tests.linking import link
from tests.mirroring import drain_all, read_all
from tests.ops.conftest import refusal, sophiie
from tests.product_logs import product_logs

SECRET = "a-key-that-nobody-may-see-0123456789"
BOOKING = {
    "title": "Leaking tap at Ms Green's",
    "start": "2026-12-04T09:00:00+11:00",
    "duration_minutes": 30,
    "customer": {"name": "Ms Green", "phone": "0412345678"},
}


class Receiver(ThreadingHTTPServer):
    """Takes what a collector of OpenTelemetry would take."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        super().__init__(("127.0.0.1", 0), _Taker)

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    @property
    def text(self) -> str:
        """All that was sent but the ids, which are random and may look like anything."""
        sent = (str(ExportTraceServiceRequest.FromString(body)) for body in self.bodies)
        return re.sub(r'^ *\w*_id: ".*"$', "", "".join(sent), flags=re.MULTILINE)

    def spans(self) -> list[dict[str, Any]]:
        found = []
        for body in self.bodies:
            for of_process in ExportTraceServiceRequest.FromString(body).resource_spans:
                for of_library in of_process.scope_spans:
                    found += [
                        {
                            "name": span.name,
                            "id": span.span_id.hex(),
                            "within": span.parent_span_id.hex(),
                            "trace": span.trace_id.hex(),
                            "failed": span.status.code == 2,
                            **{
                                one.key: getattr(one.value, one.value.WhichOneof("value"))
                                for one in span.attributes
                            },
                        }
                        for span in of_library.spans
                    ]
        return found

    def named(self, name: str) -> dict[str, Any]:
        (found,) = [span for span in self.spans() if span["name"] == name]
        return found


class _Taker(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        assert isinstance(self.server, Receiver)
        assert self.path == "/v1/traces"
        self.server.bodies.append(body)
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        tracing.begin(server.endpoint, release="1")
        try:
            yield server
        finally:
            tracing.end()
            server.shutdown()


@pytest.fixture
def linked(alice: Member, google: RunningSimulator) -> CalendarLink:
    return link(alice, google)


@pytest.mark.django_db(transaction=True)
def test_a_booking_can_be_followed_to_the_call_that_google_gets(
    linked: CalendarLink, alice: Member, receiver: Receiver
) -> None:
    key = create_api_key(alice)
    booked = Client().post(
        "/api/v1/appointments",
        {
            **BOOKING,
            "duration_minutes": 30,
            "customer": {"name": "Ms Green", "phone": "0412345678"},
        },
        content_type="application/json",
        headers={"Authorization": f"Bearer {key}"},
    )
    assert booked.status_code == 201
    drain_all()
    read_all()
    tracing.end()
    request = receiver.named("POST /api/v1/appointments")
    assert request["http.response.status_code"] == 201
    assert request["request_id"] == booked["X-Request-ID"]
    assert receiver.named("book")["within"] == request["id"]
    shown = receiver.named("show event")
    assert shown["appointment_id"] == booked.json()["id"]
    assert shown["link_id"] == str(linked.id)
    (call,) = [s for s in receiver.spans() if s["within"] == shown["id"]]
    assert (call["name"], call["http.response.status_code"]) == ("Google POST", 200)
    assert call["url.full"].endswith("/calendars/…/events")
    assert receiver.named("poll")["outcome"]
    text = receiver.text
    for hidden in ("Leaking", "Green", "0412345678", "alice", "@", "%40", key, "Bearer", "ya29"):
        assert hidden not in text, hidden


@pytest.mark.django_db
def test_a_page_is_named_by_its_route_and_not_by_the_secret_in_its_path(receiver: Receiver) -> None:
    Client().get(f"/join/{SECRET}?next=/alice@example.com")
    tracing.end()
    (span,) = receiver.spans()
    assert span["name"].startswith("GET /join/<")
    assert SECRET not in receiver.text
    assert "alice" not in receiver.text


def test_of_an_error_only_its_kind_is_told(receiver: Receiver) -> None:
    def act() -> None:
        with tracing.span("act", api_key=SECRET) as span:
            span.note(text=f"to alice@example.com with Bearer {SECRET}", link_id="1")
            raise ValueError(f"no access for bob@example.com with {SECRET}")

    with pytest.raises(ValueError, match="no access"):
        act()
    tracing.end()
    (span,) = receiver.spans()
    assert (span["failed"], span["error.type"], span["link_id"]) == (True, "ValueError", "1")
    for hidden in (SECRET, "alice", "bob", "no access"):
        assert hidden not in receiver.text


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        (
            "https://www.googleapis.com/calendar/v3/calendars/alice%40example.com/events/"
            "0123456789abcdef0123456789abcdef?sendUpdates=none",
            "https://www.googleapis.com/calendar/v3/calendars/…/events/"
            "0123456789abcdef0123456789abcdef",
        ),
        (
            "https://www.googleapis.com/calendar/v3/users/me/calendarList/bob@example.com",
            "https://www.googleapis.com/calendar/v3/users/me/calendarList/…",
        ),
        (
            "https://user:pass@oauth2.googleapis.com/revoke?token=1//abc",
            "https://oauth2.googleapis.com/revoke",
        ),
    ],
    ids=["event", "calendar", "revoke"],
)
def test_an_address_of_google_shows_no_account(url: str, shown: str) -> None:
    assert tracing.masked(url) == shown


def test_log_lines_name_their_trace(receiver: Receiver) -> None:
    with product_logs("INFO") as lines:
        logger = log("tests.tracing")
        with tracing.span("act"):
            logger.info("inside")
        logger.info("outside")
    tracing.end()
    inside, outside = map(json.loads, lines.getvalue().splitlines())
    span = receiver.named("act")
    assert (inside["trace_id"], inside["span_id"]) == (span["trace"], span["id"])
    assert "trace_id" not in outside


def test_a_collector_that_does_not_answer_holds_nobody_up() -> None:
    code = (
        "import time; from sophiie.common import tracing\n"
        "tracing.begin('http://127.0.0.1:9', release='1')\n"
        "with tracing.span('act'): pass\n"
        "began = time.monotonic(); tracing.end(); print(time.monotonic() - began)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert float(done.stdout) < 30


def test_an_address_that_is_none_is_refused_in_a_sentence(database: str) -> None:
    said = refusal(
        sophiie("status", SOPHIIE_DATABASE_URL=database, SOPHIIE_OTEL_ENDPOINT="collector:4318")
    )
    assert "SOPHIIE_OTEL_ENDPOINT" in said


def test_without_an_address_the_library_is_not_even_loaded() -> None:
    code = (
        "import os, sys; from tests import environment\n"
        "os.environ['DJANGO_SETTINGS_MODULE'] = 'sophiie.config.settings'\n"
        "import django; django.setup()\n"
        "import sophiie.config.bootstrap, sophiie.config.urls, sophiie.sync.tasks\n"
        "from sophiie.common import tracing\n"
        "with tracing.span('act', link_id='1') as span: span.note(more=1)\n"
        "sys.exit(any(name.startswith('opentelemetry') for name in sys.modules))"
    )
    env = {**os.environ, "TESTS_DATABASE_URL": "postgres://nobody@127.0.0.1:9/none"}
    assert subprocess.run([sys.executable, "-c", code], env=env, check=False).returncode == 0
