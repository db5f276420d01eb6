"""The path of one call: log, latency, fault, act, journal, answer.

1. The call is logged, then waits for the latency that is set.
2. A fault set for *before* answers in its stead.
3. The act runs; it does not await, so it is atomic. What it changed is written through.
4. A fault set for *after* replaces the answer: the change is there, its news is lost.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import logging
import time
from collections.abc import Callable
from typing import Any

from aiohttp import web

from google_simulator.calls import LoggedCall
from google_simulator.errors import BackendError, OAuthError, Refusal
from google_simulator.faults import Fault
from google_simulator.http.answer import Answer
from google_simulator.push import Push
from google_simulator.simulator import Simulator

logger = logging.getLogger(__name__)
GZIP_FROM_BYTES = 1024
HANG_SECONDS = 3600.0
HTML_ERROR = (
    "<!DOCTYPE html><html lang=en><title>Error {status} (Server Error)!!1</title>"
    "<p><b>{status}.</b> That's an error.<p>The server encountered a temporary error."
)


Act = Callable[[LoggedCall], Answer]


class CallPath:
    """Runs acts, and lets push channels hear of what they changed."""

    def __init__(self, simulator: Simulator, push: Push) -> None:
        self.simulator = simulator
        self.push = push

    async def run(
        self,
        request: web.Request,
        method: str,
        act: Act,
        *,
        account: str | None = None,
        client_id: str | None = None,
        calendar_id: str | None = None,
        event_id: str | None = None,
    ) -> web.StreamResponse:
        simulator, begun = self.simulator, time.perf_counter()
        call = simulator.calls.begin(method, simulator.clock.now())
        call.account, call.client_id = account, client_id
        call.calendar_id, call.event_id = calendar_id, event_id
        if request.query_string:
            call.query = _plain_query(request)
        if delay := simulator.faults.delay():
            await asyncio.sleep(delay)
        body = await request.text() if simulator.faults.faults else ""
        fault = simulator.faults.strike(method, account, calendar_id, body)
        try:
            if fault and fault.when == "before" and fault.kind != "slow":
                call.fault = f"before:{fault.kind}"
                return await self._fail(request, call, fault)
            answer = self._act(call, act)
            if simulator.world.new_channels:
                await self.push.greet_channels()
            if fault and fault.when == "after" and fault.kind != "slow":
                call.fault = f"after:{fault.kind}"
                return await self._fail(request, call, fault)
            call.status = answer.status
            if fault:
                call.fault = "slow"
                return await _slowly(request, answer, fault)
            return respond(request, answer)
        finally:
            call.milliseconds = round((time.perf_counter() - begun) * 1000, 3)

    def _act(self, call: LoggedCall, act: Act) -> Answer:
        try:
            return act(call)
        except Refusal as refusal:
            call.reason = refusal.reason
            return refusal_answer(refusal)
        except Exception:
            # A mistake of ours: said aloud, and told to the client in the shape it can handle.
            logger.exception("The simulator failed in %s", call.method)
            call.reason = "simulatorFailure"
            failure = BackendError(500, "simulatorFailure", "The simulator failed; see its log.")
            return refusal_answer(failure)
        finally:
            self.simulator.world.commit()
            self.push.notice_changes()

    async def _fail(
        self, request: web.Request, call: LoggedCall, fault: Fault
    ) -> web.StreamResponse:
        if fault.kind == "timeout":
            await asyncio.sleep(fault.seconds or HANG_SECONDS)
        if fault.kind in ("cut", "timeout"):
            if request.transport is not None:
                request.transport.abort()
            # The connection is gone; nothing of this reaches the client.
            return web.Response(status=499)
        if fault.seconds:
            await asyncio.sleep(fault.seconds)
        call.status, call.reason = fault.status, fault.reason
        headers = {"Retry-After": str(fault.retry_after)} if fault.retry_after else {}
        if fault.kind == "empty":
            return web.Response(status=fault.status, headers=headers)
        if fault.kind == "html":
            return web.Response(
                status=fault.status,
                headers=headers,
                content_type="text/html",
                text=HTML_ERROR.format(status=fault.status),
            )
        answer = refusal_answer(_as_refusal(call.method, fault))
        return respond(request, Answer(answer.status, answer.body, headers))


def _as_refusal(method: str, fault: Fault) -> Refusal:
    reason = fault.reason or "backendError"
    if method.startswith("oauth.") and method != "oauth.userinfo":
        return OAuthError(reason, fault.message, status=fault.status)
    return BackendError(fault.status, reason, fault.message, domain=fault.domain)


def refusal_answer(refusal: Refusal) -> Answer:
    headers = {}
    if retry_after := getattr(refusal, "retry_after", None):
        headers["Retry-After"] = str(retry_after)
    if refusal.status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="https://accounts.google.com/"'
    return Answer(refusal.status, refusal.body(), headers)


def respond(request: web.Request, answer: Answer) -> web.Response:
    """JSON as Google sends it: errors indented by one space, gzip if asked for (facts 7.6)."""
    if answer.body is None:
        return web.Response(status=answer.status, headers=answer.headers)
    data = encoded(answer.body, pretty=answer.status >= 400 or _asks_for_pretty(request))
    headers = dict(answer.headers)
    if "ETag" not in headers and answer.status >= 400:
        headers["Cache-Control"] = "private"
    if len(data) >= GZIP_FROM_BYTES and _takes_gzip(request):
        data = gzip.compress(data, compresslevel=1)
        headers["Content-Encoding"] = "gzip"
        headers["Vary"] = "Accept-Encoding"
    headers["Content-Type"] = "application/json; charset=UTF-8"
    return web.Response(status=answer.status, body=data, headers=headers)


_COMPACT = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, check_circular=False)


def encoded(body: Any, *, pretty: bool) -> bytes:
    if pretty:
        return json.dumps(body, indent=1, ensure_ascii=False).encode() + b"\n"
    return _COMPACT.encode(body).encode()


def _asks_for_pretty(request: web.Request) -> bool:
    return "prettyPrint=true" in request.query_string


def _takes_gzip(request: web.Request) -> bool:
    """Google wants the word in both headers."""
    return "gzip" in request.headers.get("Accept-Encoding", "") and "gzip" in request.headers.get(
        "User-Agent", ""
    )


async def _slowly(request: web.Request, answer: Answer, fault: Fault) -> web.StreamResponse:
    """The same bytes, dribbled over `seconds`."""
    whole = respond(request, answer)
    data = whole.body if isinstance(whole.body, bytes) else b""
    response = web.StreamResponse(status=whole.status, headers=whole.headers)
    response.headers.pop("Content-Length", None)
    await response.prepare(request)
    pieces = 10
    size = max(1, -(-len(data) // pieces))
    for start in range(0, len(data), size):
        await asyncio.sleep((fault.seconds or 2.0) / pieces)
        await response.write(data[start : start + size])
    await response.write_eof()
    return response


def _plain_query(request: web.Request) -> dict[str, Any]:
    plain: dict[str, Any] = {}
    for name in request.query:
        values = request.query.getall(name)
        plain[name] = values[0] if len(values) == 1 else values
    return plain
