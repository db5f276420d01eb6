"""The places of a worker: how many links it works on at the same time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class Places:
    """A link with much to do keeps its place only while nobody can be waiting for one."""

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
        """The worker stops: nobody keeps a place any longer than they have to."""
        self._closed = True
