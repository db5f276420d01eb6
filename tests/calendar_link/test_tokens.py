"""Access tokens: renewed once an hour by one process at a time, and stored."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from google_simulator.testing import RunningSimulator
from sophiie.accounts.models import Member
from sophiie.calendar_link.models import CalendarLink, LinkState
from sophiie.calendar_link.tokens import LinkTokens
from sophiie.common.in_thread import in_thread
from sophiie.google.app import google_session
from sophiie.google.errors import AccessLost, Misconfigured, Unreachable
from tests.linking import link

pytestmark = pytest.mark.django_db(transaction=True)


async def linked(alice: Member, google: RunningSimulator) -> CalendarLink:
    found = await in_thread(link, alice, google)
    google.clear_calls()
    return found


async def test_a_fresh_token_is_used_without_asking(
    alice: Member, google: RunningSimulator
) -> None:
    found = await linked(alice, google)
    async with google_session() as http:
        token = await LinkTokens(http, found.id).access_token()
    assert token == found.access_token
    assert not google.calls(method="oauth.refresh")


async def test_many_at_once_renew_once(alice: Member, google: RunningSimulator) -> None:
    """Each `LinkTokens` stands for a process: they share nothing but the row."""
    found = await linked(alice, google)
    google.latency(100)
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=58), tick=True):
        async with google_session() as http:
            tokens = await asyncio.gather(
                *(LinkTokens(http, found.id).access_token() for _ in range(10))
            )
            again = await LinkTokens(http, found.id).access_token()
    google.latency(0)
    assert len(set(tokens)) == 1
    assert again == tokens[0]
    assert tokens[0] != found.access_token
    assert len(google.calls(method="oauth.refresh")) == 1


async def test_a_rejected_token_is_renewed(alice: Member, google: RunningSimulator) -> None:
    found = await linked(alice, google)
    async with google_session() as http:
        token = await LinkTokens(http, found.id).access_token(rejected=found.access_token)
    assert token != found.access_token
    stored = await in_thread(CalendarLink.objects.get, pk=found.pk)
    assert stored.access_token == token
    assert stored.refresh_token == found.refresh_token


async def test_a_dead_grant_asks_the_person(alice: Member, google: RunningSimulator) -> None:
    found = await linked(alice, google)
    google.revoke_grant("alice@example.com")
    async with google_session() as http:
        with pytest.raises(AccessLost):
            await LinkTokens(http, found.id).access_token(rejected=found.access_token)
    stored = await in_thread(CalendarLink.objects.get, pk=found.pk)
    assert stored.state == LinkState.NEEDS_RECONNECT
    assert "withdrawn" in stored.problem


async def test_trouble_at_google_is_not_the_persons_fault(
    alice: Member, google: RunningSimulator, settings: object
) -> None:
    found = await linked(alice, google)
    google.fault(method="oauth.refresh", kind="error", status=503, count=1)
    async with google_session() as http:
        with pytest.raises(Unreachable):
            await LinkTokens(http, found.id).access_token(rejected=found.access_token)
        settings.GOOGLE_CLIENT_SECRET = "wrong"  # type: ignore[attr-defined]
        with pytest.raises(Misconfigured):
            await LinkTokens(http, found.id).access_token(rejected=found.access_token)
    stored = await in_thread(CalendarLink.objects.get, pk=found.pk)
    assert stored.state == LinkState.ACTIVE
    assert stored.refreshing_until is None
