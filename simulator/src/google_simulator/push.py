"""Delivery of push notifications: real POSTs with Google's headers (facts 5).

One worker per channel keeps the order of messages. An answer of 500, 502, 503 or 504 is tried
again with backoff; anything else that is no success is dropped.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass
from email.utils import formatdate
from typing import Any

import aiohttp
from aiohttp import web

from google_simulator.model import Channel
from google_simulator.simulator import Simulator

DELIVERED = frozenset({102, 200, 201, 202, 204})
TRIED_AGAIN = frozenset({500, 502, 503, 504})
RETRY_DELAYS = (0.5, 1.0, 2.0, 4.0, 8.0)
TIMEOUT_SECONDS = 10


@dataclass
class Delivery:
    """One attempt, as the knobs show it."""

    channel_id: str
    state: str
    number: int
    status: int | None
    note: str = ""


@dataclass
class Mischief:
    """What goes wrong with messages on purpose."""

    drop_share: float = 0.0
    duplicate_share: float = 0.0
    delay_seconds: float = 0.0
    deliver_after_stop: bool = False


class Push:
    """Delivers notifications, in order per channel, with the mischief that is set."""

    def __init__(self, simulator: Simulator) -> None:
        self.simulator = simulator
        self.mischief = Mischief()
        self.deliveries: deque[Delivery] = deque(maxlen=10_000)
        self.session: aiohttp.ClientSession | None = None
        self._queues: dict[str, asyncio.Queue[str]] = {}
        self._workers: set[asyncio.Task[None]] = set()

    async def run(self, app: web.Application) -> AsyncIterator[None]:
        """Deliver as long as the application runs."""
        timeout = aiohttp.ClientTimeout(total=TIMEOUT_SECONDS)
        # `trust_env` off: a proxy of the environment must not see loopback addresses.
        self.session = aiohttp.ClientSession(timeout=timeout, headers={"User-Agent": "APIs-Google"})
        yield
        for worker in self._workers:
            worker.cancel()
        await asyncio.gather(*self._workers, return_exceptions=True)
        await self.session.close()

    def notice_changes(self) -> None:
        """Tell the channels of every calendar that changed since last asked."""
        changed = self.simulator.world.changed_calendars
        if not changed:
            return
        for channel in self.simulator.world.channels.values():
            if channel.calendar_id in changed and self._alive(channel):
                self.enqueue(channel, "exists")
        changed.clear()

    async def greet_channels(self) -> None:
        """Queues the `sync` message of new channels; by a switch, delivers it before the answer."""
        world = self.simulator.world
        while world.new_channels:
            channel = world.new_channels.pop()
            if self.simulator.switches["sync_message"] == "before_answer":
                await self._tell(channel, "sync")
            else:
                self.enqueue(channel, "sync")

    def enqueue(self, channel: Channel, state: str) -> None:
        """Queue one message to a channel."""
        queue = self._queues.get(channel.key)
        if queue is None:
            queue = self._queues[channel.key] = asyncio.Queue()
            worker = asyncio.get_running_loop().create_task(self._work(channel, queue))
            self._workers.add(worker)
            worker.add_done_callback(self._workers.discard)
        queue.put_nowait(state)

    def forget(self) -> None:
        """Start anew: no message of the former world goes out."""
        for worker in self._workers:
            worker.cancel()
        self._queues.clear()
        self.deliveries.clear()
        self.mischief = Mischief()
        self.simulator.world.changed_calendars.clear()
        self.simulator.world.new_channels.clear()

    def _alive(self, channel: Channel) -> bool:
        if channel.stopped and not self.mischief.deliver_after_stop:
            return False
        return channel.expires_at > self.simulator.clock.now()

    async def _work(self, channel: Channel, queue: asyncio.Queue[str]) -> None:
        while True:
            state = await queue.get()
            await self._tell(channel, state)

    async def _tell(self, channel: Channel, state: str) -> None:
        mischief, chance = self.mischief, self.simulator.faults.random
        channel.messages += 1
        self.simulator.world.save(channel)
        self.simulator.world.commit()
        if mischief.delay_seconds:
            await asyncio.sleep(mischief.delay_seconds)
        if not self._alive(channel):
            return
        if state != "sync" and chance.random() < mischief.drop_share:
            self._note(channel, state, None, "dropped on purpose")
            return
        times = 2 if chance.random() < mischief.duplicate_share else 1
        for _ in range(times):
            await self._deliver(channel, state)

    async def _deliver(self, channel: Channel, state: str) -> None:
        number = channel.messages
        for delay in (*RETRY_DELAYS, None):
            status = await self._post(channel, state, number)
            if status in DELIVERED or status not in TRIED_AGAIN or delay is None:
                return
            await asyncio.sleep(delay)

    async def _post(self, channel: Channel, state: str, number: int) -> int | None:
        if self.session is None:
            return None
        headers = headers_of(channel, state, number)
        try:
            async with self.session.post(channel.address, headers=headers, data=b"") as answer:
                self._note(channel, state, answer.status)
                return answer.status
        except (aiohttp.ClientError, TimeoutError) as error:
            self._note(channel, state, None, type(error).__name__)
            return None

    def _note(self, channel: Channel, state: str, status: int | None, note: str = "") -> None:
        self.deliveries.append(Delivery(channel.id, state, channel.messages, status, note))

    def settings(self) -> dict[str, Any]:
        """The mischief as it is set."""
        return dict(vars(self.mischief))


def headers_of(channel: Channel, state: str, number: int) -> dict[str, str]:
    """Everything a notification says: it has no body."""
    headers = {
        "X-Goog-Channel-ID": channel.id,
        "X-Goog-Channel-Expiration": formatdate(channel.expires_at, usegmt=True),
        "X-Goog-Resource-ID": channel.resource_id,
        "X-Goog-Resource-URI": channel.resource_uri,
        "X-Goog-Resource-State": state,
        "X-Goog-Message-Number": str(number),
    }
    if channel.token:
        headers["X-Goog-Channel-Token"] = channel.token
    return headers
