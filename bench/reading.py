"""What reading costs: a working day of ten thousand links, by a clock of its own.

Every pause is decided by the product's own rules (`sophiie/sync/inbound/rhythm.py`); only the world
around them is made up: when people change things in Google and here, which messages get lost, who
works and who has a page open. Three days pass and the last one counts. Prints a table and, as its
last line, JSON. `--links 1000` is quick.
"""

from __future__ import annotations

import argparse
import heapq
import json
import random
import sys
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sophiie.sync.inbound import rhythm
from sophiie.sync.inbound.rhythm import Announcement, Before, Channel, Circumstances, News

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
DAYS = 3
COUNTED_FROM = MONDAY + timedelta(days=DAYS - 1)
END = MONDAY + timedelta(days=DAYS)
DAY, HOUR, SECOND = timedelta(days=1), timedelta(hours=1), timedelta(seconds=1)
# As the product has them: settings, `refresh.py` and `channels.py`.
FRESH_FOR, MARGIN = timedelta(seconds=900), timedelta(seconds=5)
CHANNEL_LASTS, RENEWED_AFTER = timedelta(days=7), timedelta(days=5.4)
TARGETS = {"push": 20, "polling": 90}
MISSED = (0.0, 0.01, 0.2)


@dataclass
class Link:
    """One person's calendar, and what Sophiie has noted of it."""

    chance: random.Random
    pushes: bool
    missed_share: float
    calls: Counter[str] = field(default_factory=Counter)
    late: list[float] = field(default_factory=list)
    seen_after: list[float] = field(default_factory=list)
    stale_bookings: int = 0
    known: Before = field(default_factory=lambda: Before(None))
    unseen: list[tuple[datetime, bool]] = field(default_factory=list)
    channel: Channel | None = None
    opened_at: datetime = MONDAY
    window_ends: datetime = MONDAY
    next_poll: datetime = MONDAY

    def __post_init__(self) -> None:
        self.next_poll = MONDAY + DAY * self.chance.random() / 8
        self.works_from = self.chance.choice((7, 8, 8, 9, 9, 9, 10))
        self.page_from = self.chance.uniform(8, 13) if self.chance.random() < 0.1 else None
        self.happens: list[tuple[datetime, int, str]] = []
        for day in range(DAYS):
            self._fill(MONDAY + DAY * day)

    def _fill(self, midnight: datetime) -> None:
        """People change things in bursts: most in working hours, some people much, most little."""
        chance = self.chance
        for _ in range(poisson(chance, chance.lognormvariate(0.4, 0.8))):
            at = midnight + HOUR * (chance.gauss(13, 3.5) % 24)
            for _ in range(1 + poisson(chance, 0.6)):
                self._add(at, "change")
                at += SECOND * chance.expovariate(1 / 90)
        for _ in range(poisson(chance, chance.lognormvariate(1.1, 0.7))):
            self._add(midnight + HOUR * (self.works_from + 8 * chance.random()), "booking")

    def _add(self, at: datetime, what: str) -> None:
        if at < END:
            heapq.heappush(self.happens, (at, len(self.happens), what))

    def live(self) -> None:
        if self.pushes:
            self._open(MONDAY)
        while self.happens or self.next_poll < END:
            at = self.happens[0][0] if self.happens else END
            if self.next_poll <= at:
                self.poll(self.next_poll, "polls")
                continue
            _, _, what = heapq.heappop(self.happens)
            getattr(self, f"on_{what}")(at)

    # -- what happens --------------------------------------------------------------------------

    def on_change(self, at: datetime) -> None:
        lost = self.pushes and self.chance.random() < self.missed_share
        self.unseen.append((at, lost))
        if self.pushes and not lost:
            self._add(at + SECOND * self.chance.uniform(0.5, 4), "message")

    def on_booking(self, at: datetime) -> None:
        """An older copy is read first, as in `refresh.py`; our write comes back as a message."""
        read_at = self.known.read_at
        if read_at is None or at - read_at > FRESH_FOR - MARGIN:
            self.poll(at, "before bookings")
        if any(at - changed > FRESH_FOR for changed, _ in self.unseen):
            self.stale_bookings += 1
        if self.pushes and self.chance.random() >= self.missed_share:
            self._add(at + SECOND * self.chance.uniform(1, 5), "message")

    def on_message(self, at: datetime) -> None:
        assert self.channel is not None
        self.channel = Channel(is_proved=True, missed=0, ends_at=self.channel.ends_at)
        if self.known.told_at is None:
            self.known = Before(self.known.read_at, at, self.known.changed_at, self.known.net_width)
        self.next_poll = min(self.next_poll, at + SECOND)

    def on_proof(self, at: datetime) -> None:
        assert self.channel is not None
        self.channel = Channel(True, self.channel.missed, self.channel.ends_at)

    # -- what Sophiie does ---------------------------------------------------------------------

    def poll(self, at: datetime, why: str) -> None:
        told_at = self.known.told_at
        self._count(at, "after messages" if told_at and why == "polls" else why)
        seen = [changed for changed, _ in self.unseen]
        for changed, lost in self.unseen:
            if at >= COUNTED_FROM:
                (self.late if lost else self.seen_after).append((at - changed) / SECOND)
        news = News(seen[0], seen[-1]) if seen and self.known.read_at else None
        self.unseen.clear()
        if at >= self.window_ends:
            self.window_ends = at + DAY * self.chance.uniform(0.75, 1)
        plan = rhythm.plan(news, self.known, self.channel, self._around(at), asked_at=at, moment=at)
        self.known = Before(at, plan.told_at, plan.changed_at, plan.net_width)
        self.next_poll = at + plan.pause
        self._tend_channel(at, missed=plan.announcement == Announcement.NOT)

    def _around(self, at: datetime) -> Circumstances:
        hour = (at - at.replace(hour=0, minute=0, second=0)) / HOUR
        return Circumstances(
            fresh_for=FRESH_FOR,
            window_ends=self.window_ends,
            is_looked_at=self.page_from is not None and 0 <= hour - self.page_from < 4,
            is_bookable=lambda: self.works_from - 0.25 <= hour < self.works_from + 8,
        )

    def _tend_channel(self, at: datetime, *, missed: bool) -> None:
        if self.channel is None:
            return
        kept = self.channel
        self.channel = Channel(kept.is_proved, kept.missed + missed, kept.ends_at)
        age = at - self.opened_at
        silent = self.channel.missed >= rhythm.REPLACED_AFTER and age > rhythm.MIN_LIFE
        if silent or age > RENEWED_AFTER:
            self._count(at, "channels", 2)  # the new one is opened, the old one stopped
            self._open(at)
            self.next_poll = at + SECOND

    def _open(self, at: datetime) -> None:
        # Channels were opened at some time before the simulation began.
        before = RENEWED_AFTER * self.chance.random() if at == MONDAY else timedelta(0)
        self.opened_at = at - before
        self.channel = Channel(False, 0, self.opened_at + CHANNEL_LASTS)
        if self.chance.random() >= self.missed_share:
            self._add(at + SECOND, "proof")

    def _count(self, at: datetime, why: str, calls: int = 1) -> None:
        if at >= COUNTED_FROM:
            self.calls[why] += calls


