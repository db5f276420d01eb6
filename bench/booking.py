"""What a booking costs over HTTP, and fifty of them at once, as the table of appointments grows.

Real processes: `sophiie web`, `sophiie worker`, the simulator, PostgreSQL. The floors, measured in
the same run: /healthz over the same connection, and the bare INSERTs of a booking in one
transaction. Prints a table and, as its last line, JSON. `--most 100000` leaves the millions out.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

# isort: off
from tests import environment  # a database of its own, before Django

environment.os.environ["DJANGO_SETTINGS_MODULE"] = "sophiie.config.settings"
environment.os.environ["SOPHIIE_LOG_LEVEL"] = "WARNING"

import django

django.setup()
# isort: on

import aiohttp
import psutil
from django.conf import settings
from django.core.management import call_command
from django.db import connection, transaction

from google_simulator.testing import RunningSimulator, running_simulator
from sophiie.accounts.api_keys import create_api_key
from sophiie.accounts.models import Member
from sophiie.accounts.people import add_member, create_business
from sophiie.busy_time.models import BusyCalendar
from sophiie.common.ids import new_id
from sophiie.sync.models import MirroredEvent, MirrorState, QuotaBucket
from tests.busy import busy, calendar_of
from tests.google_place import variables_of
from tests.linking import link
from tests.processes import Running, answers, free_port, until

SIZES = (10_000, 100_000, 1_000_000)
MEMBERS, LINKED = 50, 5
WARM, BOOKINGS, RACES, CALLERS = 20, 150, 20, 50
LATENCIES = (0, 400)


class Bench:
    def __init__(self, google: RunningSimulator, folder: Path) -> None:
        self.google, self.folder, self.chance = google, folder, random.Random(7)
        self.rows: list[tuple[str, ...]] = []
        self.result: dict[str, Any] = {}
        self.owner = create_business(
            name="Harbour Plumbing",
            timezone="Australia/Sydney",
            owner_email="alice@example.com",
            owner_name="Alice",
            password=None,
        )[1]
        self.people = [self.owner, *(self._person(n) for n in range(1, MEMBERS))]
        self.key = create_api_key(self.owner)
        self.today = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
        self.free = [(n, hour) for n in range(MEMBERS) for hour in range(48, 24 * 200)]
        self.chance.shuffle(self.free)
        self.filled = 0

    def _person(self, number: int) -> Member:
        email = f"alice+{number}@example.com"
        return add_member(
            business=self.owner.business,
            email=email,
            name=f"A{number}",
            role="member",
            password=None,
        )

    def link_some(self) -> None:
        """Of fifty people five are linked, with five events a week each."""
        for person in self.people[:LINKED]:
            if person is not self.owner:
                self.google.add_account(person.email, person.name, "Australia/Sydney")
            link(person, self.google, account=person.email)
            BusyCalendar.objects.filter(member=person).delete()
            calendar = calendar_of(person, calendar_id=person.email)
            for day in range(200):
                start = self.today + timedelta(days=day, hours=1)
                busy(person, start, start + timedelta(minutes=20), calendar=calendar)

    def start(self) -> tuple[Running, Running]:
        ours = {n: v for n, v in environment.os.environ.items() if n.startswith("SOPHIIE_")}
        port = free_port()
        self.url = f"http://localhost:{port}"
        variables = {
            **ours,
            **variables_of(self.google),
            "SOPHIIE_LOG_LEVEL": "WARNING",
            "SOPHIIE_API_REQUESTS_PER_MINUTE": "10000000",
            "SOPHIIE_BUSY_POLL_SECONDS": "36000",
        }
        web = Running("web", "--port", str(port), log=self.folder / "web.log", **variables)
        worker = Running("worker", log=self.folder / "worker.log", **variables)
        until(lambda: answers(f"{self.url}/healthz"), seconds=60, what="web answers")
        self.web = psutil.Process(web.process.pid)
        time.sleep(3)
        return web, worker

    # -- the table -------------------------------------------------------------------------------

    def fill(self, size: int) -> None:
        """Half an hour of every hour is taken, around today, for everybody."""
        more = (size - self.filled) // MEMBERS
        first = self.filled // MEMBERS
        with connection.cursor() as cursor:
            cursor.execute(
                "ALTER TABLE appointments_assignment DROP CONSTRAINT assignment_no_overlap"
            )
            cursor.execute(_FILL, {"today": self.today, "more": more, "first": first})
            cursor.execute(
                "ALTER TABLE appointments_assignment ADD CONSTRAINT assignment_no_overlap"
                " EXCLUDE USING gist (member_id WITH =, during WITH &&) WHERE (blocking)"
            )
            cursor.execute("VACUUM ANALYZE appointments_appointment, appointments_assignment")
        self.filled = size

    # -- the measurements ------------------------------------------------------------------------

    def fresh(self) -> None:
        BusyCalendar.objects.update(checked_at=datetime.now(UTC))
        QuotaBucket.objects.all().delete()

    def quiet(self) -> None:
        """What the worker still has to do is nobody's cost."""
        pending = MirroredEvent.objects.filter(state=MirrorState.PENDING)
        until(lambda: self.fresh() or not pending.exists(), seconds=120, what="all is shown")

    def body(self) -> dict[str, Any]:
        number, hour = self.free.pop()
        start = self.today + timedelta(hours=hour, minutes=30)
        return {
            "title": "Leaking tap",
            "start": start.isoformat(),
            "duration_minutes": 30,
            "assignees": [str(self.people[number].id)],
        }

    def floors(self) -> dict[str, float]:
        async def health() -> list[float]:
            async with aiohttp.ClientSession(self.url) as http:
                return [await _timed(lambda: _get(http, "/healthz")) for _ in range(300)]

        inserts = []
        for _ in range(200):
            started = time.perf_counter()
            self._bare_inserts()
            inserts.append((time.perf_counter() - started) * 1000)
        return {"healthz": _p(asyncio.run(health()), 50), "inserts": _p(inserts, 50)}

    def _bare_inserts(self) -> None:
        number, hour = self.free.pop()
        start = self.today + timedelta(hours=hour, minutes=30)
        values = {
            "appointment": new_id(),
            "share": new_id(),
            "change": new_id(),
            "business": self.owner.business_id,
            "owner": self.owner.id,
            "member": self.people[number].id,
            "start": start,
            "end": start + timedelta(minutes=30),
        }
        with transaction.atomic(), connection.cursor() as cursor:
            for statement in _BARE:
                cursor.execute(statement, values)

    def bookings(self, latency: int) -> dict[str, float]:
        """One after the other, over one connection, while the worker mirrors them."""
        self.google.latency(latency)
        self.fresh()
        self.google.clear_calls()
        before = _cpu(self.web)

        async def book() -> list[float]:
            headers = {"Authorization": f"Bearer {self.key}"}
            async with aiohttp.ClientSession(self.url, headers=headers) as http:
                for _ in range(WARM):
                    await _post(http, self.body())
                found = []
                for _ in range(BOOKINGS):
                    found.append(await _timed(lambda: _post(http, self.body())))
                    await asyncio.sleep(0.02)  # a receptionist, not a flood
                return found

        times = asyncio.run(book())
        cpu = (_cpu(self.web) - before) / (WARM + BOOKINGS) * 1000
        reads = len(self.google.calls(method="calendar.events.list"))
        self.google.latency(0)
        self.quiet()
        return {"p50": _p(times, 50), "p95": _p(times, 95), "reads": reads, "cpu": cpu}

    def race(self) -> dict[str, float]:
        """Fifty at once for overlapping times of one member."""
        self.fresh()
        headers = {"Authorization": f"Bearer {self.key}"}

        async def rounds() -> tuple[list[Counter[int]], list[float]]:
            counts, slowest = [], []
            connector = aiohttp.TCPConnector(limit=CALLERS)
            async with aiohttp.ClientSession(
                self.url, headers=headers, connector=connector
            ) as http:
                for _ in range(RACES):
                    bodies = [self.body()]
                    bodies += [
                        bodies[0] | {"duration_minutes": 29 - n % 20} for n in range(1, CALLERS)
                    ]
                    made = await asyncio.gather(*(_raced(http, body) for body in bodies))
                    counts.append(Counter(status for status, _ in made))
                    slowest.append(max(taken for _, taken in made))
            return counts, slowest

        counts, slowest = asyncio.run(rounds())
        winners = {count[201] for count in counts}
        others = {count[409] for count in counts}
        assert winners == {1}, counts
        assert others == {CALLERS - 1}, counts
        return {"median of the slowest": statistics.median(slowest), "slowest": max(slowest)}

    def measure(self, size: int) -> None:
        started = time.monotonic()
        self.fill(size)
        filled = time.monotonic() - started
        self.quiet()
        floors = self.floors()
        found: dict[str, Any] = {"floors": floors, "fill_seconds": filled}
        name = f"{size:,}"
        for latency in LATENCIES:
            times = found[f"google_{latency}_ms"] = self.bookings(latency)
            self.say(
                f"booking, p50 / p95, Google at {latency} ms",
                name,
                f"{times['p50']:.1f} / {times['p95']:.1f} ms",
                "p50 ≤ 15 ms",
                times["p50"] <= 15,
            )
            self.rows.append(("… CPU of the web process", name, f"{times['cpu']:.1f} ms", "", ""))
            self.say("… calls that read", name, f"{times['reads']:.0f}", "0", times["reads"] == 0)
        self.rows.append(("… floors: /healthz, bare inserts", name, _both(floors), "", ""))
        times = found["race"] = self.race()
        self.say(
            f"{CALLERS} at once, slowest of {RACES} rounds (median)",
            name,
            f"{times['slowest']:.0f} ms ({times['median of the slowest']:.0f} ms)",
            "≤ 1 s",
            times["slowest"] <= 1000,
        )
        self.result[str(size)] = found

    def memory(self) -> None:
        mib = self.web.memory_info().rss / 2**20
        self.result["web_mib"] = mib
        self.rows.append(("memory of the web process", "", f"{mib:.0f} MiB", "", ""))

    def say(self, what: str, size: str, value: str, target: str, met: bool) -> None:
        self.rows.append((what, size, value, target, "met" if met else "MISSED"))


