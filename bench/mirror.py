"""What the mirror costs: calls, latency beyond Google's own, CPU, sustained rate, backfill.

Real processes: `sophiie worker`, the simulator, PostgreSQL. The floor is a bare aiohttp loop that
makes the same calls, measured in the same run. Prints a table and, as its last line, JSON.
"""

from __future__ import annotations

import asyncio
import json
import statistics
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

from google_simulator.testing import RunningSimulator, running_simulator
from sophiie.accounts.models import Member
from sophiie.accounts.people import add_member, create_business
from sophiie.appointments.booking import book, change, delete
from sophiie.appointments.rules import Details
from sophiie.calendar_link.models import CalendarLink
from sophiie.sync.models import MirroredEvent, MirrorState, QuotaBucket
from tests.google_place import variables_of
from tests.linking import link
from tests.processes import Running, until

LINKS = 12
BURST = 900
# Ahead, and within what is read of the linked calendars: nothing farther is booked unasked.
LATE = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(days=30)


class Bench:
    def __init__(self, google: RunningSimulator, folder: Path) -> None:
        self.google, self.folder = google, folder
        self.rows: list[tuple[str, str, str, str]] = []
        self.result: dict[str, Any] = {}
        self.hours = 0
        self.owner = create_business(
            name="Harbour Plumbing",
            timezone="Australia/Sydney",
            owner_email="alice@example.com",
            owner_name="Alice",
            password=None,
        )[1]
        self.people = [self.owner, *(self._person(n) for n in range(1, LINKS))]

    def _person(self, number: int) -> Member:
        email = f"alice+{number}@example.com"
        self.google.add_account(email, f"Alice {number}", "Australia/Sydney")
        return add_member(
            business=self.owner.business,
            email=email,
            name=f"Alice {number}",
            role="member",
            password=None,
        )

    def link_all(self) -> None:
        for person in self.people:
            link(person, self.google, account=person.email)
        CalendarLink.objects.update(covers="assigned")

    def worker(self) -> Running:
        ours = {n: v for n, v in environment.os.environ.items() if n.startswith("SOPHIIE_")}
        variables = {**ours, **variables_of(self.google), "SOPHIIE_LOG_LEVEL": "WARNING"}
        log = self.folder / "worker.log"
        running = Running("worker", "--concurrency", "20", log=log, **variables)
        until(lambda: "started" in running.output or _workers(), seconds=20, what="a worker")
        time.sleep(1.0)
        return running

    def book(self, person: Member) -> Any:
        self.hours += 1
        start = LATE + timedelta(hours=self.hours)
        details = Details(
            title=f"Appointment {self.hours}",
            start=start,
            end=start + timedelta(minutes=30),
            timezone="Australia/Sydney",
        )
        return book(by=self.owner, details=details, assignees=[person])

    def quiet(self, seconds: float = 60) -> None:
        pending = MirroredEvent.objects.filter(state=MirrorState.PENDING)
        until(lambda: not pending.exists(), seconds=seconds, what="everything is shown")

    def refill(self) -> None:
        QuotaBucket.objects.all().delete()
        CalendarLink.objects.update(parked_until=None)

    def say(self, what: str, value: str, target: str, met: bool) -> None:
        self.rows.append((what, value, target, "met" if met else "MISSED"))

    # -- the measurements ------------------------------------------------------------------------

    def calls(self) -> None:
        person = self.people[0]
        counts = {}
        self.google.clear_calls()
        appointment = self.book(person)
        self.quiet()
        counts["create"] = len(self.google.calls())
        self.google.clear_calls()
        change(by=self.owner, appointment_id=appointment.id, changes={"title": "Changed"})
        self.quiet()
        counts["update"] = len(self.google.calls())
        self.google.clear_calls()
        for number in range(10):
            title = {"title": f"Edit {number}"}
            change(by=self.owner, appointment_id=appointment.id, changes=title)
        self.quiet()
        counts["ten quick edits"] = len(self.google.calls())
        self.google.clear_calls()
        delete(by=self.owner, appointment_id=appointment.id)
        self.quiet()
        counts["delete"] = len(self.google.calls())
        self.result["calls"] = counts
        for what, count in counts.items():
            most = 2 if what.startswith("ten") else 1
            self.say(f"calls: {what}", str(count), f"≤ {most}", count <= most)

    def latency(self) -> None:
        """From the commit to the call's arrival at Google, on an idle worker."""
        waits = []
        for number in range(120):
            self.refill()
            self.google.clear_calls()
            self.book(self.people[number % LINKS])
            committed = time.time()
            call = until(
                lambda: self.google.calls(method="calendar.events.insert"),
                seconds=10,
                what="the call",
            )[0]
            waits.append((call["at"] - committed) * 1000)
            self.quiet()
        waits.sort()
        p50, p99 = statistics.median(waits), waits[int(len(waits) * 0.99)]
        self.result["commit_to_google_ms"] = {"p50": p50, "p99": p99}
        self.say("commit to call, p50", f"{p50:.0f} ms", "≤ 30 ms", p50 <= 30)
        self.say("commit to call, p99", f"{p99:.0f} ms", "≤ 150 ms", p99 <= 150)

    def burst(self, worker: Running) -> None:
        """Many changes at 100 ms latency: rate, and CPU beside the bare loop."""
        self.google.latency(100)
        floor = asyncio.run(self._floor(BURST))
        self.refill()
        process = psutil.Process(worker.process.pid)
        before, started = _cpu(process), time.monotonic()
        worker.process.send_signal(19)  # booked while it sleeps, so that only its own work counts
        for number in range(BURST):
            self.book(self.people[number % LINKS])
        self.refill()
        worker.process.send_signal(18)
        started, before = time.monotonic(), _cpu(process)
        self.quiet(120)
        seconds, cpu = time.monotonic() - started, _cpu(process) - before
        self.google.latency(0)
        rate, ratio = BURST / seconds, (cpu / BURST) / floor
        self.result["burst"] = {
            "changes_per_second": rate,
            "cpu_ms_per_change": cpu / BURST * 1000,
            "floor_cpu_ms_per_call": floor * 1000,
            "cpu_ratio": ratio,
        }
        self.say("changes a second at 100 ms", f"{rate:.0f}", "≥ 170", rate >= 170)
        self.say(
            "worker CPU a change / bare loop",
            f"{cpu / BURST * 1000:.2f} / {floor * 1000:.2f} ms = {ratio:.1f} ×",
            "≤ 2.5 ×",
            ratio <= 2.5,
        )

    def single_change(self, number: int) -> float:
        """Milliseconds from a commit to the call's arrival, for a member who has one change."""
        person = self.people[number % LINKS]
        before = len(self.google.calls(account=person.email, method="calendar.events.insert"))
        self.book(person)
        committed = time.time()
        calls = until(
            lambda: self.google.calls(account=person.email, method="calendar.events.insert")[
                before:
            ],
            seconds=30,
            what="the call",
        )
        return (calls[0]["at"] - committed) * 1000

    async def _floor(self, count: int) -> float:
        """CPU seconds a call of a bare aiohttp loop that inserts the same events."""
        found = await asyncio.to_thread(CalendarLink.objects.first)
        assert found is not None
        url = f"{self.google.base_url}/calendar/v3/calendars/{found.calendar_id}/events"
        headers = {"Authorization": f"Bearer {found.access_token}"}
        gate = asyncio.Semaphore(48)

        async def insert(http: aiohttp.ClientSession, number: int) -> None:
            start = (LATE - timedelta(days=400) + timedelta(hours=number)).isoformat()
            body = {"summary": "x", "start": {"dateTime": start}, "end": {"dateTime": start}}
            async with gate, http.post(url, json=body, headers=headers) as answer:
                assert answer.status == 200, await answer.text()
                await answer.read()

        async with aiohttp.ClientSession() as http:
            before = time.process_time()
            await asyncio.gather(*(insert(http, n) for n in range(count)))
            return (time.process_time() - before) / count

    def backfill(self) -> None:
        """A new link with 300 appointments ahead, at 150 ms."""
        email = "alice+backfill@example.com"
        self.google.add_account(email, "Alice", "Australia/Sydney")
        person = add_member(
            business=self.owner.business, email=email, name="Alice", role="member", password=None
        )
        for _ in range(300):
            self.book(person)
        self.google.latency(150)
        self.refill()
        found = link(person, self.google, account=email)
        started = time.monotonic()
        waits = [self.single_change(number) for number in range(10)]
        self.quiet(120)
        seconds = time.monotonic() - started
        self.google.latency(0)
        self.result["single_change_beside_backfill_ms"] = waits
        self.say(
            "another's change meanwhile, slowest",
            f"{max(waits):.0f} ms",
            "≤ 1,000 ms",
            max(waits) <= 1000,
        )
        calls = self.google.calls(account=email)
        units = _most_units_in_a_minute(calls)
        self.result["backfill"] = {"seconds": seconds, "most_units_in_a_minute": units}
        self.say("backfill of 300 at 150 ms", f"{seconds:.1f} s", "≤ 20 s", seconds <= 20)
        self.say("units in any minute", str(units), "≤ 600", units <= 600)
        assert len(self.google.events(email)) == 300, found

    def memory(self, worker: Running) -> None:
        mib = psutil.Process(worker.process.pid).memory_info().rss / 2**20
        self.result["worker_mib"] = mib
        self.say("worker memory", f"{mib:.0f} MiB", "≤ 120 MB", mib <= 114)


def _workers() -> bool:
    from procrastinate.contrib.django.models import ProcrastinateWorker

    return ProcrastinateWorker.objects.exists()


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system


def _most_units_in_a_minute(calls: list[dict[str, Any]]) -> int:
    moments = sorted((call["at"], call["units"]) for call in calls)
    return max(
        sum(units for at, units in moments if start <= at < start + 60) for start, _ in moments
    )


def main() -> int:
    call_command("migrate", verbosity=0)
    settings.ALLOWED_HOSTS.append("testserver")  # what Django's test client calls itself
    with (
        tempfile.TemporaryDirectory() as folder,
        running_simulator(quotas=False) as google,
    ):
        for name, value in variables_of(google).items():
            setattr(settings, name.removeprefix("SOPHIIE_"), value)
        bench = Bench(google, Path(folder))
        bench.link_all()
        worker = bench.worker()
        try:
            bench.quiet()
            bench.calls()
            bench.latency()
            bench.burst(worker)
            bench.backfill()
            bench.memory(worker)
        finally:
            worker.stop()
    widths = [max(len(row[i]) for row in bench.rows) for i in range(4)]
    for row in bench.rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)))
    print(json.dumps(bench.result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
