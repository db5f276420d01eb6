"""The simulator's own time: real time plus an offset that tests can move."""

from __future__ import annotations

import time
from datetime import UTC, datetime


class Clock:
    """Ticks like the wall clock; `advance` and `set` move it in either direction."""

    def __init__(self, offset: float = 0.0) -> None:
        self.offset = offset

    def now(self) -> float:
        """The simulated moment, in seconds since 1970."""
        return time.time() + self.offset

    def utc(self) -> datetime:
        """The simulated moment in UTC."""
        return datetime.fromtimestamp(self.now(), UTC)

    def advance(self, seconds: float) -> None:
        """Go so many seconds on; a negative number goes back."""
        self.offset += seconds

    def set(self, moment: datetime) -> None:
        """Make it this moment now."""
        self.offset = moment.timestamp() - time.time()
