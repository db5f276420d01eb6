"""Failures and delays on demand: which call fails, how, and before or after its effect."""

from __future__ import annotations

import random
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

KINDS = ("error", "cut", "slow", "html", "timeout", "empty")


class BadFault(ValueError):
    """The description of a fault makes no sense; the message says why."""


@dataclass
class Fault:
    """Hits calls whose method matches: the next `count` of them, or a random `share`.

    `when="after"` lets the call take effect first: the write is there, its answer is not.
    """

    method: str = "*"
    kind: str = "error"
    when: str = "before"
    account: str | None = None
    calendar_id: str | None = None
    # Only calls that send this text, such as `"attendees"`.
    body: str | None = None
    count: int | None = None
    share: float | None = None
    status: int = 503
    reason: str | None = "backendError"
    domain: str = "global"
    message: str = "Backend Error"
    retry_after: int | None = None
    seconds: float | None = None
    hits: int = 0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise BadFault(f"kind must be one of {', '.join(KINDS)}.")
        if self.when not in ("before", "after"):
            raise BadFault("when must be before or after.")
        if self.share is not None and not 0 <= self.share <= 1:
            raise BadFault("share must lie between 0 and 1.")

    def fits(self, method: str, account: str | None, calendar_id: str | None, body: str) -> bool:
        """Whether a call is of the kind that this fault hits."""
        return (
            fnmatchcase(method, self.method)
            and (self.body is None or self.body in body)
            and self.account in (None, account)
            and self.calendar_id in (None, calendar_id)
        )

    @property
    def spent(self) -> bool:
        """Whether it has hit as often as it should."""
        return self.count is not None and self.hits >= self.count


class Faults:
    """The faults in force, the delay of every call, and how far lists lag behind writes."""

    def __init__(self, seed: int | None = None) -> None:
        self.faults: list[Fault] = []
        self.latency_ms = 0.0
        self.spread_ms = 0.0
        self.list_lag_seconds = 0.0
        self.random = random.Random(seed)  # noqa: S311 - chance, not secrecy

    def add(self, **description: Any) -> Fault:
        """Put a fault in force."""
        try:
            fault = Fault(**description)
        except TypeError as error:
            raise BadFault(f"Unknown or ill-typed field: {error}.") from error
        self.faults.append(fault)
        return fault

    def strike(
        self, method: str, account: str | None, calendar_id: str | None, body: str = ""
    ) -> Fault | None:
        """The first fault that hits this call, if any; its count goes down."""
        for fault in self.faults:
            if not fault.fits(method, account, calendar_id, body):
                continue
            if fault.share is not None and self.random.random() >= fault.share:
                continue
            fault.hits += 1
            if fault.spent:
                self.faults.remove(fault)
            return fault
        return None

    def delay(self) -> float:
        """Seconds this call waits: the latency, give or take the spread."""
        if not self.latency_ms and not self.spread_ms:
            return 0.0
        return max(0.0, self.latency_ms + self.random.uniform(-1, 1) * self.spread_ms) / 1000

    def clear(self) -> None:
        """End all faults; delays stay."""
        self.faults.clear()

    def calm_down(self) -> None:
        """Neither faults nor delays."""
        self.faults.clear()
        self.latency_ms = self.spread_ms = self.list_lag_seconds = 0.0
