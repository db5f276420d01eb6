"""What the calendar page costs: server time, bytes of a first visit, 2,000 appointments in view.

The whole application over real HTTP in this process, headless Chromium beside it on the same
machine. Prints a table and, as its last line, JSON.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
import urllib.request
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

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
from django.db import connections
from django.test import Client

from sophiie.accounts.models import Member
from sophiie.accounts.people import add_member, create_business
from sophiie.appointments.booking import book
from sophiie.appointments.rules import Details
from sophiie.common.logs import configure_logging
from tests.browser import browser_page
from tests.site import BACKEND, running_site

PEOPLE = 10
MANY = 2000
ROUNDS = 60
# A month of six weeks: 30 August to 10 October 2032, in New Zealand's winter time.
MONTH = "2032-09-15"
FIRST = datetime(2032, 8, 30, 20, 0, tzinfo=UTC)
WORKDAYS = 30


class Bench:
    def __init__(self) -> None:
        self.rows: list[tuple[str, str, str, str]] = []
        self.result: dict[str, Any] = {}
        self.owner = create_business(
            name="Harbour Plumbing",
            timezone="Pacific/Auckland",
            owner_email="alice@example.com",
            owner_name="Alice",
            password=None,
        )[1]
        self.people = [self.owner, *(self._person(n) for n in range(1, PEOPLE))]
        client = Client()
        client.force_login(self.owner, backend=BACKEND)
        self.key = client.cookies[settings.SESSION_COOKIE_NAME].value

    def _person(self, number: int) -> Member:
        return add_member(
            business=self.owner.business,
            email=f"person{number}@example.com",
            name=f"Person {number}",
            role="member",
            password=None,
        )

    def fill(self) -> None:
        """2,000 appointments of 45 minutes, spread over people and working days."""
        for n in range(MANY):
            day, place = n % WORKDAYS, n // WORKDAYS
            start = FIRST + timedelta(days=day // 5 * 7 + day % 5, minutes=45 * (place // PEOPLE))
            details = Details(
                title=f"Appointment {n}",
                start=start,
                end=start + timedelta(minutes=45),
                timezone="Pacific/Auckland",
                location=f"{n} Bay Street",
                customer_name=f"Customer {n}",
            )
            book(by=self.owner, details=details, assignees=[self.people[place % PEOPLE]])

    def say(self, what: str, value: str, target: str, met: bool | None) -> None:
        self.rows.append((what, value, target, "" if met is None else "met" if met else "MISSED"))

    # -- the measurements ------------------------------------------------------------------------

    def server(self, site: str, what: str, path: str, most: float | None) -> None:
        """Milliseconds of an answer as the client sees it, and the processor's part of it."""
        cookie = f"{settings.SESSION_COOKIE_NAME}={self.key}; sophiie_view=week"
        headers = {"Cookie": cookie, "Accept-Encoding": "gzip"}
        times, size, before = [], 0, time.process_time()
        for _ in range(ROUNDS):
            asked = urllib.request.Request(site + path, headers=headers)
            started = time.perf_counter()
            with urllib.request.urlopen(asked) as answer:
                size = len(answer.read())
            times.append((time.perf_counter() - started) * 1000)
        cpu = (time.process_time() - before) / ROUNDS * 1000
        p50 = statistics.median(times)
        self.result[what] = {"p50_ms": p50, "cpu_ms": cpu, "bytes": size}
        text = f"{p50:.0f} ms, of the processor {cpu:.0f} ms, {size / 1000:.1f} kB"
        target = f"p50 ≤ {most:.0f} ms" if most else ""
        self.say(what, text, target, p50 <= most if most else None)

    def first_visit(self, page: Any, site: str) -> None:
        """Everything that a browser with an empty cache is sent."""
        network = page.context.new_cdp_session(page)
        network.send("Network.enable")
        sizes: list[float] = []
        network.on("Network.loadingFinished", lambda told: sizes.append(told["encodedDataLength"]))
        page.goto(f"{site}/calendar?view=week&date=2032-09-15")
        page.wait_for_selector("[aria-busy=false]")
        page.wait_for_timeout(500)
        kilobytes = sum(sizes) / 1000
        self.result["first_visit"] = {"kilobytes": kilobytes, "requests": len(sizes)}
        text = f"{kilobytes:.0f} kB in {len(sizes)} requests"
        self.say("first visit, all of it", text, "≤ 250 kB", kilobytes <= 250)

    def slow_phone(self, page: Any, site: str) -> None:
        """Chromium's throttling: 1.6 Mbit/s, 150 ms, a processor at a quarter; nothing cached."""
        tool = page.context.new_cdp_session(page)
        tool.send("Network.enable")
        tool.send("Network.setCacheDisabled", {"cacheDisabled": True})
        slow = {"latency": 150, "downloadThroughput": 200_000, "uploadThroughput": 94_000}
        tool.send("Network.emulateNetworkConditions", {"offline": False, **slow})
        tool.send("Emulation.setCPUThrottlingRate", {"rate": 4})
        started = time.perf_counter()
        page.goto(f"{site}/calendar?view=list&date=2026-01-05", wait_until="commit")
        page.wait_for_selector("[aria-busy=false]")
        seconds = time.perf_counter() - started
        self.result["slow_phone_seconds"] = seconds
        self.say("slow phone, usable after", f"{seconds:.1f} s", "≤ 3 s", seconds <= 3)

    def fluent(self, page: Any, site: str) -> None:
        """2,000 in view: processor time of the page until all is drawn, and again for a change."""
        tool = page.context.new_cdp_session(page)
        tool.send("Performance.enable", {"timeDomain": "threadTicks"})
        for view in ("month", "week", "list", "team"):
            page.goto(f"{site}/calendar?view={view}&date={MONTH}")
            first = self._quiet(page, tool)
            page.evaluate("document.dispatchEvent(new CustomEvent('sophiie:gap'))")
            again = self._quiet(page, tool) - first
            count = page.locator("#calendar a.entry:visible").count()
            self.result[f"draw_{view}"] = {"first_ms": first, "again_ms": again, "drawn": count}
            text = f"{first:.0f} ms, a change elsewhere {again:.0f} ms, {count} drawn"
            self.say(f"2,000 in the month: {view}", text, "", None)

    def _quiet(self, page: Any, tool: Any) -> float:
        """Waits until the page has nothing more to do; the milliseconds that it has worked."""
        page.wait_for_selector("[aria-busy=false]")
        worked = -1.0
        while True:
            page.wait_for_timeout(1500)
            told = {m["name"]: m["value"] for m in tool.send("Performance.getMetrics")["metrics"]}
            if told["TaskDuration"] * 1000 - worked < 20:
                return worked
            worked = told["TaskDuration"] * 1000


