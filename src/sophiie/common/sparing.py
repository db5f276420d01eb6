"""Work whose cost nobody bounds is done less often the longer it takes, so that it never takes more
than a small share of the time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")

SHARE = 0.03
# What takes no longer than this is nobody's concern.
QUICK_SECONDS = 0.2


def pause_after(seconds: float, *, least: float) -> float:
    """How long to wait after a round that took so many seconds."""
    return max(least, seconds * (1 / SHARE - 1))


class Sparing(Generic[T]):
    """Keeps an answer that took long, until asking for it anew is no more than the share."""

    def __init__(self, ask: Callable[[], T]) -> None:
        self._ask, self._lock = ask, threading.Lock()
        self._kept: tuple[T, float] | None = None

    def __call__(self) -> T:
        with self._lock:  # several who ask at once share one answer
            if self._kept is not None and time.monotonic() < self._kept[1]:
                return self._kept[0]
            started = time.monotonic()
            answer = self._ask()
            took = time.monotonic() - started
            lasts = pause_after(took, least=0.0) if took > QUICK_SECONDS else 0.0
            self._kept = answer, started + took + lasts
            return answer
