"""When somebody is busy, worked out from what Google shows, without the product's code.

An event is ours, and takes no time by itself, only where it stands for a live appointment of this
business at that appointment's time. Everything else that is live in a calendar takes its time.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from tests.convergence.expected import Expected

Event = Mapping[str, Any]


@dataclass(frozen=True, order=True)
class Span:
    start: datetime
    end: datetime

    def meets(self, other: Span) -> bool:
        return self.start < other.end and other.start < self.end


def spans_of(event: Event, zone: str) -> list[Span]:
    """When the event takes place. The machine makes no rule but daily ones with a count."""
    if event.get("status") == "cancelled" or event.get("transparency") == "transparent":
        return []
    return [
        Span(_edge(event["start"], zone, days), _edge(event["end"], zone, days))
        for days in range(_times(event))
    ]


def _times(event: Event) -> int:
    rule = " ".join(event.get("recurrence", []))
    found = re.search(r"FREQ=DAILY;COUNT=(\d+)", rule)
    assert bool(found) == bool(rule), f"a rule that nobody here makes: {rule}"
    return int(found[1]) if found else 1


def _edge(time: Mapping[str, Any], zone: str, days: int) -> datetime:
    if "date" in time:
        midnight = datetime.fromisoformat(time["date"]) + timedelta(days=days)
        return midnight.replace(tzinfo=ZoneInfo(zone))
    clocks = ZoneInfo(time.get("timeZone", zone))
    wall = datetime.fromisoformat(time["dateTime"]).astimezone(clocks).replace(tzinfo=None)
    return (wall + timedelta(days=days)).replace(tzinfo=clocks)


def appointment_behind(event: Event, appointments: Iterable[Expected]) -> Expected | None:
    """For which appointment the product made the event, by what it wrote on it."""
    said = set(event.get("extendedProperties", {}).get("private", {}).values())
    return next((known for known in appointments if str(known.id) in said), None)


def taken_by(
    event: Event, zone: str, appointments: Sequence[Expected], *, business: str, client_id: str
) -> list[Span]:
    """The times that nobody who reads this calendar for that business may be booked over."""
    spans = spans_of(event, zone)
    if event["simulator"]["created_by"] != client_id:
        return spans
    behind = appointment_behind(event, appointments)
    if behind is None or not behind.is_on or behind.business != business:
        return spans
    return [span for span in spans if span != Span(behind.start, behind.end)]


def missing_from(known: Iterable[Span], spans: Iterable[Span]) -> list[Span]:
    """Those of the spans that `known` does not cover from end to end."""
    stretches = sorted(known)
    return [span for span in spans if not _is_covered(span, stretches)]


def _is_covered(span: Span, stretches: Sequence[Span]) -> bool:
    at = span.start
    for stretch in stretches:
        if stretch.start <= at < stretch.end:
            at = stretch.end
    return at >= span.end
