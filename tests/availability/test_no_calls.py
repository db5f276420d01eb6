"""Availability is answered from what is known here: Google is not asked."""

from __future__ import annotations

from datetime import timedelta

import pytest

from google_simulator.testing import RunningSimulator
from sophiie.accounts.models import Member
from sophiie.availability.slots import find_slots
from sophiie.availability.why_not import why_not
from sophiie.common.clock import now
from tests.linking import link

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_month_of_a_linked_member_makes_no_call(alice: Member, google: RunningSimulator) -> None:
    """Others make one call for each person and day."""
    link(alice, google)
    google.clear_calls()
    start, hour = now(), timedelta(hours=1)
    found = find_slots(
        business=alice.business,
        members=[alice],
        start=start,
        end=start + timedelta(days=31),
        duration=hour,
    )
    why_not(member=alice, start=start, end=start + hour)
    assert found.knowledge.keys() == {alice.pk}
    assert google.calls() == []
