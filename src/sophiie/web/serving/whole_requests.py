"""Pages and API as an ASGI application that takes in whole requests and sends out whole answers.

The event loop reads a request to its end before it takes a thread, and sends the answer after the
thread is free again: a slow client holds no thread. Requests that are too large, too slow or too
many are refused here, before they cost anything.
"""

from __future__ import annotations

import asyncio
import contextvars
import io
import sys
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from tempfile import TemporaryFile
from typing import IO, Any

from sophiie.common.logs import log
from sophiie.web.serving.refusals import Refused, refusal

logger = log(__name__)

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Environ = dict[str, Any]

THREADS = 16
# Nobody waits for minutes: a request that finds so many waiting, or has waited for so long, is told
# to come again.
MAX_WAITING = 256
WAIT_SECONDS = 10.0
MAX_BODY = 1_000_000  # like `DATA_UPLOAD_MAX_MEMORY_SIZE`, but uploaded files count as well
BODY_SECONDS = 20.0
MAX_BODIES = 64_000_000
IN_MEMORY = 1_000_000
PIECE = 65_536


class Gone(Exception):
    """The client went away before its request was complete."""


@dataclass(frozen=True)
class Answer:
    status: int
    headers: list[tuple[str, str]]
    body: IO[bytes]


class WholeRequests:
    """Runs a WSGI application in its own threads."""

    def __init__(self, application: Callable[[Environ, Any], Iterable[bytes]]) -> None:
        self._application = application
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="pages")
        self._under_way = 0
        self._free: asyncio.Semaphore | None = None
        self._bodies = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = bytearray()
        try:
            await self._read(scope, receive, body)
            answer = await self._answer(environ_of(scope, bytes(body)))
        except Gone:
            return
        except Refused as refused:
            logger.info("request refused", status=refused.status, path=scope["path"])
            answer = plain(refusal(environ_of(scope), refused))
        except asyncio.CancelledError:  # the server stops, and whoever still waits may ask again
            answer = plain(refusal(environ_of(scope), Refused(503)))
        finally:
            self._bodies -= len(body)
        with suppress(asyncio.CancelledError):  # it stops while somebody does not read
            await send_answer(answer, scope["method"], send)

    async def _read(self, scope: Scope, receive: Receive, body: bytearray) -> None:
        """Fills `body`. Raises `Refused` or `Gone`."""
        headers = dict(scope["headers"])
        length = headers.get(b"content-length", b"")
        if not length and b"transfer-encoding" not in headers:
            return
        if length.isdigit() and int(length) > MAX_BODY:
            raise Refused(413)
        try:
            async with asyncio.timeout(BODY_SECONDS):
                more = True
                while more:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        raise Gone
                    piece: bytes = message.get("body", b"")
                    body += piece
                    self._bodies += len(piece)
                    if len(body) > MAX_BODY:
                        raise Refused(413)
                    if self._bodies > MAX_BODIES:
                        raise Refused(503)
                    more = message.get("more_body", False)
        except TimeoutError:
            raise Refused(408) from None

    async def _answer(self, environ: Environ) -> Answer:
        if self._under_way >= THREADS + MAX_WAITING:
            raise Refused(503)
        if self._free is None:
            self._free = asyncio.Semaphore(THREADS)
        self._under_way += 1
        try:
            try:
                async with asyncio.timeout(WAIT_SECONDS):
                    await self._free.acquire()
            except TimeoutError:
                raise Refused(503) from None
            try:
                context = contextvars.copy_context()
                made = self._threads.submit(context.run, self._in_thread, environ)
                try:
                    return await asyncio.wrap_future(made)
                except asyncio.CancelledError:  # nobody waits for it any more
                    made.add_done_callback(_let_go)
                    raise
            finally:
                self._free.release()
        finally:
            self._under_way -= 1

    def _in_thread(self, environ: Environ) -> Answer:
        """The whole answer; a long one is on disk."""
        head: list[Any] = []

        def start_response(status: str, headers: list[tuple[str, str]], *_: Any) -> None:
            head[:] = [int(status[:3]), headers]

        pieces = self._application(environ, start_response)
        body: IO[bytes] = io.BytesIO()
        try:
            for piece in pieces:
                if isinstance(body, io.BytesIO) and body.tell() + len(piece) > IN_MEMORY:
                    body = _on_disk(body)
                body.write(piece)
        except BaseException:
            body.close()
            raise
        finally:
            if hasattr(pieces, "close"):
                pieces.close()
        return Answer(head[0], head[1], body)


def _on_disk(body: io.BytesIO) -> IO[bytes]:
    file = TemporaryFile()  # noqa: SIM115 - closed when it is sent
    file.write(body.getbuffer())
    return file


def _let_go(made: Future[Answer]) -> None:
    if not made.cancelled() and made.exception() is None:
        made.result().body.close()


def plain(response: Any) -> Answer:
    """A Django response that was made outside the WSGI application."""
    return Answer(response.status_code, list(response.items()), io.BytesIO(response.content))


async def send_answer(answer: Answer, method: str, send: Send) -> None:
    """Sends piece by piece, no faster than the client reads, and holds no thread."""
    with answer.body as body:
        length = body.seek(0, io.SEEK_END)
        body.seek(0)
        headers = [(n.lower().encode("latin-1"), v.encode("latin-1")) for n, v in answer.headers]
        bodiless = method == "HEAD" or answer.status in (204, 304)
        if not bodiless and not any(name == b"content-length" for name, _ in headers):
            headers.append((b"content-length", str(length).encode()))
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        left = 0 if bodiless else length
        while left > PIECE:
            left -= PIECE
            await send({"type": "http.response.body", "body": body.read(PIECE), "more_body": True})
        await send({"type": "http.response.body", "body": body.read(left), "more_body": False})


def environ_of(scope: Scope, body: bytes = b"") -> Environ:
    """The request as a WSGI environment (PEP 3333).

    Leaves out headers with an underscore in their name: they would pass for those with a hyphen,
    which a proxy in front may have set.
    """
    server, client = scope.get("server") or ("localhost", 80), scope.get("client")
    environ: Environ = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": "",
        "PATH_INFO": scope["path"].encode("utf-8", "surrogateescape").decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_NAME": server[0],
        "SERVER_PORT": str(server[1] or 0),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.get("scheme", "http"),
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    if client:
        environ["REMOTE_ADDR"], environ["REMOTE_PORT"] = client[0], str(client[1])
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
        if "_" in name:
            continue
        key = name.upper().replace("-", "_")
        if key not in ("CONTENT_LENGTH", "CONTENT_TYPE"):
            key = f"HTTP_{key}"
        joint = "; " if key == "HTTP_COOKIE" else ","
        environ[key] = environ[key] + joint + value if key in environ else value
    if "HTTP_TRANSFER_ENCODING" in environ:  # the body has been read, so its length is known
        environ["CONTENT_LENGTH"] = str(len(body))
    return environ
