"""Passes announcements on to the open pages, over one LISTEN connection for each web process.

An open page costs no thread and no connection of the pool, only what waits to be sent to it, and
that is bounded. A page that cannot be told everything one by one is told of a gap: anything may
have changed.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any
from uuid import UUID

import psycopg
from django.db import DatabaseError

from sophiie.accounts.sessions import SignedIn, name_of, still_signed_in
from sophiie.common.direct import direct_parameters
from sophiie.common.in_thread import in_thread
from sophiie.common.live import CHANNEL
from sophiie.common.outage import database_outage
from sophiie.sync.inbound.attention import note_open_pages

MAX_STREAMS = 4000
MAX_OF_A_MEMBER = 20
HEARTBEAT_SECONDS = 20.0
LOOK_SECONDS = 5.0
NOTE_SECONDS = 120.0
MAX_WAITING = 50
# Of so many businesses it is known when they were last heard of.
MAX_REMEMBERED = 10_000
# Announcements are gathered for this long for each page that hears them: a business with two
# thousand open pages hears twice a second, one with ten at once.
SECONDS_A_PAGE = 0.00025

_HEARTBEAT = b"event: beat\ndata:1\n\n"
_PRIVATE = {"business", "signed_out", "session_ended", "sessions_in_doubt"}


def line(what: dict[str, Any]) -> bytes:
    """A message of an event stream."""
    return f"data: {json.dumps(what)}\n\n".encode()


GAP = line({"gap": True})


class Stream:
    """What one open page has still to be told."""

    def __init__(self, session: SignedIn) -> None:
        self.session, self.ended = session, False
        self._lines: list[bytes] = []
        self._news = asyncio.Event()

    def tell(self, text: bytes) -> None:
        # A browser that is too slow asks for everything instead.
        if len(self._lines) >= MAX_WAITING:
            self._lines = [GAP]
        else:
            self._lines.append(text)
        self._news.set()

    def end(self) -> None:
        self.ended = True
        self._news.set()

    async def news(self) -> bytes:
        """Everything there is to tell, as soon as there is something; `b""` at the end."""
        await self._news.wait()
        self._news.clear()
        lines, self._lines = self._lines, []
        return b"" if self.ended else b"".join(lines)


class Hub:
    """The open pages of this process, by business."""

    def __init__(self) -> None:
        self._streams: dict[str, set[Stream]] = {}
        self._count = 0
        self._untold: dict[str, dict[bytes, None]] = {}
        self._heard: dict[str, float] = {}
        self._knows_all_since = time.monotonic()
        self._listening = asyncio.Event()
        self._doubt = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def is_full(self) -> bool:
        return self._count >= MAX_STREAMS

    def is_full_for(self, session: SignedIn) -> bool:
        """Whether this member has as many open pages as one member may have."""
        of_business = self._streams.get(str(session.business_id), ())
        of_member = sum(s.session.member_id == session.member_id for s in of_business)
        return self.is_full or of_member >= MAX_OF_A_MEMBER

    @contextmanager
    def arriving(self) -> Iterator[None]:
        """Counts a page that is not let in yet."""
        self._count += 1
        try:
            yield
        finally:
            self._count -= 1

    @contextmanager
    def opened(self, session: SignedIn) -> Iterator[Stream]:
        """A stream that is told of every change from now on."""
        stream, business = Stream(session), str(session.business_id)
        self._streams.setdefault(business, set()).add(stream)
        self._count += 1
        try:
            yield stream
        finally:
            self._count -= 1
            streams = self._streams[business]
            streams.discard(stream)
            if not streams:
                del self._streams[business]

    def seconds_since_a_change(self, business_id: UUID) -> float:
        """How long ago something was announced for a business. It is never more than the time
        since this process began to listen: of what came before it knows nothing."""
        return time.monotonic() - self._heard.get(str(business_id), self._knows_all_since)

    def _remember(self, business: str) -> None:
        if len(self._heard) >= MAX_REMEMBERED:
            self._forget()
        self._heard[business] = time.monotonic()

    def _forget(self) -> None:
        self._heard.clear()
        self._knows_all_since = time.monotonic()

    async def listens(self) -> None:
        """Returns as soon as announcements are heard."""
        if not self._tasks or any(task.done() for task in self._tasks):
            for task in self._tasks:
                task.cancel()
            self._listening, self._doubt = asyncio.Event(), asyncio.Event()
            work = (
                *(self._listen(), self._look_regularly(), self._beat()),
                self._note_open_pages(),
            )
            self._tasks = [asyncio.create_task(each) for each in work]
        await self._listening.wait()

    def _all(self) -> list[Stream]:
        return [stream for streams in self._streams.values() for stream in streams]

    # -- what is announced ---------------------------------------------------------------------

    async def _listen(self) -> None:
        while True:
            try:
                await self._listen_once()
            except (DatabaseError, psycopg.Error, OSError) as error:
                database_outage.noticed(error)
            self._listening.clear()
            await asyncio.sleep(1)

    async def _listen_once(self) -> None:
        parameters = await in_thread(direct_parameters)
        async with await psycopg.AsyncConnection.connect(**parameters, autocommit=True) as listener:
            await listener.execute(f"LISTEN {CHANNEL}")
            database_outage.is_over()
            self._forget()
            for stream in self._all():  # the pages that were open before have missed something
                stream.tell(GAP)
            self._doubt.set()
            self._listening.set()
            async for notice in listener.notifies():
                self.pass_on(notice.payload)

    def pass_on(self, payload: str) -> None:
        """Handles one announcement."""
        what: dict[str, Any] = json.loads(payload)
        business = what.get("business", "")
        public = {name: value for name, value in what.items() if name not in _PRIVATE}
        if public:
            self._remember(business)
        streams = self._streams.get(business)
        if not streams:
            return
        if ended := what.get("session_ended"):
            _end(stream for stream in streams if name_of(stream.session.key) == ended)
        if member := what.get("signed_out"):
            _end(stream for stream in streams if str(stream.session.member_id) == member)
        if what.get("sessions_in_doubt"):
            self._doubt.set()
        if not public:
            return
        if business not in self._untold:
            self._untold[business] = {}
            pause = len(streams) * SECONDS_A_PAGE
            asyncio.get_running_loop().call_later(pause, self._tell, business)
        self._untold[business][line(public)] = None

    def _tell(self, business: str) -> None:
        text = b"".join(self._untold.pop(business))
        for stream in self._streams.get(business, ()):
            stream.tell(text)

    # -- what is looked at now and then --------------------------------------------------------

    async def _beat(self) -> None:
        """Sends a sign of life now and then: a proxy would take long silence for the end, and a
        page for a lost connection."""
        while True:
            await asyncio.sleep(HEARTBEAT_SECONDS)
            for stream in self._all():
                stream.tell(_HEARTBEAT)

    async def _note_open_pages(self) -> None:
        """Says whose pages are open, so that their calendars are polled more often."""
        while True:
            await asyncio.sleep(NOTE_SECONDS)
            if members := {stream.session.member_id for stream in self._all()}:
                with suppress(DatabaseError):
                    await in_thread(note_open_pages, members)

    async def _look_regularly(self) -> None:
        """Ends the streams whose session has ended, also if nobody announced it."""
        while True:
            try:
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._doubt.wait()
            except TimeoutError:
                pass
            self._doubt.clear()
            with suppress(DatabaseError):  # `_listen` says that it is away
                await self._look()

    async def _look(self) -> None:
        streams = self._all()
        if streams:
            held = await in_thread(still_signed_in, {stream.session for stream in streams})
            _end(stream for stream in streams if stream.session not in held)


def _end(streams: Iterator[Stream]) -> None:
    for stream in streams:
        stream.end()


hub = Hub()