_FILL = """
    WITH slot AS (
        SELECT gen_random_uuid() AS id, member.id AS member, member.business_id AS business,
            %(today)s::timestamptz + interval '1 hour'
                * (CASE WHEN n %% 2 = 0 THEN n / 2 ELSE -(n + 1) / 2 END) AS start
        FROM accounts_member AS member, generate_series(%(first)s, %(first)s + %(more)s - 1) AS n
    ), made AS (
        INSERT INTO appointments_appointment (id, business_id, title, start, "end", timezone,
            location, notes, customer_name, customer_phone, customer_email, status, revision,
            created_by_id, created_at, updated_at)
        SELECT id, business, 'Filled', start, start + interval '30 minutes', 'Australia/Sydney',
            '', '', '', '', '', 'scheduled', 1, member, now(), now()
        FROM slot
    )
    INSERT INTO appointments_assignment (id, appointment_id, member_id, during, blocking,
        booked_anyway)
    SELECT gen_random_uuid(), id, member, tstzrange(start, start + interval '30 minutes'), true,
        false
    FROM slot
"""
_BARE = (
    """INSERT INTO appointments_appointment (id, business_id, title, start, "end", timezone,
        location, notes, customer_name, customer_phone, customer_email, status, revision,
        created_by_id, created_at, updated_at)
    VALUES (%(appointment)s, %(business)s, 'Bare', %(start)s, %(end)s, 'Australia/Sydney',
        '', '', '', '', '', 'scheduled', 1, %(owner)s, now(), now())""",
    """INSERT INTO appointments_assignment (id, appointment_id, member_id, during, blocking,
        booked_anyway)
    VALUES (%(share)s, %(appointment)s, %(member)s, tstzrange(%(start)s, %(end)s), true, false)""",
    """INSERT INTO appointments_appointmentchange (id, appointment_id, revision, action, by_id, at,
        fields)
    VALUES (%(change)s, %(appointment)s, 1, 'created', %(owner)s, now(), '{}')""",
)


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system


