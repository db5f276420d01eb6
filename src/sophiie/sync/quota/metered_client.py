"""A client that pays for each of its calls with one unit of the quotas, right before making it.

A poll starts only when there is room, and makes its later calls wait for it. One that somebody
waits for gives way to changes alone, and for a moment only.
"""

from __future__ import annotations

import time
from uuid import UUID

import aiohttp

from sophiie.calendar_link.client import client_for
from sophiie.common.in_thread import in_thread
from sophiie.google.calendar import CalendarClient
from sophiie.google.patience import pause
from sophiie.sync.quota.buckets import Urgency, take
from sophiie.sync.quota.units import Use, note

# The first calls of a poll come before other polls. A short poll has no more than these, so a
# person who waits for its result waits as if it were read for them.
BEFORE_OTHER_POLLS = 5
# This many calls take longer than a person waits (`refresh.BUDGET_SECONDS`).
WHILE_A_PERSON_WAITS = 20
WAIT_SECONDS = 0.1
# How long a reading that somebody waits for gives way to changes, near the project's limit.
PATIENCE_SECONDS = 1.5


class Throttled(Exception):
    """The quotas have no room for a poll; nothing was asked."""


class CallMeter:
    """Counts and pays for the calls of one poll: a client awaits `pay` before each of them.

    `use` is what they are for, unless that follows from whether somebody waits.
    """

    def __init__(
        self, link_id: UUID, *, waited_for: bool, use: Use | None = None, gives_up: bool = True
    ) -> None:
        self._link_id, self._waited_for, self._gives_up = link_id, waited_for, gives_up
        self._use = use or (Use.AWAITED if waited_for else Use.POLL)
        self._calls = 0

    async def pay(self) -> None:
        """Pays for the next call, and waits where there is no room for it.

        Raises `Throttled` before the first call of a poll: at once, or when whoever waits for it
        has waited long enough. One that does not give up makes the call all the same then.
        """
        self._calls += 1
        if self._calls == 1 and not self._waited_for:
            if not await self._take(Urgency.POLL):
                raise Throttled
            return
        first = WHILE_A_PERSON_WAITS if self._waited_for else BEFORE_OTHER_POLLS
        urgency = Urgency.AWAITED if self._calls <= first else Urgency.POLL
        patience_ends = time.monotonic() + PATIENCE_SECONDS
        # Others take and time refills: there is no event to wait for.
        while not await self._take(urgency):
            if self._waited_for and time.monotonic() > patience_ends:
                if self._gives_up and self._calls == 1:
                    raise Throttled
                await self._take(Urgency.MADE)
                return
            await pause(WAIT_SECONDS)

    async def _take(self, urgency: Urgency) -> bool:
        return await in_thread(self._take_and_note, urgency)

    def _take_and_note(self, urgency: Urgency) -> bool:
        if not take(self._link_id, urgency):
            return False
        note(self._link_id, self._use)
        return True


def metered_client(
    link_id: UUID, http: aiohttp.ClientSession, *, waited_for: bool, use: Use | None = None
) -> CalendarClient:
    """For calls that need nothing but room in the quotas. Raises `Throttled` where nobody waits."""
    meter = CallMeter(link_id, waited_for=waited_for, use=use, gives_up=False)
    return client_for(link_id, http, before_call=meter.pay)
