"""What a series of 104 visits costs: checking it, saving it, moving all of it, mirroring it, and
showing it in the calendar.

The floor, measured in the same run: the bare INSERTs of the very same rows, one statement for each
table, in one transaction. Prints a table and, as its last line, JSON.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
import time
import urllib.request
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import chain
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
from django.db import connection, connections, transaction
from django.test import Client

from google_simulator.testing import RunningSimulator, running_simulator
from sophiie.accounts.models import Member
from sophiie.accounts.people import add_member, create_business
from sophiie.appointments.booking import book
from sophiie.appointments.rules import Details
from sophiie.calendar_link.models import CalendarLink
from sophiie.common.after_commit import gathering
from sophiie.common.in_thread import in_thread
from sophiie.common.logs import configure_logging
from sophiie.common.wall_time import instant_of
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
from sophiie.sync.models import MirroredEvent, MirrorState
from sophiie.sync.outbound.drain import drain
from tests.google_place import variables_of
from tests.linking import link
from tests.site import BACKEND, running_site

VISITS, TIMES, GOOGLE_MS = 104, 15, 150
# For the calendar: so many series with so many visits in the week, each looked at so often.
SERIES, EACH, ROUNDS = 10, 5, 40
COURSE = {"title": "Course", "notes": "Bring a towel", "customer_name": "Dana"}
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
        self.result: dict[str, Any] = {}
        self.singles = 0
        # Twice a week, from a week ahead on, so that all is known of the member's calendar.
        day = datetime.now(UTC).date() + timedelta(days=7)
        self.first = datetime.combine(day, datetime.min.time()).replace(hour=9)
        self._fill()

    def _fill(self) -> None:
        """A year of other appointments, at other hours."""
        for n in range(60):
            start = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
            start += timedelta(days=n * 6, hours=n % 3)
            self._book(start, self.owner)

    def _book(self, start: datetime, member: Member, *, minutes: int = 15, **about: str) -> None:
        details = Details(
            **{"title": "Other", **about},
            start=start,
            end=start + timedelta(minutes=minutes),
            timezone=ZONE,
        )
        book(by=member, details=details, assignees=[member], allow_overlap=True)

    def timing(self) -> Timing:
        text = f"FREQ=WEEKLY;BYDAY=TU,FR;COUNT={VISITS}"
        return Timing(
            rule=read(text, first=self.first, zone=ZONE),
            first=self.first.replace(hour=4, minute=30),
            zone=ZONE,
            length=timedelta(minutes=45),
        )

    def save(self, member: Member | None = None, timing: Timing | None = None) -> Any:
        details = Details(
            **COURSE,
            start=datetime.now(UTC),
            end=datetime.now(UTC) + timedelta(hours=1),
            timezone=ZONE,
        )
        member = member or self.owner
        timing = timing or self.timing()
        return book_series(by=member, details=details, timing=timing, assignees=[member])

    def run(self) -> None:
        self.check()
        floor = self.saving()
        self.moving(floor)
        self.mirror()
        self.pages()

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
        """Until Google shows them, and how much longer single changes take meanwhile: of the same
        person and of a colleague. Both are new: nothing else waits, and their quotas are whole."""
        people = [self._linked("Bob"), self._linked("Charlie")]
        self.google.latency(GOOGLE_MS)
        asyncio.run(self._mirror(people))
        self.google.latency(0)
        calls = [self.google.calls(account=one.google_email) for one in people]
        refused = sum(call["status"] in (403, 429) for call in chain(*calls))
        self.tell("refused", "  calls refused for the quota", refused, "0", "")
        units = max(map(_most_units_in_a_minute, calls))
        self.tell("units", "  most units of one person in any minute", units, "600", "")

    async def _mirror(self, people: list[CalendarLink]) -> None:
        bob = people[0]
        async with google_session() as http:
            workers = [asyncio.create_task(_work(one, http)) for one in people]
            alone = statistics.median([await self._single(one) for one in people * 3])
            self.tell("single", "a single change, nothing else to do", alone, "", "s")
            booked = await in_thread(self._save_mirrored, bob)
            await self._meanwhile("mirrored", "20 s", people, alone)
            await in_thread(self._move_mirrored, booked)
            await self._meanwhile("moved", "", people, alone)
            for worker in workers:
                worker.cancel()

    async def _meanwhile(
        self, name: str, most: str, people: list[CalendarLink], alone: float
    ) -> None:
        """Until all visits are there; single changes come in all the time."""
        began = time.perf_counter()

        async def all_are_there() -> float:
            while await in_thread(_visits_wait, people[0]):
                await asyncio.sleep(0.02)
            return time.perf_counter() - began

        shown = asyncio.create_task(all_are_there())
        taken: dict[CalendarLink, list[float]] = {one: [] for one in people}
        while not shown.done():
            for one in people:
                taken[one].append(await self._single(one))
            await asyncio.sleep(0.5)  # each costs a unit of the quota
        self.tell(name, f"all {VISITS} {name} in Google", await shown, most, "s")
        for one, whose in zip(people, ("of the same person", "of a colleague"), strict=True):
            later = max(taken[one]) - alone
            what = f"  a single change {whose}, later by"
            self.tell(f"{name}_later_{whose.split()[-1]}", what, later, "1 s", "s")

    def _linked(self, name: str) -> CalendarLink:
        email = f"{name.lower()}+series@example.com"
        self.google.add_account(email, name, ZONE)
        person = add_member(
            business=self.owner.business, email=email, name=name, role="member", password=None
        )
        return link(person, self.google, account=email)

    def _save_mirrored(self, found: CalendarLink) -> Any:
        timing = replace(self.timing(), first=self.first.replace(hour=2))
        return self.save(found.member, timing)

    def _move_mirrored(self, booked: Any) -> None:
        first = booked.series.visits.order_by("number").first()
        change_series(
            by=self.owner,
            series_id=booked.series.id,
            scope=Scope.ALL,
            change=SeriesChange(
                time=NewTime(start=datetime.combine(first.planned, self.first.time()))
            ),
        )

    async def _single(self, found: CalendarLink) -> float:
        """Seconds until Google shows an appointment that somebody makes now."""
        self.singles += 1
        start = datetime.now(UTC) + timedelta(days=30, minutes=self.singles)
        began = time.perf_counter()
        await in_thread(lambda: self._book(start, found.member))
        rows = MirroredEvent.objects.filter(link=found, appointment__start=start)
        while not await in_thread(rows.filter(state=MirrorState.SYNCED).exists):
            await asyncio.sleep(0.01)
        return time.perf_counter() - began

    def pages(self) -> None:
        """The week in which ten series have five visits each, and one with fifty appointments that
        do not repeat: its page and its feed, in turn."""
        charlie = create_business(
            name="Thames Salon",
            timezone=ZONE,
            owner_email="charlie@example.com",
            owner_name="Charlie",
            password=None,
        )[1]
        today = datetime.now(UTC).date()
        monday = today + timedelta(days=14 - today.weekday())
        weeks = {"series": monday, "single": monday + timedelta(days=14)}
        for n in range(SERIES):
            first = datetime.combine(monday, datetime.min.time()).replace(hour=8 + n)
            rule = read(f"FREQ=DAILY;COUNT={EACH}", first=first, zone=ZONE)
            timing = Timing(rule=rule, first=first, zone=ZONE, length=timedelta(minutes=45))
            self.save(charlie, timing)
            for day in range(EACH):
                start = instant_of(first + timedelta(days=14 + day), ZONE, fold=0)
                self._book(start, charlie, minutes=45, **COURSE)
        client = Client()
        client.force_login(charlie, backend=BACKEND)
        name = settings.SESSION_COOKIE_NAME
        cookie = f"{name}={client.cookies[name].value}"
        connections.close_all()
        with running_site() as site:
            for what, path in (
                ("page", "/calendar?view=week&date={0}"),
                ("feed", "/calendar/feed?from={0}&to={1}"),
            ):
                addresses = {
                    kind: site + path.format(day, day + timedelta(days=7))
                    for kind, day in weeks.items()
                }
                self._compare(what, addresses, cookie)

    def _compare(self, what: str, addresses: dict[str, str], cookie: str) -> None:
        """By processor time: waiting for the processor says nothing about either."""
        worked: dict[str, list[float]] = {kind: [] for kind in addresses}
        for n in range(ROUNDS):
            for kind in list(addresses)[:: -1 if n % 2 else 1]:
                before = time.process_time()
                answer = _get(addresses[kind], cookie)
                worked[kind].append((time.process_time() - before) * 1000)
                if what == "feed":
                    assert answer.count(b'"Course"') == SERIES * EACH, answer
        series, single = (statistics.median(worked[kind]) for kind in ("series", "single"))
        self.tell(f"{what}_cpu", f"{what} of a week with {SERIES} series, CPU", series, "")
        ratio = series / single
        self.tell(f"{what}_ratio", f"  to {SERIES * EACH} single ones", ratio, "1.1 ×", "×")

    def tell(self, name: str, what: str, value: float, most: str, unit: str = "ms") -> None:
        self.result[name] = round(value, 2)
        digits = 2 if unit in ("×", "s") else 1
        print(f"{what:45} {value:10,.{digits}f} {unit:3} {most}", flush=True)


async def _work(found: CalendarLink, http: Any) -> None:
    """What a worker does for a link, for ever."""
    while True:
        await drain(found.id, http=http)
        await asyncio.sleep(0.05)


def _visits_wait(found: CalendarLink) -> bool:
    rows = MirroredEvent.objects.filter(link=found, backfill=True, state=MirrorState.PENDING)
    return rows.exists()


def _most_units_in_a_minute(calls: list[dict[str, Any]]) -> int:
    moments = [(call["at"], call["units"]) for call in calls]
    return max(sum(units for at, units in moments if 0 <= at - one < 60) for one, _ in moments)


def _get(address: str, cookie: str) -> bytes:
    with urllib.request.urlopen(urllib.request.Request(address, headers={"Cookie": cookie})) as it:
        return bytes(it.read())


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
