"""Whether anything grows with the number of links: 100, 10,000 and 100,000 of them.

Each act of a worker, a page, a booking and an answer about free times: its processor time and that
of the database, how many pages of it it touches, and both against 100 links. Then an idle `sophiie
worker`, and what every kind of row takes on the disk. Prints tables and, as its last line, JSON.
`--most 100000` goes all the way, `--each` says how many appointments each link has, `--plans`
prints the plan of each act's heaviest statement. 100,000 links with ten each take 3 GB.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlencode

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

# isort: off
from tests import environment  # a database of its own, before Django

environment.os.environ["DJANGO_SETTINGS_MODULE"] = "sophiie.config.settings"
environment.os.environ["SOPHIIE_LOG_LEVEL"] = "WARNING"
# Google can report changes, as it does to a product that people use.
environment.os.environ["SOPHIIE_ALLOW_HTTP_PUSH"] = "true"

import django

django.setup()
# isort: on

import psutil
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.test import Client

from sophiie.accounts.api_keys import create_api_key
from sophiie.accounts.mail_sending import send_due
from sophiie.accounts.models import Member
from sophiie.accounts.tidying import forget_what_is_over
from sophiie.api import access
from sophiie.appointments.clock_laws import follow_clock_laws
from sophiie.appointments.customers import note_customers
from sophiie.appointments.holds import let_go_of_expired
from sophiie.audit.failures import close_hours
from sophiie.audit.upkeep import prune
from sophiie.busy_time.models import BusyCalendar
from sophiie.calendar_link.models import CalendarLink
from sophiie.calendar_link.reminders import send_due_reminders
from sophiie.calendar_link.tokens import mend_what_can_be_read_again
from sophiie.common.clock import now
from sophiie.common.logs import configure_logging
from sophiie.ops.health import _mirror_metrics
from sophiie.ops.poll_metrics import poll_metrics
from sophiie.privacy.chores import carry_out_due
from sophiie.privacy.retention import forget_old
from sophiie.sync.inbound import channels, full_compare, poll_claim
from sophiie.sync.inbound.calendars import calendars_to_poll, due_links
from sophiie.sync.models import MirroredEvent, WatchedCalendar
from sophiie.sync.outbound.claim import claim_due, seconds_until_due
from sophiie.sync.outbound.sweep import _look_around, prune_ledger
from sophiie.sync.outbox.guest_review import review_guests
from sophiie.sync.quota import units
from sophiie.sync.reports.units import usage, warn_near_limits
from tests.many_links.filling import LINK, MEMBER, fill, sizes
from tests.many_links.looking import Cost, cost_of
from tests.processes import Running, until

SIZES = (100, 10_000, 100_000)
MEMBER_NUMBER = 50  # owns the business whose pages are looked at
IDLE_SECONDS = 30
MB = 2**20


def _uuid(kind: int, number: int) -> str:
    return f"0190000{kind:x}-0000-7000-8000-{number:012x}"


class Bench:
    def __init__(self, each: int, rounds: int) -> None:
        self.each, self.rounds, self.filled = each, rounds, 0
        self.costs: dict[int, dict[str, Cost]] = {}
        self.idle: dict[int, tuple[float, float]] = {}

    def grow(self, size: int) -> float:
        seconds = fill(self.filled, size, each=self.each)
        self.filled = size
        return seconds

    def measure(self, folder: Path) -> None:
        self.owner = Member.objects.get(pk=_uuid(MEMBER, MEMBER_NUMBER))
        self.link = CalendarLink.objects.get(pk=_uuid(LINK, MEMBER_NUMBER))
        BusyCalendar.objects.filter(member__business=self.owner.business).update(checked_at=now())
        self.page, self.api, self.key = Client(), Client(), create_api_key(self.owner)
        self.page.force_login(
            self.owner, backend="allauth.account.auth_backends.AuthenticationBackend"
        )
        self.costs[self.filled] = {
            name: cost_of(act, rounds=self.rounds, undo=undo)
            for name, act, undo in (*self._loops(), *self._work(), *self._house(), *self._pages())
        }
        self.idle[self.filled] = self._idle_worker(folder)

    def _loops(self) -> list[tuple[str, Callable[[], object], bool]]:
        """What a worker does every second, whether or not there is work."""
        return [
            ("sweep", _look_around, False),
            ("calendars that are due", lambda: due_links(4), False),
            ("channels that are due", channels._due, False),
            ("channels too many", channels._surplus, False),
            ("guests to review", review_guests, False),
            ("mails to send", send_due, False),
        ]

    def _work(self) -> list[tuple[str, Callable[[], object], bool]]:
        """What it does for one link."""
        link_id, calendar_id = self.link.id, self.link.calendar_id
        return [
            ("claim what is due", self._claim, True),
            ("look once more", lambda: seconds_until_due(link_id), False),
            ("calendars of a link", lambda: calendars_to_poll(link_id), False),
            (
                "claim a poll",
                lambda: poll_claim.begin(link_id, calendar_id, only_due=False),
                True,
            ),
            ("nightly comparison", lambda: full_compare._left_out(self.link, now()), False),
        ]

    def _claim(self) -> None:
        rows = MirroredEvent.objects.filter(link=self.link).order_by("pk")[:3]
        MirroredEvent.objects.filter(pk__in=[row.pk for row in rows]).update(
            state="pending", next_attempt_at=now()
        )
        assert len(claim_due(self.link.id)) == 3

    def _house(self) -> list[tuple[str, Callable[[], object], bool]]:
        """What it does once a minute, and what whoever watches asks every some seconds."""
        return [
            ("clocks whose law changed", follow_clock_laws, False),
            ("customers to note", note_customers, False),
            ("links whose key is back", mend_what_can_be_read_again, False),
            ("reminders", send_due_reminders, False),
            ("old rows of the ledger", prune_ledger, False),
            ("old counts of units", units.prune, False),
            ("limits that are near", warn_near_limits, False),
            ("expired holds", let_go_of_expired, False),
            ("ended sessions", forget_what_is_over, False),
            ("counts of failures", close_hours, False),
            ("old entries of the log", prune, False),
            ("erasures", carry_out_due, False),
            ("old answers and history", forget_old, False),
            ("units used", usage, False),
            ("metrics of the mirror", _mirror_metrics, False),
            ("metrics of the polls", poll_metrics, False),
        ]

    def _pages(self) -> list[tuple[str, Callable[[], object], bool]]:
        start = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(days=40)
        headers = {"Authorization": f"Bearer {self.key}"}
        times = {"from": start.isoformat(), "to": (start + timedelta(days=30)).isoformat()}
        body = {
            "title": "Leaking tap",
            "start": (start + timedelta(minutes=30)).isoformat(),
            "duration_minutes": 30,
            "assignees": [str(self.owner.id)],
        }

        def get(path: str) -> Callable[[], object]:
            def act() -> None:
                answer = self.page.get(path)
                assert answer.status_code == 200, answer.content

            return act

        def book() -> None:
            answer = self.api.post(
                "/api/v1/appointments", body, content_type="application/json", headers=headers
            )
            assert answer.status_code == 201, answer.content

        def availability() -> None:
            query = urlencode({**times, "duration_minutes": 60})
            answer = self.api.get(f"/api/v1/availability?{query}", headers=headers)
            assert answer.status_code == 200, answer.content

        return [
            ("booking", book, True),
            ("availability", availability, False),
            ("calendar", get("/calendar"), False),
            ("overview", get("/overview"), False),
            ("settings of the link", get("/settings/calendar"), False),
        ]

    def _idle_worker(self, folder: Path) -> tuple[float, float]:
        """Percent of a core and MiB of a worker that has nothing to do."""
        WatchedCalendar.objects.filter(next_read_at__lt=now() + timedelta(hours=1)).update(
            next_read_at=now() + timedelta(hours=2)
        )
        ours = {n: v for n, v in environment.os.environ.items() if n.startswith("SOPHIIE_")}
        names = ("GOOGLE_CLIENT_ID", "GOOGLE_CLIENT_SECRET")
        ours |= {name: environment.os.environ[name] for name in names}
        worker = Running("worker", log=folder / "worker.log", **ours)
        try:
            process = psutil.Process(worker.process.pid)
            until(lambda: _cpu(process) > 0.3, seconds=120, what="the worker has started")
            time.sleep(10)
            before, started = _cpu(process), time.monotonic()
            time.sleep(IDLE_SECONDS)
            share = (_cpu(process) - before) / (time.monotonic() - started)
            return share * 100, process.memory_info().rss / MB
        finally:
            worker.stop()

    def tables(self, plans: bool) -> None:
        found = list(self.costs)
        head = [
            "",
            *(f"{size:,} links: ms + database's (pages)" for size in found),
            "growth: ms, pages",
        ]
        rows = [head]
        for name, first in self.costs[found[0]].items():
            costs = [self.costs[size][name] for size in found]
            last = costs[-1]
            growth = f"{last.ms / first.ms:.1f} ×, {last.pages / max(1, first.pages):.1f} ×"
            rows.append(
                [name, *(f"{c.cpu:.1f} + {c.database:.1f} ({c.pages:,})" for c in costs), growth]
            )
        idle = [f"{cpu:.1f} %, {mib:.0f} MiB" for cpu, mib in self.idle.values()]
        rows.append(["an idle worker", *idle, ""])
        _print(rows)
        if plans:
            for name, cost in self.costs[found[-1]].items():
                print(f"\n== {name}\n{cost.worst}")
        print()
        head = ["", "rows", "bytes a row", "and in indexes"]
        _print([head, *([n, f"{c:,}", f"{r:,.0f}", f"{i:,.0f}"] for n, c, r, i in sizes())])


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def _print(rows: list[list[str]]) -> None:
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)))


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--most", type=int, default=SIZES[1])
    arguments.add_argument("--each", type=int, default=10)
    arguments.add_argument("--rounds", type=int, default=15)
    arguments.add_argument("--plans", action="store_true")
    asked = arguments.parse_args()
    call_command("migrate", verbosity=0)
    settings.ALLOWED_HOSTS.append("testserver")  # what Django's test client calls itself
    configure_logging(level="WARNING")
    access.requests = access.of_key(10**9)
    bench = Bench(asked.each, asked.rounds)
    with tempfile.TemporaryDirectory() as folder:
        for size in SIZES:
            if size <= asked.most:
                seconds = bench.grow(size)
                with connection.cursor() as cursor:
                    cursor.execute("SELECT pg_database_size(current_database())")
                    (bytes_used,) = cursor.fetchone()
                print(
                    f"{size:,} links: {seconds:.0f} s, {bytes_used / MB:,.0f} MB", file=sys.stderr
                )
                bench.measure(Path(folder))
    bench.tables(asked.plans)
    costs = {
        size: {name: [cost.cpu, cost.database, cost.pages] for name, cost in costs.items()}
        for size, costs in bench.costs.items()
    }
    print(json.dumps({"costs": costs, "idle": bench.idle}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
