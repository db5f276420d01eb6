"""Batches: up to fifty calls in one request, each with an answer of its own (facts 7.5).

`multipart/mixed`, each part an HTTP request as text. Parts run one after the other, are logged and
charged like single calls, and use the batch's credentials unless they bring their own.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from email.message import Message
from email.parser import BytesParser
from urllib.parse import parse_qsl, urlsplit

from aiohttp import web
from multidict import CIMultiDict, MultiDict

from google_simulator import errors
from google_simulator.http.calendar_routes import CalendarRoutes
from google_simulator.http.exchange import refusal_answer, respond
from google_simulator.http.incoming import Incoming
from google_simulator.simulator import Simulator

PATH = "/batch/calendar/v3"


class BatchRoutes:
    """Takes a batch apart, runs its calls and puts their answers together."""

    def __init__(self, simulator: Simulator, calendar: CalendarRoutes) -> None:
        self.simulator = simulator
        self.calendar = calendar

    def register(self, app: web.Application) -> None:
        """Add the address of Calendar's batches."""
        app.router.add_post(PATH, self.batch)

    async def batch(self, request: web.Request) -> web.StreamResponse:
        """Run all parts; the batch itself succeeds whatever becomes of them."""
        try:
            parts = list(_parts(request, await request.read()))
            if not 0 < len(parts) <= int(self.simulator.switches["max_batch"]):
                raise errors.bad_request("The batch holds no calls, or too many.")
            calls = [_call(request, part) for part in parts]
        except errors.Refusal as refusal:
            return respond(Incoming.of(request), refusal_answer(refusal))
        boundary = f"batch_{secrets.token_urlsafe(16)}"
        pieces = [
            _piece(boundary, part.get("Content-ID"), await self.calendar.answer(call))
            for part, call in zip(parts, calls, strict=True)
        ]
        return web.Response(
            body=b"".join([*pieces, f"--{boundary}--\r\n".encode()]),
            headers={"Content-Type": f"multipart/mixed; boundary={boundary}"},
        )


def _parts(request: web.Request, body: bytes) -> Iterator[Message]:
    kind = request.headers.get("Content-Type", "")
    if not kind.lower().startswith("multipart/mixed"):
        raise errors.bad_request("A batch must be multipart/mixed.")
    head = f"Content-Type: {kind}\r\n\r\n".encode()
    whole = BytesParser().parsebytes(head + body)
    payload = whole.get_payload()
    for part in payload if isinstance(payload, list) else []:
        if isinstance(part, Message):
            yield part


def _call(request: web.Request, part: Message) -> Incoming:
    """The request that is written in a part."""
    payload = part.get_payload(decode=True)
    text = payload.lstrip() if isinstance(payload, bytes) else b""
    line, _, rest = text.replace(b"\r\n", b"\n").partition(b"\n")
    head, _, body = rest.partition(b"\n\n") if not rest.startswith(b"\n") else (b"", b"", rest[1:])
    words = line.decode(errors="replace").split()
    if len(words) < 2:
        raise errors.bad_request("A part of the batch is no HTTP request.")
    address = urlsplit(words[1])
    headers = CIMultiDict(
        {name: str(value) for name, value in BytesParser().parsebytes(head + b"\n\n").items()}
    )
    if "Authorization" in request.headers:
        headers.setdefault("Authorization", request.headers["Authorization"])
    return Incoming(
        request=request,
        verb=words[0].upper(),
        raw_path=address.path,
        query=MultiDict(parse_qsl(address.query, keep_blank_values=True)),
        headers=headers,
        body=body.strip(),
        in_batch=True,
    )


def _piece(boundary: str, content_id: str | None, answer: web.StreamResponse) -> bytes:
    content = answer.body if isinstance(answer, web.Response) else None
    data = content if isinstance(content, bytes) else b""
    outer = [f"--{boundary}", "Content-Type: application/http"]
    if content_id:
        outer.append(f"Content-ID: {_answered(content_id)}")
    inner = [f"HTTP/1.1 {answer.status} {answer.reason}"]
    inner += [
        f"{name}: {value}" for name, value in answer.headers.items() if name != "Content-Length"
    ]
    inner.append(f"Content-Length: {len(data)}")
    lines = [*outer, "", *inner, "", ""]
    return "\r\n".join(lines).encode() + data + b"\r\n"


def _answered(content_id: str) -> str:
    """`<abc>` is answered as `<response-abc>`."""
    bare = content_id.strip()
    return f"<response-{bare[1:]}" if bare.startswith("<") else f"response-{bare}"
