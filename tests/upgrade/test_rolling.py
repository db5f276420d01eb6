"""Every earlier release becomes this one while people book, old and new processes side by side."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
import requests

from google_simulator.testing import RunningSimulator, running_simulator
from tests.google_place import variables_of
from tests.prepared import ALICE, PASSWORD, SECRETS
from tests.processes import (
    PATIENCE_SECONDS,
    Api,
    Running,
    answers,
    clean_environment,
    free_port,
    until,
)
from tests.upgrade.earlier import COMMITS, source_of

pytestmark = pytest.mark.real_clock


@pytest.fixture(scope="module")
def google() -> Iterator[RunningSimulator]:
    with running_simulator(quotas=False) as simulator:
        yield simulator


@pytest.fixture
def database() -> Iterator[str]:
    """The address of a database of its own."""
    server, name = os.environ["SOPHIIE_DATABASE_URL"], f"upgrade_{os.getpid()}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        yield urlunsplit(urlsplit(server)._replace(path=f"/{name}"))
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


class Release:
    """The processes of one release, on one database, behind one port."""

    def __init__(self, folder: Path, source: Path | None, **variables: str) -> None:
        self.port = free_port()
        self.url = f"http://localhost:{self.port}"
        self._folder, self._running = folder, list[Running]()
        self.variables = {**variables, "SOPHIIE_PUBLIC_URL": self.url}
        if source is not None:
            self.variables["PYTHONPATH"] = str(source)

    def run(self, *words: str, stdin: str = "") -> str:
        done = subprocess.run(
            [sys.executable, "-m", "sophiie", *words],
            env=clean_environment(**self.variables),
            input=stdin,
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def start(self) -> None:
        for words in (("web", "--port", str(self.port)), ("worker",)):
            log = self._folder / f"{words[0]}-{self.port}.log"
            self._running.append(Running(*words, log=log, **self.variables))
        until(lambda: answers(f"{self.url}/readyz"), what=f"{self.url} is ready")

    def stop(self) -> None:
        for process in self._running:
            process.stop()
        self._running.clear()

    @property
    def complaints(self) -> str:
        lines = self._log_lines()
        return "\n".join(line for line in lines if '"level": "error"' in line)

    def _log_lines(self) -> list[str]:
        return "".join(file.read_text() for file in self._folder.glob("*.log")).splitlines()


class People(threading.Thread):
    """Book and change up to ten times a second, each time at the next of the addresses."""

    def __init__(self, key: str) -> None:
        super().__init__()
        self._key, self._ended = key, threading.Event()
        self.addresses: list[str] = []
        self.expected: dict[str, str] = {}
        self.failures: list[str] = []
        self.booked_at: dict[str, int] = {}

    def run(self) -> None:
        start = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(days=1)
        number = 0
        while not self._ended.wait(0.1):
            number += 1
            address = self.addresses[number % len(self.addresses)]
            body = {
                "title": f"Job {number}",
                "start": (start + timedelta(minutes=15 * number)).isoformat(),
                "duration_minutes": 15,
            }
            try:
                booked = Api(address, self._key)("POST", "/appointments", body)
                self.expected[booked["id"]] = booked["title"]
                if number % 2:
                    title = f"Job {number}, changed"
                    other = self.addresses[(number + 1) % len(self.addresses)]
                    Api(other, self._key)(
                        "PATCH", f"/appointments/{booked['id']}", {"title": title}
                    )
                    self.expected[booked["id"]] = title
            except OSError as error:
                self.failures.append(f"{address}: {error}")
            self.booked_at[address] = self.booked_at.get(address, 0) + 1

    def have_booked_at(self, address: str, more: int) -> None:
        enough = self.booked_at.get(address, 0) + more
        until(
            lambda: self.booked_at.get(address, 0) >= enough or self.failures,
            seconds=120,
            what=f"{more} more bookings at {address}",
        )

    def stop(self) -> None:
        self._ended.set()
        self.join()


def link(release: Release, google: RunningSimulator) -> None:
    """Alice links her calendar, over HTTP as her browser would."""
    browser = requests.Session()

    def post(path: str, **fields: str) -> requests.Response:
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text)
        assert token, page.text
        data = {**fields, "csrfmiddlewaretoken": token.group(1)}
        return browser.post(
            release.url + path, data=data, allow_redirects=False, timeout=PATIENCE_SECONDS
        )

    page = browser.get(f"{release.url}/login", timeout=PATIENCE_SECONDS)
    post("/login", login=ALICE, password=PASSWORD)
    page = browser.get(f"{release.url}/settings/calendar", timeout=PATIENCE_SECONDS)
    consent = post("/integrations/google/connect").headers["Location"]
    page = browser.get(google.authorize(consent, account=ALICE), timeout=PATIENCE_SECONDS)
    post("/settings/calendar/choose", calendar_id=ALICE)


def states(api: Api) -> set[str]:
    found: list[dict[str, Any]] = []
    cursor = ""
    while cursor is not None:
        page = api("GET", f"/appointments?limit=200&cursor={cursor}")
        found += page["items"]
        cursor = page["next_cursor"]
    return {sync["state"] for appointment in found for sync in appointment["sync"]}


@pytest.mark.parametrize("earlier", COMMITS)
def test_nothing_fails_and_nothing_is_lost(
    earlier: str, google: RunningSimulator, database: str, tmp_path: Path
) -> None:
    google.reset()
    shared = {
        **variables_of(google),
        **SECRETS,
        "SOPHIIE_DATABASE_URL": database,
        "SOPHIIE_DATA_DIR": str(tmp_path / "data"),
    }
    old = Release(tmp_path, source_of(earlier), **shared)
    new = Release(tmp_path, None, **shared)
    old.run("migrate")
    old.run(
        *("create-business", "Harbour Plumbing", "--timezone", "Australia/Sydney"),
        *("--owner-email", ALICE, "--owner-name", "Alice", "--password-stdin"),
        stdin=PASSWORD,
    )
    people = People(old.run("create-api-key", "--member", ALICE))
    people.addresses = [old.url]
    old.start()
    try:
        link(old, google)
        people.start()
        people.have_booked_at(old.url, 4)
        new.run("migrate")
        people.have_booked_at(old.url, 4)
        new.start()
        people.addresses = [old.url, new.url]
        people.have_booked_at(old.url, 4)
        people.have_booked_at(new.url, 4)
        people.addresses = [new.url]
        people.have_booked_at(new.url, 3)
        old.stop()
        people.have_booked_at(new.url, 4)
        people.stop()
        assert people.failures == [], old.complaints

        def titles() -> list[str]:
            return sorted(event["summary"] for event in google.events(ALICE))

        expected = sorted(people.expected.values())
        until(lambda: titles() == expected, what=f"Google shows all\n{new.complaints}")
        api = Api(new.url, people._key)
        until(lambda: states(api) == {"synced"}, what="every event is in sync")
    finally:
        people.stop() if people.is_alive() else None
        old.stop()
        new.stop()
