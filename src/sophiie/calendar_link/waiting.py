"""Pages that wait for Google: a few at once in a web process, and none of them for long.

Each keeps a thread while it waits. What is left of the threads is for everybody else, however slow
Google is.
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
    """Inside, Google may be asked, for some seconds in all; then it counts as not reachable.

    Raises `LinkProblem` when enough others wait. With `or_not_at_all` Google is simply not
    reachable then, for what has to be done in any case.
    """
    if seconds_left() is not None:  # this page has a place
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
