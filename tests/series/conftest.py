"""The time of these tests: Monday 4 January 2027, eleven in the morning in Sydney."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import time_machine


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Coordinates]:
    with time_machine.travel(datetime(2027, 1, 4, tzinfo=UTC), tick=False) as clock:
        yield clock
