"""The lease on a link: one worker at a time, and one that is late sends nothing more."""

from __future__ import annotations

import asyncio
import time
from uuid import uuid4

import pytest
from django.db.models import F
from django.db.models.functions import Now

from sophiie.accounts.models import Member
from sophiie.calendar_link import lease
from sophiie.calendar_link.lease import LEASE, Lease, LeaseOver, leased, wait_until_free
from sophiie.calendar_link.models import MIRRORING, CalendarLink, LinkState
from sophiie.common.clock import now
from sophiie.common.in_thread import in_thread
from sophiie.google.errors import Unreachable
from sophiie.google.patience import patience

pytestmark = pytest.mark.django_db(transaction=True)
LASTS = LEASE.lasts.total_seconds()


@pytest.fixture
def found(alice: Member) -> CalendarLink:
    return CalendarLink.objects.create(
        member=alice, google_sub="1", created_at=now(), state=LinkState.ACTIVE
    )


def held(link: CalendarLink) -> bool:
    return CalendarLink.objects.get(pk=link.pk).lease_holder is not None


async def test_a_holder_that_stood_still_for_longer_than_the_lease_sends_nothing_more() -> None:
    in_time = Lease(uuid4(), time.monotonic() - LASTS + 5)
    late = Lease(uuid4(), time.monotonic() - LASTS)
    await in_time.check()
    with pytest.raises(LeaseOver):
        await late.check()
    late.renewed(time.monotonic())  # another worker may have begun meanwhile
    assert late.is_over()


def test_a_renewal_counts_from_before_the_database_was_asked() -> None:
    lease = Lease(uuid4(), time.monotonic() - LASTS + 5)
    lease.renewed(time.monotonic() - LASTS)
    assert lease.is_over()
    fresh = Lease(uuid4(), time.monotonic() - LASTS + 5)
    fresh.renewed(time.monotonic())
    assert fresh._until > time.monotonic() + LASTS - 4


async def test_one_worker_at_a_time_and_only_for_a_link_that_may_work(found: CalendarLink) -> None:
    async with leased(found.id, states=MIRRORING) as first:
        assert first is not None
        async with leased(found.id, states=MIRRORING) as second:
            assert second is None
        assert await in_thread(held, found)  # who did not get it releases nothing
    assert not await in_thread(held, found)
    links = CalendarLink.objects.filter(pk=found.pk)
    await in_thread(links.update, state=LinkState.NEEDS_RECONNECT)
    async with leased(found.id, states=MIRRORING) as none:
        assert none is None


async def test_long_work_keeps_its_lease(
    found: CalendarLink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease, "RENEW_SECONDS", 0.01)
    links = CalendarLink.objects.filter(pk=found.pk)
    async with leased(found.id, states=MIRRORING):
        before = Now() + LEASE.lasts / 2
        await in_thread(links.update, lease_until=before)
        renewed = links.filter(lease_until__gt=Now() + LEASE.lasts * 0.75)
        async with asyncio.timeout(60):
            while not await in_thread(renewed.exists):
                await asyncio.sleep(0.02)


async def test_a_lease_that_another_worker_has_taken_over_runs_out(
    found: CalendarLink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease, "RENEW_SECONDS", 0.01)
    links = CalendarLink.objects.filter(pk=found.pk)
    await in_thread(links.update, lease_holder=uuid4(), lease_until=Now() + LEASE.lasts)
    slow = Lease(uuid4(), time.monotonic() - LASTS + 0.2)
    async with asyncio.timeout(60):
        await lease._keep(found.id, slow)
    assert slow.is_over()


async def test_whoever_waits_for_a_worker_waits_until_its_lease_is_over(
    found: CalendarLink,
) -> None:
    links = CalendarLink.objects.filter(pk=found.pk)
    await in_thread(links.update, lease_holder=uuid4(), lease_until=Now() + LEASE.lasts)
    waiting = asyncio.create_task(wait_until_free(found.id))
    await asyncio.sleep(0.2)
    assert not waiting.done()
    await in_thread(links.update, lease_until=F("lease_until") - LEASE.lasts)
    async with asyncio.timeout(60):
        await waiting


async def test_a_person_does_not_wait_for_a_worker_for_ever(found: CalendarLink) -> None:
    links = CalendarLink.objects.filter(pk=found.pk)
    await in_thread(links.update, lease_holder=uuid4(), lease_until=Now() + LEASE.lasts)
    with patience(0), pytest.raises(Unreachable):
        await wait_until_free(found.id)
