"""Real processes killed under load: Google's, the worker's and the database's."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
import urllib.error
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path

import psutil
import pytest

from google_simulator.testing import running_simulator
from tests.processes import answers, sophiie, until
from tests.product import Product


@pytest.fixture
def product(tmp_path: Path) -> Iterator[Product]:
    """With a Google that remembers everything across its own death."""
    with running_simulator(tmp_path / "google.sqlite", quotas=False) as google:
        running = Product(tmp_path, google)
        try:
            running.link()
            yield running
        finally:
            running.stop()


# So many that something is always under way, and no more than Google's quota for one account lets
# through while the test waits: on a fast machine it, not a crash, would set the pace.
PAUSE_SECONDS = 0.08

pytestmark = pytest.mark.real_clock


class Load:
    """Somebody books and changes all the time. Only what was answered is expected."""

    def __init__(self, product: Product, *, seed: int) -> None:
        self._product, self._chance = product, random.Random(seed)
        self._stop = threading.Event()
        self.booked: dict[str, str] = {}
        self.unsure: set[str] = set()  # asked, never answered: either title may stand
        self.refused = 0

    @contextmanager
    def running(self) -> Iterator[Load]:
        thread = threading.Thread(target=self._book_and_change)
        thread.start()
        try:
            yield self
        finally:
            self._stop.set()
            thread.join()

    def _book_and_change(self) -> None:
        number = 0
        while not self._stop.is_set():
            number += 1
            self._stop.wait(PAUSE_SECONDS)
            try:
                self._act(number)
            except (urllib.error.URLError, HTTPException, OSError):
                self.refused += 1
                time.sleep(0.1)

    def _act(self, number: int) -> None:
        if number % 3 or not self.booked:
            booked = self._product.book(number)
            self.booked[booked["id"]] = booked["title"]
            return
        appointment_id = self._chance.choice(sorted(self.booked))
        title = f"Changed {number}"
        self.unsure.add(appointment_id)
        self._product.api("PATCH", f"/appointments/{appointment_id}", {"title": title})
        self.booked[appointment_id] = title
        self.unsure.discard(appointment_id)


def check_convergence(product: Product, load: Load, *, seconds: float) -> None:
    """Google shows what the API says, each appointment once, and the API knows all it promised."""

    def converged() -> bool:
        appointments = product.appointments()
        shown = sorted(appointment["title"] for appointment in appointments)
        states = {sync["state"] for one in appointments for sync in one["sync"]}
        return product.titles() == shown and states == {"synced"}

    until(converged, seconds=seconds, what="Google shows what Sophiie says")
    kept = {appointment["id"]: appointment["title"] for appointment in product.appointments()}
    for appointment_id, title in load.booked.items():
        assert appointment_id in kept, "an appointment that was confirmed is lost"
        assert kept[appointment_id] == title or appointment_id in load.unsure


def test_google_and_the_worker_killed_under_load(product: Product) -> None:
    chance = random.Random(5)
    product.google.latency(15, spread_ms=10)
    with Load(product, seed=5).running() as load:
        for round_ in range(6):
            time.sleep(chance.uniform(0.2, 0.8))
            product.google.kill()
            if round_ % 2:
                product.worker.kill()
                product.worker = product.start("worker")
            time.sleep(chance.uniform(0.0, 0.5))
            product.google.restart()
            product.google.quotas(enabled=False)
            product.google.latency(15, spread_ms=10)
        until(lambda: len(load.booked) > 20, what="enough is booked")
    assert load.refused == 0, "booking does not need Google"
    product.google.latency(0)
    check_convergence(product, load, seconds=90)


def postmaster(product: Product) -> psutil.Process:
    (pid_file,) = (product.folder / "data").rglob("postmaster.pid")
    return psutil.Process(int(pid_file.read_text().split()[0]))


def test_the_database_killed_under_load(product: Product) -> None:
    """Web and worker live on, without a restart, and find it when it is there again."""
    web, worker = product.web.process, product.worker.process
    with Load(product, seed=7).running() as load:
        for _ in range(2):
            time.sleep(0.7)
            killed = postmaster(product)
            os.kill(killed.pid, signal.SIGKILL)
            time.sleep(0.3)
            assert sophiie("status", **product.variables).returncode == 0  # starts it again
            assert postmaster(product).pid != killed.pid
            until(lambda: answers(f"{product.url}/readyz"), what="the web is ready")
            booked = len(load.booked)
            until(lambda: len(load.booked) > booked, what="booking goes on")  # noqa: B023
    check_convergence(product, load, seconds=60)
    assert web.poll() is None
    assert worker.poll() is None
