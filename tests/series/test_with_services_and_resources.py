"""A series has the buffers of its service, its travel and its resources, on every visit."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from sophiie.accounts.models import Member
from sophiie.appointments.booking import book, change
from sophiie.appointments.errors import Conflict, InvalidAppointment
from sophiie.appointments.models import Appointment, Assignment
from sophiie.appointments.resources import resources_used
from sophiie.resources.editing import make
from sophiie.resources.models import Resource, ResourceUse
from sophiie.series.booking import Booked, book_series, check_series
from sophiie.series.cancelling import cancel_series
from sophiie.series.changing import change_series, preview_change
from sophiie.series.drafts import SeriesChange
from sophiie.series.errors import VisitsInTheWay
from sophiie.series.extending import extend_series
from sophiie.series.fitting import Answers, Way
from sophiie.series.holding import confirm_series
from sophiie.series.models import Series
from sophiie.series.retiming import NewTime
from sophiie.series.scope import Scope
from sophiie.series.undoing import undo
from sophiie.services.models import Service
from sophiie.waiting_list.entries import Wish, add
from sophiie.waiting_list.errors import NotFreeAnyMore
from sophiie.waiting_list.fits import fits_of
from sophiie.waiting_list.fits import take as take_earlier
from tests.conftest import details
from tests.series.making import TUESDAYS, appointments_of, timing, wall
from tests.services.made import service

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


@pytest.fixture
def van(alice: Member) -> Resource:
    return make(by=alice, name="Blue van")


@pytest.fixture
def visit_at_home(alice: Member) -> Service:
    return service(alice, name="Visit at home", buffer_before=10, buffer_after=20)


def made(by: Member, text: str = TUESDAYS, **more: Any) -> Booked:
    said = {name: more.pop(name) for name in ("service_id", "travel_minutes") if name in more}
    team = more.pop("team", [by])
    return book_series(by=by, details=details(**said), timing=timing(text), assignees=team, **more)


def distances(series: Series) -> set[tuple[int | None, int | None, int]]:
    """Of all visits, which their assignments repeat."""
    names = ("buffer_before_minutes", "buffer_after_minutes", "travel_minutes")
    found = {tuple(getattr(a, name) for name in names) for a in appointments_of(series)}
    ids = [appointment.id for appointment in appointments_of(series)]
    assert set(Assignment.objects.filter(appointment__in=ids).values_list(*names)) == found
    return found


def uses(series: Series, *, blocking: bool = True) -> list[str]:
    rows = ResourceUse.objects.filter(
        appointment__in=[a.id for a in appointments_of(series)], blocking=blocking
    )
    return sorted(row.resource.name for row in rows.select_related("resource"))


def take(by: Member, van: Resource, at: datetime, **more: Any) -> Appointment:
    return book(
        by=by,
        details=details(start=at, end=at + HOUR),
        assignees=[by],
        resources=[van],
        **more,
    )


def test_every_visit_has_the_buffers_of_the_service_and_its_travel(
    alice: Member, visit_at_home: Service
) -> None:
    series = made(alice, service_id=visit_at_home.id, travel_minutes=15).series
    assert distances(series) == {(10, 20, 15)}
    for appointment in appointments_of(series):
        said = appointment.changes.get().fields
        assert said["service"] == [None, "Visit at home"]
        assert said["travel_minutes"] == [None, 15]


def test_a_service_of_nobody_is_refused_and_nothing_is_booked(alice: Member) -> None:
    with pytest.raises(InvalidAppointment):
        made(alice, service_id=alice.id)
    assert not Appointment.objects.exists()


def test_a_service_is_given_to_the_following_visits_and_taken_back(
    alice: Member, visit_at_home: Service
) -> None:
    series = made(alice).series
    visits = appointments_of(series)
    changed = change_series(
        by=alice,
        series_id=series.id,
        scope=Scope.FOLLOWING,
        appointment_id=visits[2].id,
        change=SeriesChange(details={"service_id": visit_at_home.id, "travel_minutes": 25}),
    )
    ones = [a.travel_minutes for a in appointments_of(series)]
    assert ones == [0, 0, 25, 25, 25]
    assert distances(series) == {(None, None, 0), (10, 20, 25)}
    said = visits[2].changes.get(revision=2).fields
    assert said["service"] == [None, "Visit at home"]
    undo(by=alice, act_id=changed.act.id)
    assert distances(series) == {(None, None, 0)}
    assert {a.service_id for a in appointments_of(series)} == {None}
    assert visits[2].changes.get(revision=3).fields["service"] == ["Visit at home", None]


def test_an_extension_carries_service_travel_and_resources_and_tells_what_is_in_the_way(
    alice: Member, bob: Member, van: Resource, visit_at_home: Service, clock: Any
) -> None:
    series = made(
        alice,
        "FREQ=WEEKLY;BYDAY=TU",
        service_id=visit_at_home.id,
        travel_minutes=15,
        resources=[van],
    ).series
    before = appointments_of(series)
    taken = take(bob, van, before[-1].start + timedelta(days=7))
    clock.shift(timedelta(days=22))
    assert extend_series() == 1
    after = appointments_of(series)
    assert distances(series) == {(10, 20, 15)}
    assert resources_used(after[-1]) == [van]
    assert after[-1].start == taken.start + timedelta(days=7)
    series.refresh_from_db()
    assert series.not_booked == [taken.local_start.date().isoformat()]


def test_a_visit_whose_van_is_taken_is_in_the_way_with_its_name(
    alice: Member, bob: Member, van: Resource
) -> None:
    third = wall("2027-01-26 09:00")
    take(bob, van, appointments_of(made(alice).series)[2].start)
    for look in (
        lambda: check_series(by=bob, timing=timing(), assignees=[bob], resources=[van])[1],
        lambda: refused(bob, van),
    ):
        found = [one for one in look() if "resource" in {o.source for o in one.obstacles}]
        assert [one.day for one in found] == [third.date()]
        assert "Blue van" in {o.member_name for o in found[0].obstacles}
        assert found[0].nearest is not None


def refused(by: Member, van: Resource) -> list[Any]:
    with pytest.raises(VisitsInTheWay) as refusal:
        made(by, resources=[van])
    return refusal.value.visits


def test_booked_with_a_van_nobody_else_has_it_at_any_visit_and_history_says_it(
    alice: Member, bob: Member, van: Resource
) -> None:
    series = made(alice, resources=[van]).series
    for appointment in appointments_of(series):
        assert appointment.changes.get().fields["resources"] == [[], ["Blue van"]]
        with pytest.raises(Conflict):
            take(bob, van, appointment.start)
    again = made(bob, resources=[van], answers=Answers(otherwise=Way.MOVE))
    assert uses(again.series) == ["Blue van"] * 5


@pytest.mark.parametrize("deletes", [False, True], ids=["called-off", "deleted"])
def test_what_is_called_off_frees_the_van_and_undo_takes_it_again(
    alice: Member, bob: Member, van: Resource, deletes: bool
) -> None:
    series = made(alice, resources=[van]).series
    first = appointments_of(series)[0]
    ended = cancel_series(by=alice, series_id=series.id, scope=Scope.ALL, deletes=deletes)
    assert ended.act is not None
    other = take(bob, van, first.start)
    with pytest.raises(VisitsInTheWay) as refusal:
        undo(by=alice, act_id=ended.act.id)
    assert [one.number for one in refusal.value.visits] == [1]
    change(by=bob, appointment_id=other.id, changes={}, resources=[])
    undo(by=alice, act_id=ended.act.id)
    assert uses(series) == ["Blue van"] * 5


def test_visits_that_move_move_their_van_and_ask_about_it(
    alice: Member, bob: Member, van: Resource
) -> None:
    series = made(alice, resources=[van]).series
    visits = appointments_of(series)
    other = take(bob, van, visits[1].start + HOUR)
    later = SeriesChange(time=NewTime(start=wall("2027-01-12 10:00")))
    how: Any = {"by": alice, "series_id": series.id, "scope": Scope.ALL, "change": later}
    assert [one.number for one in preview_change(**how).in_the_way] == [2]
    with pytest.raises(VisitsInTheWay):
        change_series(**how)
    change(by=bob, appointment_id=other.id, changes={}, resources=[])
    moved = change_series(**how)
    starts = {a.start for a in appointments_of(series)}
    assert {use.during.lower for use in ResourceUse.objects.all()} == starts
    take(bob, van, visits[0].start)
    with pytest.raises(VisitsInTheWay):
        undo(by=alice, act_id=moved.act.id)


def test_a_van_is_given_to_all_visits_and_taken_back(
    alice: Member, bob: Member, van: Resource
) -> None:
    series = made(alice).series
    other = take(bob, van, appointments_of(series)[3].start)
    how: Any = {"by": alice, "series_id": series.id, "scope": Scope.ALL}
    with pytest.raises(VisitsInTheWay) as refusal:
        change_series(**how, change=SeriesChange(resources=[van]))
    assert [one.number for one in refusal.value.visits] == [4]
    change(by=bob, appointment_id=other.id, changes={}, resources=[])
    changed = change_series(**how, change=SeriesChange(resources=[van]))
    assert uses(series) == ["Blue van"] * 5
    said = appointments_of(series)[0].changes.get(revision=2).fields
    assert said == {"resources": [[], ["Blue van"]]}
    undo(by=alice, act_id=changed.act.id)
    assert uses(series) == []


def test_an_undo_gives_back_the_service_of_before(alice: Member, visit_at_home: Service) -> None:
    other = service(alice, name="Check")
    series = made(alice, service_id=visit_at_home.id).series
    asked = SeriesChange(details={"service_id": other.id})
    changed = change_series(by=alice, series_id=series.id, scope=Scope.ALL, change=asked)
    assert {one.service_id for one in appointments_of(series)} == {other.id}
    undo(by=alice, act_id=changed.act.id)
    assert {one.service_id for one in appointments_of(series)} == {visit_at_home.id}
    said = [one.changes.latest("revision").fields["service"] for one in appointments_of(series)]
    assert said == [["Check", "Visit at home"]] * 5


def test_an_undo_does_not_take_the_van_from_who_has_it_by_now(
    alice: Member, bob: Member, van: Resource
) -> None:
    trailer = make(by=alice, name="Trailer")
    series = made(alice, resources=[van]).series
    asked = SeriesChange(resources=[trailer])
    changed = change_series(by=alice, series_id=series.id, scope=Scope.ALL, change=asked)
    third = appointments_of(series)[2]
    taken = details(start=third.start, end=third.end, title="Move")
    book(by=bob, details=taken, assignees=[bob], resources=[van])
    with pytest.raises(VisitsInTheWay) as caught:
        undo(by=alice, act_id=changed.act.id)
    assert [(one.number, one.obstacles[0].member_name) for one in caught.value.visits] == [
        (3, "Blue van")
    ]
    assert {tuple(resources_used(one)) for one in appointments_of(series)} == {(trailer,)}


def test_held_visits_keep_the_van_until_they_expire_or_are_confirmed(
    alice: Member, bob: Member, van: Resource
) -> None:
    held = made(alice, resources=[van], hold_minutes=10).series
    first = appointments_of(held)[0]
    with pytest.raises(Conflict):
        take(bob, van, first.start)
    later = datetime.now(tz=first.start.tzinfo) + timedelta(minutes=20)
    with time_machine.travel(later, tick=False):
        take(bob, van, first.start)
        with pytest.raises(VisitsInTheWay) as refusal:
            confirm_series(by=alice, series_id=held.id)
        assert [one.number for one in refusal.value.visits] == [1]


def test_a_confirmed_series_keeps_its_van_for_good(alice: Member, van: Resource) -> None:
    held = made(alice, resources=[van], hold_minutes=10).series
    confirm_series(by=alice, series_id=held.id)
    assert set(ResourceUse.objects.values_list("blocking", "held_until")) == {(True, None)}


def test_the_number_of_queries_does_not_grow_with_the_visits(
    alice: Member, van: Resource, visit_at_home: Service
) -> None:
    counts = []
    for text in ("FREQ=WEEKLY;BYDAY=TU;COUNT=2", "FREQ=WEEKLY;BYDAY=WE;COUNT=40"):
        with CaptureQueriesContext(connection) as asked:
            made(alice, text, service_id=visit_at_home.id, resources=[van])
        counts.append(len(asked))
    assert counts[1] <= counts[0] + 2


def test_a_visit_moved_from_the_waiting_list_moves_alone_with_its_van(
    alice: Member, bob: Member, van: Resource, visit_at_home: Service
) -> None:
    series = made(alice, service_id=visit_at_home.id, travel_minutes=15, resources=[van]).series
    visits = appointments_of(series)
    start = visits[2].start - timedelta(days=1)
    take(bob, van, start)
    entry = add(by=alice, wish=Wish(appointment_id=visits[2].pk))
    found = fits_of(alice, [entry])[entry.pk]
    with pytest.raises(NotFreeAnyMore):
        take_earlier(by=alice, entry_id=entry.pk, start=start)
    take_earlier(by=alice, entry_id=entry.pk, start=found.start)
    after = appointments_of(series)
    assert [one.start == old.start for one, old in zip(after, visits, strict=True)] == [
        *(True, True, False, True, True)
    ]
    assert list(series.visits.filter(changed_alone=True).values_list("number", flat=True)) == [3]
    assert distances(series) == {(10, 20, 15)}
    assert ResourceUse.objects.get(appointment=visits[2].id).during.lower == found.start
