"""Processes that die, ports that are taken, a Google that is away."""

from __future__ import annotations

import random
import socket
import statistics
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psutil
import pytest
from cryptography.fernet import Fernet

from google_simulator.testing import RunningSimulator, running_simulator
from tests.processes import Api, Demo, Running, answers, free_port, running_demo, sophiie, until

ALICE = "alice@example.com"

pytestmark = pytest.mark.real_clock


class Product:
    """Web and worker as two processes on a data folder of their own, with a simulator beside."""

    def __init__(self, folder: Path, google: RunningSimulator, **variables: str) -> None:
        self.google = google
        self.port = free_port()
        self.url = f"http://localhost:{self.port}"
        self.folder = folder
        self.variables = {
            **google.environment(),
            "SOPHIIE_DATA_DIR": str(folder / "data"),
            "SOPHIIE_PUBLIC_URL": self.url,
            "SOPHIIE_SECRET_KEY": "tests-only",
            "SOPHIIE_ENCRYPTION_KEYS": Fernet.generate_key().decode(),
            **variables,
        }
        made = sophiie("migrate", **self.variables)
        assert made.returncode == 0, made.stderr
        made = sophiie(
            *("create-business", "Harbour Plumbing", "--timezone", "Australia/Sydney"),
            *("--owner-email", ALICE, "--owner-name", "Alice", "--password-stdin"),
            stdin="correct horse battery\n",
            **self.variables,
        )
        assert made.returncode == 0, made.stderr
        key = sophiie("create-api-key", "--member", ALICE, **self.variables).stdout.strip()
        self.api = Api(self.url, key)
        self.web = self.start("web", "--port", str(self.port))
        until(lambda: answers(f"{self.url}/healthz"), seconds=60, what="the web process answers")
        self.worker = self.start("worker")

    def start(self, *arguments: str) -> Running:
        return Running(*arguments, log=self.folder / f"{arguments[0]}.log", **self.variables)

    def stop(self) -> None:
        self.worker.stop()
        assert self.web.stop() == 0
        # The last one to leave stops the embedded database.
        assert not list((self.folder / "data").rglob("postmaster.pid"))

    def link(self) -> None:
        """Alice links her calendar, over HTTP as her browser would."""
        import re

        import requests

        browser = requests.Session()

        def post(path: str, **fields: str) -> requests.Response:
            token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text)
            assert token, page.text
            fields["csrfmiddlewaretoken"] = token.group(1)
            return browser.post(self.url + path, data=fields, allow_redirects=False, timeout=20)

        page = browser.get(f"{self.url}/login", timeout=20)
        post("/login", login=ALICE, password="correct horse battery")
        page = browser.get(f"{self.url}/settings/calendar", timeout=20)
        consent = post("/integrations/google/connect").headers["Location"]
        back = self.google.authorize(consent, account=ALICE)
        page = browser.get(back, timeout=20)
        post("/settings/calendar/choose", calendar_id=ALICE)
        me = self.api("GET", "/members/me")["id"]
        until(
            lambda: self.api("GET", f"/members/{me}/calendar-link")["state"] == "active",
            seconds=60,
            what="the link is active",
        )

    def book(self, number: int) -> dict[str, Any]:
        start = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=number + 1)
        body = {
            "title": f"Appointment {number}",
            "start": start.isoformat(),
            "duration_minutes": 30,
        }
        booked: dict[str, Any] = self.api("POST", "/appointments", body)
        return booked

    def titles(self) -> list[str]:
        return sorted(event["summary"] for event in self.google.events(ALICE))


@pytest.fixture(scope="module")
def google(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSimulator]:
    state_file = tmp_path_factory.mktemp("google") / "state.sqlite3"
    with running_simulator(state_file, quotas=False) as simulator:
        yield simulator


@pytest.fixture(scope="module")
def product(
    tmp_path_factory: pytest.TempPathFactory, google: RunningSimulator
) -> Iterator[Product]:
    running = Product(tmp_path_factory.mktemp("product"), google)
    try:
        running.link()
        yield running
    finally:
        running.stop()


def test_an_appointment_arrives_within_a_second(product: Product) -> None:
    """The median of some; on a machine that does other things as well, by its own pace."""
    seconds, to_book = [], []
    for number in range(100, 107):
        asked = time.monotonic()
        title = product.book(number)["title"]
        started = time.monotonic()
        until(lambda: title in product.titles(), seconds=60, what=title)  # noqa: B023
        to_book.append(started - asked)
        seconds.append(time.monotonic() - started)
    assert statistics.median(seconds) < max(1.0, 20 * statistics.median(to_book)), seconds


