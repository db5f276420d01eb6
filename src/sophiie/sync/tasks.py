"""The jobs: thin, they read again what the ids stand for."""

from __future__ import annotations

from uuid import UUID

from procrastinate import JobContext
from procrastinate.contrib.django import app

from sophiie.sync.drain import drain
from sophiie.sync.wake import DRAIN


@app.task(name=DRAIN, pass_context=True)
async def drain_link(context: JobContext, link_id: str) -> None:
    """`drain(link)`; harmless when run twice."""
    places = context.additional_context["places"]
    with places.taken():
        await drain(
            UUID(link_id),
            http=context.additional_context["http"],
            others_wait=places.are_short,
        )
