"""The limits that uvicorn leaves open: silent connections, large heads, too many connections.

A connection on which no request is being answered always ends in time. A client that does not read
is cut off. When there is no room left, the connections that have been idle longest are closed.
"""

from __future__ import annotations

import asyncio
import resource
import time
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_SECONDS = 10.0
MAX_HEAD_BYTES = 32_768
# Around a body: the lengths of its chunks, and trailers.
MAX_FRAMING_BYTES = 8_000_000
UNREAD_SECONDS = 30.0
# After a refusal the rest of the request is discarded: a client that is reset would read no answer.
LINGER_SECONDS = 1.0
# Requests that a client sends without waiting for earlier answers.
MAX_AHEAD = 16
MAX_CONNECTIONS = 10_000
# What a process opens beside these: files, the database, Google.
OTHER_FILES = 256
STREAM = "/live"

_REFUSAL = (
    b"HTTP/1.1 %s\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: %d\r\n"
    b"connection: close\r\n\r\n%s"
)


def most_connections() -> int:
    """How many connections this process accepts; raises its limit of open files for them."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MAX_CONNECTIONS + OTHER_FILES
    reachable = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < reachable:
        resource.setrlimit(resource.RLIMIT_NOFILE, (reachable, hard))
        soft = reachable
    room = wanted if soft == resource.RLIM_INFINITY else soft
    return max(room - OTHER_FILES, 16)


class PatientProtocol(HttpToolsProtocol):
    """uvicorn's HTTP, with limited patience."""

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
        """Cuts the connection off after this time, unless the timer is cancelled."""
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
        if self._in_head:  # nobody needs the trailers of a chunked body
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
        if not self._is_idle:  # the next request is here already: later ones wait in the socket
            self.flow.pause_reading()
        self._since = time.monotonic()
        if self.transport.is_closing():
            self._end_within(UNREAD_SECONDS)

    def timeout_keep_alive_handler(self) -> None:
        super().timeout_keep_alive_handler()
        self._end_within(UNREAD_SECONDS)

    # -- the end ---------------------------------------------------------------------------------

    def shutdown(self) -> None:
        """Also ends live streams, which never end by themselves."""
        super().shutdown()
        if not self._is_idle and self.cycle.scope["path"] == STREAM:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
            self.transport.close()


def server_settings() -> dict[str, Any]:
    """How uvicorn serves this application, at whatever address."""
    PatientProtocol.most = most_connections()
    return {
        "app": "sophiie.config.asgi:application",
        "http": PatientProtocol,
        "ws": "none",
        "lifespan": "off",
        "access_log": False,
        "log_config": None,
        "server_header": False,
        # Longer than a proxy keeps its end open: it must never send into a closing connection.
        "timeout_keep_alive": 75,
    }
