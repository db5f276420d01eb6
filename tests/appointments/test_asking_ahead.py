"""Before an act takes somebody's time, whoever keeps copies of calendars is asked to renew them;
before any other act nobody is, because that may cost seconds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import transaction

from sophiie.accounts.models import Member
from sophiie.appointments.booking import book, cancel, change, delete, reinstate
from sophiie.appointments.holds import confirm
from sophiie.appointments.models import Appointment
from sophiie.appointments.signals import booking_ahead
from sophiie.common.clock import now
from tests.conftest import details, tomorrow_at

# In tests that roll back, everything is inside a transaction, where nobody is asked.
pytestmark = pytest.mark.django_db(transaction=True)

Asked = tuple[list[UUID], datetime, datetime]
LATER = {"start": tomorrow_at(5), "end": tomorrow_at(6)}


@pytest.fixture
def asked(booked: Appointment) -> Iterator[list[Asked]]:
    """What was asked for since Alice's appointment was made."""
    found: list[Asked] = []

    def note(members: list[UUID], start: datetime, end: datetime, **more: Any) -> None:
        found.append((members, start, end))

    booking_ahead.connect(note)
    yield found
    booking_ahead.disconnect(note)


def test_a_booking_asks_for_its_team_and_its_time(
    asked: list[Asked], alice: Member, bob: Member
) -> None:
    book(by=alice, details=details(**LATER), assignees=[alice, bob])
    assert asked == [([alice.id, bob.id], LATER["start"], LATER["end"])]


def test_of_the_past_nothing_has_to_be_known(asked: list[Asked], alice: Member) -> None:
    moment = now()
    book(
        by=alice,
        details=details(start=moment - timedelta(hours=2), end=moment - timedelta(hours=1)),
        assignees=[alice],
    )
    assert asked == []
    running = details(start=moment - timedelta(hours=1), end=moment + timedelta(hours=1))
    book(by=alice, details=running, assignees=[alice])
    assert len(asked) == 1


def test_nobody_waits_for_the_network_inside_a_transaction(
    asked: list[Asked], alice: Member
) -> None:
    with transaction.atomic():
        book(by=alice, details=details(**LATER), assignees=[alice])
    assert asked == []


def test_a_change_asks_only_if_it_takes_new_time(
    asked: list[Asked], alice: Member, bob: Member, booked: Appointment
) -> None:
    def changed(**more: Any) -> list[Asked]:
        asked.clear()
        change(by=alice, appointment_id=booked.id, **{"changes": {}, **more})
        return list(asked)

    assert changed(changes={"title": "Boiler"}) == []
    assert changed(assignees=[alice]) == []
    assert changed(status="completed") == []
    assert changed(status="scheduled") == []
    assert changed(assignees=[alice, bob]) == [([alice.id, bob.id], booked.start, booked.end)]
    assert changed(assignees=[bob]) == []
    for part in ({"end": booked.end + timedelta(minutes=5)}, LATER):
        ((members, _, end),) = changed(changes=part)
        assert (members, end) == ([bob.id], part["end"])
    # Called off it takes nobody's time, whatever becomes of it, until it comes back.
    assert changed(status="cancelled") == []
    assert changed(changes={"start": booked.start}) == []
    assert changed(assignees=[alice]) == []
    assert len(changed(status="scheduled")) == 1


@pytest.mark.parametrize("end", [cancel, delete])
def test_what_comes_back_is_asked_for_and_what_ends_is_not(
    asked: list[Asked], alice: Member, booked: Appointment, end: Callable[..., Any]
) -> None:
    end(by=alice, appointment_id=booked.id)
    assert asked == []
    reinstate(by=alice, appointment_id=booked.id)
    assert asked == [([alice.id], booked.start, booked.end)]


def test_a_hold_is_asked_for_when_it_is_made_and_when_it_is_confirmed(
    asked: list[Asked], alice: Member
) -> None:
    for confirmed in (
        lambda hold: confirm(by=alice, appointment_id=hold.id),
        lambda hold: change(by=alice, appointment_id=hold.id, changes={}, status="completed"),
    ):
        asked.clear()
        hold = book(by=alice, details=details(**LATER), assignees=[alice], hold_minutes=5)
        assert len(asked) == 1
        confirmed(hold)
        assert len(asked) == 2
        delete(by=alice, appointment_id=hold.id)
