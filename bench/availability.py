"""What an answer about availability costs: time, queries, and how both grow with the table.

A real PostgreSQL with 10 thousand, 100 thousand and a million appointments of other people, spread
over a thousand members and four years, and as many stretches of busy time. Asked is for ten members
and thirty days: half booked, fully booked, and with nothing booked. Prints a table (median, and the
fastest tenth in brackets) and, as its last line, JSON.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

# isort: off
from tests import environment  # a database of its own, before Django

environment.os.environ["DJANGO_SETTINGS_MODULE"] = "sophiie.config.settings"

import django

django.setup()
# isort: on

from django.conf import settings
from django.core.management import call_command
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from sophiie.accounts.api_keys import create_api_key
from sophiie.accounts.models import Member
from sophiie.accounts.people import add_member, create_business
from sophiie.api import access
from sophiie.appointments.models import Assignment
from sophiie.availability import slots
from sophiie.availability.hours import working_time
from sophiie.availability.plans import plan_of
from sophiie.availability.slots import Offer, find_slots
from sophiie.common import sql
from sophiie.common.logs import configure_logging

SIZES = (10_000, 100_000, 1_000_000)
ROUNDS = 200
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
# What Easy!Appointments needs for the month of ten fully booked people, measured on such a machine.
OTHERS_MS, OTHERS_QUERIES = 375, 3446

_MEMBERS = """
INSERT INTO accounts_member (id, business_id, email, name, role, is_active, password, date_joined)
SELECT gen_random_uuid(), %(business)s, n || '@filler.example.com', 'Bob ' || n, 'member', true, '',
    now()
FROM generate_series(1, 1000) AS n
"""
# Hour after hour, weekdays or not, a different hour for each member: no two of one overlap.
_APPOINTMENTS = """
WITH people AS (
    SELECT id, row_number() OVER (ORDER BY email) - 1 AS place
    FROM accounts_member WHERE email LIKE '%%@filler.example.com'
),
made AS (
    INSERT INTO appointments_appointment (
        id, business_id, title, start, "end", timezone, location, notes, customer_name,
        customer_phone, customer_email, status, revision, created_by_id, created_at, updated_at
    )
    SELECT gen_random_uuid(), %(business)s, 'Filler', at, at + interval '1 hour', 'UTC', '', '', '',
        '', '', 'scheduled', 1, people.id, now(), now()
    FROM generate_series(%(first)s::int, %(last)s::int - 1) AS n
    JOIN people ON people.place = n %% 1000
    CROSS JOIN LATERAL (SELECT now() - interval '2 years'
        + (n / 1000 * 7919 %% 35040) * interval '1 hour' AS at) AS times
    RETURNING id, created_by_id, start, "end"
)
INSERT INTO appointments_assignment (
    id, appointment_id, member_id, during, blocking, booked_anyway
)
SELECT gen_random_uuid(), id, created_by_id, tstzrange(start, "end"), true, false FROM made
"""
_CALENDARS = """
INSERT INTO busy_time_busycalendar (
    id, member_id, calendar_id, checked_at, known_from, known_until
)
SELECT gen_random_uuid(), id, 'primary', now(), now() - interval '2 years',
    now() + interval '2 years'
FROM accounts_member
"""
_BUSY = """
INSERT INTO busy_time_busyperiod (calendar_id, member_id, event_id, during)
SELECT calendar.id, calendar.member_id, n::text, tstzrange(at, at + interval '90 minutes')
FROM (
    SELECT *, row_number() OVER (ORDER BY id) - 1 AS place FROM busy_time_busycalendar
    WHERE member_id IN (SELECT id FROM accounts_member WHERE email LIKE '%%@filler.example.com')
) AS calendar
JOIN generate_series(%(first)s::int, %(last)s::int - 1) AS n ON calendar.place = n %% 1000
CROSS JOIN LATERAL (SELECT now() - interval '2 years'
    + (n / 1000 * 104729 %% 35040) * interval '1 hour' AS at) AS times
