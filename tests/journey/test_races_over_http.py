"""Fifty callers at once, thirty times over: one winner for each time, and no 500.

Two real web processes, real parallel requests. They ask for overlapping but different times, name
the assignees in different orders, some only hold; some times are partly busy in Google, and over
some lies a hold that has run out.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import aiohttp
import pytest
from django.db import connection

from sophiie.accounts.api_keys import create_api_key
from sophiie.accounts.models import Member
from sophiie.accounts.people import add_member
from sophiie.appointments.booking import book
from sophiie.appointments.models import Appointment, Assignment
from tests import environment
from tests.busy import busy
from tests.conftest import details, tomorrow_at
from tests.processes import Running, answers, free_port, until

# Enough: without the members' locks they end in deadlocks (tried).
ROUNDS, CALLERS = 30, 50
HOURS = (6, 14)  # two times a round, far enough apart

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.real_clock]


@pytest.fixture
def web(db: None, tmp_path: Path) -> Iterator[list[str]]:
    """The addresses of two web processes on the tests' database."""
    ours = {n: v for n, v in environment.os.environ.items() if n.startswith("SOPHIIE_")}
    known = connection.settings_dict
    variables = {
        **ours,
        "SOPHIIE_DATABASE_URL": f"postgresql://{known['USER']}@/{known['NAME']}"
        f"?host={quote(known['HOST'], safe='')}",
        "SOPHIIE_API_REQUESTS_PER_MINUTE": "1000000",
        "SOPHIIE_MAX_HOLDS": "1000",
        "SOPHIIE_LOG_LEVEL": "WARNING",
    }
    ports = [free_port(), free_port()]
    running = [
        Running("web", "--port", str(port), log=tmp_path / f"{port}.log", **variables)
        for port in ports
    ]
    urls = [f"http://localhost:{port}" for port in ports]
    try:
        for url in urls:
            until(lambda: answers(f"{url}/healthz"), what="web answers")  # noqa: B023
        yield urls
    finally:
        for process in running:
            process.stop()
    assert not any("Traceback" in process.output for process in running)


@dataclass
class Answer:
    middle: datetime
    status: int
    body: dict[str, Any]


async def call(http: aiohttp.ClientSession, middle: datetime, body: dict[str, Any]) -> Answer:
    """Books, and tries again when told that it is too busy, as callers do on a slow machine."""
    while True:
        async with http.post("/api/v1/appointments", json=body) as answer:
            told = Answer(middle, answer.status, await answer.json(content_type=None))
            if answer.status != 503:
                return told
            assert told.body["type"].endswith("busy")
            await asyncio.sleep(float(answer.headers["Retry-After"]))


def attempt(number: int, middle: datetime, team: list[Member], *, all_hold: bool) -> dict[str, Any]:
    """A time that holds the minute in the middle, for Alice and some of the others."""
    others = [team[1:], team[2:], [*team[:0:-1]], []][number % 4]
    named = [*others, team[0]] if number % 2 else [team[0], *others]
    body: dict[str, Any] = {
        "title": f"Caller {number}",
        "start": (middle - timedelta(minutes=1 + 2 * number)).isoformat(),
        "end": (middle + timedelta(minutes=1 + 3 * (number % 7))).isoformat(),
        "assignees": [str(member.id) for member in named],
    }
    return body | ({"hold_minutes": 20} if all_hold or number % 3 == 0 else {})


def prepare(middles: list[datetime], alice: Member) -> None:
    """Of every four times one is partly busy in Google and one has a hold that ran out."""
    past = datetime.now(UTC) - timedelta(seconds=1)
    for number, middle in enumerate(middles):
        if number % 4 == 1:
            busy(alice, middle + timedelta(minutes=14), middle + timedelta(minutes=20))
        if number % 4 == 2:
            asked = details(start=middle, title="Ran out")
            hold = book(by=alice, details=asked, assignees=[alice], hold_minutes=1)
            Appointment.objects.filter(pk=hold.pk).update(held_until=past)
            hold.assignments.update(held_until=past)


def deadlocks() -> int:
    """How many PostgreSQL has had to end so far."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
        return int(cursor.fetchone()[0])


def test_each_race_has_one_winner_for_each_time(web: list[str], alice: Member, bob: Member) -> None:
    dora = add_member(
        business=alice.business, email="dora@example.com", name="Dora", role="admin", password=None
    )
    team = [alice, bob, dora]
    middles = [tomorrow_at(hour, days=2 + n) for n in range(ROUNDS) for hour in HOURS]
    prepare(middles, alice)
    key = create_api_key(alice)
    before = deadlocks()

    async def race() -> list[Answer]:
        found: list[Answer] = []
        headers = {"Authorization": f"Bearer {key}"}
        async with (
            aiohttp.ClientSession(web[0], headers=headers) as one,
            aiohttp.ClientSession(web[1], headers=headers) as other,
        ):
            for n in range(ROUNDS):
                pair = middles[2 * n : 2 * n + 2]
                found += await asyncio.gather(
                    *(
                        call(
                            (one, other)[number // 2 % 2],
                            pair[number % 2],
                            attempt(number // 2, pair[number % 2], team, all_hold=n % 5 == 0),
                        )
                        for number in range(CALLERS)
                    )
                )
        return found

    answers_ = asyncio.run(race())
    assert deadlocks() == before
    assert Counter(answer.status for answer in answers_) == {
        201: len(middles),
        409: len(answers_) - len(middles),
    }
    winners = Counter(answer.middle for answer in answers_ if answer.status == 201)
    assert set(winners.values()) == {1}
    assert {answer.body["status"] for answer in answers_ if answer.status == 201} == {
        "scheduled",
        "held",
    }
    causes = Counter(
        conflict["source"]
        for answer in answers_
        if answer.status == 409
        for conflict in answer.body["conflicts"]
    )
    assert causes.keys() == {"appointment", "google"}
    assert all(answer.body["conflicts"] for answer in answers_ if answer.status == 409)
    for middle in middles:
        blocking = Assignment.objects.filter(blocking=True, during__contains=middle)
        per_member = Counter(blocking.values_list("member", flat=True))
        assert per_member[alice.id] == 1
        assert set(per_member.values()) == {1}
