"""The hook of the calendar client: whatever has to be settled before a call is settled then."""

from __future__ import annotations

import pytest

from google_simulator.testing import RunningSimulator
from sophiie.google.app import google_session
from sophiie.google.calendar import CalendarClient
from sophiie.google.errors import AccessLost

ALICE = "alice@example.com"


class Tokens:
    """Hands out these tokens, one after the other."""

    def __init__(self, *tokens: str) -> None:
        self.left = list(tokens)

    async def access_token(self, *, rejected: str = "") -> str:
        return self.left.pop(0)


class NotNow(Exception):
    pass


async def test_each_request_waits_for_it_also_the_one_repeated_with_a_new_token(
    google: RunningSimulator,
) -> None:
    tokens, asked = Tokens("ya29.dead", "ya29.dead-too"), []

    async def before_call() -> None:
        asked.append(len(google.calls()))

    async with google_session() as http:
        api = f"{google.base_url}/calendar/v3"
        client = CalendarClient(http, api, tokens, before_call=before_call)
        google.clear_calls()
        with pytest.raises(AccessLost):
            await client.look_at(ALICE)
    assert asked == [0, 1]  # before the first request, and again before the second
    assert client.units_used == 2


async def test_what_it_raises_prevents_the_request_and_reaches_the_caller(
    google: RunningSimulator,
) -> None:
    async def before_call() -> None:
        raise NotNow

    async with google_session() as http:
        api = f"{google.base_url}/calendar/v3"
        client = CalendarClient(http, api, Tokens("ya29.any"), before_call=before_call)
        google.clear_calls()
        with pytest.raises(NotNow):
            await client.look_at(ALICE)
    assert google.calls() == []
    assert client.units_used == 0
