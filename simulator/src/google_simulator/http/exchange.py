"""The path of one call: log, latency, fault, act, journal, answer.

1. The call is logged, then waits for the latency that is set.
2. A fault set for *before* answers instead.
3. The act runs; it does not await, so it is atomic. What it changed is written through.
4. A fault set for *after* replaces the answer: the change has happened, its answer is lost.
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
from google_simulator.http.answer import NEVER_STORED, Answer
from google_simulator.http.incoming import Incoming
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
    """Runs acts and notifies push channels of what they changed."""

    def __init__(self, simulator: Simulator, push: Push) -> None:
        self.simulator = simulator
        self.push = push

    async def run(
        self,
        incoming: Incoming,
        method: str,
        act: Act,
        *,
        account: str | None = None,
        client_id: str | None = None,
        calendar_id: str | None = None,
        event_id: str | None = None,
    ) -> web.StreamResponse:
        """Take one call through the four steps."""
        simulator, begun = self.simulator, time.perf_counter()
        call = simulator.calls.begin(method, simulator.clock.now())
        call.account, call.client_id = account, client_id
        call.calendar_id, call.event_id = calendar_id, event_id
        if incoming.query:
            call.query = incoming.plain_query()
        if delay := simulator.faults.delay():
            await asyncio.sleep(delay)
        body = incoming.body.decode(errors="replace") if simulator.faults.faults else ""
        fault = simulator.faults.strike(method, account, calendar_id, body)
        try:
            if fault and fault.when == "before" and fault.kind != "slow":
                call.fault = f"before:{fault.kind}"
                return await self._fail(incoming, call, fault)
            answer = self._act(call, act)
            if simulator.world.new_channels:
                await self.push.greet_channels()
            if fault and fault.when == "after" and fault.kind != "slow":
                call.fault = f"after:{fault.kind}"
                return await self._fail(incoming, call, fault)
            call.status = answer.status
            if fault:
                call.fault = "slow"
                return await _slowly(incoming, answer, fault)
            return respond(incoming, answer)
        finally:
            call.milliseconds = round((time.perf_counter() - begun) * 1000, 3)

    def _act(self, call: LoggedCall, act: Act) -> Answer:
        try:
            return act(call)
        except Refusal as refusal:
            call.reason = refusal.reason
            return refusal_answer(refusal)
        except Exception:
            # A bug of the simulator: logged, and answered in a shape that the client understands.
            logger.exception("The simulator failed in %s", call.method)
            call.reason = "simulatorFailure"
            failure = BackendError(500, "simulatorFailure", "The simulator failed; see its log.")
            return refusal_answer(failure)
        finally:
            self.simulator.world.commit()
            self.push.notice_changes()

    async def _fail(self, incoming: Incoming, call: LoggedCall, fault: Fault) -> web.StreamResponse:
        if fault.kind == "timeout":
            await asyncio.sleep(fault.seconds or HANG_SECONDS)
        if fault.kind in ("cut", "timeout"):
            incoming.cut_connection()
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
        return respond(incoming, Answer(answer.status, answer.body, headers))


def _as_refusal(method: str, fault: Fault) -> Refusal:
    reason = fault.reason or "backendError"
    if method.startswith("oauth.") and method != "oauth.userinfo":
        return OAuthError(reason, fault.message, status=fault.status)
    return BackendError(fault.status, reason, fault.message, domain=fault.domain)


def refusal_answer(refusal: Refusal) -> Answer:
    """A refusal with its headers."""
    headers = dict(NEVER_STORED) if isinstance(refusal, OAuthError) else {}
    if retry_after := getattr(refusal, "retry_after", None):
        headers["Retry-After"] = str(retry_after)
    if refusal.status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="https://accounts.google.com/"'
    return Answer(refusal.status, refusal.body(), headers)


def respond(incoming: Incoming, answer: Answer) -> web.Response:
    """JSON as Google sends it: errors indented by one space, gzip if asked for (facts 7.6)."""
    if answer.body is None:
        return web.Response(status=answer.status, headers=answer.headers)
    data = encoded(answer.body, pretty=answer.status >= 400 or incoming.wants_pretty)
    headers = dict(answer.headers)
    if "ETag" not in headers and answer.status >= 400:
        headers.setdefault("Cache-Control", "private")
    if len(data) >= GZIP_FROM_BYTES and incoming.takes_gzip:
        data = gzip.compress(data, compresslevel=1)
        headers["Content-Encoding"] = "gzip"
        headers["Vary"] = "Accept-Encoding"
    headers["Content-Type"] = "application/json; charset=UTF-8"
    return web.Response(status=answer.status, body=data, headers=headers)


_COMPACT = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, check_circular=False)


def encoded(body: Any, *, pretty: bool) -> bytes:
    """JSON as bytes: compact, or indented by one space."""
    if pretty:
        return json.dumps(body, indent=1, ensure_ascii=False).encode() + b"\n"
    return _COMPACT.encode(body).encode()


async def _slowly(incoming: Incoming, answer: Answer, fault: Fault) -> web.StreamResponse:
    """The same bytes, dribbled over `seconds`; within a batch they wait as long."""
    whole = respond(incoming, answer)
    if incoming.in_batch:
        await asyncio.sleep(fault.seconds or 2.0)
        return whole
    data = whole.body if isinstance(whole.body, bytes) else b""
    response = web.StreamResponse(status=whole.status, headers=whole.headers)
    response.headers.pop("Content-Length", None)
    await response.prepare(incoming.request)
    pieces = 10
    size = max(1, -(-len(data) // pieces))
    for start in range(0, len(data), size):
        await asyncio.sleep((fault.seconds or 2.0) / pieces)
        await response.write(data[start : start + size])
    await response.write_eof()
    return response
