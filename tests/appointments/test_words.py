"""What a person reads who cannot have a time: whose it is, where, and until when."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from sophiie.appointments.errors import Conflict, NotHeld, Obstacle, Source, StaleRevision
from tests.conftest import SYDNEY

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
# Monday 30 November 2026, midnight in Sydney.
MONDAY = datetime(2026, 11, 29, 13, tzinfo=UTC)


def obstacle(source: Source, name: str = "Alice", **changes: Any) -> Obstacle:
    plain: dict[str, Any] = {
        "source": source,
        "member_id": UUID(int=1),
        "member_name": name,
        "start": MONDAY + 9 * HOUR,
        "end": MONDAY + 10 * HOUR,
        "timezone": SYDNEY,
    }
    return Obstacle(**{**plain, **changes})


TAKEN, GOOGLE, UNREADABLE = Source.APPOINTMENT, Source.GOOGLE, Source.UNREADABLE


@pytest.mark.parametrize(
    ("obstacles", "said"),
    [
        ([obstacle(TAKEN)], "Alice already has an appointment at this time."),
        (
            [obstacle(TAKEN, "Bob"), obstacle(TAKEN), obstacle(TAKEN)],
            "Alice and Bob already have an appointment at this time.",
        ),
        ([], "Somebody already has an appointment at this time."),
        ([obstacle(GOOGLE)], "Alice is busy in Google 09:00–10:00."),
        (
            [obstacle(GOOGLE, start=MONDAY, end=MONDAY + DAY)],
            "Alice is busy in Google all day, Mon 30 November.",
        ),
        (
            [obstacle(GOOGLE, end=MONDAY + 34 * HOUR)],
            "Alice is busy in Google 30 Nov 09:00 – 1 Dec 10:00.",
        ),
        ([obstacle(UNREADABLE)], "Alice’s calendar could not be read."),
        (
            [obstacle(UNREADABLE, too_far=True)],
            "Alice’s calendar is not known that far ahead.",
        ),
        (
            [obstacle(TAKEN), obstacle(GOOGLE, "Bob"), obstacle(UNREADABLE, "Charlie")],
            "Alice already has an appointment at this time. Bob is busy in Google 09:00–10:00. "
            "Charlie’s calendar could not be read.",
        ),
    ],
)
def test_a_conflict_says_what_is_in_the_way(obstacles: list[Obstacle], said: str) -> None:
    assert str(Conflict(obstacles)) == said


@pytest.mark.parametrize(
    ("status", "said"),
    [
        ("scheduled", "it is scheduled"),
        ("no_show", "it is no show"),
        ("of tomorrow", "it is of tomorrow"),
    ],
)
def test_what_is_no_hold_says_what_it_is(status: str, said: str) -> None:
    assert said in str(NotHeld(status))


def test_a_stale_revision_says_the_present_one() -> None:
    error = StaleRevision(7)
    assert (error.current, "now 7" in str(error)) == (7, True)
