"""Wakes a worker for a link."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction
from procrastinate.contrib.django import app
from procrastinate.exceptions import AlreadyEnqueued

DRAIN = "sophiie.drain"
# Jobs that an earlier version queued under this name may still be waiting.
POLL = "sophiie.read"


def defer_drain(link_id: UUID) -> None:
    """Queues a `drain(link)` job, unless one is waiting already."""
    _defer(DRAIN, link_id)


def defer_poll(link_id: UUID) -> None:
    """Queues a job that polls the link's calendars, likewise."""
    _defer(POLL, link_id)


def _defer(task: str, link_id: UUID) -> None:
    """Queues one job of this kind for a link.

    Inside a transaction the job commits or vanishes with it. Without the savepoint, a queueing lock
    that is taken would fail the whole transaction.
    """
    try:
        with transaction.atomic():
            app.configure_task(task, queueing_lock=f"{task}:{link_id}").defer(link_id=str(link_id))
    except AlreadyEnqueued:
        pass
