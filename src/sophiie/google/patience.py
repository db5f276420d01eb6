"""Limits how long somebody waits for Google in all, however many calls that is.

A worker has all the time that a call may take. When a person waits there is an end, and a call that
is not answered by then counts as not answered.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from sophiie.google.errors import Unreachable

_end: ContextVar[float | None] = ContextVar("patience", default=None)


@contextmanager
def patience(seconds: float) -> Iterator[None]:
    """Inside, and in whatever is awaited there, all calls to Google end within this time."""
    outer, end = _end.get(), time.monotonic() + seconds
    token = _end.set(end if outer is None else min(outer, end))
    try:
        yield
    finally:
        _end.reset(token)


def seconds_left() -> float | None:
    """How much time is left; None where nobody waits."""
    end = _end.get()
    return None if end is None else max(0.0, end - time.monotonic())


def not_in_time() -> Unreachable:
    return Unreachable("Google did not answer in time.", reason="timeout")


async def pause(seconds: float) -> None:
    """Sleeps between two looks at something that others bring about. Raises `Unreachable` when no
    time is left."""
    if seconds_left() == 0.0:
        raise not_in_time()
    await asyncio.sleep(seconds)
