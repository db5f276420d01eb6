"""The worker's code without the worker's process."""

from __future__ import annotations

from asgiref.sync import async_to_sync

from sophiie.calendar_link.models import CalendarLink
from sophiie.common.in_thread import in_thread
from sophiie.google.app import google_session
from sophiie.sync.drain import drain


def drain_all() -> None:
    """Works off what is due for every link, once."""
    async_to_sync(_drain_all)()


async def _drain_all() -> None:
    ids = await in_thread(lambda: list(CalendarLink.objects.values_list("id", flat=True)))
    async with google_session() as http:
        for link_id in ids:
            await drain(link_id, http=http)
