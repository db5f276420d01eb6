"""The hour at which these tests look."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import time_machine


@pytest.fixture(autouse=True)
def _thursday_noon() -> Iterator[None]:
    """Thursday 26 November 2026, 12:00 in Sydney: a working day."""
    with time_machine.travel("2026-11-26T01:00:00Z", tick=False):
        yield
