"""What availability says when others ask: who works now, and whether a time may be held."""

from __future__ import annotations

from datetime import datetime, time, timedelta

import pytest

from sophiie.accounts.models import Member
from sophiie.appointments.booking import book
from sophiie.appointments.errors import InvalidAppointment
from sophiie.availability.editing import save_rules, save_week
from sophiie.availability.hours import Span
from sophiie.availability.receivers import _on_working
from sophiie.availability.rules import Rules
from sophiie.common.clock import now
from sophiie.common.wall_time import in_zone, instant_of, start_of_day
from sophiie.sync.inbound.attention import SOON, is_bookable
from tests.conftest import SYDNEY, details, tomorrow_at

pytestmark = pytest.mark.django_db
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
SATURDAY = 5


def at_nine() -> datetime:
    """At nine in Sydney on the next day that the usual week has."""
    day = in_zone(now(), SYDNEY).date() + timedelta(days=1)
    while day.weekday() >= SATURDAY:
        day += timedelta(days=1)
    return instant_of(datetime.combine(day, time(9)), SYDNEY)


@pytest.mark.parametrize(
    ("moment", "works"),
    [
        (-15 * MINUTE, False),
        (-14 * MINUTE, True),  # somebody may soon ask for the time
        (timedelta(), True),
        (8 * HOUR - SECOND, True),
        (8 * HOUR, False),
    ],
)
def test_who_works_now_or_begins_soon(
    alice: Member, bob: Member, charlie: Member, moment: timedelta, works: bool
) -> None:
    save_week(by=alice, member=bob, week=((),) * 7)
    asked = [alice.id, bob.id, charlie.id]  # it is night in London
    assert _on_working(asked, at_nine() + moment) == ({alice.id} if works else set())
    assert is_bookable(alice.id, at_nine() + moment) is works
    assert not is_bookable(bob.id, at_nine() + moment)


@pytest.mark.parametrize(
    ("ahead", "is_soon"),
    [(-HOUR, False), (-HOUR + SECOND, True), (SOON - SECOND, True), (SOON, False)],
)
def test_who_has_an_appointment_soon_counts_as_well(
    alice: Member, ahead: timedelta, is_soon: bool
) -> None:
    moment = at_nine() - 5 * HOUR
    book(by=alice, details=details(start=moment + ahead), assignees=[alice])
    assert is_bookable(alice.id, moment) is is_soon


def test_a_time_is_held_as_far_ahead_as_times_are_offered(alice: Member) -> None:
    save_week(by=alice, member=alice, week=((Span(time(), time()),),) * 7)
    save_rules(by=alice, rules=Rules(window_days=3))
    last = start_of_day(in_zone(now(), SYDNEY).date() + timedelta(days=4), SYDNEY)
    book(by=alice, details=details(start=last - SECOND), assignees=[alice], hold_minutes=5)
    with pytest.raises(InvalidAppointment) as refused:
        book(by=alice, details=details(start=last + HOUR), assignees=[alice], hold_minutes=5)
    assert "at most 3 days ahead" in refused.value.errors["start"]
    with pytest.raises(InvalidAppointment):
        book(by=alice, details=details(start=last), assignees=[alice], hold_minutes=5)
    assert book(by=alice, details=details(start=tomorrow_at(5, days=9)), assignees=[alice])
