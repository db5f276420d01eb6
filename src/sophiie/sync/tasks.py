"""The jobs: thin, because they look up again what the ids stand for."""

from __future__ import annotations

from uuid import UUID

from procrastinate import JobContext
from procrastinate.contrib.django import app

from sophiie.sync.inbound.poller import poll_link
from sophiie.sync.jobs import DRAIN, POLL
from sophiie.sync.outbound.drain import drain


@app.task(name=DRAIN, pass_context=True)
async def drain_link(context: JobContext, link_id: str) -> None:
    """Works off the link's outbox. Idempotent."""
    places = context.additional_context["places"]
    with places.taken():
        await drain(
            UUID(link_id),
            http=context.additional_context["http"],
            others_wait=places.are_short,
        )


@app.task(name=POLL, pass_context=True)
async def poll_link_calendars(context: JobContext, link_id: str) -> None:
    """Polls those of the link's calendars that are due. Idempotent."""
    places = context.additional_context["places"]
    with places.taken():
        await poll_link(UUID(link_id), context.additional_context["http"], only_due=True)
