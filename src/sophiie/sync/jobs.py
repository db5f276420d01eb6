"""Waking a worker for a link."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction
from procrastinate.contrib.django import app
from procrastinate.exceptions import AlreadyEnqueued

DRAIN = "sophiie.drain"
READ = "sophiie.read"


def defer_drain(link_id: UUID) -> None:
    """Asks for a `drain(link)` job; one that waits already is enough."""
    _defer(DRAIN, link_id)


def defer_read(link_id: UUID) -> None:
    """Asks for a `read(link)` job, likewise."""
    _defer(READ, link_id)


def _defer(task: str, link_id: UUID) -> None:
    """One job of this kind for a link.

    Inside a transaction the job commits or vanishes with it. The savepoint is there because a
    refused queueing lock would otherwise take the whole transaction down.
    """
    try:
        with transaction.atomic():
            app.configure_task(task, queueing_lock=f"{task}:{link_id}").defer(link_id=str(link_id))
    except AlreadyEnqueued:
        pass
