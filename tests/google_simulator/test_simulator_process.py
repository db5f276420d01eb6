"""The process: starting, stopping, being killed, keeping its state."""

from __future__ import annotations

import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from google_simulator.client import Endpoints, GoogleClient, answers
from google_simulator.testing import RunningSimulator, running_simulator
from tests.processes import PATIENCE_SECONDS

EVENT = {
    "start": {"dateTime": "2026-12-01T10:00:00+11:00"},
    "end": {"dateTime": "2026-12-01T11:00:00+11:00"},
    "summary": "Leaking tap",
}


def _linked(simulator: RunningSimulator) -> GoogleClient:
    google = GoogleClient(
        Endpoints.at(simulator.base_url), simulator.client_id, simulator.client_secret
    )
    redirect = simulator.authorize(google.authorization_url(), account="alice@example.com")
    assert google.exchange(answers(redirect)["code"]).status == 200
    return google


def _command(*options: str) -> list[str]:
    return [sys.executable, "-m", "google_simulator", *options]


def test_state_survives_kill_with_a_state_file(tmp_path: Path) -> None:
    with running_simulator(tmp_path / "google.sqlite") as simulator:
        google = _linked(simulator)
        event = google.insert(EVENT).json
        deleted = google.insert(EVENT).json
        google.delete(deleted["id"])
        _, token = google.all_pages()
        simulator.advance_clock(60)
        simulator.switch(utc_as="+00:00")
        simulator.kill()
        simulator.restart()

        assert google.get(event["id"]).json == event
        assert google.get(deleted["id"]).json["status"] == "cancelled"
        assert google.insert({**EVENT, "id": deleted["id"]}).status == 409
        assert google.refresh().status == 200
        assert simulator.state()["switches"]["utc_as"] == "+00:00"
        assert google.events(syncToken=token).json["items"] == []
        later = google.insert(EVENT).json
        changed = google.events(syncToken=token).json["items"]
        assert [item["id"] for item in changed] == [later["id"]]
        # The clock goes on from where it was moved to, not from real time.
        assert later["updated"] > time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(time.time() + 30))


def test_without_a_state_file_a_restart_begins_anew() -> None:
    with running_simulator() as simulator:
        _linked(simulator).insert(EVENT)
        simulator.restart()
        assert simulator.events("alice@example.com") == []


def test_a_busy_port_is_one_sentence() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = subprocess.run(
            _command("--port", str(port)), capture_output=True, text=True, timeout=PATIENCE_SECONDS
        )
    assert done.returncode == 1
    assert str(port) in done.stderr
    assert done.stderr.count("\n") == 1


def test_two_simulators_do_not_share_a_state_file(tmp_path: Path) -> None:
    path = tmp_path / "google.sqlite"
    with running_simulator(path):
        done = subprocess.run(
            _command("--port", "0", "--state-file", str(path)),
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
        )
    assert done.returncode == 1
    assert "google.sqlite" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("content", ["no database", "foreign rows"])
def test_an_unusable_state_file_is_one_sentence(tmp_path: Path, content: str) -> None:
    path = tmp_path / "google.sqlite"
    if content == "no database":
        path.write_text("This is a letter, not a database. " * 100)
    else:
        with running_simulator(path):
            pass
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            connection.execute("INSERT INTO record VALUES ('client', 'x', '{\"future\": 1}')")
    done = subprocess.run(
        _command("--port", "0", "--state-file", str(path)),
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
    )
    assert done.returncode == 1
    assert done.stderr.startswith(f"The state file {path}")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signals_stop_it_cleanly(number: signal.Signals) -> None:
    process = subprocess.Popen(
        _command("--port", "0"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert "listening" in process.stdout.readline()
    process.send_signal(number)
    _, complaints = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 0
    assert complaints == ""


def test_it_ends_with_its_parent() -> None:
    read_end, write_end = os.pipe()
    process = subprocess.Popen(
        _command("--port", "0"),
        stdout=subprocess.PIPE,
        text=True,
        pass_fds=(read_end,),
        env={**os.environ, "LIFELINE_FD": str(read_end)},
    )
    os.close(read_end)
    assert "listening" in process.stdout.readline()
    assert process.poll() is None
    os.close(write_end)
    assert process.wait(60) == 0
    process.stdout.close()


def test_registered_redirect_uris_are_compared_exactly() -> None:
    registered = "http://localhost:8000/callback"
    with running_simulator(redirect_uris=(registered,)) as simulator:
        google = GoogleClient(
            Endpoints.at(simulator.base_url),
            simulator.client_id,
            simulator.client_secret,
            redirect_uri=registered,
        )
        redirect = simulator.authorize(google.authorization_url(), account="bob@example.com")
        assert redirect.startswith(registered + "?")
        for other in (registered + "/", "http://127.0.0.1:8000/callback", "http://localhost/"):
            url = google.authorization_url(redirect_uri=other)
            assert google.send("GET", url).status == 400