"""


class Bench:
    def __init__(self) -> None:
        self.rows: list[tuple[str, str, str, str]] = []
        self.result: dict[str, Any] = {"sizes": {}}
        self.size = 0
        now = datetime.now(UTC)
        self.tomorrow = now.replace(minute=0, second=0, microsecond=0) + DAY
        self.filler = self._business("Filler", "filler@example.com")
        self.half, self.full, self.empty = map(self._team, ("half", "full", "empty"))
        sql.execute(_MEMBERS + " RETURNING 1", business=self.filler.business_id)
        sql.execute(_CALENDARS + " RETURNING 1")
        self._book_months()

    def _business(self, name: str, email: str) -> Member:
        return create_business(
            name=name,
            timezone="Australia/Sydney",
            owner_email=email,
            owner_name="Alice",
            password=None,
        )[1]

    def _team(self, name: str) -> list[Member]:
        owner = self._business(name, f"alice@{name}.example.com")
        others = [
            add_member(
                business=owner.business,
                email=f"bob{number}@{name}.example.com",
                name=f"Bob {number}",
                role="member",
                password=None,
            )
            for number in range(9)
        ]
        return [owner, *others]

    def _book_months(self) -> None:
        """Six weeks: one team with every second of its working hours taken, one with all."""
        start = self.tomorrow - 7 * DAY
        for team, every in ((self.half, 2), (self.full, 1)):
            for member in team:
                plan = plan_of(member.business, [member], start, start + 49 * DAY)
                worked = working_time(plan.hours[member.pk], start, start + 49 * DAY)
                all_hours = [a + n * HOUR for a, b in worked for n in range((b - a) // HOUR)]
                _fill(member, all_hours[::every])

    def grow(self, size: int) -> float:
        started = time.monotonic()
        numbers = {"first": self.size, "last": size}
        with transaction.atomic():
            business = self.filler.business_id
            sql.execute(_APPOINTMENTS + " RETURNING 1", business=business, **numbers)
            sql.execute(_BUSY + " RETURNING 1", **numbers)
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE appointments_assignment, busy_time_busyperiod")
        self.size = size
        return time.monotonic() - started

    def ask(self, team: list[Member], **more: Any) -> Offer:
        start = self.tomorrow
        asked = {"start": start, "end": start + timedelta(days=30), "duration": HOUR, **more}
        return find_slots(business=team[0].business, members=team, **asked)

    def request(self, team: list[Member], **more: Any) -> Callable[[], Any]:
        """The whole answer inside the server: key, middleware, JSON."""
        client, key = Client(), create_api_key(team[0])
        start = self.tomorrow
        end = start + timedelta(days=30)
        times = {"from": start.isoformat(), "to": end.isoformat(), "duration_minutes": 60}
        path = f"/api/v1/availability?{urlencode({**times, **more})}"

        def act() -> Any:
            response = client.get(path, headers={"Authorization": f"Bearer {key}"})
            assert response.status_code == 200, response.content
            return response.json()

        return act

    def measure(self) -> None:
        half, full = self.request(self.half), self.request(self.full)
        self.result["sizes"][self.size] = {
            "slots": len(half()["slots"]),
            "half_booked": _milliseconds(half),
            "fully_booked": _milliseconds(full),
            "empty": _milliseconds(self.request(self.empty)),
            "first_five": _milliseconds(self.request(self.half, limit=5)),
            "function": _milliseconds(lambda: self.ask(self.half)),
            "query": _milliseconds(self._query_alone()),
            "members_me": _milliseconds(self._smallest_request()),
            "queries": _statements(lambda: self.ask(self.half)),
            "buffers": self._buffers(),
        }

    def _smallest_request(self) -> Callable[[], Any]:
        """What any answer of the API costs: the key, the middleware."""
        client, key = Client(), create_api_key(self.half[0])
        headers = {"Authorization": f"Bearer {key}"}
        return lambda: client.get("/api/v1/members/me", headers=headers)

    def _query_alone(self) -> Callable[[], Any]:
        statement, values = self._statement()
        return lambda: sql.execute(statement, **values)

    def _statement(self) -> tuple[str, dict[str, Any]]:
        """The statement of a question, as it is sent."""
        sent: list[tuple[str, dict[str, Any]]] = []
        kept = slots.execute
        slots.execute = lambda statement, **values: (  # type: ignore[assignment]
            sent.append((statement, values)) or kept(statement, **values)
        )
        try:
            self.ask(self.half)
        finally:
            slots.execute = kept
        return sent[0]

    def _buffers(self) -> int:
        """Pages that the query touches: what grows with the table, without the noise of time."""
        statement, values = self._statement()
        (plan,) = sql.execute("EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) " + statement, **values)
        return int(plan[0][0]["Plan"]["Shared Hit Blocks"])

    def plan(self) -> str:
        statement, values = self._statement()
        rows = sql.execute("EXPLAIN (ANALYZE, BUFFERS) " + statement, **values)
        return "\n".join(row[0] for row in rows)

    def say(self, what: str, value: str, target: str, met: bool) -> None:
        self.rows.append((what, value, target, "met" if met else "MISSED"))

    def judge(self) -> None:
        sizes = self.result["sizes"]
        least, most = sizes[SIZES[0]], sizes[SIZES[-1]]
        for size, found in sizes.items():
            shown = _shown(found["half_booked"])
            met = found["half_booked"]["p50"] <= 10
            self.say(f"10 members × 30 days, {size:,} rows", shown, "p50 ≤ 10 ms", met)
        for what, name in (("whole answer", "half_booked"), ("query alone", "query")):
            growth = {p: most[name][p] / least[name][p] for p in ("p50", "p10")}
            shown = f"{growth['p50']:.2f} × ({growth['p10']:.2f} ×)"
            self.say(f"10 k to 1 M, {what}", shown, "≤ 1.3 ×", growth["p50"] <= 1.3)
        pages = most["buffers"] / least["buffers"]
        shown = f"{least['buffers']} → {most['buffers']}"
        self.say("10 k to 1 M, pages read", shown, "≤ 1.3 ×", pages <= 1.3)
        ahead = OTHERS_MS / most["fully_booked"]["p50"]
        shown = f"{_shown(most['fully_booked'])}, {ahead:.0f} × ahead"
        self.say("10 fully booked members, 1 M rows", shown, "≥ 20 × ahead", ahead >= 20)
        for name in ("empty", "first_five", "function", "query", "members_me"):
            self.rows.append((name, _shown(most[name]), "", ""))
        self.say("queries", str(most["queries"]), f"of {OTHERS_QUERIES:,}", most["queries"] < 10)


def _shown(times: dict[str, float]) -> str:
    return f"{times['p50']:.1f} ms ({times['p10']:.1f} ms)"


def _fill(member: Member, hours: list[datetime]) -> None:
    sql.execute(
        """
        WITH made AS (
            INSERT INTO appointments_appointment (
                id, business_id, title, start, "end", timezone, location, notes, customer_name,
                customer_phone, customer_email, status, revision, created_by_id, created_at,
                updated_at
            )
            SELECT gen_random_uuid(), %(business)s, 'Tap', at, at + interval '1 hour', 'UTC', '',
                '', '', '', '', 'scheduled', 1, %(member)s, now(), now()
            FROM unnest(%(hours)s::timestamptz[]) AS at RETURNING id, start, "end"
        )
        INSERT INTO appointments_assignment (
            id, appointment_id, member_id, during, blocking, booked_anyway
        )
        SELECT gen_random_uuid(), id, %(member)s, tstzrange(start, "end"), true, false FROM made
        RETURNING 1
        """,
        business=member.business_id,
        member=member.pk,
        hours=hours,
    )


def _milliseconds(act: Callable[[], Any]) -> dict[str, float]:
    """The median, and the fastest tenth: what it takes when nobody else uses the machine."""
    for _ in range(20):
        act()
    times = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        act()
        times.append((time.perf_counter() - started) * 1000)
    return {"p50": statistics.median(times), "p10": statistics.quantiles(times, n=10)[0]}


def _statements(act: Callable[[], Any]) -> int:
    """How many statements reach PostgreSQL, Django's and those that go around it."""
    sent: list[str] = []
    whole = sql._Cursor.execute

    def execute(self: Any, query: Any, *args: Any, **kwargs: Any) -> Any:
        sent.append(str(query))
        return whole(self, query, *args, **kwargs)

    sql._Cursor.execute = execute  # type: ignore[method-assign]
    try:
        with CaptureQueriesContext(connection) as captured:
            act()
    finally:
        sql._Cursor.execute = whole  # type: ignore[method-assign]
    return len(captured) + len(sent)


def main() -> int:
    call_command("migrate", verbosity=0)
    settings.ALLOWED_HOSTS.append("testserver")  # what Django's test client calls itself
    configure_logging(level="WARNING")
    access.requests = access.of_key(10**9)
    bench = Bench()
    for size in SIZES:
        seconds = bench.grow(size)
        print(f"{size:,} rows after {seconds:.0f} s more", file=sys.stderr)
        bench.measure()
    if "--plan" in sys.argv:
        print(bench.plan(), file=sys.stderr)
    assert Assignment.objects.count() > SIZES[-1]
    bench.judge()
    widths = [max(len(row[i]) for row in bench.rows) for i in range(4)]
    for row in bench.rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)))
    print(json.dumps(bench.result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
