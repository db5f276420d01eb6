"""Claims on rows: one owner at a time, for as long as agreed, and never somebody else's."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from uuid import UUID, uuid4

import pytest
from django.db import connection, transaction
from django.db.models import F, QuerySet

from sophiie.accounts.models import Member
from sophiie.calendar_link.models import CalendarLink
from sophiie.common.claims import Claim
from sophiie.common.clock import now
from sophiie.common.horizon import SKEW
from tests.processes import until

pytestmark = pytest.mark.django_db(transaction=True)
OWNED = Claim("lease_until", timedelta(seconds=10), owner="lease_holder")
UNOWNED = Claim("refreshing_until", timedelta(seconds=10))


@pytest.fixture
def rows(alice: Member) -> QuerySet[CalendarLink]:
    link = CalendarLink.objects.create(member=alice, google_sub="1", created_at=now())
    return CalendarLink.objects.filter(pk=link.pk)


@pytest.mark.parametrize("claim", [OWNED, UNOWNED])
def test_of_many_who_try_at_once_one_gets_it(claim: Claim, rows: QuerySet[CalendarLink]) -> None:
    together = Barrier(6)

    def take(_: int) -> UUID | None:
        try:
            connection.ensure_connection()
            together.wait()
            return claim.take(rows.all())
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        taken = [owner for owner in pool.map(take, range(6)) if owner]
    assert len(taken) == 1
    assert not rows.filter(claim.is_free()).exists()
    if claim.owner:
        assert claim.held_by(taken[0], rows).exists()


@pytest.mark.parametrize("claim", [OWNED, UNOWNED])
def test_who_asked_first_and_had_to_wait_for_the_row_does_not_get_it_too(
    claim: Claim, rows: QuerySet[CalendarLink]
) -> None:
    """The time of a statement is when it began, which is before that of the claim it waits for."""

    def take() -> UUID | None:
        try:
            return claim.take(rows.all())
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            rows.select_for_update().get()
            second = pool.submit(take)
            until(somebody_waits_for_us, what="a claim that waits for the row")
            assert claim.take(rows) is not None
        assert second.result() is None


def somebody_waits_for_us() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted"
            " AND transactionid = pg_current_xact_id_if_assigned()::xid)"
        )
        return bool(cursor.fetchone()[0])


def later(rows: QuerySet[CalendarLink], **passed: float) -> None:
    """As much time has passed for the claim; the database's clock cannot be set."""
    rows.update(lease_until=F("lease_until") - timedelta(**passed))


def test_it_runs_out_and_passes_to_the_next(rows: QuerySet[CalendarLink]) -> None:
    first = OWNED.take(rows)
    assert first is not None
    later(rows, seconds=5)
    assert OWNED.take(rows) is None
    later(rows, seconds=6)
    second = OWNED.take(rows)
    assert second is not None
    assert OWNED.extend(first, rows) is False
    assert OWNED.release(first, rows) is False
    assert OWNED.held_by(second, rows).exists()


def test_whoever_extends_it_keeps_it(rows: QuerySet[CalendarLink]) -> None:
    owner = OWNED.take(rows)
    assert owner is not None
    later(rows, seconds=9)
    assert OWNED.extend(owner, rows) is True
    later(rows, seconds=5)
    assert OWNED.take(rows) is None


@pytest.mark.parametrize("ahead", [2 * SKEW, timedelta(days=365)])
def test_one_that_lasts_longer_than_any_can_is_of_a_wrong_clock(
    rows: QuerySet[CalendarLink], ahead: timedelta
) -> None:
    assert OWNED.take(rows) is not None
    later(rows, seconds=-ahead.total_seconds())
    assert OWNED.take(rows) is not None


def test_a_released_row_is_free_at_once(rows: QuerySet[CalendarLink]) -> None:
    owner = OWNED.take(rows)
    assert owner is not None
    assert OWNED.release(owner, rows) is True
    assert OWNED.take(rows) is not None
    UNOWNED.take(rows)
    UNOWNED.release(None, rows)
    assert UNOWNED.take(rows) is not None


def test_changes_are_made_with_the_claim_or_not_at_all(rows: QuerySet[CalendarLink]) -> None:
    owner = OWNED.take(rows, problem="at work")
    assert owner is not None
    assert rows.get().problem == "at work"
    assert OWNED.take(rows, problem="too late") is None
    assert OWNED.release(uuid4(), rows, problem="not mine") is False
    assert rows.get().problem == "at work"
    assert OWNED.release(owner, rows, problem="") is True
    assert rows.get().problem == ""
