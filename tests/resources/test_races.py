"""Many people and one van at the same time: one winner and no deadlock."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from sophiie.accounts.models import Member
from sophiie.appointments import locking
from sophiie.appointments.booking import book, cancel, change
from sophiie.appointments.errors import Conflict
from sophiie.appointments.models import Appointment
from sophiie.appointments.resources import delete_resource
from sophiie.appointments.rules import Details
from sophiie.resources.editing import make
from sophiie.resources.models import Resource, ResourceUse
from sophiie.series.booking import book_series
from sophiie.series.errors import VisitsInTheWay
from sophiie.series.planning import Timing
from tests.appointments.test_races import at_once
from tests.conftest import details, tomorrow_at
from tests.series.making import timing

pytestmark = pytest.mark.django_db(transaction=True)
ROUNDS = 8


@pytest.fixture(autouse=True)
def _a_deadlock_is_refused_and_a_queue_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locking, "MAX_DEADLOCKS", 1)
    monkeypatch.setattr(locking, "LOCK_TIMEOUT_MILLISECONDS", 60_000)


@pytest.fixture
def things(alice: Member) -> list[Resource]:
    return [make(by=alice, name=name) for name in ("Van", "Room")]


def test_of_those_who_want_the_same_van_one_gets_it(
    alice: Member, bob: Member, things: list[Resource]
) -> None:
    """Each for another person, so that nothing but the van is in the way; people and things are
    named in different orders."""
    van, room = things

    def attempt(n: int, day: int) -> Callable[[], object]:
        asked = details(start=tomorrow_at(1, days=day))
        team = [[alice], [bob], [alice, bob], [bob, alice]][n % 4]
        needed = [[van], [room, van], [van, room]][n % 3]
        return lambda: book(by=alice, details=asked, assignees=team, resources=needed)

    for day in range(1, ROUNDS + 1):
        outcomes = Counter(at_once([attempt(n, day) for n in range(12)]))
        assert outcomes == {"done": 1, "Conflict": 11}
    assert Appointment.objects.count() == ROUNDS


def test_changes_and_cancellations_beside_bookings_do_not_deadlock(
    alice: Member, bob: Member, things: list[Resource]
) -> None:
    van, room = things
    existing = [
        book(
            by=alice,
            details=details(start=tomorrow_at(n)),
            assignees=[(alice, bob)[n % 2]],
            resources=[things[n % 2]],
        )
        for n in range(6)
    ]
    onto = {"start": tomorrow_at(20), "end": tomorrow_at(21)}

    def swap(n: int) -> Callable[[], object]:
        needed = [van, room] if n % 2 else [room, van]
        return lambda: change(by=bob, appointment_id=existing[n].id, changes=onto, resources=needed)

    outcomes = at_once(
        [
            *[swap(n) for n in range(6)],
            *[lambda n=n: cancel(by=alice, appointment_id=existing[n].id) for n in range(6)],
            *[
                lambda needed=needed: book(
                    by=alice,
                    details=details(start=tomorrow_at(20)),
                    assignees=[alice],
                    resources=needed,
                )
                for needed in ([van, room], [room, van])
            ],
        ]
    )
    assert set(outcomes) <= {"done", "Conflict"}
    blocking = ResourceUse.objects.filter(blocking=True, during__contains=tomorrow_at(20, 30))
    assert set(Counter(blocking.values_list("resource__name", flat=True)).values()) <= {1}


def test_whoever_comes_after_a_deletion_is_told_so(alice: Member, things: list[Resource]) -> None:
    """The booking has read the van before it was deleted: no error of the database."""
    van, _room = things
    delete_resource(by=alice, resource_id=van.pk)
    with pytest.raises(Exception, match="There is no such resource"):
        book(by=alice, details=details(), assignees=[alice], resources=[van])
    assert not Appointment.objects.exists()


def test_a_series_and_a_booking_that_want_the_same_van_do_not_both_get_it(
    alice: Member, bob: Member, things: list[Resource]
) -> None:
    van, room = things
    for day in (1, 2, 3):
        start = tomorrow_at(1, days=day)
        first = start.astimezone(ZoneInfo("Australia/Sydney")).replace(tzinfo=None)
        asked = timing("FREQ=DAILY;INTERVAL=7;COUNT=3", first=first)
        third = details(start=start + timedelta(days=14), end=start + timedelta(days=14, hours=1))

        def repeat(asked: Timing = asked) -> None:
            try:
                book_series(
                    by=alice,
                    details=details(),
                    timing=asked,
                    assignees=[alice],
                    resources=[van, room],
                )
            except VisitsInTheWay as refusal:
                raise Conflict(refusal.visits[0].obstacles) from None

        def single(third: Details = third) -> object:
            return book(by=bob, details=third, assignees=[bob], resources=[room, van])

        outcomes = Counter(at_once([repeat, single, repeat, single]))
        assert outcomes == {"done": 1, "Conflict": 3}
