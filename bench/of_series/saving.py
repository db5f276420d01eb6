"""Checking, saving and moving a series, beside the bare INSERTs of its rows."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from of_series.making import VISITS, Table, save, twice_a_week
from sophiie.accounts.models import Member
from sophiie.series.booking import check_series
from sophiie.series.cancelling import cancel_series
from sophiie.series.changing import SeriesChange, change_series
from sophiie.series.planning import Timing
from sophiie.series.retiming import NewTime
from sophiie.series.scope import Scope
from sophiie.series.undoing import undo

TIMES = 15
TABLES = (
    "appointments_appointment",
    "appointments_assignment",
    "appointments_appointmentchange",
    "sync_mirroredevent",
    "series_series",
    "series_visit",
    "series_seriesact",
)


class Saving:
    def __init__(self, table: Table, owner: Member, first: datetime) -> None:
        self.table, self.owner, self.first = table, owner, first

    def run(self) -> None:
        self.check()
        floor = self.saving()
        self.moving(floor)

    def timing(self) -> Timing:
        return twice_a_week(self.first)

    def check(self) -> None:
        taken = timed(
            lambda: check_series(by=self.owner, timing=self.timing(), assignees=[self.owner])
        )
        visits, in_the_way = check_series(
            by=self.owner, timing=self.timing(), assignees=[self.owner]
        )
        assert (len(visits), in_the_way) == (VISITS, []), in_the_way
        self.table.tell("check", f"check of {VISITS} visits", taken, "60 ms")

    def saving(self) -> float:
        taken, floors = [], []
        for _ in range(TIMES):
            began = time.perf_counter()
            made = save(self.owner, self.timing())
            taken.append((time.perf_counter() - began) * 1000)
            floors.append(self.floor(made.series.id))
            undo(by=self.owner, act_id=made.act.id)
        floor = statistics.median(floors)
        saved = statistics.median(taken)
        self.table.tell("save", f"Save of {VISITS} visits", saved, "300 ms")
        self.table.tell("floor", "  the bare INSERTs of the same rows", floor, "")
        self.table.tell("save_over_floor", "  times as long", saved / floor, "", "×")
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
        made = save(self.owner, self.timing())
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
        moved = statistics.median(taken)
        self.table.tell("move", f"moving all {VISITS}", moved, "")
        self.table.tell("move_over_floor", "  times the floor", moved / floor, "", "×")
        cancel_series(by=self.owner, series_id=made.series.id, scope=Scope.ALL)


def timed(act: Callable[[], object]) -> float:
    act()
    taken = []
    for _ in range(TIMES):
        began = time.perf_counter()
        act()
        taken.append((time.perf_counter() - began) * 1000)
    return statistics.median(taken)
