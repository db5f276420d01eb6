"""Tells other processes what happened: after the commit, gathered, by one thread for each process.

PostgreSQL takes one lock for all notifications of a server and keeps it until the transaction that
sent them is on disk, so bookings that notify commit one after the other. So none does: what it has
to tell waits for its commit and is sent with whatever else has come together by then.

What a process had gathered when it was killed is lost. So nothing may depend on it: the rows say
what is to be done, and the worker looks through them every second.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from django.db import connections, transaction

from sophiie.common.logs import log
from sophiie.common.outage import database_outage, is_outage
from sophiie.common.sql import execute

logger = log(__name__)

# Sends what has come together of one kind, without duplicates and in the order in which it came.
Send = Callable[[list[Any]], None]
# After each sending: whoever listens is woken by each, also by those for others.
PAUSE_SECONDS = 0.05
# For what is left when the process ends.
LAST_SECONDS = 1.0


def after_commit(send: Send, item: Any) -> None:
    """Passes `item`, which must be hashable, to `send` after the commit, or never if there is none;
    outside of a transaction now. A failure harms nobody: it is a wake-up, not the work."""
    transaction.on_commit(lambda: _take(send, item))


class Gatherer:
    """Sends in a thread of its own, the first item at once. While it is sending, and for a moment
    afterwards, the next ones come together."""

    def __init__(self) -> None:
        self._waiting: dict[Send, dict[Any, None]] = {}
        self._lock, self._news, self._end = threading.Lock(), threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="after commit", daemon=True)
        self._thread.start()

    def take(self, send: Send, item: Any) -> None:
        with self._lock:
            self._waiting.setdefault(send, {})[item] = None
        self._news.set()

    def end(self) -> None:
        """Sends what is left, if that does not take long."""
        self._end.set()
        self._news.set()
        self._thread.join(LAST_SECONDS)

    def _run(self) -> None:
        while self._waiting or not self._end.is_set():
            self._news.wait()
            self._news.clear()
            with self._lock:
                waiting, self._waiting = self._waiting, {}
            _send_all({send: list(items) for send, items in waiting.items()})
            with _failures_are_logged():
                connections.close_all()
            self._end.wait(PAUSE_SECONDS)


_gatherer: Gatherer | None = None


@contextmanager
def gathering() -> Iterator[None]:
    """Inside, this process gathers. Elsewhere, in a short command, each item is sent at once by the
    thread that has committed."""
    global _gatherer
    _gatherer = gatherer = Gatherer()
    try:
        yield
    finally:
        _gatherer = None
        gatherer.end()


def _take(send: Send, item: Any) -> None:
    if _gatherer is not None:
        _gatherer.take(send, item)
    else:
        _send_all({send: [item]})


def _send_all(waiting: Mapping[Send, list[Any]]) -> None:
    """In one transaction, so that whoever listens is woken once. It does not wait for the disk:
    what gets lost with the server is as good as never told."""
    with _failures_are_logged(), transaction.atomic():
        execute("SELECT set_config('synchronous_commit', 'off', true)")
        for send, items in waiting.items():
            with _failures_are_logged(), transaction.atomic():
                send(items)


@contextmanager
def _failures_are_logged() -> Iterator[None]:
    try:
        yield
    except Exception as error:
        if is_outage(error):
            database_outage.noticed(error)
        else:
            logger.exception("not told")
