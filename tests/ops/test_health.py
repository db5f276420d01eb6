"""Health, readiness with its reasons, and metrics for this machine alone."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.db.utils import OperationalError
from django.test import Client

from sophiie.accounts.models import Member
from sophiie.appointments.models import Appointment
from sophiie.calendar_link.models import CalendarLink
from sophiie.common.clock import now
from sophiie.ops.status import report
from sophiie.sync.models import MirroredEvent

TOKEN = "a-token-for-tests-only"


def worker_seen(ago: timedelta) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO procrastinate_workers (last_heartbeat) VALUES (%s)", [now() - ago]
        )


def ready() -> tuple[int, dict[str, Any]]:
    response = Client().get("/readyz")
    return response.status_code, response.json()


def test_ready_with_a_living_worker(db: None) -> None:
    worker_seen(timedelta(seconds=5))
    assert ready() == (200, {"ready": True, "reasons": []})


def test_not_ready_with_a_worker_that_fell_silent(db: None) -> None:
    worker_seen(timedelta(minutes=2))
    reasons = ["No worker is running: start `sophiie worker`."]
    assert ready() == (503, {"ready": False, "reasons": reasons})


def test_not_ready_with_an_older_schema(db: None) -> None:
    worker_seen(timedelta(0))
    MigrationRecorder.Migration.objects.filter(app="appointments").delete()
    status, body = ready()
    assert status == 503
    assert body["reasons"] == [
        "The database schema is older than this version: run `sophiie migrate`."
    ]


def test_not_ready_without_a_database_but_up(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone() -> None:
        raise OperationalError("no route to 10.0.0.1")

    with monkeypatch.context() as broken:
        broken.setattr(connection, "ensure_connection", gone)
        assert ready() == (
            503,
            {"ready": False, "reasons": ["The database cannot be reached."]},
        )
        assert Client().get("/healthz").status_code == 200


def waiting_event(member: Member, appointment: Appointment, due: timedelta) -> None:
    link = CalendarLink.objects.create(
        member=member, state="active", created_at=now(), activated_at=now(), calendar_id="c"
    )
    MirroredEvent.objects.create(
        link=link,
        appointment=appointment,
        calendar_id="c",
        wanted_revision=1,
        next_attempt_at=now() - due,
        created_at=now(),
        updated_at=now(),
    )


def test_metrics_tell_the_state_of_the_mirror(alice: Member, booked: Appointment) -> None:
    worker_seen(timedelta(0))
    waiting_event(alice, booked, timedelta(seconds=90))
    lines = Client(SERVER_NAME="localhost").get("/metrics").content.decode().splitlines()
    numbers = dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    assert float(numbers['sophiie_mirrored_events{state="pending"}']) == 1
    assert float(numbers['sophiie_calendar_links{state="active"}']) == 1
    assert float(numbers["sophiie_workers"]) == 1
    assert 90 <= float(numbers["sophiie_oldest_due_seconds"]) < 120
    assert "alice" not in str(lines)


@pytest.mark.parametrize(
    ("address", "headers", "status"),
    [
        ("127.0.0.1", {}, 200),
        ("::1", {}, 200),
        ("10.0.0.7", {}, 403),
        ("203.0.113.7", {}, 403),
        ("", {}, 403),
        # A proxy on this machine that passes on a stranger, whatever the stranger says.
        ("127.0.0.1", {"X-Forwarded-For": "203.0.113.7"}, 403),
        ("127.0.0.1", {"X-Forwarded-For": "127.0.0.1"}, 403),
        ("127.0.0.1", {"X-Forwarded-For": ""}, 403),
        ("127.0.0.1", {"Forwarded": "for=203.0.113.7"}, 403),
        ("127.0.0.1", {"X-Real-IP": "127.0.0.1"}, 403),
        ("127.0.0.1", {"X-Forwarded-Proto": "http"}, 403),
        ("127.0.0.1", {"Via": "1.1 proxy"}, 403),
        # One that says nothing, but passes on under which name it was asked.
        ("127.0.0.1", {"Host": "book.example.com"}, 403),
        ("127.0.0.1", {"Host": "localhost:8000"}, 200),
        ("127.0.0.1", {"Host": "[::1]:8000"}, 200),
    ],
)
def test_metrics_are_for_this_machine(
    db: None, settings: Any, address: str, headers: dict[str, str], status: int
) -> None:
    settings.ALLOWED_HOSTS = ["*"]
    client = Client(REMOTE_ADDR=address, SERVER_NAME="localhost")
    response = client.get("/metrics", headers=headers)
    assert response.status_code == status
    assert (b"sophiie_" in response.content) == (status == 200)


@pytest.mark.parametrize(
    ("authorization", "status"),
    [
        (f"Bearer {TOKEN}", 200),
        (f"Bearer {TOKEN}x", 403),
        (TOKEN, 403),
        (f"Basic {TOKEN}", 403),
        ("Bearer ", 403),
        ("Bearer é", 403),
        (None, 403),
    ],
)
def test_where_the_product_is_public_metrics_need_the_token(
    db: None, settings: Any, authorization: str | None, status: int
) -> None:
    """A proxy on this machine that adds no header looks like this machine."""
    settings.PUBLIC_URL_IS_LOOPBACK, settings.METRICS_TOKEN = False, TOKEN
    headers = {"Authorization": authorization} if authorization else {}
    for address in ("127.0.0.1", "203.0.113.7"):
        client = Client(REMOTE_ADDR=address, SERVER_NAME="localhost")
        assert client.get("/metrics", headers=headers).status_code == status


def test_without_a_token_no_token_is_right(db: None, settings: Any) -> None:
    settings.PUBLIC_URL_IS_LOOPBACK, settings.METRICS_TOKEN = False, ""
    client = Client(REMOTE_ADDR="127.0.0.1", SERVER_NAME="localhost")
    for given in ("Bearer ", "Bearer", "Bearer None"):
        assert client.get("/metrics", headers={"Authorization": given}).status_code == 403


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
def test_they_are_only_read(db: None, path: str) -> None:
    assert Client().post(path).status_code == 405


@pytest.mark.usefixtures("clock_stands")
def test_status_tells_links_queue_and_lag(alice: Member, booked: Appointment) -> None:
    worker_seen(timedelta(0))
    waiting_event(alice, booked, timedelta(seconds=5))
    CalendarLink.objects.update(problem="Google asks for a new permission.")
    lines = report().splitlines()
    assert "Workers running: 1" in lines
    assert "Calendar links: 1" in lines
    assert "  alice@example.com: active, 1 waiting, 0 failed, last written never" in lines
    assert "    Google asks for a new permission." in lines
    assert any(line.startswith("Longest waiting due change: 5.") for line in lines)