def test_a_worker_killed_at_any_moment_loses_and_doubles_nothing(product: Product) -> None:
    chance = random.Random(11)
    product.google.latency(30, spread_ms=20)
    expected: dict[str, str] = {a["id"]: a["title"] for a in items(product)}
    for round_ in range(6):
        for number in range(200 + round_ * 8, 208 + round_ * 8):
            booked = product.book(number)
            expected[booked["id"]] = booked["title"]
        for appointment_id in chance.sample(sorted(expected), 4):
            title = f"{expected[appointment_id]} ({round_})"
            product.api("PATCH", f"/appointments/{appointment_id}", {"title": title})
            expected[appointment_id] = title
        gone = chance.choice(sorted(expected))
        product.api("DELETE", f"/appointments/{gone}")
        del expected[gone]
        time.sleep(chance.uniform(0.0, 0.4))
        product.worker.kill()
        product.worker = product.start("worker")
    product.google.latency(0)
    until(lambda: product.titles() == sorted(expected.values()), seconds=60, what="it converges")
    states = {sync["state"] for a in items(product) for sync in a["sync"]}
    assert states == {"synced"}


def items(product: Product) -> list[dict[str, Any]]:
    """All appointments, page by page."""
    found: list[dict[str, Any]] = []
    cursor = ""
    while cursor is not None:
        page = product.api("GET", f"/appointments?limit=200&cursor={cursor}")
        found += page["items"]
        cursor = page["next_cursor"]
    return found


def test_while_google_is_away_appointments_are_made_as_fast_and_arrive_later(
    product: Product,
) -> None:
    def seconds_to_book(first: int) -> float:
        times = []
        for number in range(first, first + 15):
            started = time.monotonic()
            product.book(number)
            times.append(time.monotonic() - started)
        return statistics.median(times)

    before = seconds_to_book(300)
    until(lambda: "Appointment 314" in product.titles(), seconds=60, what="all arrive")
    product.google.kill()
    away = seconds_to_book(400)
    assert away < 3 * before + 0.5, (before, away)
    (waiting,) = [a for a in items(product) if a["title"] == "Appointment 414"]
    assert waiting["sync"][0]["state"] == "pending"
    product.google.restart()
    expected = sorted(a["title"] for a in items(product))
    until(lambda: product.titles() == expected, seconds=60, what="all arrive, each once")
    assert product.worker.process.poll() is None


def test_signals_stop_every_process_and_the_data_stays(tmp_path: Path) -> None:
    with running_demo(tmp_path / "data") as demo:
        api = demo.api()
        body = {
            "title": "Kept",
            "start": "2027-01-05T09:00:00+11:00",
            "duration_minutes": 30,
        }
        kept = api("POST", "/appointments", body)
        family = demo.family()
        (pid_file,) = (tmp_path / "data").rglob("postmaster.pid")
        postgres = psutil.Process(int(pid_file.read_text().split()[0]))
        assert len(family) >= 4
        assert _lives(postgres)
        assert demo.stop() == 0
        until(
            lambda: not [p for p in [*family, postgres] if _lives(p)],
            seconds=60,
            what="every process is gone",
        )
    again = Demo(tmp_path / "data", port=demo.port, simulator_port=demo.simulator_port)
    try:
        again.wait()
        assert api("GET", f"/appointments/{kept['id']}")["title"] == "Kept"
        # kill -9: the children notice, and the next start finds everything.
        family = again.family()
        again.kill()
        until(
            lambda: not [p for p in family if _lives(p)],
            seconds=60,
            what="the children end with their parent",
        )
    finally:
        again.kill()
    third = Demo(tmp_path / "data", port=demo.port, simulator_port=demo.simulator_port)
    try:
        third.wait()
        assert api("GET", f"/appointments/{kept['id']}")["title"] == "Kept"
        assert "Traceback" not in third.output
    finally:
        third.stop()


def _lives(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_a_taken_port_is_one_sentence(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        folder = str(tmp_path / "data")
        for variables in (
            {"PORT": port, "SIMULATOR_PORT": str(free_port())},
            {"PORT": str(free_port()), "SIMULATOR_PORT": port},
        ):
            answer = sophiie("demo", SOPHIIE_DATA_DIR=folder, **variables)
            assert answer.returncode == 1
            assert f"Port {port} is used by another program" in answer.stderr
            assert answer.stderr.count("\n") == 1


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    answer = sophiie("demo", SOPHIIE_DATA_DIR=str(tmp_path / "file" / "data"))
    assert answer.returncode == 1
    assert "cannot be written" in answer.stderr
    assert answer.stderr.count("\n") == 1
