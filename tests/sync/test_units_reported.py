"""Reports on the units of Google's quotas: which minutes, days and links they count."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
import time_machine

from sophiie.accounts.models import Member
from sophiie.common.clock import now
from sophiie.sync.models import UnitsUsed
from sophiie.sync.quota.units import PROJECT, Span, Use, day_of
from sophiie.sync.reports import units as reports
from sophiie.sync.reports.units import Part, days_of_business, units_today, usage
from tests.linking import link_row

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock_stands")]
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@pytest.fixture(autouse=True)
def nothing_was_said() -> Iterator[None]:
    reports._said.clear()
    yield
    reports._said.clear()


def used(
    units: int,
    *,
    span: Span = Span.DAY,
    since: datetime | None = None,
    scope: UUID | str = PROJECT,
    use: Use = Use.POLL,
) -> None:
    begun = since or (day_of(now()) if span == Span.DAY else now().replace(second=0))
    UnitsUsed.objects.create(scope=str(scope), span=span, since=begun, kind=use, units=units)


def test_the_day_is_the_sum_of_all_uses_and_the_minute_the_fullest_of_an_hour() -> None:
    assert (usage().day.used, usage().minute.used, usage().most_of_a_link) == (0, 0, 0)
    used(10)
    used(5, use=Use.WRITE)
    used(99, since=day_of(now()) - DAY)
    minute = now().replace(second=0)
    used(3, span=Span.MINUTE)
    used(4, span=Span.MINUTE, since=minute - MINUTE)
    used(3, span=Span.MINUTE, since=minute - MINUTE, use=Use.WRITE)
    used(50, span=Span.MINUTE, since=now() - HOUR)
    used(60, span=Span.HOUR)
    found = usage()
    assert (found.day.used, found.minute.used) == (15, 7)
    assert {use: units for use, units in found.today.items() if units} == {
        Use.POLL: 10,
        Use.WRITE: 5,
    }
    assert found.today.keys() == set(Use)


def test_what_links_used_today() -> None:
    one, two = uuid4(), uuid4()
    used(3, scope=one)
    used(4, scope=one, use=Use.WRITE)
    used(6, scope=two)
    used(90, scope=two, since=day_of(now()) - DAY)
    assert usage().most_of_a_link == 7
    assert units_today([one, two, uuid4()]) == {one: 7, two: 6}
    assert units_today([two]) == {two: 6}


@pytest.mark.parametrize(("share", "is_near"), [(79, False), (80, True), (120, True)])
def test_what_is_near_a_limit(settings: Any, share: int, is_near: bool) -> None:
    settings.GOOGLE_UNITS_PER_DAY, settings.GOOGLE_UNITS_PER_MINUTE = 100, 100
    used(share)
    used(share + 1, span=Span.MINUTE)
    parts = [Part(Span.DAY, share, 100), Part(Span.MINUTE, share + 1, 100)]
    assert usage().near == [part for part in parts if part.used >= 80]
    day, minute = reports.limits()
    assert [day, minute] == parts
    assert day.is_near is is_near


def test_a_limit_is_said_again_after_an_hour_and_by_a_clock_that_was_set_back(
    settings: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.GOOGLE_UNITS_PER_MINUTE = 10**9
    for ahead, is_said in (
        (timedelta(), True),
        (HOUR - MINUTE, False),
        (HOUR, True),
        (HOUR, False),
        (MINUTE, True),
    ):
        with time_machine.travel((now() + ahead).timestamp(), tick=False):
            UnitsUsed.objects.all().delete()
            used(int(settings.GOOGLE_UNITS_PER_DAY * 0.876))
            reports.warn_near_limits()
        said = capsys.readouterr().out.count("share=0.88")
        assert said == is_said, ahead


def test_the_last_thirty_days_of_a_business(alice: Member, charlie: Member) -> None:
    mine, theirs = (link_row(member, google_sub=member.name) for member in (alice, charlie))
    today = day_of(now())
    used(3, scope=mine.pk)
    used(4, scope=mine.pk, use=Use.WRITE)
    used(50, scope=theirs.pk)
    used(60)
    used(9, scope=mine.pk, span=Span.HOUR, since=today)
    noon = today + DAY / 2  # whatever the clocks do, it is noon or nearly
    used(5, scope=mine.pk, since=day_of(noon - 29 * DAY))
    used(70, scope=mine.pk, since=day_of(noon - 30 * DAY))
    days = days_of_business(alice.business_id)
    assert len(days) == 30
    assert [units for _, units in days] == [5] + [0] * 28 + [7]
    assert [day for day, _ in days] == sorted({day for day, _ in days})
