"""Visits that could not be booked when a series went on are booked elsewhere, or left out."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import time_machine

from sophiie.accounts.models import Member
from sophiie.accounts.people import deactivate
from sophiie.appointments import booking
from sophiie.appointments.models import Appointment, Assignment
from sophiie.appointments.signals import booking_ahead
from sophiie.audit.models import Entry
from sophiie.series import not_booked
from sophiie.series.cancelling import cancel_series
from sophiie.series.changing import change_series
from sophiie.series.drafts import SeriesChange
from sophiie.series.errors import (
    CannotUndo,
    ClocksAsk,
    InvalidSeries,
    NotWaiting,
    UnknownSeries,
    VisitsInTheWay,
)
from sophiie.series.extending import extend_series
from sophiie.series.fitting import Way
from sophiie.series.models import Series, Visit
from sophiie.series.not_booked import book_not_booked, leave_out_not_booked, waiting_visits
from sophiie.series.retiming import NewTime
from sophiie.series.scope import Scope
from sophiie.series.undoing import undo
from tests.at_once import at_once
from tests.busy import TOO_OLD, calendar_of
from tests.conftest import ApiCaller, details
from tests.series.making import HOUR, appointments_of, made, numbers, wall, walls

pytestmark = pytest.mark.django_db
# Two Tuesdays that come after the first year, nine in the morning in Sydney.
DAY = date(2028, 1, 18)
AT = datetime(2028, 1, 17, 22, tzinfo=UTC)
WEEK = timedelta(days=7)


def take(by: Member, start: datetime, *, team: list[Member] | None = None) -> Appointment:
    asked = details(start=start, end=start + HOUR, title="Meeting")
    return booking.book(by=by, details=asked, assignees=team or [by])


@pytest.fixture
def waiting(alice: Member, clock: time_machine.Coordinates) -> Series:
    """Without an end, and 18 January 2028 could not be booked; the two weeks after it were."""
    series = made(alice, "FREQ=WEEKLY;BYDAY=TU").series
    take(alice, AT)
    clock.shift(timedelta(days=29))
    assert extend_series() == 2
    series.refresh_from_db()
    assert series.not_booked == [DAY.isoformat()]
    return series


def test_each_says_why_and_when_it_could_be(waiting: Series) -> None:
    (told,) = waiting_visits(waiting)
    assert (told.day, told.start, told.end) == (DAY, AT, AT + HOUR)
    assert [one.title for one in told.obstacles] == ["Meeting"]
    assert told.nearest == AT + HOUR


def test_looking_at_them_asks_no_calendar_anew(alice: Member, waiting: Series) -> None:
    """The copies are old; the booking renews them."""
    calendar_of(alice, age=TOO_OLD, known_days=800)
    (told,) = waiting_visits(waiting)
    assert [one.title for one in told.obstacles] == ["Meeting"]
    assert told.nearest == AT + HOUR


@pytest.mark.django_db(transaction=True)  # inside a transaction nobody is asked
def test_before_it_is_booked_the_days_around_it_are_asked_for(
    alice: Member, waiting: Series
) -> None:
    """Its nearest free time may lie there."""
    asked: list[tuple[datetime, datetime]] = []

    def note(start: datetime, end: datetime, **more: Any) -> None:
        asked.append((start, end))

    booking_ahead.connect(note)
    try:
        book_not_booked(by=alice, series_id=waiting.id, day=DAY, way=Way.MOVE)
    finally:
        booking_ahead.disconnect(note)
    assert asked == [(AT - timedelta(days=3), AT + HOUR + timedelta(days=3))]


def test_booked_at_the_nearest_free_time_it_belongs_to_the_series(
    alice: Member, waiting: Series
) -> None:
    before = appointments_of(waiting)
    visit = book_not_booked(by=alice, series_id=waiting.id, day=DAY, way=Way.MOVE)
    made_then = Appointment.objects.get(pk=visit.appointment_id)
    assert (made_then.start, made_then.title) == (AT + HOUR, "Leaking tap")
    assert made_then.changes.get().action == "created"
    assert made_then.assignments.get().blocking
    waiting.refresh_from_db()
    assert (waiting.not_booked, waiting.left_out) == ([], [])
    assert (visit.planned, visit.changed_alone) == (DAY, True)
    # In the order of the days, and everybody else is the visit that they were.
    assert [a.id for a in appointments_of(waiting)] == [
        *(a.id for a in before[:-2]),
        made_then.id,
        *(a.id for a in before[-2:]),
    ]
    assert numbers(waiting) == list(range(1, len(before) + 2))
    assert Entry.objects.get(act="series.changed").details["visits"] == 1


def test_whoever_has_the_series_open_is_told_that_it_changed(
    alice: Member, waiting: Series, clock: time_machine.Coordinates
) -> None:
    before = waiting.revision
    clock.shift(HOUR)
    book_not_booked(by=alice, series_id=waiting.id, day=DAY, way=Way.MOVE)
    waiting.refresh_from_db()
    assert (waiting.revision, waiting.updated_at) == (before + 1, datetime.now(UTC))


def test_only_the_first_days_have_a_time_proposed(
    alice: Member, waiting: Series, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each costs a search."""
    days = [DAY + n * WEEK for n in (0, 10, 20)]
    Series.objects.update(not_booked=[day.isoformat() for day in days])
    waiting.refresh_from_db()
    monkeypatch.setattr(not_booked, "MAX_PROPOSALS", 1)
    assert [one.nearest is not None for one in waiting_visits(waiting)] == [True, False, False]


