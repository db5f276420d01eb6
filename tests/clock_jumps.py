"""A clock of ours that is wrong for a while, and then set right. Google's is right all along."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
import time_machine

from sophiie.common.clock import now

AHEAD = [
    timedelta(minutes=20),
    timedelta(hours=1),
    timedelta(hours=10),
    timedelta(days=1),
    timedelta(days=365),
]
JUMPS = [*AHEAD, *(-off for off in AHEAD)]
ahead_of_time = pytest.mark.parametrize("off", AHEAD, ids=str)
ahead_and_behind = pytest.mark.parametrize("off", JUMPS, ids=str)


@contextmanager
def by_a_wrong_clock(off: timedelta) -> Iterator[None]:
    """What is done inside is done by a clock that is off by so much."""
    with time_machine.travel((now() + off).timestamp(), tick=True):
        yield
