"""Changing a series: this and the following, or all, and what the field gets wrong."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import time_machine

from sophiie.accounts.models import Member
from sophiie.appointments import booking
from sophiie.appointments.models import Appointment, AppointmentChange
from sophiie.audit.models import Entry
from sophiie.series.cancelling import cancel_series
from sophiie.series.changing import change_series, preview_change
from sophiie.series.drafts import SeriesChange
from sophiie.series.errors import CannotUndo, InvalidSeries, UnknownSeries, VisitsInTheWay
from sophiie.series.fitting import Answers, Way
from sophiie.series.models import Series, Visit
from sophiie.series.retiming import NewTime
from sophiie.series.scope import Scope
from sophiie.series.selectors import place_of
from sophiie.series.undoing import undo
from tests.conftest import details
from tests.series.making import FIRST, appointments_of, made, rule, wall, walls

TEN = NewTime(start=FIRST.replace(hour=10))
# When two of the five Tuesdays are over.
AFTER_TWO = datetime(2027, 1, 20, tzinfo=UTC)


def change(by: Member, series: Series, **more: Any) -> Any:
    plain = {"scope": Scope.ALL}
    return change_series(by=by, series_id=series.id, **{**plain, **more})


def moved_to(series: Series, number: int, start: datetime) -> dict[str, Any]:
    appointment = appointments_of(series)[number - 1]
    return {"appointment_id": appointment.id, "change": SeriesChange(time=NewTime(start=start))}


def state() -> list[tuple[Any, ...]]:
    """All that people see of appointments that are not deleted."""
    return [
        (
            a.start,
            a.end,
            a.title,
            a.customer_name,
            a.customer_id,
            a.status,
            tuple(sorted(x.member.name for x in a.assignments.all())),
            place_of(a.id),
        )
        for a in Appointment.objects.filter(deleted_at=None).order_by("start", "id")
    ]


def test_all_visits_move_and_stay_as_many(alice: Member) -> None:
    series = made(alice).series
    changed = change(alice, series, change=SeriesChange(time=TEN))
    assert changed.series == series
    assert walls(series) == [
        "Tue 12 Jan 10:00",
        "Tue 19 Jan 10:00",
        "Tue 26 Jan 10:00",
        "Tue 02 Feb 10:00",
        "Tue 09 Feb 10:00",
    ]
    assert [a.revision for a in appointments_of(series)] == [2] * 5


@pytest.mark.parametrize("end", ["COUNT=5", "UNTIL=20270209"])
def test_three_do_not_become_five_on_reschedule(
    alice: Member, end: str, clock: time_machine.Coordinates
) -> None:
    """The field's bug: after two of five the others are moved, and five new ones appear."""
    series = made(alice, f"FREQ=WEEKLY;BYDAY=TU;{end}").series
    clock.move_to(AFTER_TWO)
    third = wall("2027-01-28 14:00")
    goes_on = change(alice, series, **moved_to(series, 3, third)).series
    assert walls(series) == ["Tue 12 Jan 09:00", "Tue 19 Jan 09:00"]
    assert walls(goes_on) == ["Thu 28 Jan 14:00", "Thu 04 Feb 14:00", "Thu 11 Feb 14:00"]
    assert Appointment.objects.count() == 5
    places = [place_of(a.id) for a in (*appointments_of(series), *appointments_of(goes_on))]
    assert [(p.number, p.of) for p in places if p] == [(n, 5) for n in range(1, 6)]
    again = change(alice, goes_on, **moved_to(goes_on, 1, third.replace(hour=16))).series
    assert again == goes_on
    assert len(walls(again)) == 3
    assert Appointment.objects.count() == 5


def test_past_visits_are_never_touched(alice: Member, clock: time_machine.Coordinates) -> None:
    series = made(alice).series
    clock.move_to(AFTER_TWO)
    before = appointments_of(series)[:2]
    change(alice, series, change=SeriesChange(details={"title": "New"}, time=TEN))
    for appointment in before:
        updated = appointment.updated_at
        appointment.refresh_from_db()
        assert (appointment.title, appointment.updated_at) == ("Leaking tap", updated)
        assert appointment.revision == 1


