"""A series as the API is asked for it, and what it answers."""

from __future__ import annotations

from typing import Any

from tests.conftest import ApiCaller

PLAIN = {
    "title": "Physiotherapy",
    "start": "2027-01-12T09:00:00+11:00",
    "duration_minutes": 60,
    "rule": "FREQ=WEEKLY;INTERVAL=2;COUNT=5",
}


def book(api: ApiCaller, **more: Any) -> Any:
    answer = api("POST", "/series", {**PLAIN, **more})
    assert answer.status_code == 201, answer.content
    return answer.json()


def starts(answer: Any) -> list[str]:
    return [visit["start"][:16] for visit in answer["visits"] if visit["status"] != "cancelled"]