def test_it_is_booked_where_somebody_says(alice: Member, waiting: Series) -> None:
    there = AT + timedelta(days=1, hours=5)
    visit = book_not_booked(by=alice, series_id=waiting.id, day=DAY, way=there)
    assert visit.appointment.start == there


def test_it_is_booked_where_it_was_planned_once_that_is_free(
    alice: Member, waiting: Series
) -> None:
    with pytest.raises(VisitsInTheWay):
        book_not_booked(by=alice, series_id=waiting.id, day=DAY, way=Way.REFUSE)
    meeting = Appointment.objects.get(title="Meeting")
    booking.cancel(by=alice, appointment_id=meeting.id)
    visit = book_not_booked(by=alice, series_id=waiting.id, day=DAY, way=Way.REFUSE)
    assert (visit.appointment.start, visit.changed_alone) == (AT, False)


def test_only_who_may_books_it_over_something(alice: Member, bob: Member, waiting: Series) -> None:
    with pytest.raises(InvalidSeries):
        book_not_booked(by=bob, series_id=waiting.id, day=DAY, way=Way.BOOK_ANYWAY)
    visit = book_not_booked(by=alice, series_id=waiting.id, day=DAY, way=Way.BOOK_ANYWAY)
    assert visit.appointment.assignments.get().booked_anyway


def test_a_time_that_is_taken_meanwhile_is_refused_and_the_day_waits_on(
    alice: Member, waiting: Series
) -> None:
    take(alice, AT + HOUR)
    count = Appointment.objects.count()
    with pytest.raises(VisitsInTheWay) as caught:
        book_not_booked(by=alice, series_id=waiting.id, day=DAY, way=AT + HOUR)
    (refused,) = caught.value.visits
    assert (refused.day, refused.nearest) == (DAY, AT + 2 * HOUR)
    waiting.refresh_from_db()
    assert waiting.not_booked == [DAY.isoformat()]
    assert Appointment.objects.count() == count


def test_who_answers_second_is_told_what_was_answered(alice: Member, waiting: Series) -> None:
    book_not_booked(by=alice, series_id=waiting.id, day=DAY, way=Way.MOVE)
    for again in (
        lambda: book_not_booked(by=alice, series_id=waiting.id, day=DAY, way=Way.MOVE),
        lambda: leave_out_not_booked(by=alice, series_id=waiting.id, day=DAY),
    ):
        with pytest.raises(NotWaiting, match="booked this visit already, on 18 January 2028 at 10"):
            again()


def test_a_day_that_was_left_out_is_not_booked(alice: Member, waiting: Series) -> None:
    leave_out_not_booked(by=alice, series_id=waiting.id, day=DAY)
    leave_out_not_booked(by=alice, series_id=waiting.id, day=DAY)
    with pytest.raises(NotWaiting, match="No visit waits"):
        book_not_booked(by=alice, series_id=waiting.id, day=DAY, way=Way.MOVE)
    with pytest.raises(NotWaiting):
        leave_out_not_booked(by=alice, series_id=waiting.id, day=date(2028, 1, 25))


