"""Wakes a worker for a link.

A job says only where to look: what is to be done stands in the rows, and `outbound/sweep.py` and
`inbound/poller.py` find it within a second when no job says so. So a job is queued after the commit
of what it is about, and not in its transaction, where its notification would delay all other
bookings; see `common/after_commit.py`.
"""

from __future__ import annotations

from uuid import UUID

from django.db import transaction
from procrastinate.contrib.django import app
from procrastinate.exceptions import AlreadyEnqueued

from sophiie.common.after_commit import after_commit
from sophiie.common.sql import execute

DRAIN = "sophiie.drain"
# Jobs that an earlier version queued under this name may still be waiting.
POLL = "sophiie.read"

_WAITING = """
    SELECT queueing_lock FROM procrastinate_jobs
    WHERE status = 'todo' AND queueing_lock = ANY(%(locks)s)
"""


def defer_drain(link_id: UUID) -> None:
    """Queues a `drain(link)` job, unless one is waiting already."""
    after_commit(_defer, (DRAIN, link_id))


def defer_poll(link_id: UUID) -> None:
    """Queues a job that polls the link's calendars, likewise."""
    after_commit(_defer, (POLL, link_id))


def _defer(wanted: list[tuple[str, UUID]]) -> None:
    """Queues one job of a kind for each link. One that is waiting already sees all that is
    committed."""
    locks = {f"{task}:{link_id}": (task, link_id) for task, link_id in wanted}
    waiting: set[str] = set()
    if len(locks) > 1:  # of one the next statement finds out
        waiting = {lock for (lock,) in execute(_WAITING, locks=list(locks))}
    for lock, (task, link_id) in locks.items():
        if lock not in waiting:
            _defer_one(task, link_id, lock)


def _defer_one(task: str, link_id: UUID, lock: str) -> None:
    try:
        with transaction.atomic():  # or a lock that is taken would fail all the others
            app.configure_task(task, queueing_lock=lock).defer(link_id=str(link_id))
    except AlreadyEnqueued:
        pass
