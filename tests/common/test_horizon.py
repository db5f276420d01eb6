"""How far ahead a stored time is believed: pure rules, and the same ones as conditions."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db.models import QuerySet

from sophiie.accounts.models import Member
from sophiie.calendar_link.models import CalendarLink
from sophiie.common.clock import now
from sophiie.common.horizon import SKEW, ahead, bring_back, is_over, over, sql_ahead
from sophiie.common.sql import execute

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)
HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)
# How far from now the stored time is, and whether it is over, of what lasts an hour at most.
EDGES = [
    (-HOUR, True),
    (timedelta(), True),
    (SECOND, False),
    (HOUR, False),
    (HOUR + SECOND, True),
    (timedelta(days=365), True),
]


@pytest.fixture
def rows(alice: Member) -> QuerySet[CalendarLink]:
    link = CalendarLink.objects.create(member=alice, google_sub="1", created_at=now())
    return CalendarLink.objects.filter(pk=link.pk)


@pytest.mark.django_db
def test_a_time_counts_until_it_has_come_and_no_further_than_it_can_be_put(
    rows: QuerySet[CalendarLink],
) -> None:
    condition = sql_ahead("parked_until", at_most=HOUR)
    for distance, is_past in EDGES:
        stored = NOW + distance
        rows.update(parked_until=stored)
        assert is_over(stored, NOW, at_most=HOUR) is is_past
        assert rows.filter(over("parked_until", NOW, at_most=HOUR)).exists() is is_past
        assert rows.filter(ahead("parked_until", NOW, at_most=HOUR)).exists() is not is_past
        ((found,),) = execute(
            f"SELECT count(*) FROM calendar_link_calendarlink WHERE {condition}",
            moment=NOW,
        )
        assert bool(found) is not is_past


@pytest.mark.django_db
def test_an_empty_column_is_neither_over_nor_ahead(rows: QuerySet[CalendarLink]) -> None:
    assert not rows.filter(over("parked_until", NOW, at_most=HOUR)).exists()
    assert not rows.filter(ahead("parked_until", NOW, at_most=HOUR)).exists()


@pytest.mark.django_db
def test_what_was_promised_is_brought_back_to_the_horizon(rows: QuerySet[CalendarLink]) -> None:
    """Clocks may differ by `SKEW` without any of them being called wrong."""
    for distance, brought in ((HOUR, 0), (HOUR + SKEW, 0), (HOUR + SKEW + SECOND, 1)):
        rows.update(parked_until=NOW + distance)
        assert bring_back(rows, "parked_until", NOW, at_most=HOUR) == brought
        assert rows.get().parked_until == NOW + (HOUR if brought else distance)
