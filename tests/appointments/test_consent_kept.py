"""What was booked over with somebody's consent, when the team or the hour is another one."""

from __future__ import annotations

import pytest
import time_machine

from sophiie.accounts.models import Member
from sophiie.appointments.booking import book, change
from sophiie.appointments.clashes import clashes_of, members_with_clashes
from sophiie.appointments.models import Appointment
from tests.busy import busy
from tests.conftest import details, tomorrow_at

pytestmark = pytest.mark.django_db


@pytest.fixture
def on_top(alice: Member, booked: Appointment) -> Appointment:
    """Alice booked it although she has an appointment at that time."""
    return book(
        by=alice, details=details(start=booked.start), assignees=[alice], allow_overlap=True
    )


def share_of(appointment: Appointment, member: Member) -> tuple[bool, bool]:
    assignment = appointment.assignments.get(member=member)
    return assignment.booked_anyway, assignment.blocking


def test_who_stays_keeps_what_was_booked_anyway_when_the_team_changes(
    on_top: Appointment, alice: Member, bob: Member
) -> None:
    assert share_of(on_top, alice) == (True, False)
    change(by=alice, appointment_id=on_top.id, changes={}, assignees=[alice, bob])
    assert share_of(on_top, alice) == (True, False)
    assert share_of(on_top, bob) == (False, True)


def test_the_history_tells_of_a_consent_once(
    on_top: Appointment, alice: Member, bob: Member
) -> None:
    assert on_top.changes.get().fields["booked_anyway"] == [[], ["Alice"]]
    change(by=alice, appointment_id=on_top.id, changes={}, assignees=[alice, bob])
    latest = on_top.changes.order_by("at", "id").last()
    assert latest is not None
    assert "assignees" in latest.fields
    assert "booked_anyway" not in latest.fields


def test_busy_time_that_is_over_clashes_with_nothing_any_more(alice: Member) -> None:
    """An appointment from nine to twelve; in Google there was something until ten."""
    nine, ten, noon = tomorrow_at(9), tomorrow_at(10), tomorrow_at(12)
    running = book(by=alice, details=details(start=nine, end=noon), assignees=[alice])
    busy(alice, nine, ten)
    assert members_with_clashes([running.id]) == {running.id: {alice.id}}
    with time_machine.travel(tomorrow_at(9, 59), tick=False):
        assert len(clashes_of([running])[running.id]) == 1
    with time_machine.travel(tomorrow_at(10, 1), tick=False):
        assert clashes_of([running]).get(running.id, []) == []
        assert members_with_clashes([running.id]) == {}