def test_a_split_keeps_the_past_with_the_old_rule(alice: Member) -> None:
    series = made(alice).series
    goes_on = change(
        alice, series, scope=Scope.FOLLOWING, **moved_to(series, 3, wall("2027-01-28 09:00"))
    ).series
    series.refresh_from_db()
    assert series.rule == "FREQ=WEEKLY;BYDAY=TU;UNTIL=20270119"
    assert (goes_on.rule, goes_on.previous) == ("FREQ=WEEKLY;BYDAY=TH;COUNT=3", series)
    assert series.ended_at is not None
    assert [v.number for v in Visit.objects.filter(series=goes_on).order_by("number")] == [3, 4, 5]


def test_a_visit_that_was_moved_before_stays_when_the_series_moves(alice: Member) -> None:
    series = made(alice).series
    second = appointments_of(series)[1]
    start = second.start + timedelta(days=2)
    booking.change(
        by=alice,
        appointment_id=second.id,
        changes={"start": start, "end": start + timedelta(hours=1)},
    )
    seen = preview_change(
        by=alice, series_id=series.id, scope=Scope.ALL, change=SeriesChange(time=TEN)
    )
    assert [visit.appointment_id for visit in seen.kept] == [second.id]
    assert len(seen.moved) == 4
    change(alice, series, change=SeriesChange(time=TEN))
    assert walls(series) == [
        "Tue 12 Jan 10:00",
        "Thu 21 Jan 09:00",
        "Tue 26 Jan 10:00",
        "Tue 02 Feb 10:00",
        "Tue 09 Feb 10:00",
    ]


def test_what_was_changed_alone_moves_if_asked_for(alice: Member) -> None:
    series = made(alice).series
    second = appointments_of(series)[1]
    booking.change(by=alice, appointment_id=second.id, changes={"notes": "Ring twice"})
    change(alice, series, change=SeriesChange(time=TEN), include_changed=True)
    assert walls(series)[1] == "Tue 19 Jan 10:00"
    assert appointments_of(series)[1].notes == "Ring twice"


def test_the_assignee_of_one_visit_stays_when_the_others_change(alice: Member, bob: Member) -> None:
    series = made(alice).series
    third = appointments_of(series)[2]
    booking.change(by=alice, appointment_id=third.id, changes={}, assignees=[bob])
    change(alice, series, change=SeriesChange(details={"title": "Course"}))
    teams = [[x.member.name for x in a.assignments.all()] for a in appointments_of(series)]
    assert teams == [["Alice"], ["Alice"], ["Bob"], ["Alice"], ["Alice"]]
    assert [a.title for a in appointments_of(series)] == [
        "Course",
        "Course",
        "Leaking tap",
        "Course",
        "Course",
    ]


@pytest.mark.parametrize("days", [0, 1], ids=["later that day", "the day after"])
@pytest.mark.parametrize("way", ["it was pointed at", "it was ticked"])
@pytest.mark.parametrize("text", ["FREQ=WEEKLY;COUNT=5", "FREQ=WEEKLY"], ids=["counted", "open"])
def test_what_stayed_when_the_rest_was_called_off_is_not_called_off_by_a_new_time(
    alice: Member, text: str, way: str, days: int
) -> None:
    """Found by the machine: the rule ends before it, and the visit that somebody moved was lost."""
    series = made(alice, text).series
    second, third = appointments_of(series)[1:3]
    booking.change(by=alice, appointment_id=third.id, changes={"title": "In their flat"})
    cancel_series(by=alice, series_id=series.id, scope=Scope.FOLLOWING, appointment_id=second.id)
    assert walls(series) == ["Tue 12 Jan 09:00", "Tue 26 Jan 09:00"]
    first, later = appointments_of(series)[0], timedelta(days=days)
    how: dict[str, Any]
    if way == "it was ticked":
        start, how = first.local_start, {"include_changed": True}
    else:
        start, how = third.local_start, {"appointment_id": third.id}
    time = NewTime(start=start.replace(tzinfo=None, hour=14) + later)
    how |= {"change": SeriesChange(time=time)}
    seen = preview_change(by=alice, series_id=series.id, scope=Scope.ALL, **how)
    assert seen.cancelled == []
    change(alice, series, **how)
    assert [one.id for one in appointments_of(series) if one.is_on] == [first.id, third.id]
    assert walls(series) == (
        ["Wed 13 Jan 14:00", "Wed 27 Jan 14:00"]
        if days
        else ["Tue 12 Jan 14:00", "Tue 26 Jan 14:00"]
    )


