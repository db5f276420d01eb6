"""Calls per minute, per project and per user of a project (facts 7.4).

A sliding window on the simulator's clock, in buckets of a second. A refused call costs nothing.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

WINDOW_SECONDS = 60


@dataclass
class _Window:
    spent: deque[list[float]] = field(default_factory=deque)
    total: int = 0

    def units(self, now: float) -> int:
        # A clock set back leaves buckets in the future: they go as well.
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
    """`spend` answers which limit a call would break, or takes its units."""

    def __init__(self, enabled: bool = True) -> None:
        self.enabled = enabled
        self.per_user = 600
        self.per_project = 10_000
        self._windows: dict[tuple[str, ...], _Window] = {}

    def spend(self, project: str, account: str, units: int, now: float) -> str | None:
        if not self.enabled:
            return None
        user = self._windows.setdefault((project, account), _Window())
        whole = self._windows.setdefault((project,), _Window())
        if user.units(now) + units > self.per_user:
            return "user"
        if whole.units(now) + units > self.per_project:
            return "project"
        user.add(now, units)
        whole.add(now, units)
        return None

    def spent(self, now: float) -> dict[str, int]:
        return {" ".join(key): window.units(now) for key, window in self._windows.items()}

    def clear(self) -> None:
        self._windows.clear()