def test_no_days_are_swapped_when_the_series_moves_afterwards(
    alice: Member, waiting: Series
) -> None:
    """Each visit keeps its own day, with the one that was booked in between."""
    book_not_booked(by=alice, series_id=waiting.id, day=DAY, way=Way.MOVE)
    before = {a.id: a.start for a in appointments_of(waiting) if a.start.date() != AT.date()}
    first = next(a for a in appointments_of(waiting) if a.start > datetime.now(UTC))
    later = first.local_start.replace(tzinfo=None) + HOUR
    change_series(
        by=alice,
        series_id=waiting.id,
        scope=Scope.ALL,
        change=SeriesChange(time=NewTime(start=later)),
    )
    moved = [a for a in Appointment.objects.filter(pk__in=before) if a.start >= first.start]
    assert len(moved) > 50
    assert {(a.start - before[a.id]) for a in moved} == {HOUR}


def test_an_earlier_act_is_not_undone_over_a_visit_that_was_numbered_in(
    alice: Member, waiting: Series
) -> None:
    act = change_series(
        by=alice,
        series_id=waiting.id,
        scope=Scope.ALL,
        change=SeriesChange(details={"title": "Course"}),
    ).act
    book_not_booked(by=alice, series_id=waiting.id, day=DAY, way=Way.MOVE)
    with pytest.raises(CannotUndo):
        undo(by=alice, act_id=act.id)


def test_it_goes_on_afterwards(
    alice: Member, waiting: Series, clock: time_machine.Coordinates
) -> None:
    book_not_booked(by=alice, series_id=waiting.id, day=DAY, way=Way.MOVE)
    clock.shift(WEEK)
    assert extend_series() == 1
    assert walls(waiting, form="%d %b")[-4:] == ["18 Jan", "25 Jan", "01 Feb", "08 Feb"]


def test_a_time_that_the_clocks_skip_is_asked_about(
    alice: Member, clock: time_machine.Coordinates
) -> None:
    """Half past two on 1 October 2028 does not exist in Sydney."""
    series = made(alice, "FREQ=WEEKLY;BYDAY=SU;COUNT=2", first=wall("2027-01-17 02:30")).series
    day = date(2028, 10, 1)
    Series.objects.filter(pk=series.pk).update(
        rule="FREQ=WEEKLY;BYDAY=SU", not_booked=[day.isoformat()]
    )
    series.refresh_from_db()
    (told,) = waiting_visits(series)
    assert (told.start, len(told.choices)) == (None, 2)
    with pytest.raises(ClocksAsk):
        book_not_booked(by=alice, series_id=series.id, day=day, way=Way.MOVE)
    visit = book_not_booked(by=alice, series_id=series.id, day=day, way=told.choices[1])
    assert visit.appointment.start == told.choices[1]
    assert (visit.number, visit.changed_alone) == (3, True)


def test_what_the_clocks_ask_hides_no_other_day(
    alice: Member, clock: time_machine.Coordinates
) -> None:
    series = made(alice, "FREQ=WEEKLY;BYDAY=SU;COUNT=2", first=wall("2027-01-17 02:30")).series
    days = [date(2028, 10, 1), date(2028, 10, 8)]
    Series.objects.filter(pk=series.pk).update(
        rule="FREQ=WEEKLY;BYDAY=SU", not_booked=[day.isoformat() for day in days]
    )
    series.refresh_from_db()
    assert [(one.day, bool(one.choices)) for one in waiting_visits(series)] == [
        (days[0], True),
        (days[1], False),
    ]


def test_nobody_books_for_who_has_left(alice: Member, bob: Member, waiting: Series) -> None:
    change_series(
        by=alice, series_id=waiting.id, scope=Scope.ALL, change=SeriesChange(assignees=[bob])
    )
    deactivate(alice, bob)
    with pytest.raises(InvalidSeries, match="works here"):
        book_not_booked(by=alice, series_id=waiting.id, day=DAY, way=Way.MOVE)


