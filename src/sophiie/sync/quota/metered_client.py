"""Every reading pays for each of its calls, and one that nobody waits for comes when there is room.

Asking for an access token is asking for a call: that is where it is paid for, and where a reading
is put off, or held up for a moment.
"""

from __future__ import annotations

from uuid import UUID

from sophiie.common.in_thread import in_thread
from sophiie.google.calendar import AccessTokens
from sophiie.google.patience import pause
from sophiie.sync.quota.buckets import Urgency, take

# The first calls of a reading are made one after the other, however empty the buckets are: all of
# a short one, so that a person who waits for its result does not wait for our budget.
NEVER_HELD_UP = 5
# So many calls take longer than a person waits (`freshness.BUDGET_SECONDS`).
NEVER_HELD_UP_WHILE_A_PERSON_WAITS = 20
WAIT_SECONDS = 0.2


class PutOff(Exception):
    """The quotas have no room for a reading that nobody waits for; it has not begun."""


class PaidTokens:
    """A link's access tokens, each of them paid for with one unit.

    Nobody waits for the first call of a reading unless `waited_for`: without room it is not made.
    """

    def __init__(self, tokens: AccessTokens, link_id: UUID, *, waited_for: bool) -> None:
        self._tokens, self._link_id, self._waited_for = tokens, link_id, waited_for
        self._calls = 0

    async def access_token(self, *, rejected: str = "") -> str:
        await self._pay()
        return await self._tokens.access_token(rejected=rejected)

    async def _pay(self) -> None:
        self._calls += 1
        at_once = NEVER_HELD_UP_WHILE_A_PERSON_WAITS if self._waited_for else NEVER_HELD_UP
        if self._calls == 1 and not self._waited_for:
            if not await self._take(Urgency.READING):
                raise PutOff
        elif self._calls <= at_once:
            await self._take(Urgency.AT_ONCE)
        else:
            # Others take and time refills: there is no event to wait for.
            while not await self._take(Urgency.READING):
                await pause(WAIT_SECONDS)

    async def _take(self, urgency: Urgency) -> bool:
        return await in_thread(take, self._link_id, urgency)
