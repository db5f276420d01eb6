"""Told to stop, once or often, at any moment, whatever is away: gone within 15 s, all of it."""

from __future__ import annotations

import os
import re
import resource
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import psutil
import psycopg
import pytest
from cryptography.fernet import Fernet

from google_simulator.control import SimulatorControl
from google_simulator.testing import running_simulator
from sophiie.database import EmbeddedPostgres
from tests.hostile.killing import (
    BY_SIGNAL,
    SECONDS,
    cluster,
    end_with_many_signals,
    link_alice,
    ours,
    seen,
    sweep_up,
)
from tests.prepared import copy_of_demo, copy_of_schema
from tests.processes import Demo, Running, answers, clean_environment, free_port, until

SECRETS = {
    "SOPHIIE_SECRET_KEY": secrets.token_urlsafe(48),
    "SOPHIIE_ENCRYPTION_KEYS": Fernet.generate_key().decode(),
}


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A new data folder, in which nothing runs afterwards."""
    yield tmp_path / "data"
    sweep_up(tmp_path / "data")


@pytest.fixture(scope="module")
def _used_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_of_demo(tmp_path_factory.mktemp("used") / "data")


@pytest.fixture
def used_folder(_used_folder: Path) -> Iterator[Path]:
    """A data folder of a demo that has run before: the next start is quick."""
    yield _used_folder
    sweep_up(_used_folder)


def a_cluster_is_made(demo: Demo) -> bool:
    return any((demo.folder / "postgres").glob("initdb-*"))


def the_database_starts(demo: Demo) -> bool:
    return (demo.folder / "postgres" / "cluster" / "postmaster.pid").exists()


def demo_data_is_made(demo: Demo) -> bool:
    return seen(demo, "demo-data")()


def the_worker_starts(demo: Demo) -> bool:
    return seen(demo, "worker")()


def all_is_ready(demo: Demo) -> bool:
    return answers(f"{demo.url}/readyz")


@pytest.mark.parametrize("moment", [a_cluster_is_made, the_database_starts])
def test_many_signals_during_the_first_start(folder: Path, moment: Callable[[Demo], bool]) -> None:
    demo = Demo(folder)
    until(lambda: moment(demo), what=moment.__name__)
    end_with_many_signals(demo, folder)
    assert "91 migrations" not in demo.output


@pytest.mark.parametrize("moment", [demo_data_is_made, the_worker_starts, all_is_ready])
def test_many_signals_at_a_later_moment(used_folder: Path, moment: Callable[[Demo], bool]) -> None:
    demo = Demo(used_folder)
    until(lambda: moment(demo), what=moment.__name__)
    end_with_many_signals(demo, used_folder)


def test_a_signal_before_it_has_loaded_itself(used_folder: Path) -> None:
    """Python itself ends by SIGTERM until our first line has run."""
    for pause in (0.0, 0.05, 0.1, 0.2, 0.4):
        demo = Demo(used_folder)
        time.sleep(pause)  # any moment does
        end_with_many_signals(demo, used_folder, codes=(0, *BY_SIGNAL))


def test_signals_while_it_is_stopping(used_folder: Path) -> None:
    """The second signal comes at any moment of the cleaning up after the first."""
    demo = Demo(used_folder)
    until(lambda: all_is_ready(demo), what="it is ready")
    end_with_many_signals(demo, used_folder, pause=0.003)
    assert "worker stops" in demo.output


def test_database_and_google_hang(used_folder: Path) -> None:
    """Halted, PostgreSQL takes connections and statements and never answers; and Google takes
    calls and never answers."""
    demo = Demo(used_folder).wait()
    api = demo.api()
    google = link_alice(demo)
    google.latency(60_000)
    start = "2031-05-05T09:00:00+10:00"
    body = {"title": "Hangs", "start": start, "duration_minutes": 30, "accept_unverified": True}
    api("POST", "/appointments", body)
    until(lambda: hanging_calls(google), what="a call hangs")
    for process in cluster(used_folder):
        process.suspend()
    asked = threading.Thread(target=_ask, args=(f"{demo.url}/login",), daemon=True)
    asked.start()
    end_with_many_signals(demo, used_folder)
    with EmbeddedPostgres(used_folder) as url, psycopg.connect(url) as connection:
        kept = connection.execute("SELECT 1 FROM appointments_appointment WHERE title = 'Hangs'")
        assert kept.fetchall()  # nothing was lost, and nothing is in the way


def hanging_calls(google: SimulatorControl) -> bool:
    return any(call["status"] == 0 and call["milliseconds"] == 0 for call in google.calls())


def _ask(url: str) -> None:
    with suppress(OSError):
        urllib.request.urlopen(url, timeout=60).read()


def test_a_full_disk(used_folder: Path, tmp_path: Path) -> None:
    """Nothing can be written any more, not even into the log."""
    with small_disk(tmp_path / "disk") as disk:
        subprocess.run(["cp", "-a", used_folder, disk / "data"], check=True)
        demo = Demo(disk / "data").wait()
        api = demo.api()
        fill(disk, demo)
        with suppress(OSError):
            body = {"title": "Lost", "start": "2031-05-06T09:00:00+10:00", "duration_minutes": 30}
            api("POST", "/appointments", body)
        end_with_many_signals(demo, demo.folder, codes=(0, 1))


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """A disk of its own, where one may be mounted."""
    folder.mkdir()
    mounted = os.geteuid() == 0 and not subprocess.call(
        ["mount", "-t", "tmpfs", "-o", "size=250m,mode=755", "tmpfs", folder]
    )
    try:
        yield folder
    finally:
        if mounted:
            subprocess.run(["umount", "--lazy", folder], check=True)


def fill(disk: Path, demo: Demo) -> None:
    """Fills it up; where it is no disk of its own, no file of the demo may grow instead."""
    if disk.is_mount():
        with suppress(OSError), (disk / "filling").open("wb", buffering=0) as filling:
            while True:
                filling.write(b"0" * 4096)
    else:
        for process in ours(demo.folder):
            resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))


class Server(EmbeddedPostgres):
    """A database server that the product is only given the address of."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, durable=False)
        self.folder = folder

    def kill(self) -> None:
        for process in cluster(self.folder):
            with suppress(psutil.NoSuchProcess):
                process.kill()

    @contextmanager
    def halted(self) -> Iterator[None]:
        processes = cluster(self.folder)
        for process in processes:
            process.suspend()
        try:
            yield
        finally:
            for process in processes:
                with suppress(psutil.NoSuchProcess):
                    process.resume()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(copy_of_schema(tmp_path_factory.mktemp("server") / "data"))
    server.start()
    yield server
    server.kill()
    server.stop()


