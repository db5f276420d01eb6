"""Noticing that this machine's clock was set: its time, compared with a clock that nobody sets."""

from __future__ import annotations

import time

from sophiie.common.clock import now
from sophiie.common.logs import log

logger = log(__name__)

# Less is what clocks lose by themselves, and what a busy machine takes between two lines.
MIN_SECONDS = 2.0


class ClockWatch:
    """Compares the time that passed on both clocks since it was last asked."""

    def __init__(self) -> None:
        self._difference = self._measured()

    def jump(self) -> float:
        """By how many seconds the clock was set since the last call, back if negative; 0.0 if it
        was not. Each jump is logged once."""
        before, self._difference = self._difference, self._measured()
        seconds = self._difference - before
        if abs(seconds) < MIN_SECONDS:
            self._difference = before  # many small steps are a jump as well
            return 0.0
        logger.warning("the clock was set", seconds=round(seconds, 1))
        return seconds

    @staticmethod
    def _measured() -> float:
        return now().timestamp() - time.monotonic()
