"""What more workers bring: changes a second with 1, 2 and 4 of them, while Google takes a second.

Real processes: `sophiie worker`, each with four links at a time, the simulator, PostgreSQL. All
changes wait when the clock starts. Each number of workers takes its turn several times, so that the
machine's other work hits all of them. With `--machines` each worker has a machine of its own: a
network namespace, from which it reaches PostgreSQL and the simulator over a bridge. Prints a table
and, as its last line, JSON.
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

# isort: off
from bench import mirror  # prepares Django

# isort: on

import psutil
from django.conf import settings
from django.core.management import call_command

from google_simulator.testing import running_simulator
from sophiie.calendar_link.models import CalendarLink
from sophiie.common.clock import now
from sophiie.sync.models import QuotaBucket
from tests import environment
from tests.google_place import variables_of
from tests.machines import Network
from tests.processes import Running, until

WORKERS, TURNS = (1, 2, 4), 2
LINKS, CHANGES, AT_ONCE, LATENCY_MS = 24, 240, "4", 1000
INSERT = "calendar.events.insert"


class Bench(mirror.Bench):
    network: Network | None = None

    def place(self, number: int) -> tuple[list[str], dict[str, str]]:
        """Where a worker runs, and how it reaches the others from there."""
        ours = {n: v for n, v in environment.os.environ.items() if n.startswith("SOPHIIE_")}
        variables = {**ours, **variables_of(self.google)}
        if self.network is None:
            return [], variables
        while len(self.network.machines) <= number:
            self.network.machine()
        here, there = self.google.base_url, self.network.google(self.google.base_url)
        moved = {name: value.replace(here, there) for name, value in variables.items()}
        database = self.network.database(ours["SOPHIIE_DATABASE_URL"])
        return self.network.machines[number].on, moved | {"SOPHIIE_DATABASE_URL": database}

    @contextmanager
    def worker_beside(self, number: int) -> Iterator[psutil.Process]:
        on, variables = self.place(number)
        variables["SOPHIIE_LOG_LEVEL"] = "INFO"
        log = self.folder / f"worker{number}.log"
        log.unlink(missing_ok=True)
        running = Running("worker", "--concurrency", AT_ONCE, log=log, on=on, **variables)
        try:
            until(lambda: "worker started" in running.output, seconds=120, what="a worker")
            yield psutil.Process(running.process.pid)
        finally:
            running.stop()

    def turn(self, workers: int) -> tuple[float, float]:
        """Changes a second, and milliseconds of processor time a change."""
        with ExitStack() as stack:
            processes = [stack.enter_context(self.worker_beside(n)) for n in range(workers)]
            self.quiet()
            CalendarLink.objects.update(parked_until=now() + timedelta(minutes=30))
            for number in range(CHANGES):
                self.book(self.people[number % LINKS])
            self.google.clear_calls()
            QuotaBucket.objects.all().delete()
            before = sum(map(mirror._cpu, processes))
            CalendarLink.objects.update(parked_until=None)
            self.quiet(240)
            cpu = sum(map(mirror._cpu, processes)) - before
        times = sorted(call["at"] for call in self.google.calls(method=INSERT))
        assert len(times) == CHANGES, len(times)  # each once
        return CHANGES / (times[-1] - times[0]), cpu / CHANGES * 1000


def main() -> int:
    mirror.LINKS = LINKS
    call_command("migrate", verbosity=0)
    settings.ALLOWED_HOSTS.append("testserver")  # what Django's test client calls itself
    found: dict[int, list[tuple[float, float]]] = {n: [] for n in WORKERS}
    with (
        tempfile.TemporaryDirectory() as folder,
        running_simulator(quotas=False) as google,
        ExitStack() as stack,
    ):
        for name, value in variables_of(google).items():
            setattr(settings, name.removeprefix("SOPHIIE_"), value)
        bench = Bench(google, Path(folder))
        if "--machines" in sys.argv:
            bench.network = Network()
            stack.callback(bench.network.close)
        bench.link_all()
        google.latency(LATENCY_MS)
        for _ in range(TURNS):
            for workers in WORKERS:
                found[workers].append(bench.turn(workers))
                print(workers, found[workers][-1], file=sys.stderr)
    alone = statistics.median(rate for rate, _ in found[1])
    for workers, turns in found.items():
        rate = statistics.median(rate for rate, _ in turns)
        cpu = statistics.median(cpu for _, cpu in turns)
        each = ", ".join(f"{rate:.0f}" for rate, _ in turns)
        print(
            f"{workers} workers  {rate:.0f} changes a second ({each})  {rate / alone:.2f} × one"
            f"  {cpu:.2f} ms of processor a change"
        )
    print(json.dumps(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
