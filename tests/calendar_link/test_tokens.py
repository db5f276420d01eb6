"""Access tokens: renewed once an hour by one process at a time, and stored."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from google_simulator.testing import RunningSimulator
from sophiie.accounts.models import Member
from sophiie.calendar_link.models import CalendarLink, LinkState
from sophiie.calendar_link.problems import GRANT_DEAD, KEY_LOST
from sophiie.calendar_link.tokens import (
    LinkTokens,
    _is_old,
    expiry_of,
    mark_needs_reconnect,
    mend_what_can_be_read_again,
)
from sophiie.common.clock import now
from sophiie.common.in_thread import in_thread
from sophiie.common.reasons import Reason, kept
from sophiie.google.app import google_session
from sophiie.google.errors import AccessLost, Misconfigured, Unreachable
from sophiie.google.oauth import Grant
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


async def test_a_token_in_memory_is_used_while_it_is_good_and_not_longer(
    alice: Member, google: RunningSimulator
) -> None:
    """A worker makes many calls with one `LinkTokens`."""
    found = await linked(alice, google)
    async with google_session() as http:
        tokens = LinkTokens(http, found.id)
        first = await tokens.access_token()
        await in_thread(CalendarLink.objects.update, access_token="another process renewed it")
        assert await tokens.access_token() == first
        await in_thread(CalendarLink.objects.update, access_token=first)
        second = await tokens.access_token(rejected=first)
        assert second != first
        assert await tokens.access_token(rejected=first) == second
        assert len(google.calls(method="oauth.refresh")) == 1
        with time_machine.travel(datetime.now(UTC) + timedelta(minutes=58), tick=True):
            third = await tokens.access_token()
        assert third not in (first, second)
    assert len(google.calls(method="oauth.refresh")) == 2


async def test_a_stored_token_of_which_nobody_knows_how_long_it_lives_is_renewed(
    alice: Member, google: RunningSimulator
) -> None:
    found = await linked(alice, google)
    await in_thread(CalendarLink.objects.update, access_token_expires_at=None)
    async with google_session() as http:
        assert await LinkTokens(http, found.id).access_token() != found.access_token


async def test_a_link_without_a_grant_has_no_token(alice: Member, google: RunningSimulator) -> None:
    found = await linked(alice, google)
    await in_thread(CalendarLink.objects.update, refresh_token="")
    async with google_session() as http:
        with pytest.raises(AccessLost, match="no grant"):
            await LinkTokens(http, found.id).access_token()
    assert google.calls() == []


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


@pytest.mark.parametrize(
    ("seconds_left", "is_old"),
    [
        (-5, True),
        (225, True),  # three and three quarter minutes before its end
        (226, False),
        (3600, False),
        (3600 + 225, False),
        (3600 + 226, True),  # no token lives that long: the clock was wrong
    ],
)
@pytest.mark.usefixtures("clock_stands")
def test_a_token_is_renewed_before_it_ends(seconds_left: int, is_old: bool) -> None:
    assert _is_old(now() + timedelta(seconds=seconds_left)) is is_old


@pytest.mark.parametrize(
    ("said", "believed"), [(60, 60), (3600, 3600), (3601, 3600), (86400, 3600)]
)
@pytest.mark.usefixtures("clock_stands")
def test_no_token_is_believed_to_live_longer_than_an_hour(said: int, believed: int) -> None:
    grant = Grant(access_token="a", refresh_token="", expires_in=said, scopes=frozenset())
    assert expiry_of(grant) == now() + timedelta(seconds=believed)


@pytest.mark.parametrize("state", LinkState)
def test_only_a_link_that_works_can_break(
    alice: Member, google: RunningSimulator, state: LinkState
) -> None:
    found = link(alice, google, read=False)
    CalendarLink.objects.update(state=state, reminders_sent=2)
    mark_needs_reconnect(found.id, GRANT_DEAD)
    stored = CalendarLink.objects.get()
    if state in (LinkState.ACTIVE, LinkState.BACKFILLING):
        assert (stored.state, stored.access_token) == (LinkState.NEEDS_RECONNECT, "")
        assert stored.access_token_expires_at is None
        assert stored.refresh_token == found.refresh_token
        assert (stored.broken_at is None, stored.reminders_sent) == (False, 0)
        assert kept(stored, "problem").code == GRANT_DEAD.code
    else:
        assert (stored.state, stored.access_token) == (state, found.access_token)
        assert (stored.broken_at, stored.reminders_sent) == (None, 2)


@pytest.mark.parametrize(("problem", "mended"), [(KEY_LOST, 1), (GRANT_DEAD, 0)])
def test_only_a_key_that_is_back_mends_a_link(
    alice: Member, google: RunningSimulator, problem: Reason, mended: int
) -> None:
    found = link(alice, google, read=False)
    mark_needs_reconnect(found.id, problem)
    assert mend_what_can_be_read_again() == mended
    found.refresh_from_db()
    assert (found.state == LinkState.ACTIVE, found.broken_at is None) == (bool(mended),) * 2
    assert mend_what_can_be_read_again() == 0
    CalendarLink.objects.update(state=LinkState.NEEDS_RECONNECT, refresh_token="")
    assert mend_what_can_be_read_again() == 0  # nothing to read
