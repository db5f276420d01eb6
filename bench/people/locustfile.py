"""People at work, for locust: each has the calendar open, and some of them book, change and ask.

As in a browser, the open page keeps a live stream, and asks for its week anew when something
changed. Who the people are stands in the file that `PEOPLE` names (bench/load.py writes it).
"""

from __future__ import annotations

import itertools
import json
import os
import random
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import gevent
from locust import HttpUser, events, task

PLAN: dict[str, Any] = json.loads(open(os.environ["PEOPLE"]).read())  # noqa: SIM115
TOGETHER_SECONDS = 0.3  # what the calendar's page.js waits for more changes
HOURS = 24 * 100

_people = itertools.cycle(PLAN["people"])


def between_acts(person: Any) -> float:
    """Nobody waits for the others, and all together do what was stated in a second."""
    return float(person.chance.expovariate(PLAN["acts_a_second"] / len(PLAN["people"])))


class Person(HttpUser):
    """One who has the calendar open all day, and does something now and then."""

    wait_time = between_acts

    def on_start(self) -> None:
        me = next(_people)
        self.client.base_url = me["site"]
        self.cookie = {"Cookie": me["cookie"]}
        self.key = {"Authorization": f"Bearer {me['key']}"}
        self.chance = random.Random(me["number"])
        hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
        first = hour + timedelta(days=PLAN["first_day"])
        self.free = [first + timedelta(hours=hour) for hour in range(HOURS)]
        self.chance.shuffle(self.free)
        self.mine: list[dict[str, Any]] = []
        week = datetime.now(UTC).date()
        self.week = f"from={week}&to={week + timedelta(days=7)}"
        self.client.get("/calendar", headers=self.cookie, name="page")
        self.due = 0.0
        gevent.spawn(self._listen)
        self.wait()

    # -- the open page ---------------------------------------------------------------------------

    def _listen(self) -> None:
        while True:
            began = time.perf_counter()
            try:
                stream = self.client.get(
                    "/live", headers=self.cookie, stream=True, timeout=(10, 60), name="live"
                )
                for line in stream.iter_lines():
                    if b'"appointment"' in line or b'"gap"' in line:
                        self._changed()
            except Exception as error:
                events.request.fire(
                    request_type="SSE",
                    name="live ended",
                    response_time=(time.perf_counter() - began) * 1000,
                    response_length=0,
                    exception=error,
                )
            gevent.sleep(2)

    def _changed(self) -> None:
        if not self.due:
            self.due = time.monotonic()
            gevent.spawn_later(TOGETHER_SECONDS, self._reload)

    def _reload(self) -> None:
        self.due = 0.0
        self.client.get(f"/calendar/feed?{self.week}", headers=self.cookie, name="feed")

    # -- what people do --------------------------------------------------------------------------

    @task(1)
    def book(self) -> None:
        start = self.free.pop()
        body = {"title": "Leaking tap", "start": start.isoformat(), "duration_minutes": 45}
        with self._api("POST", "/appointments", "book", json=body) as answer:
            if answer.status_code == 201:
                self.mine.append(answer.json())

    @task(1)
    def edit(self) -> None:
        if not self.mine:
            return self.book()
        one = self.chance.choice(self.mine)
        body = {"notes": f"Ring twice. {self.chance.random()}"}
        with self._api("PATCH", f"/appointments/{one['id']}", "edit", json=body):
            pass
        return None

    @task(2)
    def ask(self) -> None:
        first = datetime.now(UTC) + timedelta(days=self.chance.randrange(1, 60))
        last = first + timedelta(days=14)
        query = {"from": first.isoformat(), "to": last.isoformat(), "duration_minutes": "60"}
        with self._api("GET", "/availability", "availability", params=query):
            pass

    def _api(self, method: str, path: str, name: str, **how: Any) -> Any:
        return self.client.request(
            method, f"/api/v1{path}", headers=self.key, name=name, catch_response=True, **how
        )