def test_a_visit_called_off_alone_does_not_come_back(alice: Member) -> None:
    series = made(alice).series
    booking.cancel(by=alice, appointment_id=appointments_of(series)[1].id)
    change(alice, series, change=SeriesChange(time=TEN))
    assert walls(series) == [
        "Tue 12 Jan 10:00",
        "Tue 26 Jan 10:00",
        "Tue 02 Feb 10:00",
        "Tue 09 Feb 10:00",
    ]


def test_everybody_who_joins_has_to_be_free(alice: Member, bob: Member) -> None:
    series = made(alice).series
    third = appointments_of(series)[2]
    booking.book(by=bob, details=details(start=third.start, end=third.end), assignees=[bob])
    with pytest.raises(VisitsInTheWay) as caught:
        change(alice, series, change=SeriesChange(assignees=[alice, bob]))
    assert [(v.number, v.day) for v in caught.value.visits] == [(3, date(2027, 1, 26))]
    change(
        alice,
        series,
        change=SeriesChange(assignees=[alice, bob]),
        answers=Answers(otherwise=Way.LEAVE_OUT),
    )
    teams = [{x.member.name for x in a.assignments.all()} for a in appointments_of(series)]
    assert teams == [
        {"Alice", "Bob"},
        {"Alice", "Bob"},
        {"Alice"},
        {"Alice", "Bob"},
        {"Alice", "Bob"},
    ]


def test_a_visit_may_move_to_where_another_one_was(alice: Member) -> None:
    series = made(alice, "FREQ=DAILY;COUNT=5").series
    change(alice, series, **moved_to(series, 1, FIRST + timedelta(days=1)))
    assert walls(series)[0] == "Wed 13 Jan 09:00"
    assert len(walls(series)) == 5


def test_a_shorter_rule_calls_off_what_is_too_many(alice: Member) -> None:
    series = made(alice).series
    new = rule("FREQ=WEEKLY;BYDAY=TU;COUNT=3")
    change(alice, series, change=SeriesChange(time=NewTime(rule=new)))
    assert len(walls(series)) == 3
    assert Appointment.objects.filter(status="cancelled").count() == 2
    change(alice, series, change=SeriesChange(time=TEN))
    assert len(walls(series)) == 3
    change(
        alice, series, change=SeriesChange(time=NewTime(rule=rule("FREQ=WEEKLY;BYDAY=TU;COUNT=4")))
    )
    assert walls(series)[-1] == "Tue 02 Feb 10:00"
    assert [a.status for a in appointments_of(series)] == ["scheduled"] * 4


def test_left_out_days_move_along(alice: Member) -> None:
    series = made(alice, left_out=[date(2027, 1, 26)]).series
    assert walls(series)[1:3] == ["Tue 19 Jan 09:00", "Tue 02 Feb 09:00"]
    change(alice, series, **moved_to(series, 1, wall("2027-01-14 09:00")))
    assert walls(series) == [
        "Thu 14 Jan 09:00",
        "Thu 21 Jan 09:00",
        "Thu 04 Feb 09:00",
        "Thu 11 Feb 09:00",
        "Thu 18 Feb 09:00",
    ]


ACTS: dict[str, SeriesChange] = {
    "time": SeriesChange(time=TEN),
    "texts": SeriesChange(details={"title": "Other", "notes": "Bring a ladder"}),
    "customer": SeriesChange(
        details={"customer_name": "Ms Green", "customer_phone": "+61 2 5550 1234"}
    ),
    "fewer": SeriesChange(time=NewTime(rule=rule("FREQ=WEEKLY;BYDAY=TU;COUNT=3"))),
    "more": SeriesChange(time=NewTime(rule=rule("FREQ=WEEKLY;BYDAY=TU;COUNT=8"))),
    "other rule": SeriesChange(time=NewTime(rule=rule("FREQ=WEEKLY;BYDAY=MO,WE;COUNT=6"))),
}


