"""Tokens and unlinking at the moments that matter: nothing secret comes back, nothing is lost."""

from __future__ import annotations

import asyncio
from uuid import uuid4

import pytest
from django.db.models.functions import Now

from google_simulator.testing import RunningSimulator
from sophiie.accounts.models import Member
from sophiie.calendar_link.lease import LEASE
from sophiie.calendar_link.models import CalendarLink, LinkState, Revocation
from sophiie.calendar_link.tokens import _store
from sophiie.calendar_link.unlink import end_link, unlink, unlink_and_remove
from sophiie.common.in_thread import in_thread
from sophiie.google.oauth import Grant
from sophiie.google.patience import patience
from tests.linking import link

pytestmark = pytest.mark.django_db(transaction=True)


def renewed(refresh_token: str = "") -> Grant:
    """What Google answers to a renewal; mostly without another refresh token."""
    return Grant(
        access_token="ya29.renewed",
        refresh_token=refresh_token,
        expires_in=3599,
        scopes=frozenset(),
    )


def test_a_renewal_that_comes_late_puts_no_token_on_an_unlinked_link(
    alice: Member, google: RunningSimulator
) -> None:
    """Google had answered, then the person unlinked, then the answer is stored."""
    found = link(alice, google, read=False)
    before = CalendarLink.objects.get()
    end_link(found.id)
    _store(before, renewed())
    found.refresh_from_db()
    assert (found.access_token, found.refresh_token) == ("", "")
    assert found.refreshing_until is None


def test_a_renewal_of_the_grant_before_does_not_replace_a_new_grant(
    alice: Member, google: RunningSimulator
) -> None:
    before = link(alice, google, read=False)
    CalendarLink.objects.filter(pk=before.pk).update(refresh_token="1//new", access_token="new")
    _store(before, renewed())
    before.refresh_from_db()
    assert (before.access_token, before.refresh_token) == ("new", "1//new")


def test_a_refresh_token_that_google_replaces_is_the_one_that_is_kept(
    alice: Member, google: RunningSimulator
) -> None:
    found = link(alice, google, read=False)
    first = found.refresh_token
    _store(found, renewed())
    found.refresh_from_db()
    assert (found.access_token, found.refresh_token) == ("ya29.renewed", first)
    _store(found, renewed(refresh_token="1//rotated"))
    found.refresh_from_db()
    assert found.refresh_token == "1//rotated"


async def test_unlinking_waits_for_the_call_that_a_worker_is_at(
    alice: Member, google: RunningSimulator
) -> None:
    """Only then is the grant withdrawn: nothing is called with the account afterwards."""
    found = await in_thread(link, alice, google, read=False)
    links = CalendarLink.objects.filter(pk=found.pk)
    lease = {"lease_holder": uuid4(), "lease_until": Now() + LEASE.lasts}
    await in_thread(links.update, **lease)
    unlinking = asyncio.create_task(unlink(member=alice))
    while (await in_thread(links.get)).state != LinkState.UNLINKED:
        await asyncio.sleep(0.02)
    await asyncio.sleep(0.3)  # long enough for a withdrawal that does not wait
    assert not unlinking.done()
    assert google.calls(method="oauth.revoke") == []
    await in_thread(links.update, lease_holder=None, lease_until=None)
    assert await unlinking is True
    assert len(google.calls(method="oauth.revoke")) == 1


@pytest.mark.parametrize("shared", [False, True])
async def test_unlinking_does_not_wait_for_ever_for_a_worker(
    alice: Member, bob: Member, google: RunningSimulator, shared: bool
) -> None:
    """The grant is then withdrawn by the worker's sweep, unless it still serves a colleague."""
    found = await in_thread(link, alice, google, read=False)
    if shared:
        await in_thread(link, bob, google, read=False)
    links = CalendarLink.objects.filter(pk=found.pk)
    await in_thread(links.update, lease_holder=uuid4(), lease_until=Now() + LEASE.lasts)
    with patience(0.3):
        assert await unlink(member=alice) is shared
    assert google.calls(method="oauth.revoke") == []
    assert (await in_thread(links.get)).state == LinkState.UNLINKED
    assert await in_thread(Revocation.objects.count) == (0 if shared else 1)


async def test_without_a_link_there_is_nothing_to_unlink(alice: Member) -> None:
    assert await unlink(member=alice) is None
    assert await in_thread(lambda: unlink_and_remove(member=alice)) is False


def test_an_access_token_alone_is_enough_to_withdraw_the_grant(
    alice: Member, google: RunningSimulator
) -> None:
    """Google: an access token takes its refresh token with it."""
    found = link(alice, google, read=False)
    CalendarLink.objects.filter(pk=found.pk).update(refresh_token="")
    revocation = end_link(found.id)
    assert revocation is not None
    assert Revocation.objects.get().token == found.access_token
