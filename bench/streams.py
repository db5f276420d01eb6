"""What open calendars cost those who book: thousands of live streams on one web process.

Real processes: `sophiie web`, PostgreSQL. A hundred people with twenty open pages each; somebody
books beside them, one booking after the other. Prints a table and, as its last line, JSON.
`--quick` opens a tenth.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

# isort: off
from tests import environment  # a database of its own, before Django

environment.os.environ["DJANGO_SETTINGS_MODULE"] = "sophiie.config.settings"

import django

django.setup()
# isort: on

import aiohttp
import psutil
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.test import Client

from sophiie.accounts.api_keys import create_api_key
from sophiie.accounts.models import Member
from sophiie.accounts.people import add_member, create_business
from sophiie.common.in_thread import in_thread
from tests.processes import Running, answers, free_port, until
from tests.site import BACKEND

BUSINESSES, PEOPLE, PAGES = 10, 10, 20
BOOKINGS, PAUSE_SECONDS = 300, 0.02


class Bench:
    def __init__(self, folder: Path) -> None:
        self.people = [person for n in range(BUSINESSES) for person in staff(n)]
        self.cookies = [cookie_of(person) for person in self.people]
        self.key = create_api_key(self.people[0])
        self.times = iter(range(10_000))
        self.first = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
        port = free_port()
        self.url = f"http://localhost:{port}"
        ours = {n: v for n, v in environment.os.environ.items() if n.startswith("SOPHIIE_")}
        quiet = {"SOPHIIE_LOG_LEVEL": "WARNING", "SOPHIIE_API_REQUESTS_PER_MINUTE": "10000000"}
        self.log = folder / "web.log"
        self.web = Running("web", "--port", str(port), log=self.log, **{**ours, **quiet})
        until(lambda: answers(f"{self.url}/healthz"), seconds=60, what="web answers")
        self.process = psutil.Process(self.web.process.pid)
        self.heard = self.ended = 0
        self.result: dict[str, Any] = {}

    async def measure(self, numbers: list[int]) -> None:
        connector = aiohttp.TCPConnector(limit=0)
        timeout = aiohttp.ClientTimeout(total=None)
        async with aiohttp.ClientSession(self.url, connector=connector, timeout=timeout) as http:
            reading: list[asyncio.Task[None]] = []
            for number in numbers:
                opening = range(len(reading), number)
                began = time.monotonic()
                streams = await asyncio.gather(*(self.open(http, n) for n in opening))
                seconds = time.monotonic() - began
                reading += [asyncio.create_task(self.read(stream)) for stream in streams]
                await self.book(http, number=50)
                await self.row(http, number, seconds)
            for task in reading:
                task.cancel()

    async def open(self, http: aiohttp.ClientSession, n: int) -> aiohttp.ClientResponse:
        headers = {"Cookie": self.cookies[n % len(self.cookies)]}
        stream = await http.get("/live", headers=headers)
        assert stream.status == 200, stream.status
        return stream

    async def read(self, stream: aiohttp.ClientResponse) -> None:
        async for line in stream.content:
            self.heard += line.startswith(b"data: ")
        self.ended += 1

    async def row(self, http: aiohttp.ClientSession, number: int, seconds: float) -> None:
        heard, cpu = self.heard, self.cpu()
        times = await self.book(http, number=BOOKINGS)
        health = [await timed(http, "GET", "/healthz") for _ in range(100)]
        self.result[str(number)] = found = {
            "p50_ms": p(times, 50),
            "p95_ms": p(times, 95),
            "healthz_worst_ms": max(health),
            "open_seconds": seconds,
            "heard": self.heard - heard,
            "cpu_ms_a_booking": (self.cpu() - cpu) / BOOKINGS * 1000,
            "mib": self.process.memory_info().rss / 2**20,
            "files": self.process.num_fds(),
            "threads": self.process.num_threads(),
            "database_connections": await in_thread(connections_of_web),
            "ended": self.ended,
        }
        print(json.dumps({number: found}), file=sys.stderr, flush=True)

    async def book(self, http: aiohttp.ClientSession, *, number: int) -> list[float]:
        found = []
        for _ in range(number):
            start = self.first + timedelta(hours=24 + next(self.times))
            body = {"title": "Tap", "start": start.isoformat(), "duration_minutes": 30}
            headers = {"Authorization": f"Bearer {self.key}"}
            path = "/api/v1/appointments"
            found.append(await timed(http, "POST", path, json=body, headers=headers))
            await asyncio.sleep(PAUSE_SECONDS)
        return found

    def cpu(self) -> float:
        times = self.process.cpu_times()
        return float(times.user + times.system)


def staff(number: int) -> list[Member]:
    owner = create_business(
        name=f"Harbour Plumbing {number}",
        timezone="Australia/Sydney",
        owner_email=f"alice+{number}@example.com",
        owner_name="Alice",
        password=None,
    )[1]
    others = [
        add_member(
            business=owner.business,
            email=f"bob+{number}.{n}@example.com",
            name=f"Bob {n}",
            role="member",
            password=None,
        )
        for n in range(1, PEOPLE)
    ]
    return [owner, *others]


def cookie_of(person: Member) -> str:
    client = Client()
    client.force_login(person, backend=BACKEND)
    name = settings.SESSION_COOKIE_NAME
    return f"{name}={client.cookies[name].value}"


def connections_of_web() -> int:
    ours = "SELECT count(*) - 1 FROM pg_stat_activity WHERE datname = current_database()"
    with connection.cursor() as cursor:
        cursor.execute(ours)
        return int(cursor.fetchone()[0])


async def timed(http: aiohttp.ClientSession, method: str, path: str, **how: Any) -> float:
    began = time.perf_counter()
    async with http.request(method, path, **how) as answer:
        await answer.read()
        assert answer.status in (200, 201), (answer.status, await answer.text())
    return (time.perf_counter() - began) * 1000


def p(times: list[float], percent: int) -> float:
    return sorted(times)[len(times) * percent // 100]


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--quick", action="store_true")
    most = BUSINESSES * PEOPLE * PAGES // (10 if arguments.parse_args().quick else 1)
    call_command("migrate", verbosity=0)
    settings.ALLOWED_HOSTS.append("testserver")  # what Django's test client calls itself
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder))
        try:
            asyncio.run(bench.measure([0, most // 4, most]))
        finally:
            bench.web.stop()
    none = bench.result["0"]
    for number, found in bench.result.items():
        times = found["p95_ms"] / none["p95_ms"]
        print(
            f"{number:>5} streams: booking p50 {found['p50_ms']:.1f}, p95 {found['p95_ms']:.1f} ms"
            f" ({times:.2f} of none, target 2), worst /healthz {found['healthz_worst_ms']:.0f} ms,"
            f" {found['mib']:.0f} MiB, {found['database_connections']} database connections"
        )
    print(json.dumps(bench.result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
