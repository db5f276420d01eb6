"""Grants that are still to be revoked: tried again ever more seldom, and not for ever."""

from __future__ import annotations

from datetime import timedelta

import pytest
from asgiref.sync import async_to_sync

from google_simulator.testing import RunningSimulator
from sophiie.accounts.models import Member
from sophiie.calendar_link.models import CalendarLink, LinkState, Revocation
from sophiie.calendar_link.revocation import (
    MAX_ATTEMPTS,
    record_revocation,
    revocations_due,
    revoke,
)
from sophiie.common.clock import now
from sophiie.google.app import google_session
from tests.linking import link

pytestmark = pytest.mark.django_db(transaction=True)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def recorded() -> Revocation:
    found = record_revocation("1//refresh", "a")
    assert found is not None
    return found


def tried(revocation: Revocation) -> bool:
    async def once() -> bool:
        async with google_session() as http:
            return await revoke(http, revocation)

    return async_to_sync(once)()


@pytest.mark.parametrize(
    ("failed_before", "seconds"),
    [(0, 10), (1, 20), (2, 40), (9, 5120), (11, 5 * 4096), (12, 6 * 3600), (40, 6 * 3600)],
)
@pytest.mark.usefixtures("clock_stands")
def test_each_failure_doubles_the_pause_up_to_six_hours(
    recorded: Revocation,
    google: RunningSimulator,
    capsys: pytest.CaptureFixture[str],
    failed_before: int,
    seconds: int,
) -> None:
    recorded.attempts = failed_before
    google.fault(method="oauth.revoke", kind="error", status=503, count=1)
    assert tried(recorded) is False
    stored = Revocation.objects.get()
    assert stored.attempts == failed_before + 1
    assert stored.next_attempt_at == now() + timedelta(seconds=seconds)
    assert stored.token == "1//refresh"
    assert (
        f"revocation failed              attempts={failed_before + 1} " in capsys.readouterr().out
    )


@pytest.mark.parametrize(
    ("failed_before", "is_left"),
    [(-2, True), (-1, False), (9, False)],  # the last: of a release that tried more often
)
def test_after_weeks_nobody_tries_any_more(
    recorded: Revocation, google: RunningSimulator, failed_before: int, is_left: bool
) -> None:
    recorded.attempts = MAX_ATTEMPTS + failed_before
    google.fault(method="oauth.revoke", kind="error", status=503, count=1)
    assert tried(recorded) is False
    assert Revocation.objects.exists() is is_left


@pytest.mark.parametrize(
    ("attempts", "ahead", "is_due"),
    [
        (0, timedelta(hours=3), True),  # nobody has tried yet: whatever the clock said then
        (1, -MINUTE, True),
        (1, MINUTE, False),
        (1, timedelta(hours=6) - MINUTE, False),
        (1, timedelta(hours=6) + MINUTE, True),  # no pause is so long: the clock was wrong
    ],
)
def test_what_is_due(recorded: Revocation, attempts: int, ahead: timedelta, is_due: bool) -> None:
    Revocation.objects.update(attempts=attempts, next_attempt_at=now() + ahead)
    assert revocations_due() == ([recorded] if is_due else [])


def test_a_grant_that_a_link_needs_again_is_left_alone(
    recorded: Revocation, alice: Member, google: RunningSimulator
) -> None:
    found = link(alice, google, read=False)
    CalendarLink.objects.update(google_sub="a")
    assert record_revocation("1//another", "a") is None
    assert tried(recorded) is True
    assert google.calls(method="oauth.revoke") == []
    assert not Revocation.objects.exists()
    CalendarLink.objects.update(state=LinkState.UNLINKED)
    again = record_revocation(found.refresh_token, "a")
    assert again is not None
    assert tried(again) is True
    assert len(google.calls(method="oauth.revoke")) == 1
    assert not Revocation.objects.exists()