async def _timed(act: Callable[[], Any]) -> float:
    started = time.perf_counter()
    await act()
    return (time.perf_counter() - started) * 1000


async def _get(http: aiohttp.ClientSession, path: str) -> None:
    async with http.get(path) as answer:
        await answer.read()
        assert answer.status == 200


async def _post(http: aiohttp.ClientSession, body: dict[str, Any]) -> None:
    async with http.post("/api/v1/appointments", json=body) as answer:
        assert answer.status == 201, await answer.text()
        await answer.read()


async def _raced(http: aiohttp.ClientSession, body: dict[str, Any]) -> tuple[int, float]:
    started = time.perf_counter()
    async with http.post("/api/v1/appointments", json=body) as answer:
        await answer.read()
        return answer.status, (time.perf_counter() - started) * 1000


def _p(times: list[float], percent: int) -> float:
    return sorted(times)[len(times) * percent // 100]


def _both(floors: dict[str, float]) -> str:
    return f"{floors['healthz']:.1f}, {floors['inserts']:.1f} ms"


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--most", type=int, default=SIZES[-1])
    most = arguments.parse_args().most
    call_command("migrate", verbosity=0)
    settings.ALLOWED_HOSTS.append("testserver")  # what Django's test client calls itself
    with (
        tempfile.TemporaryDirectory() as folder,
        running_simulator(quotas=False) as google,
    ):
        for name, value in variables_of(google).items():
            setattr(settings, name.removeprefix("SOPHIIE_"), value)
        bench = Bench(google, Path(folder))
        bench.link_some()
        web, worker = bench.start()
        try:
            for size in SIZES:
                if size <= most:
                    bench.measure(size)
            bench.memory()
        finally:
            web.stop()
            worker.stop()
    widths = [max(len(row[i]) for row in bench.rows) for i in range(5)]
    for row in bench.rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)))
    print(json.dumps(bench.result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
