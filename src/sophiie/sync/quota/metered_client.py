"""A client that pays for each of its calls with one unit of the quotas, right before making it.

A poll that nobody waits for starts only when there is room, and makes its later calls wait for it.
"""

from __future__ import annotations

from uuid import UUID

import aiohttp

from sophiie.calendar_link.client import client_for
from sophiie.common.in_thread import in_thread
from sophiie.google.calendar import CalendarClient
from sophiie.google.patience import pause
from sophiie.sync.quota.buckets import Urgency, take
from sophiie.sync.quota.units import Use, note

# The first calls of a poll are never delayed, however empty the buckets are. A short poll has no
# more than these, so a person who waits for its result does not wait for our budget.
NEVER_DELAYED = 5
# This many calls take longer than a person waits (`refresh.BUDGET_SECONDS`).
NEVER_DELAYED_WHILE_A_PERSON_WAITS = 20
WAIT_SECONDS = 0.2


class Throttled(Exception):
    """The quotas have no room for a poll that nobody waits for; nothing was asked."""


class CallMeter:
    """Counts and pays for the calls of one poll: a client awaits `pay` before each of them.

    `use` is what they are for, unless that follows from whether somebody waits.
    """

    def __init__(self, link_id: UUID, *, waited_for: bool, use: Use | None = None) -> None:
        self._link_id, self._waited_for = link_id, waited_for
        self._use = use or (Use.AWAITED if waited_for else Use.POLL)
        self._calls = 0

    async def pay(self) -> None:
        """Pays for the next call, and waits where there is no room for it.

        Raises `Throttled` before the first call of a poll that is not `waited_for`.
        """
        self._calls += 1
        at_once = NEVER_DELAYED_WHILE_A_PERSON_WAITS if self._waited_for else NEVER_DELAYED
        if self._calls == 1 and not self._waited_for:
            if not await self._take(Urgency.POLL):
                raise Throttled
        elif self._calls <= at_once:
            await self._take(Urgency.AT_ONCE)
        else:
            # Others take and time refills: there is no event to wait for.
            while not await self._take(Urgency.POLL):
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
    """For calls that need nothing but room in the quotas. Raises what `CallMeter.pay` does."""
    meter = CallMeter(link_id, waited_for=waited_for, use=use)
    return client_for(link_id, http, before_call=meter.pay)