def poisson(chance: random.Random, mean: float) -> int:
    count, left = 0, chance.expovariate(1)
    while left < mean:
        count, left = count + 1, left + chance.expovariate(1)
    return count


def day_of(links: int, *, pushes: bool, missed_share: float) -> dict[str, Any]:
    random.seed(7)  # the rules' own chance
    calls: Counter[str] = Counter()
    each, late, seen_after, stale = [], [], [], 0
    for number in range(links):
        link = Link(random.Random(number), pushes, missed_share)
        link.live()
        calls += link.calls
        each.append(link.calls.total())
        late += link.late
        seen_after += link.seen_after
        stale += link.stale_bookings
    return {
        "calls": calls.total() / links,
        "by_kind": {why: round(count / links, 2) for why, count in sorted(calls.items())},
        "p95_calls": percentile(each, 95),
        "seen_after_seconds": {
            "p50": percentile(seen_after, 50),
            "p95": percentile(seen_after, 95),
        },
        "missed_seen_after_minutes": {
            name: percentile(late, share) / 60
            for name, share in (("p50", 50), ("p95", 95), ("most", 100))
        },
        "bookings_over_old_copies": stale,
    }


def percentile(values: list[Any], share: int) -> float:
    if not values:
        return 0.0
    return float(sorted(values)[min(len(values) * share // 100, len(values) - 1)])


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--links", type=int, default=10_000)
    links = arguments.parse_args().links
    result: dict[str, Any] = {"links": links}
    for name, pushes, missed_share in (
        *(("push", True, share) for share in MISSED),
        ("polling", False, 0.0),
    ):
        found = day_of(links, pushes=pushes, missed_share=missed_share)
        label = f"push, {missed_share:.0%} of the messages lost" if pushes else "without push"
        result[label] = found
        late, seen = found["missed_seen_after_minutes"], found["seen_after_seconds"]
        target = TARGETS[name]
        print(
            f"{label:<32} {found['calls']:5.1f} calls per link and day (target {target}:"
            f" {'met' if found['calls'] <= target else 'MISSED'}; p95 {found['p95_calls']:.0f});"
            f" a change is seen after {seen['p50']:.0f} s (p95 {seen['p95']:.0f} s)"
            + (
                f"; one whose message was lost after {late['p50']:.0f} min"
                f" (p95 {late['p95']:.0f}, most {late['most']:.0f})"
                if missed_share
                else ""
            )
        )
        print(" " * 33 + ", ".join(f"{why} {n}" for why, n in found["by_kind"].items()))
    print(json.dumps(result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
