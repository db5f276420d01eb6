"""Booking a series: all at once, held, in races, and going on without an end."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connections

from sophiie.accounts.models import Member
from sophiie.accounts.people import deactivate
from sophiie.appointments import booking
from sophiie.appointments.errors import Conflict, InvalidAppointment
from sophiie.appointments.holds import let_go_of_expired
from sophiie.appointments.models import Appointment, Assignment
from sophiie.audit.models import Entry
from sophiie.customers.models import Customer
from sophiie.series.booking import book_series, check_series
from sophiie.series.cancelling import cancel_series
from sophiie.series.changing import change_series
from sophiie.series.drafts import SeriesChange
from sophiie.series.errors import InvalidSeries, VisitsInTheWay
from sophiie.series.extending import extend_series
from sophiie.series.fitting import Answers, Way
from sophiie.series.holding import confirm_series
from sophiie.series.models import Series, Visit
from sophiie.series.not_booked import leave_out_not_booked
from sophiie.series.retiming import NewTime
from sophiie.series.scope import Scope
from sophiie.series.selectors import with_questions
from tests.busy import busy, calendar_of
from tests.conftest import details
from tests.series.making import FIRST, HOUR, appointments_of, made, numbers, timing, walls

SECOND = datetime(2027, 1, 18, 22, tzinfo=UTC)  # Tuesday 19 January, nine in Sydney


def take(by: Member, start: datetime, *, team: list[Member] | None = None) -> Appointment:
    asked = details(start=start, end=start + HOUR)
    return booking.book(by=by, details=asked, assignees=team or [by])


def test_each_visit_is_an_ordinary_appointment(alice: Member, bob: Member) -> None:
    asked = details(notes="Bring a towel", customer_name="Dana", customer_email="dana@example.com")
    series = book_series(by=alice, details=asked, timing=timing(), assignees=[bob, alice]).series
    found = appointments_of(series)
    assert len(found) == 5
    assert {(a.title, a.notes, a.customer_name) for a in found} == {
        ("Leaking tap", "Bring a towel", "Dana")
    }
    assert {a.customer_id for a in found} == {Customer.objects.get().id}
    assert all(a.wall_is_noted for a in found)
    for appointment in found:
        assert {row.member for row in appointment.assignments.all()} == {alice, bob}
        assert appointment.changes.get().action == "created"


def test_every_second_tuesday_but_not_over_christmas(alice: Member) -> None:
    """And ten times stay ten."""
    series = made(
        alice,
        "FREQ=WEEKLY;INTERVAL=2;BYDAY=TU;COUNT=10",
        first=datetime.fromisoformat("2027-11-02 09:00"),
        left_out=[date(2027, 12, 28)],
    ).series
    assert walls(series, form="%d %b") == [
        *("02 Nov", "16 Nov", "30 Nov", "14 Dec", "11 Jan", "25 Jan", "08 Feb", "22 Feb"),
        *("07 Mar", "21 Mar"),
    ]


def test_everything_in_the_way_is_told_at_once(alice: Member, bob: Member) -> None:
    calendar_of(bob)
    take(alice, SECOND)
    busy(bob, SECOND + timedelta(days=14), SECOND + timedelta(days=14, hours=2))
    visits, in_the_way = check_series(by=alice, timing=timing(), assignees=[alice, bob])
    assert len(visits) == 5
    told = [(v.number, [(o.member_name, o.source) for o in v.obstacles]) for v in in_the_way]
    assert told == [(2, [("Alice", "appointment")]), (4, [("Bob", "google")])]
    assert [visit.nearest for visit in in_the_way] == [
        SECOND + timedelta(hours=1),
        SECOND + timedelta(days=14, hours=2),
    ]
    with pytest.raises(VisitsInTheWay) as caught:
        made(alice, team=[alice, bob])
    assert [visit.number for visit in caught.value.visits] == [2, 4]
    assert Series.objects.count() == 0
    assert Appointment.objects.count() == 1


def test_all_that_fit_are_booked_and_numbered_anew(alice: Member) -> None:
    take(alice, SECOND)
    done = made(alice, way=Answers(Way.LEAVE_OUT))
    assert [visit.number for visit in done.left_out] == [2]
    assert numbers(done.series) == [1, 2, 3, 4]
    assert (done.series.total, done.series.left_out) == (4, ["2027-01-19"])


def test_visits_that_move_do_not_move_onto_one_another(alice: Member) -> None:
    """Two visits of a day that is taken, and both are looked for at the nearest free time."""
    take(alice, datetime(2027, 1, 11, 22, tzinfo=UTC))
    take(alice, datetime(2027, 1, 12, 22, tzinfo=UTC))
    series = made(alice, "FREQ=DAILY;COUNT=3", way=Answers(Way.MOVE)).series
    times = [(a.start, a.end) for a in appointments_of(series)]
    assert len({start for start, _ in times}) == 3
    assert Assignment.objects.filter(blocking=True).count() == 5


def test_a_calendar_that_cannot_be_read_is_not_free(alice: Member) -> None:
    calendar_of(alice, problem="no access", age=timedelta(hours=3))
    with pytest.raises(VisitsInTheWay) as caught:
        made(alice)
    assert len(caught.value.visits) == 5
    series = made(alice, way=Answers(unverified=True)).series
    rows = Assignment.objects.filter(appointment__in=[a.id for a in appointments_of(series)])
    assert all(row.unverified for row in rows)
    assert Entry.objects.filter(act="appointment.booked_anyway").count() == 5


def test_only_who_may_books_a_series_over_something(alice: Member, bob: Member) -> None:
    take(alice, SECOND, team=[bob])
    with pytest.raises(InvalidSeries):
        made(bob, way=Answers(Way.BOOK_ANYWAY))
    series = made(alice, team=[bob], way=Answers(Way.BOOK_ANYWAY)).series
    anyway = [a.assignments.get().booked_anyway for a in appointments_of(series)]
    assert anyway == [False, True, False, False, False]


def test_a_hold_of_a_series_is_all_or_nothing(alice: Member) -> None:
    taken = take(alice, SECOND)
    with pytest.raises(VisitsInTheWay):
        made(alice, hold_minutes=10)
    assert Appointment.objects.count() == 1
    booking.cancel(by=alice, appointment_id=taken.id)
    series = made(alice, hold_minutes=10).series
    assert {a.current_status for a in appointments_of(series)} == {"held"}
    with pytest.raises(Conflict):
        take(alice, SECOND)


def test_an_expired_hold_of_a_series_frees_all_its_times(
    alice: Member, clock: time_machine.Coordinates
) -> None:
    series = made(alice, hold_minutes=10).series
    clock.shift(timedelta(minutes=11))
    assert let_go_of_expired() == 5
    confirm_series(by=alice, series_id=series.id)
    assert {a.status for a in appointments_of(series)} == {"scheduled"}


def test_an_expired_hold_is_not_confirmed_once_one_of_its_times_is_taken(
    alice: Member, clock: time_machine.Coordinates
) -> None:
    series = made(alice, hold_minutes=10).series
    clock.shift(timedelta(minutes=11))
    take(alice, SECOND)
    with pytest.raises(VisitsInTheWay):
        confirm_series(by=alice, series_id=series.id)
    assert not [a for a in appointments_of(series) if a.current_status == "scheduled"]


def test_more_is_not_held_than_may_be(alice: Member) -> None:
    with pytest.raises(InvalidAppointment):
        made(alice, "FREQ=DAILY;COUNT=41", hold_minutes=10)


# -- without an end -------------------------------------------------------------------------------


def test_a_series_without_an_end_has_a_year_of_visits_and_goes_on(
    alice: Member, clock: time_machine.Coordinates
) -> None:
    series = made(alice, "FREQ=WEEKLY;BYDAY=TU").series
    assert (len(numbers(series)), series.planned_through) == (53, date(2028, 1, 11))
    assert extend_series() == 0
    clock.shift(timedelta(days=35))
    assert extend_series() == 3
    assert extend_series() == 0
    assert numbers(series) == list(range(1, 57))
    assert walls(series, form="%a %H:%M") == ["Tue 09:00"] * 56


def test_what_is_in_the_way_later_is_told_and_not_booked_over(
    alice: Member, clock: time_machine.Coordinates
) -> None:
    series = made(alice, "FREQ=WEEKLY;BYDAY=TU").series
    take(alice, datetime(2028, 1, 17, 22, tzinfo=UTC))
    clock.shift(timedelta(days=22))
    assert extend_series() == 1
    (told,) = with_questions(alice)
    assert told.not_booked == ["2028-01-18"]
    assert Assignment.objects.filter(booked_anyway=True).count() == 0
    leave_out_not_booked(by=alice, series_id=series.id, day=date(2028, 1, 18))
    leave_out_not_booked(by=alice, series_id=series.id, day=date(2028, 1, 18))
    assert not with_questions(alice)
    series.refresh_from_db()
    assert series.left_out == ["2028-01-18"]
    clock.shift(timedelta(days=7))
    assert extend_series() == 1
    assert walls(series, form="%d %b")[-1] == "01 Feb"


def test_what_goes_on_is_like_the_last_visits(
    alice: Member, bob: Member, clock: time_machine.Coordinates
) -> None:
    series = made(alice, "FREQ=WEEKLY;BYDAY=TU").series
    change_series(
        by=alice,
        series_id=series.id,
        scope=Scope.ALL,
        change=SeriesChange(details={"title": "Course"}, assignees=[bob]),
    )
    last = appointments_of(series)[-1]
    booking.change(by=alice, appointment_id=last.id, changes={"title": "Only this one"})
    clock.shift(timedelta(days=15))
    assert extend_series() == 1
    newest = appointments_of(series)[-1]
    assert (newest.title, newest.assignments.get().member) == ("Course", bob)
    assert newest.created_by == alice


def test_a_series_of_somebody_who_left_books_nobody(
    alice: Member, bob: Member, clock: time_machine.Coordinates
) -> None:
    series = made(alice, "FREQ=WEEKLY;BYDAY=TU", team=[bob]).series
    deactivate(alice, bob)
    clock.shift(timedelta(days=15))
    assert extend_series() == 0
    series.refresh_from_db()
    assert series.not_booked == ["2028-01-18"]


def test_a_series_that_was_called_off_does_not_go_on(
    alice: Member, clock: time_machine.Coordinates
) -> None:
    series = made(alice, "FREQ=WEEKLY;BYDAY=TU").series
    cancel_series(by=alice, series_id=series.id, scope=Scope.ALL)
    clock.shift(timedelta(days=60))
    assert extend_series() == 0


# -- races ----------------------------------------------------------------------------------------


def at_once(*acts: Any) -> list[Exception | None]:
    """Runs the acts at the same time; what each raised."""

    def run(act: Any) -> Exception | None:
        try:
            act()
        except Exception as error:
            return error
        finally:
            connections.close_all()
        return None

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))


def blocking_overlaps() -> int:
    rows = list(Assignment.objects.filter(blocking=True).values_list("member", "during"))
    return sum(
        one[0] == other[0] and one[1].lower < other[1].upper and other[1].lower < one[1].upper
        for n, one in enumerate(rows)
        for other in rows[:n]
    )


@pytest.mark.django_db(transaction=True)
def test_a_series_and_single_bookings_race_and_nobody_is_booked_twice(
    alice: Member, bob: Member
) -> None:
    for n in range(4):
        start = FIRST + timedelta(hours=2 * n)
        third = datetime(2027, 1, 25, 22, tzinfo=UTC) + timedelta(hours=2 * n)
        ended = at_once(
            lambda start=start: made(alice, first=start, team=[alice, bob]),
            lambda third=third: take(bob, third),
            lambda start=start: made(bob, first=start, team=[bob, alice]),
            lambda third=third: take(alice, third),
        )
        refusals = [error for error in ended if error is not None]
        assert all(isinstance(error, Conflict | VisitsInTheWay) for error in refusals), refusals
        assert 1 <= len(refusals) <= 3
    assert blocking_overlaps() == 0


@pytest.mark.django_db(transaction=True)
def test_two_workers_extend_a_series_once(alice: Member, clock: time_machine.Coordinates) -> None:
    series = made(alice, "FREQ=WEEKLY;BYDAY=TU").series
    clock.shift(timedelta(days=36))
    assert at_once(extend_series, extend_series, extend_series) == [None] * 3
    assert numbers(series) == list(range(1, 58))


@pytest.mark.django_db(transaction=True)
def test_two_changes_of_a_series_at_once_leave_it_whole(alice: Member) -> None:
    series = made(alice).series

    def move(hour: int) -> Any:
        return change_series(
            by=alice,
            series_id=series.id,
            scope=Scope.ALL,
            change=SeriesChange(time=NewTime(start=FIRST.replace(hour=hour))),
        )

    assert at_once(lambda: move(11), lambda: move(13), lambda: move(15)) == [None] * 3
    assert len({a.local_start.hour for a in appointments_of(series)}) == 1
    assert Visit.objects.count() == 5