def signed_in_browser(bench: Bench, site: str, page: Any) -> None:
    name = settings.SESSION_COOKIE_NAME
    page.context.add_cookies([{"name": name, "value": bench.key, "url": site}])


def main() -> int:
    configure_logging("CRITICAL")
    call_command("migrate", verbosity=0)
    settings.ALLOWED_HOSTS.append("testserver")  # what Django's test client calls itself
    bench = Bench()
    bench.fill()
    connections.close_all()
    with running_site() as site:
        bench.server(site, "page", "/calendar", 60)
        bench.server(site, "feed of a week, 333", feed("2032-09-13", "2032-09-20"), 60)
        bench.server(site, "feed of a month, 2,000", feed("2032-08-30", "2032-10-11"), None)
        bench.server(site, "search", "/calendar/search?q=customer+77", None)
        zone = {"timezone_id": "Pacific/Auckland"}
        with browser_page(viewport={"width": 1280, "height": 900}, **zone) as page:
            signed_in_browser(bench, site, page)
            bench.first_visit(page, site)
            bench.fluent(page, site)
        with browser_page(viewport={"width": 360, "height": 740}, **zone) as page:
            signed_in_browser(bench, site, page)
            bench.slow_phone(page, site)
    widths = [max(len(row[i]) for row in bench.rows) for i in range(4)]
    for row in bench.rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)))
    print(json.dumps(bench.result))
    return 0


def feed(first: str, last: str) -> str:
    return f"/calendar/feed?from={first}&to={last}"


if __name__ == "__main__":
    sys.exit(main())
