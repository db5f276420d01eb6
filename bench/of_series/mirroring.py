"""How long until Google shows a series, and how much longer single changes take meanwhile."""

from __future__ import annotations

import asyncio
import statistics
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import Any

from google_simulator.testing import RunningSimulator
from of_series.making import VISITS, ZONE, Table, book_single, save, twice_a_week
from sophiie.accounts.models import Member
from sophiie.accounts.people import add_member
from sophiie.calendar_link.models import CalendarLink
from sophiie.common.in_thread import in_thread
from sophiie.google.app import google_session
from sophiie.series.changing import SeriesChange, change_series
from sophiie.series.retiming import NewTime
from sophiie.series.scope import Scope
from sophiie.sync.models import MirroredEvent, MirrorState
from sophiie.sync.outbound.drain import drain
from tests.linking import link

GOOGLE_MS = 150


class Mirroring:
    def __init__(
        self, table: Table, owner: Member, first: datetime, google: RunningSimulator
    ) -> None:
        self.table, self.owner, self.first, self.google = table, owner, first, google
        self.singles = 0

    def run(self) -> None:
        """Until Google shows them, and how much longer single changes take meanwhile: of the same
        person and of a colleague. Both are new: nothing else waits, and their quotas are whole."""
        people = [self._linked("Bob"), self._linked("Charlie")]
        self.google.latency(GOOGLE_MS)
        asyncio.run(self._mirror(people))
        self.google.latency(0)
        calls = [self.google.calls(account=one.google_email) for one in people]
        refused = sum(call["status"] in (403, 429) for call in chain(*calls))
        self.table.tell("refused", "  calls refused for the quota", refused, "0", "")
        units = max(map(_most_units_in_a_minute, calls))
        self.table.tell("units", "  most units of one person in any minute", units, "600", "")

    async def _mirror(self, people: list[CalendarLink]) -> None:
        bob = people[0]
        async with google_session() as http:
            workers = [asyncio.create_task(_work(one, http)) for one in people]
            alone = statistics.median([await self._single(one) for one in people * 3])
            self.table.tell("single", "a single change, nothing else to do", alone, "", "s")
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
        self.table.tell(name, f"all {VISITS} {name} in Google", await shown, most, "s")
        for one, whose in zip(people, ("of the same person", "of a colleague"), strict=True):
            later = max(taken[one]) - alone
            what = f"  a single change {whose}, later by"
            self.table.tell(f"{name}_later_{whose.split()[-1]}", what, later, "1 s", "s")

    def _linked(self, name: str) -> CalendarLink:
        email = f"{name.lower()}+series@example.com"
        self.google.add_account(email, name, ZONE)
        person = add_member(
            business=self.owner.business, email=email, name=name, role="member", password=None
        )
        return link(person, self.google, account=email)

    def _save_mirrored(self, found: CalendarLink) -> Any:
        timing = replace(twice_a_week(self.first), first=self.first.replace(hour=2))
        return save(found.member, timing)

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
        await in_thread(lambda: book_single(start, found.member))
        rows = MirroredEvent.objects.filter(link=found, appointment__start=start)
        while not await in_thread(rows.filter(state=MirrorState.SYNCED).exists):
            await asyncio.sleep(0.01)
        return time.perf_counter() - began


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