@pytest.mark.parametrize("scope", [Scope.ALL, Scope.FOLLOWING])
@pytest.mark.parametrize("what", ACTS.values(), ids=[*ACTS])
def test_one_undo_brings_everything_back(alice: Member, what: SeriesChange, scope: Scope) -> None:
    series = made(alice).series
    booking.change(by=alice, appointment_id=appointments_of(series)[3].id, changes={"notes": "!"})
    before = state()
    third = appointments_of(series)[2].id
    done = change(alice, series, scope=scope, appointment_id=third, change=what)
    assert state() != before
    undo(by=alice, act_id=done.act.id)
    assert state() == before
    undo(by=alice, act_id=done.act.id)
    assert state() == before
    change(alice, series, scope=scope, appointment_id=third, change=what)


def test_the_assignees_come_back_with_an_undo(alice: Member, bob: Member) -> None:
    series = made(alice).series
    before = state()
    done = change(alice, series, change=SeriesChange(assignees=[bob]))
    assert all(team == ("Bob",) for *_, team, _ in state())
    undo(by=alice, act_id=done.act.id)
    assert state() == before


def test_the_history_says_that_deleted_visits_are_back(alice: Member) -> None:
    series = made(alice).series
    ended = cancel_series(by=alice, series_id=series.id, scope=Scope.ALL, deletes=True)
    assert ended.act is not None
    assert appointments_of(series) == []
    undo(by=alice, act_id=ended.act.id)
    for one in appointments_of(series):
        assert one.changes.latest("revision").fields["deleted"] == [True, False]
    assert len(appointments_of(series)) == 5


def test_nothing_is_undone_once_a_visit_was_changed_since(alice: Member) -> None:
    series = made(alice).series
    done = change(alice, series, change=SeriesChange(time=TEN))
    booking.change(by=alice, appointment_id=appointments_of(series)[3].id, changes={"notes": "!"})
    before = state()
    with pytest.raises(CannotUndo):
        undo(by=alice, act_id=done.act.id)
    assert state() == before


def test_making_a_series_can_be_undone(alice: Member) -> None:
    done = made(alice)
    undo(by=alice, act_id=done.act.id)
    assert state() == []
    made(alice)


def test_another_business_has_no_such_series(alice: Member, charlie: Member) -> None:
    done = made(alice)
    with pytest.raises(UnknownSeries):
        change(charlie, done.series, change=SeriesChange(time=TEN))
    with pytest.raises(UnknownSeries):
        undo(by=charlie, act_id=done.act.id)


def test_the_audit_log_has_one_entry_for_each_act(alice: Member) -> None:
    done = made(alice)
    changed = change(alice, done.series, change=SeriesChange(time=TEN))
    undo(by=alice, act_id=changed.act.id)
    acts = Entry.objects.filter(act__startswith="series.").order_by("act")
    assert [entry.act for entry in acts] == ["series.changed", "series.made", "series.undone"]


@pytest.mark.parametrize(("deletes", "act"), [(False, "series.ended"), (True, "series.deleted")])
def test_the_audit_log_tells_ended_from_deleted(alice: Member, deletes: bool, act: str) -> None:
    series = made(alice).series
    cancel_series(by=alice, series_id=series.id, scope=Scope.ALL, deletes=deletes)
    acts = Entry.objects.filter(act__in=["series.ended", "series.deleted"])
    assert [entry.act for entry in acts] == [act]


def test_each_visit_has_its_history(alice: Member) -> None:
    series = made(alice).series
    change(alice, series, change=SeriesChange(time=TEN))
    rows = AppointmentChange.objects.order_by("revision")
    assert [row.action for row in rows] == ["created"] * 5 + ["changed"] * 5


def test_nothing_ahead_is_said(alice: Member, clock: time_machine.Coordinates) -> None:
    series = made(alice).series
    clock.move_to(datetime(2027, 3, 1, tzinfo=UTC))
    with pytest.raises(InvalidSeries, match="No visit of this series is ahead"):
        change(alice, series, change=SeriesChange(time=TEN))
