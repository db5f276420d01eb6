"""What Google knows of our channels, and how we answered to its messages."""

from __future__ import annotations

from typing import Any

from asgiref.sync import async_to_sync

from google_simulator.testing import RunningSimulator
from sophiie.google.app import google_session
from sophiie.sync.inbound import channels, poller

PATH = "/integrations/google/notifications"


def tend() -> None:
    """One round of the worker's care for the channels."""

    async def once() -> None:
        async with google_session() as http:
            await channels.tend(http)

    async_to_sync(once)()


def due() -> bool:
    """Whether a worker finds a calendar that is due."""
    return bool(poller.due_links())


def open_channels(google: RunningSimulator) -> list[dict[str, Any]]:
    """Those over which Google would still send something."""
    return [channel for channel in google.channels() if not channel["stopped"]]


def answers(google: RunningSimulator, state: str = "exists") -> list[int | None]:
    """How we answered to the messages of this kind."""
    return [d["status"] for d in google.deliveries() if d["state"] == state]
