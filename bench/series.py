"""What a series of 104 visits costs: checking it, saving it, moving all of it, and mirroring it.

The floor, measured in the same run: the bare INSERTs of the very same rows, one statement for each
table, in one transaction. Prints a table and, as its last line, JSON.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
import time
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

from django.conf import settings
from django.db import connection, transaction

from google_simulator.testing import RunningSimulator, running_simulator
from sophiie.accounts.people import create_business
from sophiie.appointments.booking import book
from sophiie.appointments.rules import Details
from sophiie.common.after_commit import gathering
from sophiie.common.in_thread import in_thread
from sophiie.common.logs import configure_logging
from sophiie.google.app import google_session
from sophiie.ops.schema import migrate
from sophiie.series.booking import book_series, check_series
from sophiie.series.cancelling import cancel_series
from sophiie.series.changing import SeriesChange, change_series
from sophiie.series.planning import Timing
from sophiie.series.retiming import NewTime
from sophiie.series.rule import read
from sophiie.series.scope import Scope
from sophiie.series.undoing import undo
from sophiie.sync.models import MirroredEvent, MirrorState, QuotaBucket
from sophiie.sync.outbound.drain import drain
from tests.google_place import variables_of
from tests.linking import link

VISITS, TIMES, GOOGLE_MS = 104, 15, 150
ZONE = "Australia/Sydney"
TABLES = (
    "appointments_appointment",
    "appointments_assignment",
    "appointments_appointmentchange",
    "sync_mirroredevent",
    "series_series",
    "series_visit",
    "series_seriesact",
)


class Bench:
    def __init__(self, google: RunningSimulator) -> None:
        self.google = google
        self.owner = create_business(
            name="Harbour Plumbing",
            timezone=ZONE,
            owner_email="alice@example.com",
            owner_name="Alice",
            password=None,
        )[1]
        self.link = link(self.owner, google)
        self.rows: list[tuple[str, str, str]] = []
        self.result: dict[str, Any] = {}
        # Twice a week, from a week ahead on, so that all is known of the member's calendar.
        day = datetime.now(UTC).date() + timedelta(days=7)
        self.first = datetime.combine(day, datetime.min.time()).replace(hour=9)
        self._fill()

    def _fill(self) -> None:
        """A year of other appointments, at other hours."""
        for n in range(60):
            start = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
            start += timedelta(days=n * 6, hours=n % 3)
            self._book(start)

    def _book(self, start: datetime) -> None:
        details = Details(
            title="Other", start=start, end=start + timedelta(minutes=15), timezone=ZONE
        )
        book(by=self.owner, details=details, assignees=[self.owner], allow_overlap=True)

    def timing(self) -> Timing:
        text = f"FREQ=WEEKLY;BYDAY=TU,FR;COUNT={VISITS}"
        return Timing(
            rule=read(text, first=self.first, zone=ZONE),
            first=self.first.replace(hour=4, minute=30),
            zone=ZONE,
            length=timedelta(minutes=45),
        )

    def save(self) -> Any:
        details = Details(
            title="Course",
            start=datetime.now(UTC),
            end=datetime.now(UTC) + timedelta(hours=1),
            timezone=ZONE,
            notes="Bring a towel",
            customer_name="Dana",
        )
        return book_series(
            by=self.owner, details=details, timing=self.timing(), assignees=[self.owner]
        )

    def run(self) -> None:
        self.check()
        floor = self.saving()
        self.moving(floor)
        self.mirror()

    def check(self) -> None:
        taken = timed(
            lambda: check_series(by=self.owner, timing=self.timing(), assignees=[self.owner])
        )
        visits, in_the_way = check_series(
            by=self.owner, timing=self.timing(), assignees=[self.owner]
        )
        assert (len(visits), in_the_way) == (VISITS, []), in_the_way
        self.tell("check", f"check of {VISITS} visits", taken, "60 ms")

    def saving(self) -> float:
        taken, floors = [], []
        for _ in range(TIMES):
            began = time.perf_counter()
            made = self.save()
            taken.append((time.perf_counter() - began) * 1000)
            floors.append(self.floor(made.series.id))
            undo(by=self.owner, act_id=made.act.id)
        floor = statistics.median(floors)
        self.tell("save", f"Save of {VISITS} visits", statistics.median(taken), "300 ms")
        self.tell("floor", "  the bare INSERTs of the same rows", floor, "")
        self.tell("save_over_floor", "  times as long", statistics.median(taken) / floor, "", "×")
        return floor

    def floor(self, series_id: Any) -> float:
        """The rows once more, taken out and put in again."""
        of = "SELECT appointment_id FROM series_visit WHERE series_id = %s"
        where = {
            "appointments_appointment": f"id IN ({of})",
            "series_series": "id = %s",
            "series_visit": "series_id = %s",
            "series_seriesact": "series_id = %s",
        }
        with transaction.atomic(), connection.cursor() as cursor:
            rows = {}
            for table in TABLES:
                found = where.get(table, f"appointment_id IN ({of})")
                cursor.execute(
                    f"SELECT json_agg(row)::text FROM {table} AS row WHERE {found}", [series_id]
                )
                rows[table] = cursor.fetchone()[0]
            for table in reversed(TABLES):
                ids = [row["id"] for row in json.loads(rows[table])]
                cursor.execute(f"DELETE FROM {table} WHERE id = ANY(%s::uuid[])", [ids])
        began = time.perf_counter()
        with transaction.atomic(), connection.cursor() as cursor:
            for table in TABLES:
                cursor.execute(
                    f"INSERT INTO {table} SELECT * FROM json_populate_recordset(NULL::{table}, %s)",
                    [rows[table]],
                )
        return (time.perf_counter() - began) * 1000

    def moving(self, floor: float) -> None:
        made = self.save()
        taken = []
        for n in range(TIMES):
            pointed_at = made.series.visits.order_by("number").first().planned
            at = datetime.combine(pointed_at, self.first.time())
            began = time.perf_counter()
            change_series(
                by=self.owner,
                series_id=made.series.id,
                scope=Scope.ALL,
                change=SeriesChange(time=NewTime(start=at.replace(hour=4, minute=35 + n % 2 * 10))),
            )
            taken.append((time.perf_counter() - began) * 1000)
        self.tell("move", f"moving all {VISITS}", statistics.median(taken), "")
        self.tell("move_over_floor", "  times the floor", statistics.median(taken) / floor, "", "×")
        cancel_series(by=self.owner, series_id=made.series.id, scope=Scope.ALL)

    def mirror(self) -> None:
        """Until Google shows them, and how long a single change takes meanwhile."""
        self._drained()
        # Google's minute is over, and ours as well.
        self.google.advance_clock(61)
        QuotaBucket.objects.all().delete()
        self.google.latency(GOOGLE_MS)
        self.first = self.first.replace(hour=5)
        made = book_series(
            by=self.owner,
            details=Details(
                title="Mirrored",
                start=datetime.now(UTC),
                end=datetime.now(UTC) + timedelta(hours=1),
                timezone=ZONE,
            ),
            timing=Timing(
                rule=self.timing().rule,
                first=self.first.replace(hour=2),
                zone=ZONE,
                length=timedelta(minutes=30),
            ),
            assignees=[self.owner],
        )
        seconds, single = self._drained(meanwhile=True)
        self.tell("mirrored", f"{VISITS} visits in Google", seconds, "20 s", "s")
        self.tell("single", "a single change meanwhile", single, "1 s more", "s")
        first = made.series.visits.order_by("number").first()
        at = datetime.combine(first.planned, self.first.time()).replace(hour=3)
        self.google.clear_calls()
        change_series(
            by=self.owner,
            series_id=made.series.id,
            scope=Scope.ALL,
            change=SeriesChange(time=NewTime(start=at)),
        )
        seconds, _ = self._drained()
        calls = self.google.calls()
        refused = [call for call in calls if call["status"] in (403, 429)]
        self.tell("moved", f"all {VISITS} moved in Google", seconds, "", "s")
        self.tell("refused", "  calls refused for the quota", len(refused), "0", "")
        self.google.latency(0)

    def _drained(self, *, meanwhile: bool = False) -> tuple[float, float]:
        return asyncio.run(self._drain(meanwhile))

    async def _drain(self, meanwhile: bool) -> tuple[float, float]:
        began = time.perf_counter()
        single = 0.0
        async with google_session() as http:

            async def work() -> None:
                while await in_thread(self._left):
                    await drain(self.link.id, http=http)
                    await asyncio.sleep(0.05)

            worker = asyncio.create_task(work())
            if meanwhile:
                await asyncio.sleep(1.0)
                single = await self._single(http)
            await worker
        return time.perf_counter() - began, single

    async def _single(self, http: Any) -> float:
        start = datetime.now(UTC) + timedelta(days=30, minutes=7)
        began = time.perf_counter()
        await in_thread(lambda: self._book(start))
        row = MirroredEvent.objects.filter(appointment__start=start, state=MirrorState.SYNCED)
        while not await in_thread(row.exists):
            await asyncio.sleep(0.01)
        return time.perf_counter() - began

    def _left(self) -> bool:
        return MirroredEvent.objects.filter(state=MirrorState.PENDING).exists()

    def tell(self, name: str, what: str, value: float, most: str, unit: str = "ms") -> None:
        self.result[name] = round(value, 2)
        self.rows.append((what, f"{value:,.1f} {unit}", most))
        print(f"{what:40} {value:10,.1f} {unit:3} {most}", flush=True)


def timed(act: Callable[[], object]) -> float:
    act()
    taken = []
    for _ in range(TIMES):
        began = time.perf_counter()
        act()
        taken.append((time.perf_counter() - began) * 1000)
    return statistics.median(taken)


def main() -> int:
    configure_logging("CRITICAL")
    list(migrate())
    with running_simulator() as google:
        for name, value in variables_of(google).items():
            setattr(settings, name.removeprefix("SOPHIIE_"), value)
        with gathering():
            bench = Bench(google)
            bench.run()
    print(json.dumps(bench.result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
