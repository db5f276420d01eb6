"""Booking a series: all its visits at once, or what is in the way of them."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from sophiie.accounts.models import Member
from sophiie.appointments.rules import Details
from sophiie.series.booking import book_series
from sophiie.series.models import Visit
from sophiie.series.planning import Timing
from sophiie.series.rule import read
from tests.conftest import SYDNEY, details


def test_first(alice: Member) -> None:
    first = datetime(2027, 3, 2, 9)
    timing = Timing(rule=read("FREQ=WEEKLY;INTERVAL=2;COUNT=10", first=first, zone=SYDNEY), first=first, zone=SYDNEY, length=timedelta(hours=1))
    made = book_series(by=alice, details=details(), timing=timing, assignees=[alice])
    assert Visit.objects.filter(series=made.series).count() == 10
