"""The log of every call that a client made, for tests to read and count."""

from __future__ import annotations

from collections import deque
from dataclasses import asdict, dataclass, field
from fnmatch import fnmatchcase
from typing import Any


@dataclass
class LoggedCall:
    """One request; `status` 0 means that the connection was cut before an answer."""

    seq: int
    at: float
    method: str
    account: str | None = None
    client_id: str | None = None
    calendar_id: str | None = None
    event_id: str | None = None
    query: dict[str, Any] = field(default_factory=dict)
    units: int = 0
    status: int = 0
    reason: str | None = None
    fault: str | None = None
    milliseconds: float = 0.0


class CallLog:
    """Keeps the newest calls; numbers go on even when older ones fall out."""

    def __init__(self, keep: int = 100_000) -> None:
        self._calls: deque[LoggedCall] = deque(maxlen=keep)
        self._seq = 0

    def begin(self, method: str, at: float) -> LoggedCall:
        """Log a call that has just come in."""
        self._seq += 1
        call = LoggedCall(seq=self._seq, at=at, method=method)
        self._calls.append(call)
        return call

    def find(
        self,
        *,
        after: int = 0,
        method: str = "*",
        account: str | None = None,
        calendar_id: str | None = None,
    ) -> list[dict[str, Any]]:
        """The logged calls after a number, filtered by pattern, account and calendar."""
        return [
            asdict(call) for call in self._calls
            if call.seq > after
            and fnmatchcase(call.method, method)
            and account in (None, call.account)
            and calendar_id in (None, call.calendar_id)
        ]  # fmt: skip

    @property
    def last(self) -> int:
        """The number of the latest call."""
        return self._seq

    def clear(self) -> None:
        """Forget the calls; numbers go on."""
        self._calls.clear()
