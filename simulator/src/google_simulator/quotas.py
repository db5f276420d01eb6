"""Calls per minute, per project and per user of a project (facts 7.4).

A sliding window on the simulator's clock, in buckets of a second. A refused call costs nothing.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

WINDOW_SECONDS = 60
_PACIFIC = ZoneInfo("America/Los_Angeles")


@dataclass
class _Window:
    spent: deque[list[float]] = field(default_factory=deque)
    total: int = 0

    def units(self, now: float) -> int:
        # A clock that was set back leaves buckets in the future: drop them, too.
        while self.spent and not now - WINDOW_SECONDS < self.spent[0][0] <= now:
            self.total -= int(self.spent.popleft()[1])
        return self.total

    def add(self, now: float, units: int) -> None:
        if self.spent and int(self.spent[-1][0]) == int(now):
            self.spent[-1][1] += units
        else:
            self.spent.append([now, units])
        self.total += units


class Quotas:
    """`spend` answers which limit a call would break, or takes its units.

    `per_day` is a limit of the project's, counted from midnight to midnight in California.
    """

    def __init__(self, enabled: bool = True) -> None:
        self.enabled = enabled
        self.per_user = 600
        self.per_project = 10_000
        self.per_day: int | None = None
        self._days: dict[tuple[str, date], int] = {}
        self._windows: dict[tuple[str, ...], _Window] = {}

    def spend(self, project: str, account: str, units: int, now: float) -> str | None:
        """The limit that the call would break, or None after its units were taken."""
        if not self.enabled:
            return None
        today = (project, datetime.fromtimestamp(now, UTC).astimezone(_PACIFIC).date())
        if self.per_day is not None and self._days.get(today, 0) + units > self.per_day:
            return "day"
        user = self._windows.setdefault((project, account), _Window())
        whole = self._windows.setdefault((project,), _Window())
        if user.units(now) + units > self.per_user:
            return "user"
        if whole.units(now) + units > self.per_project:
            return "project"
        user.add(now, units)
        whole.add(now, units)
        self._days = {today: self._days.get(today, 0) + units} | {
            day: spent for day, spent in self._days.items() if day[0] != project
        }
        return None

    def spent(self, now: float) -> dict[str, int]:
        """Units spent within the last minute."""
        return {" ".join(key): window.units(now) for key, window in self._windows.items()}

    def clear(self) -> None:
        """Forget what was spent."""
        self._windows.clear()
        self._days.clear()
