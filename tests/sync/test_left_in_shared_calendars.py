"""An event that stays in Google although its appointment let go of it keeps all readers busy.

Its calendar may be read by a colleague, whose list of changes never mentions the event again:
nothing happens to it in Google.
"""

from __future__ import annotations

from datetime import timedelta
from itertools import product

import pytest

from google_simulator.testing import RunningSimulator
from sophiie.accounts.models import Member
from sophiie.accounts.people import add_member
from sophiie.appointments.booking import book, cancel, change, delete, reinstate
from sophiie.appointments.errors import Conflict
from sophiie.appointments.models import Appointment
from sophiie.calendar_link import problems
from sophiie.calendar_link.connect import link_of
from sophiie.calendar_link.models import CalendarLink, Covers
from sophiie.calendar_link.tokens import mark_needs_reconnect
from tests.conftest import details, tomorrow_at
from tests.linking import browser_of, link
from tests.mirroring import drain_all, read_all
from tests.sync.busy_calendars import busy_times, hour
from tests.sync.drifting import mirrored, repeat_in_google

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def of_alice(alice: Member, bob: Member, google: RunningSimulator) -> Appointment:
    """Alice's appointment, in a calendar that Bob reads as well and in which he has no part."""
    link(alice, google)
    link(bob, google)
    CalendarLink.objects.update(covers=Covers.ASSIGNED)
    appointment = mirrored(alice, start=tomorrow_at(1))
    read_all()
    assert busy_times(bob) == []
    return appointment


def must_be_busy(bob: Member) -> None:
    read_all()
    assert busy_times(bob) == [hour(tomorrow_at(1))]
    with pytest.raises(Conflict):
        book(by=bob, details=details(start=tomorrow_at(1)), assignees=[bob])


@pytest.mark.parametrize(
    ("act", "link_is"),
    [
        *product(["cancelled", "deleted", "moved"], ["unlinked", "broken"]),
        ("given to others", "broken"),
    ],
)
def test_what_its_link_cannot_remove_any_more(
    of_alice: Appointment, alice: Member, bob: Member, act: str, link_is: str
) -> None:
    if link_is == "unlinked":
        browser_of(alice).post("/settings/calendar/unlink", {"events": "keep"})
    else:
        known = link_of(alice)
        assert known is not None
        mark_needs_reconnect(known.id, problems.PERMISSION_MISSING)
    drain_all()
    read_all()
    assert busy_times(bob) == []  # it still stands for the appointment
    if act == "cancelled":
        cancel(by=alice, appointment_id=of_alice.id)
    elif act == "deleted":
        delete(by=alice, appointment_id=of_alice.id)
    elif act == "given to others":
        third = add_member(
            business=alice.business, email="c@example.com", name="C", role="member", password=None
        )
        change(by=alice, appointment_id=of_alice.id, changes={}, assignees=[third])
    else:
        later = {"start": tomorrow_at(9), "end": tomorrow_at(10)}
        change(by=alice, appointment_id=of_alice.id, changes=later, accept_unverified=True)
    drain_all()
    must_be_busy(bob)


def test_a_series_that_its_appointment_let_go_of(
    of_alice: Appointment, alice: Member, bob: Member, google: RunningSimulator
) -> None:
    repeat_in_google(google, of_alice, "RRULE:FREQ=DAILY;COUNT=2")
    read_all()
    second = hour(tomorrow_at(1) + timedelta(days=1))
    assert busy_times(alice) == busy_times(bob) == [second]
    cancel(by=alice, appointment_id=of_alice.id)
    drain_all()
    read_all()
    assert busy_times(alice) == busy_times(bob) == [hour(tomorrow_at(1)), second]
    reinstate(by=alice, appointment_id=of_alice.id)
    drain_all()
    read_all()
    assert busy_times(alice) == busy_times(bob) == [second]


def test_a_deletion_that_google_refuses(
    of_alice: Appointment, alice: Member, bob: Member, google: RunningSimulator
) -> None:
    google.fault(method="calendar.events.delete", status=400, reason="invalid", count=1)
    cancel(by=alice, appointment_id=of_alice.id)
    drain_all()
    must_be_busy(bob)
