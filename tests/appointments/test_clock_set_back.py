"""Holds made by a clock that was wrong: one that was ahead keeps nobody out."""

from __future__ import annotations

from datetime import timedelta

import pytest

from sophiie.accounts.models import Member
from sophiie.appointments.booking import book
from sophiie.appointments.errors import Conflict
from tests.clock_jumps import AHEAD, by_a_wrong_clock
from tests.conftest import details, tomorrow_at

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("off", AHEAD[1:4], ids=str)
def test_a_hold_of_a_wrong_clock_keeps_nobody_out(alice: Member, off: timedelta) -> None:
    start = tomorrow_at(1, days=9)
    with by_a_wrong_clock(off):
        held = book(by=alice, details=details(start=start), assignees=[alice], hold_minutes=30)
        assert held.is_hold
    held.refresh_from_db()
    assert held.has_run_out
    book(by=alice, details=details(start=start), assignees=[alice])


def test_a_hold_made_by_a_clock_that_differs_a_little_counts(alice: Member) -> None:
    with by_a_wrong_clock(timedelta(seconds=20)):
        held = book(by=alice, details=details(), assignees=[alice], hold_minutes=30)
    assert not held.has_run_out
    with pytest.raises(Conflict):
        book(by=alice, details=details(), assignees=[alice])
