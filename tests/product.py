"""Web and worker as two real processes on a data folder of their own, with a simulator beside."""

from __future__ import annotations

import re
import subprocess
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import requests
from cryptography.fernet import Fernet

from google_simulator.testing import RunningSimulator
from tests.environment import FOLDER
from tests.google_place import variables_of
from tests.processes import Api, Running, answers, free_port, sophiie, until

ALICE = "alice@example.com"
PASSWORD = "correct horse battery"
SECRETS = {
    "SOPHIIE_SECRET_KEY": "of-no-worth-outside-the-tests-" * 2,
    "SOPHIIE_ENCRYPTION_KEYS": Fernet.generate_key().decode(),
}


class Product:
    """Alice's business in two running processes; she has not linked her calendar yet."""

    def __init__(self, folder: Path, google: RunningSimulator, **variables: str) -> None:
        prepared, key = _prepared()
        subprocess.run(["cp", "-a", prepared, folder / "data"], check=True)
        self.google = google
        self.port = free_port()
        self.url = f"http://localhost:{self.port}"
        self.folder = folder
        self.variables = {
            **variables_of(google),
            "SOPHIIE_DATA_DIR": str(folder / "data"),
            "SOPHIIE_PUBLIC_URL": self.url,
            **SECRETS,
            **variables,
        }
        self.api = Api(self.url, key)
        self.web = self.start("web", "--port", str(self.port))
        self.worker = self.start("worker")
        until(lambda: answers(f"{self.url}/healthz"), what="the web process answers")

    def start(self, *arguments: str) -> Running:
        return Running(*arguments, log=self.folder / f"{arguments[0]}.log", **self.variables)

    def stop(self) -> None:
        self.worker.stop()
        assert self.web.stop() == 0
        # The last one to leave stops the embedded database.
        assert not list((self.folder / "data").rglob("postmaster.pid"))

    def link(self) -> None:
        """Alice links her calendar, over HTTP as her browser would."""
        browser = requests.Session()

        def post(path: str, **fields: str) -> requests.Response:
            token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text)
            assert token, page.text
            fields["csrfmiddlewaretoken"] = token.group(1)
            return browser.post(self.url + path, data=fields, allow_redirects=False, timeout=60)

        page = browser.get(f"{self.url}/login", timeout=60)
        post("/login", login=ALICE, password=PASSWORD)
        page = browser.get(f"{self.url}/settings/calendar", timeout=60)
        consent = post("/integrations/google/connect").headers["Location"]
        back = self.google.authorize(consent, account=ALICE)
        page = browser.get(back, timeout=60)
        post("/settings/calendar/choose", calendar_id=ALICE)
        me = self.api("GET", "/members/me")["id"]
        until(
            lambda: self.api("GET", f"/members/{me}/calendar-link")["state"] == "active",
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

    def appointments(self) -> list[dict[str, Any]]:
        """All of them, page by page."""
        found: list[dict[str, Any]] = []
        cursor = ""
        while cursor is not None:
            page = self.api("GET", f"/appointments?limit=200&cursor={cursor}")
            found += page["items"]
            cursor = page["next_cursor"]
        return found

    def titles(self) -> list[str]:
        """What is in Alice's calendar at Google."""
        return sorted(event["summary"] for event in self.google.events(ALICE))


def prepared_folder() -> Path:
    """A data folder with the schema and Alice's business, which nobody changes."""
    return _prepared()[0]


@cache
def _prepared() -> tuple[Path, str]:
    """A data folder with the schema and Alice's business, and her API key.

    Made once in a process: the three commands take longer than most of what is tested here.
    """
    folder = FOLDER / "product"
    variables = {
        **SECRETS,
        "SOPHIIE_DATA_DIR": str(folder),
        "SOPHIIE_PUBLIC_URL": "http://localhost:8000",
        "GOOGLE_CLIENT_ID": "unused",
        "GOOGLE_CLIENT_SECRET": "unused",
    }

    def run(*words: str, stdin: str = "") -> str:
        done = sophiie(*words, stdin=stdin, **variables)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    run("migrate")
    run(
        *("create-business", "Harbour Plumbing", "--timezone", "Australia/Sydney"),
        *("--owner-email", ALICE, "--owner-name", "Alice", "--password-stdin"),
        stdin=PASSWORD,
    )
    return folder, run("create-api-key", "--member", ALICE)
