"""Several workers, one of which stands still, is cut off from the database, or has a wrong clock:
nothing is doubled or lost, and nobody waits for it for long.

That others go on is asserted by what arrives, not by a clock: a lease ends after ten seconds and
the claim of a poll after 24, and the bounds here are generous.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection

from google_simulator.testing import RunningSimulator, running_simulator
from sophiie.database import EmbeddedPostgres
from sophiie.sync.inbound.poll_claim import POLLING
from tests.hostile.cable import Cable
from tests.processes import ROOT, Running, until
from tests.product import Product

SECONDS = 90.0
INSERT = "calendar.events.insert"


@pytest.fixture(scope="module")
def google() -> Iterator[RunningSimulator]:
    with running_simulator(quotas=False) as simulator:
        yield simulator


@pytest.fixture(scope="module")
def product(
    tmp_path_factory: pytest.TempPathFactory, google: RunningSimulator
) -> Iterator[Product]:
    """Alice's calendar is linked, and the only worker is at work."""
    running = Product(tmp_path_factory.mktemp("workers"), google)
    try:
        running.link()
        yield running
    finally:
        google.latency(0)
        running.stop()


@pytest.fixture
def database(product: Product) -> Iterator[str]:
    """The address of the product's own database."""
    server = EmbeddedPostgres(product.folder / "data")
    try:
        yield server.start()
    finally:
        server.stop()


@contextmanager
def another_worker(product: Product, name: str, **variables: str) -> Iterator[Running]:
    log = product.folder / f"{name}.log"
    worker = Running("worker", log=log, **{**product.variables, **variables})
    try:
        until(lambda: "worker started" in worker.output, seconds=SECONDS, what="it has started")
        yield worker
    finally:
        if worker.process.poll() is None:
            os.kill(worker.process.pid, signal.SIGCONT)
            worker.stop()


def writing(google: RunningSimulator, product: Product, number: int) -> str:
    """Books, and returns the title when the worker is in the middle of writing it to Google."""
    # Its copy of the calendar is new then: a booking would not wait for a slow Google to renew it.
    before = product.book(number + 50)["title"]
    until(lambda: before in product.titles(), seconds=SECONDS, what="the one before is there")
    google.latency(1500)
    booked = product.book(number)
    until(lambda: attempts(product, booked) > 0, seconds=SECONDS, what="a write is under way")
    return str(booked["title"])


def everything_once(product: Product) -> bool:
    """Google shows each appointment once, and the product knows it."""
    appointments = product.appointments()
    states = {sync["state"] for a in appointments for sync in a["sync"]}
    return states == {"synced"} and product.titles() == sorted(a["title"] for a in appointments)


def test_a_worker_that_stands_still_in_the_middle_of_a_write(
    product: Product, google: RunningSimulator
) -> None:
    """It holds a lease and has sent half of a call. Another one takes over; when it goes on, what
    it believes to be its own business is so no longer, and it does nothing."""
    title = writing(google, product, 1)
    os.kill(product.worker.process.pid, signal.SIGSTOP)
    try:
        google.latency(0)
        with another_worker(product, "relief"):
            later = product.book(2)["title"]
            both = {title, later}
            until(lambda: both <= {*product.titles()}, seconds=SECONDS, what="others go on")
            os.kill(product.worker.process.pid, signal.SIGCONT)
            last = product.book(3)["title"]
            until(lambda: last in product.titles(), seconds=SECONDS, what="the last arrives")
            until(lambda: everything_once(product), seconds=SECONDS, what="each is there once")
    finally:
        os.kill(product.worker.process.pid, signal.SIGCONT)
    assert product.worker.process.poll() is None


def test_a_worker_that_is_cut_off_from_the_database_in_the_middle_of_a_write(
    product: Product, google: RunningSimulator, database: str
) -> None:
    """Google took its event, and it cannot say so. Another one finds the event and goes on."""
    cable = Cable(database)
    product.worker.stop()
    try:
        with another_worker(product, "cut-off", SOPHIIE_DATABASE_URL=cable.url) as cut_off:
            title = writing(google, product, 4)
            cable.cut()
            google.latency(0)
            product.worker = product.start("worker")
            later = product.book(5)["title"]
            both = {title, later}
            until(lambda: both <= {*product.titles()}, seconds=SECONDS, what="others go on")
            until(lambda: everything_once(product), seconds=SECONDS, what="each is there once")
            cable.mend()
            last = product.book(6)["title"]
            until(lambda: last in product.titles(), seconds=SECONDS, what="the last arrives")
            until(lambda: everything_once(product), seconds=SECONDS, what="each is there once")
            assert cut_off.process.poll() is None
    finally:
        cable.close()
        if product.worker.process.poll() is not None:
            product.worker = product.start("worker")


@pytest.mark.parametrize("wrong_by", [300, -300])
def test_a_worker_whose_clock_is_five_minutes_wrong(
    product: Product, google: RunningSimulator, wrong_by: int
) -> None:
    """It works beside another one. What it puts off by its own clock, after a failure of Google's,
    the other one does in time."""
    variables = {
        "CLOCK_WRONG_BY": str(wrong_by),
        "PYTHONPATH": os.pathsep.join(
            [str(ROOT / "tests" / "wrong_clock"), *filter(None, [os.environ.get("PYTHONPATH")])]
        ),
    }
    first = 20 if wrong_by > 0 else 40
    product.worker.stop()
    try:
        with another_worker(product, f"wrong{wrong_by}", **variables) as wrong:
            google.fault(INSERT, status=503, reason="backendError", count=1)
            failed = product.book(first)
            until(lambda: attempts(product, failed) > 0, seconds=SECONDS, what="it has failed")
            product.worker = product.start("worker")
            booked = [product.book(first + n) for n in range(1, 7)]
            for one in booked[:3]:
                changed = {"title": f"{one['title']}, changed"}
                product.api("PATCH", f"/appointments/{one['id']}", changed)
            until(lambda: everything_once(product), seconds=SECONDS, what="each is there once")
            assert wrong.process.poll() is None
    finally:
        google.clear_faults()
        if product.worker.process.poll() is not None:
            product.worker = product.start("worker")


def attempts(product: Product, appointment: dict[str, Any]) -> int:
    found = product.api("GET", f"/appointments/{appointment['id']}")
    return max((int(sync["attempts"]) for sync in found["sync"]), default=0)


@pytest.mark.django_db
def test_who_stands_still_in_a_transaction_loses_it() -> None:
    """Or its locks would hold up bookings for as long as it stands still."""
    with connection.cursor() as cursor:
        cursor.execute("SHOW idle_in_transaction_session_timeout")
        assert cursor.fetchone() == ("20s",)


def test_no_claim_of_one_who_stands_still_holds_others_up_for_half_a_minute() -> None:
    assert POLLING.lasts.total_seconds() <= 30
