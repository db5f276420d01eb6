"""Limits the pages of a web process that wait for Google: a few at once, and none for long.

Each occupies a thread while it waits. The other threads serve everybody else, however slow Google
is.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from sophiie.calendar_link import problems
from sophiie.google.patience import patience, seconds_left

PATIENCE_SECONDS = 5.0
MAX_AT_ONCE = 4

_places = threading.BoundedSemaphore(MAX_AT_ONCE)


@contextmanager
def waiting_for_google(*, or_not_at_all: bool = False) -> Iterator[None]:
    """Inside, calls to Google may take some seconds in all; after that it counts as unreachable.

    Raises `LinkProblem` when enough others wait. With `or_not_at_all` Google counts as unreachable
    at once instead, for work that has to be done in any case.
    """
    if seconds_left() is not None:  # this page has a place already
        yield
        return
    if _places.acquire(blocking=False):
        try:
            with patience(PATIENCE_SECONDS):
                yield
        finally:
            _places.release()
    elif or_not_at_all:
        with patience(0.0):
            yield
    else:
        raise problems.too_many_wait()
