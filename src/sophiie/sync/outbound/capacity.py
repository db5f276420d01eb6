"""How many links a worker works on at the same time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class Places:
    """Places at work: a link with much to do keeps its place only while nobody may be waiting."""

    def __init__(self, count: int) -> None:
        self._free, self._closed = count, False

    @contextmanager
    def taken(self) -> Iterator[None]:
        """One place is taken while the block runs."""
        self._free -= 1
        try:
            yield
        finally:
            self._free += 1

    def are_short(self) -> bool:
        """Whether somebody may be waiting for one."""
        return self._closed or self._free <= 0

    def close(self) -> None:
        """The worker stops: every link gives up its place as soon as it can."""
        self._closed = True
