"""What it costs bookings that others listen: 0, 10 and 100 connections that hear of every change.

Real processes: `sophiie web`, PostgreSQL that writes to disk for every commit. Sixteen callers book
beside each other, each other times. Prints a table and, as its last line, JSON.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

# isort: off
from sophiie.database import EmbeddedPostgres, server

FOLDER = tempfile.TemporaryDirectory()
# One that writes to disk for every commit, unlike that of the tests: bookings wait for it.
server._SETTINGS["max_connections"] = "250"
SERVER = EmbeddedPostgres(Path(FOLDER.name))
os.environ["TESTS_DATABASE_URL"] = SERVER.start()

from tests import environment  # before Django

environment.os.environ["DJANGO_SETTINGS_MODULE"] = "sophiie.config.settings"
environment.os.environ["SOPHIIE_LOG_LEVEL"] = "WARNING"

import django

django.setup()
# isort: on

import aiohttp
import psutil
import psycopg
from django.conf import settings
from django.core.management import call_command
from django.db import connections

from google_simulator.testing import running_simulator
from sophiie.accounts.api_keys import create_api_key
from sophiie.accounts.models import Member
from sophiie.accounts.people import add_member, create_business
from sophiie.common.direct import direct_parameters
from tests.google_place import variables_of
from tests.linking import link
from tests.processes import Running, answers, free_port, until

LISTENING = (0, 10, 100)
PROCESSES, CALLERS, WARM, BOOKINGS = 2, 16, 60, 800


def people() -> list[Member]:
    owner = create_business(
        name="Harbour Plumbing",
        timezone="Australia/Sydney",
        owner_email="alice@example.com",
        owner_name="Alice",
        password=None,
    )[1]
    others = [
        add_member(
            business=owner.business,
            email=f"alice+{n}@example.com",
            name=f"A{n}",
            role="member",
            password=None,
        )
        for n in range(1, CALLERS)
    ]
    return [owner, *others]


async def booked(urls: list[str], key: str, who: list[str], number: int, hours: Any) -> list[float]:
    """So many bookings by all callers together; how long each took, in milliseconds."""
    first = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(days=2)
    left = iter(range(number))
    times: list[float] = []

    async def caller(n: int, http: aiohttp.ClientSession) -> None:
        for _ in left:
            start = first + timedelta(hours=next(hours))
            body = {
                "title": "Tap",
                "start": start.isoformat(),
                "duration_minutes": 30,
                "assignees": [who[n]],
                "accept_unverified": True,
            }
            began = time.perf_counter()
            async with http.post(f"{urls[n % len(urls)]}/api/v1/appointments", json=body) as answer:
                assert answer.status == 201, await answer.text()
            times.append((time.perf_counter() - began) * 1000)

    headers = {"Authorization": f"Bearer {key}"}
    async with aiohttp.ClientSession(headers=headers) as http:
        await asyncio.gather(*(caller(n, http) for n in range(CALLERS)))
    return times


def server_cpu() -> float:
    """Seconds of processor that the database has used, which other load does not change."""
    (pid_file,) = Path(FOLDER.name).rglob("postmaster.pid")
    postmaster = psutil.Process(int(pid_file.read_text().split()[0]))
    times = [process.cpu_times() for process in (postmaster, *postmaster.children())]
    return sum(t.user + t.system + t.children_user + t.children_system for t in times)


def measure(urls: list[str], key: str, who: list[str]) -> dict[int, dict[str, float]]:
    hours, found = count(), {}
    asyncio.run(booked(urls, key, who, WARM, hours))
    for listening in LISTENING:
        listeners = [
            psycopg.connect(**direct_parameters(), autocommit=True) for _ in range(listening)
        ]
        for listener in listeners:
            listener.execute("LISTEN sophiie_live")
            listener.execute('LISTEN "procrastinate_any_queue_v1"')
        began, cpu = time.perf_counter(), server_cpu()
        times = sorted(asyncio.run(booked(urls, key, who, BOOKINGS, hours)))
        seconds = time.perf_counter() - began
        found[listening] = {
            "bookings_per_second": BOOKINGS / seconds,
            "p50_ms": times[len(times) // 2],
            "p95_ms": times[len(times) * 95 // 100],
            "server_cpu_ms_a_booking": (server_cpu() - cpu) / BOOKINGS * 1000,
        }
        for listener in listeners:
            listener.close()
    return found


def main() -> int:
    call_command("migrate", verbosity=0)
    settings.ALLOWED_HOSTS.append("testserver")  # what Django's test client calls itself
    team = people()
    key = create_api_key(team[0])
    with tempfile.TemporaryDirectory() as folder, running_simulator(quotas=False) as google:
        for name, value in variables_of(google).items():
            setattr(settings, name.removeprefix("SOPHIIE_"), value)
        link(team[0], google, read=False)  # whose calendar shows all of the business
        team[0].calendar_links.update(covers="all")
        ours = {n: v for n, v in environment.os.environ.items() if n.startswith("SOPHIIE_")}
        ours |= variables_of(google) | {"SOPHIIE_API_REQUESTS_PER_MINUTE": "10000000"}
        webs, urls = [], []
        for n in range(PROCESSES):
            port = free_port()
            log = Path(folder) / f"web{n}.log"
            webs.append(Running("web", "--port", str(port), log=log, **ours))
            urls.append(f"http://localhost:{port}")
        try:
            for url in urls:
                until(lambda url=url: answers(f"{url}/healthz"), seconds=90, what="web answers")
            found = measure(urls, key, [str(member.pk) for member in team])
        finally:
            for web in webs:
                web.stop()
    connections.close_all()
    SERVER.stop()
    for listening, times in found.items():
        print(
            f"{listening:>4} listening: {times['bookings_per_second']:.0f} bookings/s,"
            f" p50 {times['p50_ms']:.0f} ms, p95 {times['p95_ms']:.0f} ms,"
            f" {times['server_cpu_ms_a_booking']:.1f} ms of the database's processor a booking"
        )
    print(json.dumps(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
