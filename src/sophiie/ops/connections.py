"""What uvicorn leaves open: how long a connection may be silent, how large a head, how many.

A connection on which no request is being answered always has an end; a client that does not read
is cut off; and where there is no room left, the ones who have waited longest without a request go.
"""

from __future__ import annotations

import asyncio
import resource
import time
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_SECONDS = 10.0
MAX_HEAD_BYTES = 32_768
# What a body may have around it: the lengths of its chunks, and what comes after them.
MAX_FRAMING_BYTES = 8_000_000
UNREAD_SECONDS = 30.0
# After a refusal what is still on its way is thrown away: a client that is reset reads no answer.
LINGER_SECONDS = 1.0
# Requests that were sent without waiting for the answer to the one before.
MAX_AHEAD = 16
MAX_CONNECTIONS = 10_000
# What a process opens beside its connections: files, the database, Google.
OTHER_FILES = 256
STREAM = "/live"

_REFUSAL = (
    b"HTTP/1.1 %s\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: %d\r\n"
    b"connection: close\r\n\r\n%s"
)


def most_connections() -> int:
    """How many connections this process takes; raises its limit of open files for them."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MAX_CONNECTIONS + OTHER_FILES
    reachable = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < reachable:
        resource.setrlimit(resource.RLIMIT_NOFILE, (reachable, hard))
        soft = reachable
    room = wanted if soft == resource.RLIM_INFINITY else soft
    return max(room - OTHER_FILES, 16)


class PatientProtocol(HttpToolsProtocol):
    """uvicorn's HTTP, with an end to its patience."""

    most = 1024

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._since = time.monotonic()
        self._in_head, self._no_body, self._refused = False, 0, False
        self._head_end: asyncio.TimerHandle | None = None
        self._end: asyncio.TimerHandle | None = None
        self._await_head()
        if len(self.connections) > self.most:
            self._make_room()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._unset_keepalive_if_required()
        for timer in (self._head_end, self._end):
            if timer is not None:
                timer.cancel()

    def _end_within(self, seconds: float) -> None:
        """Cuts the connection off then, unless it is told before that all is well."""
        if self._end is None:
            self._end = self.loop.call_later(seconds, self.transport.abort)

    @property
    def _is_idle(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def _make_room(self) -> None:
        idle = [c for c in self.connections if isinstance(c, PatientProtocol) and c._is_idle]
        idle.sort(key=lambda connection: connection._since)
        for connection in idle[: max(1, len(idle) // 16)]:
            connection.transport.abort()

    # -- heads -----------------------------------------------------------------------------------

    def _await_head(self) -> None:
        self._head_end = self.loop.call_later(HEAD_SECONDS, self.transport.abort)

    def data_received(self, data: bytes) -> None:
        if self._refused:
            return
        self._no_body += len(data)
        super().data_received(data)
        if self._no_body > (MAX_HEAD_BYTES if self._in_head else MAX_FRAMING_BYTES):
            self._refuse(b"431 Request Header Fields Too Large")
        if self._is_idle and self._head_end is None:
            self._await_head()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._in_head, self._no_body, self._since = True, 0, time.monotonic()

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._in_head:  # what comes after a body in chunks is asked for by nobody
            super().on_header(name, value)

    def on_body(self, body: bytes) -> None:
        self._no_body -= len(body)
        super().on_body(body)

    def on_headers_complete(self) -> None:
        self._in_head, self._no_body = False, 0
        if self._head_end is not None:
            self._head_end.cancel()
            self._head_end = None
        size = len(self.url) + sum(len(name) + len(value) for name, value in self.headers)
        if size > MAX_HEAD_BYTES:
            self._refuse(b"431 Request Header Fields Too Large")
            raise ValueError("too large")  # the parser stops here
        if len(self.pipeline) >= MAX_AHEAD:
            self._refused = True
            self.transport.abort()
            raise ValueError("too many")
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:
        self._refuse(b"400 Bad Request")

    def _refuse(self, status: bytes) -> None:
        if not self._refused:
            self._refused = True
            self.transport.write(_REFUSAL % (status, len(status), status))
            self._end_within(LINGER_SECONDS)

    # -- answers that nobody reads ---------------------------------------------------------------

    def pause_writing(self) -> None:
        super().pause_writing()
        self._end_within(UNREAD_SECONDS)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._end is not None and not self.transport.is_closing() and not self._refused:
            self._end.cancel()
            self._end = None

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if not self._is_idle:  # the next was sent ahead: what comes after it can wait outside
            self.flow.pause_reading()
        self._since = time.monotonic()
        if self.transport.is_closing():
            self._end_within(UNREAD_SECONDS)

    def timeout_keep_alive_handler(self) -> None:
        super().timeout_keep_alive_handler()
        self._end_within(UNREAD_SECONDS)

    # -- the end ---------------------------------------------------------------------------------

    def shutdown(self) -> None:
        """A live stream has no end of its own to wait for."""
        super().shutdown()
        if not self._is_idle and self.cycle.scope["path"] == STREAM:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
            self.transport.close()


def server_settings() -> dict[str, Any]:
    """How uvicorn serves this application, wherever it listens."""
    PatientProtocol.most = most_connections()
    return {
        "app": "sophiie.config.asgi:application",
        "http": PatientProtocol,
        "ws": "none",
        "lifespan": "off",
        "access_log": False,
        "log_config": None,
        "server_header": False,
        # Longer than a proxy keeps its own end: it must never send into one that is just closing.
        "timeout_keep_alive": 75,
    }
