"""Google's quotas: kept before Google says no, across workers, and fair."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from google_simulator.testing import RunningSimulator
from sophiie.accounts.models import Member
from sophiie.appointments.booking import book, change
from sophiie.calendar_link.models import CalendarLink
from sophiie.common.clock import now
from sophiie.sync.models import MirroredEvent, MirrorState, QuotaBucket
from sophiie.sync.outbound.claim import claim_due
from sophiie.sync.outbound.sweep import wake_due_links
from sophiie.sync.quota.buckets import (
    PROJECT,
    PROJECT_BUDGET,
    USER_BUDGET,
    Budget,
    Urgency,
    affordable,
)
from tests.conftest import details, tomorrow_at
from tests.linking import link
from tests.mirroring import drain_all

pytestmark = pytest.mark.django_db(transaction=True)
ALICE = "alice@example.com"
ALL = int(USER_BUDGET.capacity)


def rows(count: int, *, patch: bool = False, backfill: bool = False) -> list[MirroredEvent]:
    return [
        MirroredEvent(wanted=True, shown_revision=1 if patch else 0, backfill=backfill)
        for _ in range(count)
    ]


def test_what_a_bucket_lets_pass_in_a_minute_is_below_googles_number() -> None:
    def most(budget: Budget) -> float:
        return budget.capacity - min(budget.floors.values()) + 60 * budget.rate

    assert most(USER_BUDGET) <= 600
    assert most(PROJECT_BUDGET) <= 10_000


def spend_all(count: int, moment: Any, account: str = "a", **kind: bool) -> int:
    """How many rows pass in one go."""
    from django.db import transaction

    with transaction.atomic():
        return affordable(rows(count, **kind), account, moment)


def test_an_insert_costs_one_and_a_patch_three() -> None:
    moment = now()
    assert spend_all(1000, moment) == ALL
    assert spend_all(1, moment) == 0
    assert spend_all(10, moment + timedelta(seconds=6), patch=True) == 10
    assert spend_all(1, moment + timedelta(seconds=6)) == 0


def test_in_no_minute_more_than_six_hundred_units() -> None:
    start = now()
    passed = [
        (seconds, spend_all(50, start + timedelta(seconds=seconds))) for seconds in range(240)
    ]
    for begin in range(180):
        window = sum(n for seconds, n in passed if begin <= seconds < begin + 60)
        assert window <= 600
    assert sum(n for _, n in passed) > ALL + 5 * 200  # and the rate is used


def test_accounts_do_not_take_from_each_other_but_share_the_project() -> None:
    moment = now()
    passed = [spend_all(1000, moment, account) for account in "abcd"]
    assert passed == [ALL, ALL, ALL, PROJECT_BUDGET.capacity - 3 * ALL]


def test_a_backfill_leaves_room_for_single_changes() -> None:
    moment = now()
    passed = sum(spend_all(1000, moment, account, backfill=True) for account in "abcdef")
    assert passed == PROJECT_BUDGET.capacity - PROJECT_BUDGET.floors[Urgency.BACKFILL]
    assert spend_all(1, moment, "somebody else") == 1


def test_a_clock_that_is_behind_gives_nothing_twice() -> None:
    moment = now()
    assert spend_all(1000, moment) == ALL
    assert spend_all(1, moment - timedelta(seconds=30)) == 0
    assert spend_all(1, moment) == 0


def test_a_used_up_quota_parks_the_link_and_loses_nothing(
    alice: Member, google: RunningSimulator
) -> None:
    found = link(alice, google)
    for hour in range(3):
        book(by=alice, details=details(start=tomorrow_at(hour * 2)), assignees=[alice])
    # Counted in a minute, so that nothing is refilled while this test takes its time.
    counted = now() + timedelta(minutes=1)
    QuotaBucket.objects.update(level=2, counted_at=counted)
    google.clear_calls()
    drain_all()
    assert len(google.calls(method="calendar.events.insert")) == 2
    found.refresh_from_db()
    assert found.parked_until is not None
    assert found.parked_until > now()
    assert wake_due_links() == []
    CalendarLink.objects.update(parked_until=now())
    QuotaBucket.objects.all().delete()
    assert wake_due_links() == [found.id]
    drain_all()
    assert len(google.events(ALICE)) == 3


def test_quota_exceeded_parks_one_link_for_an_hour_while_others_go_on(
    alice: Member, bob: Member, google: RunningSimulator
) -> None:
    parked = link(alice, google)
    link(bob, google, account="bob@example.com")
    google.quota_exceeded(ALICE, seconds=3 * 3600)
    for hour in range(9):
        start = tomorrow_at(hour * 2)
        book(by=alice, details=details(start=start), assignees=[alice])
        book(by=bob, details=details(start=start), assignees=[bob])
    google.clear_calls()
    drain_all()
    assert len(google.events("bob@example.com")) == 9
    assert google.events(ALICE) == []
    refused = google.calls(method="calendar.events.insert", account=ALICE)
    assert len(refused) <= 16  # one batch, and then no more
    parked.refresh_from_db()
    assert parked.parked_until is not None
    assert timedelta(minutes=55) < parked.parked_until - now() < timedelta(minutes=65)


def test_single_changes_come_before_a_backfill(alice: Member, google: RunningSimulator) -> None:
    first = book(by=alice, details=details(start=tomorrow_at(0)), assignees=[alice])
    for hour in range(1, 9):
        book(by=alice, details=details(start=tomorrow_at(hour * 2)), assignees=[alice])
    found = link(alice, google)
    assert MirroredEvent.objects.filter(backfill=True).count() == 9
    last = MirroredEvent.objects.filter(state=MirrorState.PENDING).order_by("-created_at").first()
    assert last is not None
    change(by=alice, appointment_id=first.id, changes={"title": "Urgent"})
    claimed = claim_due(found.id)
    assert claimed[0].row.appointment_id == first.id


def test_the_ledger_keeps_every_attempt_with_googles_answer(
    alice: Member, google: RunningSimulator
) -> None:
    link(alice, google)
    google.fault(
        method="calendar.events.insert",
        kind="error",
        status=403,
        reason="rateLimitExceeded",
        count=1,
    )
    book(by=alice, details=details(), assignees=[alice])
    drain_all()
    from tests.mirroring import due_now

    due_now()
    drain_all()
    second, first = MirroredEvent.objects.get().tries.all()
    assert (first.succeeded, first.status, first.reason) == (False, 403, "rateLimitExceeded")
    assert first.next_attempt_at is not None
    assert (second.succeeded, second.revision) == (True, 1)


def test_quota_rows_are_shared(alice: Member, google: RunningSimulator) -> None:
    link(alice, google)
    book(by=alice, details=details(), assignees=[alice])
    drain_all()
    assert QuotaBucket.objects.filter(scope=PROJECT).exists()
