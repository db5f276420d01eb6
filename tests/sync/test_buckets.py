"""What the buckets of Google's quotas let pass at their edges: rules and figures, no calls."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction

from sophiie.accounts.models import Member
from sophiie.calendar_link.models import CalendarLink
from sophiie.common.clock import now
from sophiie.sync.models import MirroredEvent, QuotaBucket
from sophiie.sync.quota import units
from sophiie.sync.quota.buckets import (
    PROJECT,
    PROJECT_BUDGET,
    USER_BUDGET,
    Budget,
    Urgency,
    affordable,
    cost,
    pause_for,
    share_used,
    take,
)
from sophiie.sync.quota.units import FLUSH_SECONDS, Use
from tests.linking import link_row

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock_stands")]
SECOND = timedelta(seconds=1)
PLENTY = 900.0


@pytest.fixture
def found(alice: Member) -> CalendarLink:
    return link_row(alice, google_sub="a")


def fill(level: float, scope: str = "user:a", *, ago: timedelta = timedelta()) -> None:
    for name in (scope, PROJECT if scope == "user:a" else "user:a"):
        QuotaBucket.objects.update_or_create(
            scope=name,
            defaults={
                "level": level if name == scope else PLENTY,
                "counted_at": now() - ago,
            },
        )


def level(scope: str = "user:a") -> float:
    return QuotaBucket.objects.get(scope=scope).level


@pytest.mark.parametrize(("scope", "budget"), [("user:a", USER_BUDGET), (PROJECT, PROJECT_BUDGET)])
@pytest.mark.parametrize("urgency", [Urgency.CHANGE, Urgency.POLL, Urgency.BACKFILL])
def test_each_urgency_stops_at_its_own_floor(
    found: CalendarLink, scope: str, budget: Budget, urgency: Urgency
) -> None:
    floor = budget.floors[urgency]
    fill(floor + 1, scope)
    assert take(found.pk, urgency)
    assert level(scope) == floor
    assert not take(found.pk, urgency)
    assert level(scope) == floor
    fill(floor + 3, scope)
    assert take(found.pk, urgency, units=3)
    assert not take(found.pk, urgency, units=3)


def test_who_is_more_urgent_may_go_further_down() -> None:
    order = [Urgency.MADE, Urgency.CHANGE, Urgency.AWAITED, Urgency.POLL, Urgency.BACKFILL]
    floors = [PROJECT_BUDGET.floors[urgency] for urgency in order]
    assert floors == sorted(set(floors))
    assert floors[0] < 0 == floors[1]
    # Of their own account people overdraw: nobody but they would wait.
    order = [Urgency.AWAITED, Urgency.CHANGE, Urgency.POLL, Urgency.BACKFILL]
    floors = [USER_BUDGET.floors[urgency] for urgency in order]
    assert floors == sorted(set(floors))
    assert USER_BUDGET.floors[Urgency.MADE] == floors[0] < 0 == floors[1]


@pytest.mark.parametrize(
    ("before", "ago", "left"),
    [
        (100, timedelta(), 99),
        (100, 2 * SECOND, 109),
        (260, 9 * SECOND, 264),  # it does not run over
        (100, -30 * SECOND, 99),  # another machine's clock is a little ahead
    ],
)
def test_a_bucket_refills_while_time_passes(
    found: CalendarLink, before: float, ago: timedelta, left: float
) -> None:
    fill(before, ago=ago)
    assert take(found.pk, Urgency.POLL)
    assert level() == left


def test_a_bucket_that_is_new_is_full(found: CalendarLink) -> None:
    assert take(found.pk, Urgency.BACKFILL)
    assert (level(), level(PROJECT)) == (USER_BUDGET.capacity - 1, PROJECT_BUDGET.capacity - 1)


@pytest.mark.parametrize(
    ("changes", "units_of_it"),
    [
        ({}, 1),
        ({"shown_revision": 1}, 3),
        ({"shown_revision": 1, "guests": ["b"]}, 4),  # read before its guests are exchanged
        ({"wanted": False, "sent": True, "shown_revision": 1}, 1),
        # taken off before
        ({"wanted": False, "sent": True, "shown_revision": 1, "sent_guests": ["b"]}, 5),
        ({"wanted": False, "sent": True}, 1),  # it may have arrived all the same
        ({"wanted": False}, 0),
    ],
    ids=str,
)
def test_what_a_row_costs(changes: dict[str, Any], units_of_it: int) -> None:
    row = MirroredEvent(**{"wanted": True, "shown_revision": 0, **changes})
    assert cost(row) == units_of_it
    assert pause_for([row]) == units_of_it * SECOND / 5


@pytest.mark.parametrize(
    ("room", "paid"), [(0, 0), (1, 1), (3, 1), (4, 2), (5, 3), (6, 3), (8, 4), (99, 4)]
)
def test_rows_are_paid_for_in_order_as_far_as_there_is_room(room: int, paid: int) -> None:
    rows = [MirroredEvent(wanted=True, shown_revision=shown) for shown in (0, 1, 0, 1)]
    fill(room)
    with transaction.atomic():
        assert affordable(rows, "a", now()) == paid
    spent = sum(cost(row) for row in rows[:paid])
    assert (level(), level(PROJECT)) == (room - spent, PLENTY - spent)


@pytest.mark.parametrize("is_backfill", [True, False])
@pytest.mark.parametrize("scope", ["user:a", PROJECT])
def test_a_backfill_leaves_what_single_changes_may_need(scope: str, is_backfill: bool) -> None:
    budget = USER_BUDGET if scope == "user:a" else PROJECT_BUDGET
    fill(budget.floors[Urgency.BACKFILL] + 1, scope)
    rows = [MirroredEvent(wanted=True, backfill=is_backfill) for _ in range(3)]
    with transaction.atomic():
        assert affordable(rows, "a", now()) == (1 if is_backfill else 3)


@pytest.mark.parametrize(
    ("full", "ago", "used"),
    [
        (1.0, timedelta(), 0.0),
        (0.75, timedelta(), 0.25),
        (0.0, timedelta(), 1.0),
        (-0.1, timedelta(), 1.0),
        (0.0, 26.5 * SECOND, 0.5),
        (0.75, 3600 * SECOND, 0.0),
        (0.75, -60 * SECOND, 0.25),
    ],
)
def test_how_much_of_an_accounts_quota_is_used_up(full: float, ago: timedelta, used: float) -> None:
    assert share_used("a", now()) == 0.0
    fill(USER_BUDGET.capacity * full, ago=ago)
    assert share_used("a", now()) == pytest.approx(used)
    assert share_used("another", now()) == 0.0


@pytest.mark.parametrize("part", [0.5, 2])
def test_another_limit_of_googles_is_the_same_budget_in_other_numbers(part: float) -> None:
    other = USER_BUDGET.times(part)
    assert (other.capacity, other.rate) == (USER_BUDGET.capacity * part, USER_BUDGET.rate * part)
    assert other.floors == {u: floor * part for u, floor in USER_BUDGET.floors.items()}


@pytest.mark.parametrize(
    ("counted", "ago", "is_due"),
    [(0, 9.0, False), (1, FLUSH_SECONDS - 1, False), (1, FLUSH_SECONDS + 1, True)],
)
def test_counts_are_stored_every_few_seconds_if_there_are_any(
    found: CalendarLink, monkeypatch: pytest.MonkeyPatch, counted: int, ago: float, is_due: bool
) -> None:
    monkeypatch.setattr(units, "_counted", units.Counter())
    monkeypatch.setattr(units, "_flushed_at", units.time.monotonic())
    for _ in range(counted):
        units.note(found.pk, Use.POLL)
    assert not units.UnitsUsed.objects.exists()
    monkeypatch.setattr(units, "_flushed_at", units.time.monotonic() - ago)
    assert units.is_flush_due() is is_due
    units.note(found.pk, Use.POLL)
    stored = units.UnitsUsed.objects.filter(scope=str(found.pk)).first()
    assert (stored and stored.units) == (counted + 1 if ago > FLUSH_SECONDS else None)
