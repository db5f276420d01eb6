"""Live pages: server-sent events, fed by one LISTEN connection for each web process."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import psycopg
from django.db import connection
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase

from sophiie.common.in_thread import in_thread
from sophiie.common.live import CHANNEL
from sophiie.common.logs import log

logger = log(__name__)

HEARTBEAT_SECONDS = 20.0
# Then the browser comes back by itself, and whoever signed out meanwhile is not let in again.
STREAM_SECONDS = 600.0
QUEUE_LENGTH = 200


class Hub:
    """Passes every announcement on to the open pages of its business."""

    def __init__(self) -> None:
        self._pages: dict[str, set[asyncio.Queue[str]]] = {}
        self._listening: asyncio.Task[None] | None = None

    async def messages(self, business_id: str, member_id: str) -> AsyncIterator[str]:
        """The announcements for one page, as lines of an event stream, until its member's access
        to the business ends."""
        queue: asyncio.Queue[str] = asyncio.Queue(QUEUE_LENGTH)
        self._pages.setdefault(business_id, set()).add(queue)
        if self._listening is None or self._listening.done():
            self._listening = asyncio.create_task(self._listen())
        loop = asyncio.get_running_loop()
        end = loop.time() + STREAM_SECONDS
        goodbye = _line({"signed_out": member_id})
        try:
            yield "retry: 2000\n\n"
            while loop.time() < end:
                try:
                    line = await asyncio.wait_for(queue.get(), HEARTBEAT_SECONDS)
                except TimeoutError:
                    line = ": still here\n\n"
                if line == goodbye:
                    return
                yield line
        finally:
            pages = self._pages.get(business_id, set())
            pages.discard(queue)
            if not pages:
                self._pages.pop(business_id, None)

    async def _listen(self) -> None:
        while True:
            try:
                await self._listen_once()
            except (psycopg.Error, OSError) as error:
                logger.warning("live updates interrupted", error=type(error).__name__)
            await asyncio.sleep(1)

    async def _listen_once(self) -> None:
        parameters = await in_thread(_connection_parameters)
        async with await psycopg.AsyncConnection.connect(**parameters, autocommit=True) as listener:
            await listener.execute(f"LISTEN {CHANNEL}")
            async for notice in listener.notifies():
                self._pass_on(notice.payload)

    def _pass_on(self, payload: str) -> None:
        what: dict[str, Any] = json.loads(payload)
        line = _line({k: v for k, v in what.items() if k != "business"})
        for queue in self._pages.get(what.get("business", ""), ()):
            with suppress(asyncio.QueueFull):  # that page's browser does not keep up
                queue.put_nowait(line)


def _line(what: dict[str, Any]) -> str:
    return f"data: {json.dumps(what)}\n\n"


def _connection_parameters() -> dict[str, Any]:
    parameters = connection.get_connection_params()
    return {
        name: value
        for name, value in parameters.items()
        if name not in ("cursor_factory", "context", "client_encoding", "prepare_threshold")
    }


hub = Hub()


async def live(request: HttpRequest) -> HttpResponseBase:
    """The stream of the signed-in member's business: ids of what changed, nothing else."""
    member = await request.auser()
    if not member.is_authenticated:
        return HttpResponse(status=401)
    response = StreamingHttpResponse(
        hub.messages(str(member.business_id), str(member.pk)),
        content_type="text/event-stream",
    )
    response["X-Accel-Buffering"] = "no"
    return response