def start(server: Server, folder: Path, *arguments: str) -> Running:
    return Running(
        *arguments,
        log=folder.parent / f"{arguments[0]}.log",
        SOPHIIE_DATABASE_URL=server.url,
        SOPHIIE_DATA_DIR=str(folder),
        **SECRETS,
    )


def lines(running: Running, word: str) -> int:
    return sum(word in line for line in running.output.splitlines())


def test_a_worker_whose_database_is_gone(server: Server, folder: Path) -> None:
    """It says so once, goes on when the database is back, and stops when told in between."""
    worker = start(server, folder, "worker")
    until(lambda: lines(worker, "worker started"), what="the worker works")
    server.kill()
    until(lambda: lines(worker, "database not reachable"), what="it is noticed")
    time.sleep(4)  # every loop tries again, more than once
    assert lines(worker, "reachable") == 1, worker.output
    assert "Traceback" not in worker.output
    assert server.heal()
    until(lambda: lines(worker, "reachable again"), what="it goes on")
    server.kill()
    time.sleep(1)
    end_with_many_signals(worker, folder)
    assert lines(worker, "worker started") == 1


@pytest.mark.parametrize("command", ["worker", "web", "status", "migrate"])
def test_a_database_that_hangs(server: Server, folder: Path, command: str) -> None:
    server.heal()
    ports = ("--port", str(free_port())) if command == "web" else ()
    running = start(server, folder, command, *ports)
    if command in ("worker", "web"):
        word = "worker started" if command == "worker" else "Uvicorn running"
        until(lambda: lines(running, word), what="it runs")
    with server.halted():
        if command == "web":
            for _ in range(4):
                threading.Thread(
                    target=_ask, args=(f"http://127.0.0.1:{ports[1]}/login",), daemon=True
                ).start()
        time.sleep(1)  # what it does then hangs
        ends_well = command in ("worker", "web")
        end_with_many_signals(running, folder, codes=(0,) if ends_well else (0, 1, *BY_SIGNAL))


def hears_signals(pid: int) -> bool:
    """SIGTERM is the last that it begins to hear; SIGHUP it may never, as under `nohup`."""
    caught = re.search(r"SigCgt:\s*(\w+)", Path(f"/proc/{pid}/status").read_text())
    return caught is not None and bool(int(caught[1], 16) & 1 << signal.SIGTERM - 1)


def test_a_command_that_waits_for_its_input(server: Server, folder: Path) -> None:
    command = [sys.executable, "-m", "sophiie", "create-business", "Harbour Plumbing"]
    command += ["--timezone", "Australia/Sydney", "--owner-email", "alice@example.com"]
    waits = subprocess.Popen(
        [*command, "--owner-name", "Alice", "--password-stdin"],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=clean_environment(SOPHIIE_DATABASE_URL=server.url, **SECRETS),
    )
    until(lambda: hears_signals(waits.pid), what="it hears signals")
    waits.send_signal(signal.SIGINT)
    waits.send_signal(signal.SIGTERM)
    _, errors = waits.communicate(timeout=SECONDS)
    # Two at once may be heard in either order.
    assert waits.returncode in (-signal.SIGINT, -signal.SIGTERM)
    assert errors == b""


def test_the_simulator_with_calls_that_hang(tmp_path: Path) -> None:
    with running_simulator(tmp_path / "state.sqlite3") as simulator:
        simulator.latency(60_000)
        pid = simulator.pid
        assert pid is not None
        waiting = socket.create_connection(("127.0.0.1", int(simulator.base_url.split(":")[-1])))
        with closing(waiting):
            waiting.sendall(b"GET /calendar/v3/users/me/calendarList HTTP/1.1\r\nHost: x\r\n\r\n")
            began = time.monotonic()
            process = psutil.Process(pid)
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGINT):
                process.send_signal(number)
            simulator.stop()
            assert time.monotonic() - began < SECONDS
