"""Web and worker as two real processes on a data folder of their own, with a simulator beside."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import requests

from google_simulator.testing import RunningSimulator
from tests.google_place import variables_of
from tests.prepared import ALICE, PASSWORD, SECRETS, copy_of_business
from tests.processes import Api, Running, answers, free_port, until


class Product:
    """Alice's business in two running processes; she has not linked her calendar yet."""

    def __init__(self, folder: Path, google: RunningSimulator, **variables: str) -> None:
        key = copy_of_business(folder / "data")
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
