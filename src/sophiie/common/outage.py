"""Logs one line when something goes away, one a minute while it stays away, one when it is back.

There is one object for each thing that can go away; everybody in the process who notices shares it.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

import psycopg

from sophiie.common.logs import log

logger = log(__name__)

REPEAT_SECONDS = 60.0
# A use that was under way when others found it away proves nothing.
UNDER_WAY_SECONDS = 1.0


class Outage:
    """Something that is there or away. If it flaps, it is not logged more often than if it stays
    away."""

    def __init__(self, what: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._what, self._clock, self._lock = what, clock, threading.Lock()
        self._since: float | None = None
        self._said_at: float | None = None
        self._said_of_this_one = False

    def noticed(self, reason: object) -> None:
        """Somebody found it away. Logs that now, or a minute after it was logged last."""
        with self._lock:
            moment = self._clock()
            first = self._since is None
            self._since = moment if self._since is None else self._since
            if self._said_at is not None and moment - self._said_at < REPEAT_SECONDS:
                return
            self._said_at, self._said_of_this_one = moment, True
            seconds = round(moment - self._since)
        reason = type(reason).__name__ if isinstance(reason, Exception) else str(reason)
        if first:
            logger.warning(f"{self._what} not reachable", reason=reason)
        else:
            logger.warning(f"{self._what} still not reachable", reason=reason, seconds=seconds)

    def is_over(self) -> None:
        """Somebody has just used it. Costs nothing if nothing was wrong."""
        if self._since is None:
            return
        with self._lock:
            if self._since is None or self._clock() - self._since < UNDER_WAY_SECONDS:
                return
            since, self._since = self._since, None
            said, self._said_of_this_one = self._said_of_this_one, False
        if said:
            logger.warning(f"{self._what} reachable again", seconds=round(self._clock() - since))


database_outage = Outage("database")


# What PostgreSQL answers when it goes down or comes up; without a code nobody answered at all.
_AWAY = ("08", "57P")


def is_outage(error: BaseException | None) -> bool:
    """Whether a database that is away caused this error; not a refused or cancelled query."""
    while error is not None:
        if isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
            return error.sqlstate is None or error.sqlstate.startswith(_AWAY)
        error = error.__cause__ or error.__context__
    return False


def gather_outages(record: logging.LogRecord) -> bool:
    """A log filter. Pools report each attempt, and libraries write a traceback for everything that
    needed the database; all of these only count as one more who noticed."""
    error = record.exc_info[1] if record.exc_info else None
    if record.name == "psycopg.pool" and record.levelno >= logging.WARNING:
        database_outage.noticed(record.getMessage().partition("\n")[0])
        return False
    if is_outage(error):
        database_outage.noticed(error)
        return False
    return True
