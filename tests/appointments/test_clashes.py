"""Clashes: what came in the way of an appointment after it was booked."""

from __future__ import annotations

from datetime import timedelta

from sophiie.accounts.models import Member
from sophiie.appointments.booking import book, cancel
from sophiie.appointments.clashes import clashes_of
from sophiie.appointments.errors import Source
from sophiie.appointments.models import Appointment
from tests.busy import busy
from tests.conftest import SYDNEY, details, tomorrow_at

TEN, ELEVEN = tomorrow_at(10), tomorrow_at(11)
AT_TEN = {"start": TEN, "end": ELEVEN}


def test_an_event_added_over_an_appointment_is_a_clash(alice: Member, booked: Appointment) -> None:
    assert clashes_of([booked]) == {}
    busy(alice, booked.start + timedelta(minutes=30), booked.end + timedelta(minutes=30))
    (clash,) = clashes_of([booked])[booked.id]
    assert (clash.source, clash.member_name) == (Source.GOOGLE, "Alice")
    assert (clash.start, clash.timezone) == (booked.start + timedelta(minutes=30), SYDNEY)


def test_what_was_booked_anyway_is_no_news_but_what_it_was_put_on_is(
    alice: Member, booked: Appointment
) -> None:
    on_top = book(by=alice, details=details(title="On top"), assignees=[alice], allow_overlap=True)
    found = clashes_of([booked, on_top])
    assert {key: [o.title for o in clashes] for key, clashes in found.items()} == {
        booked.id: ["On top"]
    }
    cancel(by=alice, appointment_id=on_top.id)
    assert clashes_of([booked, on_top]) == {}


def test_busy_time_that_was_booked_over_is_no_news(alice: Member) -> None:
    busy(alice, TEN, ELEVEN)
    made = book(by=alice, details=details(**AT_TEN), assignees=[alice], allow_overlap=True)
    assert clashes_of([made]) == {}


def test_what_is_over_or_off_clashes_with_nothing(alice: Member, booked: Appointment) -> None:
    past = book(by=alice, details=details(start=TEN - timedelta(days=3)), assignees=[alice])
    busy(alice, past.start, past.end)
    book(by=alice, details=details(start=past.start), assignees=[alice], allow_overlap=True)
    busy(alice, booked.start, booked.end)
    cancel(by=alice, appointment_id=booked.id)
    booked.refresh_from_db()
    assert clashes_of([past, booked]) == {}


def test_clashes_of_a_list_are_told_apart(alice: Member, bob: Member) -> None:
    made = [
        book(by=alice, details=details(start=tomorrow_at(n)), assignees=[alice, bob])
        for n in range(1, 9)
    ]
    busy(bob, tomorrow_at(0), tomorrow_at(4))
    found = clashes_of(made)
    assert found.keys() == {appointment.id for appointment in made[:3]}
    assert {o.member_name for clashes in found.values() for o in clashes} == {"Bob"}