def test_strangers_and_ended_series(alice: Member, charlie: Member, waiting: Series) -> None:
    with pytest.raises(UnknownSeries):
        book_not_booked(by=charlie, series_id=waiting.id, day=DAY, way=Way.MOVE)
    with pytest.raises(UnknownSeries):
        leave_out_not_booked(by=charlie, series_id=waiting.id, day=DAY)
    cancel_series(by=alice, series_id=waiting.id, scope=Scope.ALL)
    with pytest.raises(NotWaiting):
        book_not_booked(by=alice, series_id=waiting.id, day=DAY, way=Way.MOVE)


@pytest.mark.django_db(transaction=True)
def test_of_answers_at_once_one_counts_and_the_others_are_told(
    alice: Member, clock: time_machine.Coordinates
) -> None:
    series = made(alice, "FREQ=WEEKLY;BYDAY=TU").series
    take(alice, AT)
    clock.shift(timedelta(days=29))
    extend_series()
    before = Appointment.objects.count()
    how: Any = {"by": alice, "series_id": series.id, "day": DAY}
    ended = at_once(
        lambda: book_not_booked(**how, way=AT + HOUR),
        lambda: book_not_booked(**how, way=AT + 2 * HOUR),
        lambda: book_not_booked(**how, way=Way.MOVE),
    )
    assert sum(isinstance(one, Visit) for one in ended) == 1
    assert sum(isinstance(one, NotWaiting) for one in ended) == 2, ended
    assert Appointment.objects.count() == before + 1
    assert Visit.objects.filter(series=series, planned=DAY).count() == 1
    assert Assignment.objects.filter(booked_anyway=True).count() == 0


def test_through_the_api(api: ApiCaller, alice: Member, waiting: Series) -> None:
    where = f"/series/{waiting.id}/not-booked"
    (told,) = api("GET", where).json()["items"]
    assert told["day"] == "2028-01-18"
    assert told["start"] == "2028-01-18T09:00:00+11:00"
    assert told["nearest"] == "2028-01-18T10:00:00+11:00"
    assert [one["source"] for one in told["conflicts"]] == ["appointment"]
    taken = api("POST", where, {"day": told["day"], "start": told["start"]})
    assert (taken.status_code, taken.json()["visits"][0]["nearest"]) == (409, told["nearest"])
    answer = api("POST", where, {"day": told["day"], "start": told["nearest"]})
    assert answer.status_code == 201
    visit = answer.json()
    assert (visit["day"], visit["start"]) == (told["day"], told["nearest"])
    shown = api("GET", f"/appointments/{visit['appointment_id']}").json()
    assert shown["series"] == {"id": str(waiting.id), "number": visit["number"], "of": None}
    again = api("POST", where, {"day": told["day"], "in_the_way": "leave_out"})
    assert (again.status_code, again.json()["type"].rsplit("/", 1)[1]) == (409, "not-waiting")
    assert api("GET", where).json()["items"] == []


@pytest.mark.parametrize(
    "body",
    [
        {"day": "2028-01-18"},
        {"day": "2028-01-18", "in_the_way": "move", "start": "2028-01-18T10:00:00+11:00"},
        {"day": "2028-01-18", "start": "9999-12-31T23:59:59Z"},
        {"day": "2028-01-18", "start": "0001-01-01T00:00:00+14:00"},
        {"day": "2028-01-18", "start": "2028-01-18T10:00:00"},
        {"day": "tomorrow", "in_the_way": "move"},
    ],
)
def test_what_cannot_be_is_refused_through_the_api(
    api: ApiCaller, waiting: Series, body: dict[str, Any]
) -> None:
    answer = api("POST", f"/series/{waiting.id}/not-booked", body)
    assert answer.status_code == 422, answer.content


def test_left_out_through_the_api_it_waits_no_more(api: ApiCaller, waiting: Series) -> None:
    where = f"/series/{waiting.id}/not-booked"
    for _ in range(2):
        left = api("POST", where, {"day": "2028-01-18", "in_the_way": "leave_out"})
        assert left.status_code == 204
    assert api("GET", f"/series/{waiting.id}").json()["left_out"] == ["2028-01-18"]
