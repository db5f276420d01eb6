"""Workers on machines of their own, one of which loses its network in the middle of a write.

The machines are network namespaces on a bridge. Unlike a cable that a test holds (`cable.py`), a
link that is down takes the database and Google away at once, and the kernel keeps sending into it.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from google_simulator.testing import RunningSimulator, running_simulator
from sophiie.database import EmbeddedPostgres
from tests.hostile.test_many_workers import SECONDS, attempts, everything_once
from tests.machines import Machine, Network, why_not
from tests.processes import Running, until
from tests.product import Product

REASON = why_not()
pytestmark = pytest.mark.skipif(bool(REASON), reason=REASON)


@pytest.fixture
def network() -> Iterator[Network]:
    made = Network()
    try:
        yield made
    finally:
        made.close()


@pytest.fixture
def google() -> Iterator[RunningSimulator]:
    with running_simulator(quotas=False) as simulator:
        yield simulator


@pytest.fixture
def product(tmp_path: Path, google: RunningSimulator) -> Iterator[Product]:
    """Alice's calendar is linked, and no worker is at work."""
    running = Product(tmp_path, google)
    try:
        running.link()
        running.worker.stop()
        yield running
    finally:
        google.latency(0)
        running.stop()


@pytest.fixture
def elsewhere(
    product: Product, google: RunningSimulator, network: Network
) -> Iterator[dict[str, str]]:
    """The variables of a process that reaches database and Google over the bridge only."""
    server = EmbeddedPostgres(product.folder / "data")
    here, there = google.base_url, network.google(google.base_url)
    changed = {name: value.replace(here, there) for name, value in product.variables.items()}
    try:
        yield changed | {"SOPHIIE_DATABASE_URL": network.database(server.start())}
    finally:
        server.stop()


@contextmanager
def worker_on(machine: Machine, product: Product, variables: dict[str, str]) -> Iterator[Running]:
    log = product.folder / f"{machine.name}.log"
    worker = Running("worker", log=log, on=machine.on, **variables)
    try:
        until(lambda: "worker started" in worker.output, seconds=SECONDS, what="it has started")
        yield worker
    finally:
        if worker.process.poll() is None:
            os.kill(worker.process.pid, signal.SIGCONT)
            worker.stop()


def test_a_machine_that_loses_its_network_in_the_middle_of_a_write(
    product: Product, google: RunningSimulator, network: Network, elsewhere: dict[str, str]
) -> None:
    """The other machine takes its work over, and what it has sent is there once. When the network
    is back it works on."""
    one, two = network.machine(), network.machine()
    with worker_on(one, product, elsewhere) as first, worker_on(two, product, elsewhere) as second:
        os.kill(second.process.pid, signal.SIGSTOP)
        google.latency(1500)
        booked = product.book(1)
        until(lambda: attempts(product, booked) > 0, seconds=SECONDS, what="a write is under way")
        one.unplug()
        google.latency(0)
        os.kill(second.process.pid, signal.SIGCONT)
        later = product.book(2)
        both = {booked["title"], later["title"]}
        until(lambda: both <= {*product.titles()}, seconds=SECONDS, what="the other goes on")
        until(lambda: everything_once(product), seconds=SECONDS, what="each is there once")

        one.plug_in()
        assert second.stop() == 0
        last = product.book(3)["title"]
        until(lambda: last in product.titles(), seconds=SECONDS, what="the first is back")
        until(lambda: everything_once(product), seconds=SECONDS, what="each is there once")
        assert first.process.poll() is None
