"""What people do in Google, noticed by real processes: by push, and by polling without it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from google_simulator.testing import RunningSimulator, running_simulator
from sophiie.database import EmbeddedPostgres
from tests.processes import until
from tests.product import ALICE, Product


@pytest.fixture(scope="module")
def google() -> Iterator[RunningSimulator]:
    with running_simulator(quotas=False) as simulator:
        yield simulator


@pytest.fixture(scope="module", params=["push", "polling"])
def product(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    google: RunningSimulator,
) -> Iterator[Product]:
    """Web and worker; with push nothing is polled for an hour, without it every second."""
    google.reset()
    how = (
        {"SOPHIIE_ALLOW_HTTP_PUSH": "1", "SOPHIIE_BUSY_POLL_SECONDS": "3600"}
        if request.param == "push"
        else {"SOPHIIE_BUSY_POLL_SECONDS": "1"}
    )
    running = Product(tmp_path_factory.mktemp(request.param), google, **how)
    try:
        running.link()
        yield running
    finally:
        running.stop()


@pytest.fixture
def ask(product: Product) -> Iterator[Callable[[str], Any]]:
    """Looks at the product's own database."""
    server = EmbeddedPostgres(product.folder / "data")
    with psycopg.connect(server.start(), autocommit=True) as connection:
        yield lambda statement: connection.execute(statement).fetchone()[0]  # type: ignore[index]
    server.stop()


pytestmark = pytest.mark.real_clock


def test_an_event_made_in_google_keeps_busy(
    product: Product, google: RunningSimulator, ask: Callable[[str], Any]
) -> None:
    def busy() -> int:
        return int(ask("SELECT count(*) FROM busy_time_busyperiod"))

    until(
        lambda: ask("SELECT count(*) FROM busy_time_busycalendar WHERE checked_at IS NOT NULL"),
        what="the calendar was read",
    )
    if "SOPHIIE_ALLOW_HTTP_PUSH" in product.variables:
        until(
            lambda: [d for d in google.deliveries() if d["status"] == 204],
            what="the channel is open",
        )
        # The reading that follows the opening is over.
        until(
            lambda: ask(
                "SELECT count(*) FROM sync_watchedcalendar"
                " WHERE next_read_at > now() + interval '10 minutes'"
            ),
            what="nothing is due",
        )
    start = (datetime.now(UTC) + timedelta(days=2)).replace(microsecond=0)
    body = {
        "start": {"dateTime": start.isoformat()},
        "end": {"dateTime": (start + timedelta(hours=1)).isoformat()},
    }
    made = google.insert_event(ALICE, ALICE, {"summary": "Dentist", **body})
    # The promise is 2 s; what is tested is that it does not take the next poll.
    until(lambda: busy() == 1, what="the event keeps Alice busy")
    google.delete_event(ALICE, ALICE, made["id"])
    until(lambda: busy() == 0, what="and no more when it is deleted")


def test_an_event_of_ours_that_is_moved_in_google_is_shown_as_such(
    product: Product, google: RunningSimulator
) -> None:
    booked = product.book(3)
    until(lambda: product.titles() == ["Appointment 3"], what="the event is in Google")
    (event,) = google.events(ALICE)

    def sync() -> dict[str, Any]:
        found: dict[str, Any] = product.api("GET", f"/appointments/{booked['id']}")["sync"][0]
        return found

    until(lambda: sync()["state"] == "synced", what="the appointment is synced")
    start = datetime.fromisoformat(booked["start"]) + timedelta(hours=5)
    body = {
        "start": {"dateTime": start.isoformat()},
        "end": {"dateTime": (start + timedelta(hours=1)).isoformat()},
    }
    google.patch_event(ALICE, ALICE, event["id"], body)
    until(lambda: sync()["drift"], what="the drift is shown")
