"""The jobs: thin, because they look up again what the ids stand for."""

from __future__ import annotations

from uuid import UUID

from procrastinate import JobContext
from procrastinate.contrib.django import app

from sophiie.sync.inbound.poller import read_changes
from sophiie.sync.jobs import DRAIN, READ
from sophiie.sync.outbound.drain import drain


@app.task(name=DRAIN, pass_context=True)
async def drain_link(context: JobContext, link_id: str) -> None:
    """`drain(link)`. Idempotent."""
    places = context.additional_context["places"]
    with places.taken():
        await drain(
            UUID(link_id),
            http=context.additional_context["http"],
            others_wait=places.are_short,
        )


@app.task(name=READ, pass_context=True)
async def read_link(context: JobContext, link_id: str) -> None:
    """`read(link)`: polls those of its calendars that are due. Idempotent."""
    places = context.additional_context["places"]
    with places.taken():
        await read_changes(UUID(link_id), context.additional_context["http"], only_due=True)
