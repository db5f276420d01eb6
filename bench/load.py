"""A working day in two minutes: 200 people with open calendars who book, change and ask.

Real processes (`sophiie web`, once one and once two, `sophiie worker`, the simulator, PostgreSQL),
driven by locust (bench/people/locustfile.py). Twenty businesses of ten; in each one person's
calendar is linked. Prints a table and, as its last line, JSON. `--quick` takes twenty seconds.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import subprocess
import sys
import tempfile
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

import psutil
from bench.streams import cookie_of, staff
from django.conf import settings
from django.core.management import call_command

from google_simulator.testing import RunningSimulator, running_simulator
from sophiie.accounts.api_keys import create_api_key
from sophiie.accounts.models import Member
from tests.google_place import variables_of
from tests.linking import link
from tests.processes import Running, answers, free_port, until

BUSINESSES = 20
GOOGLE_MS = 100
WAYS = ("book", "edit", "availability", "feed", "page", "Aggregated")


class Bench:
    def __init__(self, google: RunningSimulator, folder: Path) -> None:
        self.google, self.folder = google, folder
        self.people = [person for n in range(BUSINESSES) for person in staff(n)]
        for owner in self.people[:: len(self.people) // BUSINESSES]:
            google.add_account(owner.email, owner.name, "Australia/Sydney")
            link(owner, google, account=owner.email)
        self.known = [self._known(n, person) for n, person in enumerate(self.people)]
        google.latency(GOOGLE_MS)

    def _known(self, number: int, person: Member) -> dict[str, Any]:
        return {"number": number, "cookie": cookie_of(person), "key": create_api_key(person)}

    def run(self, webs: int, *, seconds: int, rate: float) -> dict[str, Any]:
        """The figures of one run on so many web processes."""
        ours = {n: v for n, v in environment.os.environ.items() if n.startswith("SOPHIIE_")}
        variables = {**ours, **variables_of(self.google), "SOPHIIE_LOG_LEVEL": "WARNING"}
        ports = [free_port() for _ in range(webs)]
        logs = [self.folder / f"web{webs}.{n}.log" for n in range(webs)]
        running = [
            Running("web", "--port", str(port), log=log, **variables)
            for port, log in zip(ports, logs, strict=True)
        ]
        worker = Running("worker", log=self.folder / f"worker{webs}.log", **variables)
        sites = [f"http://localhost:{port}" for port in ports]
        try:
            for site in sites:
                until(lambda site=site: answers(f"{site}/readyz"), seconds=60, what=site)
            processes = [psutil.Process(web.process.pid) for web in running]
            before = [_cpu(process) for process in processes]
            found = self._locust(sites, seconds=seconds, rate=rate)
            found["web_cpu_percent"] = [
                (_cpu(process) - then) / seconds * 100
                for process, then in zip(processes, before, strict=True)
            ]
            found["web_mib"] = [process.memory_info().rss / 2**20 for process in processes]
        finally:
            for process in (*running, worker):
                process.stop()
        found["logged"] = sum(log.read_text().count("Traceback") for log in logs)
        return found

    def _locust(self, sites: list[str], *, seconds: int, rate: float) -> dict[str, Any]:
        """Everybody arrives within a few seconds; what they do then is measured."""
        people = [{**person, "site": sites[n % len(sites)]} for n, person in enumerate(self.known)]
        plan = self.folder / "people.json"
        plan.write_text(
            json.dumps(
                {"people": people, "acts_a_second": rate, "first_day": 120 * len(sites) - 119}
            )
        )
        prefix = self.folder / f"figures{len(sites)}"
        arrival = max(5, seconds // 12)
        command = [sys.executable, "-m", "locust", "--headless", "--only-summary"]
        command += ["-f", str(ROOT / "bench" / "people" / "locustfile.py"), "-H", sites[0]]
        command += ["-u", str(len(people)), "-r", str(len(people) / arrival)]
        command += ["-t", f"{seconds + arrival}s", "--reset-stats", "--csv", str(prefix)]
        done = subprocess.run(
            command,
            env={**os.environ, "PEOPLE": str(plan)},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode not in (0, 1):  # 1: there were errors, which the figures tell
            raise SystemExit(done.stdout + done.stderr)
        with Path(f"{prefix}_stats.csv").open() as file:
            rows = {row["Name"]: row for row in csv.DictReader(file)}
        found: dict[str, Any] = {
            name: _figures(row) for name, row in rows.items() if name in (*WAYS, "live ended")
        }
        with Path(f"{prefix}_failures.csv").open() as file:
            found["failures"] = [f"{row['Name']}: {row['Error']}" for row in csv.DictReader(file)]
        return found


def _figures(row: dict[str, str]) -> dict[str, float]:
    return {
        "requests": int(row["Request Count"]),
        "errors": int(row["Failure Count"]),
        "a_second": float(row["Requests/s"]),
        **{f"p{n}": float(row[f"{n}%"]) for n in (50, 95, 99) if row[f"{n}%"] != "N/A"},
    }


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def _table(webs: int, found: dict[str, Any]) -> str:
    lines = [f"on {webs} web process{'es' * (webs > 1)}:"]
    for name in WAYS:
        if row := found.get(name):
            times = f"p50 {row['p50']:6.0f}  p95 {row['p95']:6.0f}  p99 {row['p99']:6.0f} ms"
            many = f"{row['requests']:6} requests  {row['a_second']:6.1f} a second"
            lines.append(f"  {name:12} {many}  {times}  {row['errors']} errors")
    memory = ", ".join(f"{mib:.0f} MiB" for mib in found["web_mib"])
    cpu = ", ".join(f"{percent:.0f} %" for percent in found["web_cpu_percent"])
    return "\n".join(
        [*lines, *found["failures"], f"  memory {memory}; processor {cpu} of one core"]
    )


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--quick", action="store_true")
    arguments.add_argument("--rate", type=float, default=4.0, help="acts a second, of all people")
    arguments.add_argument("--seconds", type=int, default=0)
    chosen = arguments.parse_args()
    seconds = chosen.seconds or (20 if chosen.quick else 120)
    call_command("migrate", verbosity=0)
    settings.ALLOWED_HOSTS.append("testserver")  # what Django's test client calls itself
    result: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder, running_simulator(quotas=False) as google:
        for name, value in variables_of(google).items():
            setattr(settings, name.removeprefix("SOPHIIE_"), value)
        bench = Bench(google, Path(folder))
        for webs in (1, 2):
            result[str(webs)] = bench.run(webs, seconds=seconds, rate=chosen.rate)
            print(_table(webs, result[str(webs)]), flush=True)
    print(json.dumps(result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
