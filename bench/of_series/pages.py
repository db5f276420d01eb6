"""A week of series in the calendar beside a week of as many single appointments."""

from __future__ import annotations

import statistics
import time
import urllib.request
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.db import connections
from django.test import Client

from of_series.making import COURSE, ZONE, Table, book_single, owner_of, save
from sophiie.common.wall_time import instant_of
from sophiie.series.planning import Timing
from sophiie.series.rule import read
from tests.site import BACKEND, running_site

# So many series with so many visits in the week, each looked at so often.
SERIES, EACH, ROUNDS = 10, 5, 40


def compare_pages(table: Table) -> None:
    """The week in which ten series have five visits each, and one with fifty appointments that
    do not repeat: its page and its feed, in turn."""
    charlie = owner_of("Thames Salon", "Charlie")
    today = datetime.now(UTC).date()
    monday = today + timedelta(days=14 - today.weekday())
    weeks = {"series": monday, "single": monday + timedelta(days=14)}
    for n in range(SERIES):
        first = datetime.combine(monday, datetime.min.time()).replace(hour=8 + n)
        rule = read(f"FREQ=DAILY;COUNT={EACH}", first=first, zone=ZONE)
        timing = Timing(rule=rule, first=first, zone=ZONE, length=timedelta(minutes=45))
        save(charlie, timing)
        for day in range(EACH):
            start = instant_of(first + timedelta(days=14 + day), ZONE, fold=0)
            book_single(start, charlie, minutes=45, **COURSE)
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
            _compare(table, what, addresses, cookie)


def _compare(table: Table, what: str, addresses: dict[str, str], cookie: str) -> None:
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
    table.tell(f"{what}_cpu", f"{what} of a week with {SERIES} series, CPU", series, "")
    ratio = series / single
    table.tell(f"{what}_ratio", f"  to {SERIES * EACH} single ones", ratio, "1.1 ×", "×")


def _get(address: str, cookie: str) -> bytes:
    with urllib.request.urlopen(urllib.request.Request(address, headers={"Cookie": cookie})) as it:
        return bytes(it.read())
