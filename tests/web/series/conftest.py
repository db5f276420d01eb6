"""Series to look at, and what somebody typed to book one."""

from __future__ import annotations

import pytest

from sophiie.accounts.models import Member
from sophiie.series.models import Series
from tests.series.making import made
from tests.web.series.shown import Typed


@pytest.fixture
def weekly(alice: Member) -> Series:
    return made(alice).series


@pytest.fixture
def typed(alice: Member, bob: Member) -> Typed:
    """Every second Tuesday at nine, five times, with Bob."""
    return {
        "title": "Gas check",
        "date": "2027-01-12",
        "start": "09:00",
        "end": "10:00",
        "timezone": "Australia/Sydney",
        "assignees": [str(bob.id)],
        "repeat": "weekly",
        "repeat_every": "2",
        "repeat_ends": "count",
        "repeat_count": "5",
    }
