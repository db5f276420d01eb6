"""Waking a worker for a link."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction
from procrastinate.contrib.django import app
from procrastinate.exceptions import AlreadyEnqueued

DRAIN = "sophiie.drain"


def defer_drain(link_id: UUID) -> None:
    """Asks for a `drain(link)` job; one that waits already is enough.

    Inside a transaction the job commits or vanishes with it. The savepoint is there because a
    refused queueing lock would otherwise take the whole transaction down.
    """
    try:
        with transaction.atomic():
            app.configure_task(DRAIN, queueing_lock=f"{DRAIN}:{link_id}").defer(
                link_id=str(link_id)
            )
    except AlreadyEnqueued:
        pass
