"""An existing appointment becomes the first visit of a series."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import time_machine

from sophiie.accounts.models import Member
from sophiie.appointments import booking
from sophiie.appointments.errors import UnknownAppointment
from sophiie.appointments.holds import confirm
from sophiie.appointments.models import Appointment, Assignment
from sophiie.resources.editing import make
from sophiie.series.errors import CannotUndo, InvalidSeries, VisitsInTheWay
from sophiie.series.fitting import Answers, Way
from sophiie.series.models import Series, Visit
from sophiie.series.repeating import Repetition, check_repeat, repeat_appointment
from sophiie.series.undoing import undo
from tests.at_once import at_once
from tests.conftest import ApiCaller, details
from tests.series.making import HOUR, TUESDAYS, appointments_of, numbers, rule, walls
from tests.services.made import service

pytestmark = pytest.mark.django_db
NINE = datetime(2027, 1, 11, 22, tzinfo=UTC)  # Tuesday 12 January, nine in Sydney
WEEK = timedelta(days=7)


def single(by: Member, *, team: list[Member] | None = None, **more: Any) -> Appointment:
    resources = more.pop("resources", ())
    hold = more.pop("hold_minutes", None)
    asked = details(start=NINE, **more)
    team = team or [by]
    if hold:
        return booking.book(by=by, details=asked, assignees=team, hold_minutes=hold)
    return booking.book(by=by, details=asked, assignees=team, resources=resources)


def weekly(text: str = TUESDAYS, **more: Any) -> Repetition:
    return Repetition(rule=rule(text), **more)


def test_the_appointment_itself_is_the_first_visit(alice: Member, bob: Member) -> None:
    van = make(by=alice, name="Blue van")
    check = service(alice, name="Visit at home", buffer_before=10, buffer_after=20)
    first = single(
        alice,
        team=[bob, alice],
        service_id=check.id,
        travel_minutes=15,
        notes="Bring a towel",
        customer_name="Dana",
        resources=[van],
    )
    done = repeat_appointment(by=alice, appointment_id=first.id, how=weekly())
    visits = appointments_of(done.series)
    assert visits[0].id == first.id
    assert visits[0].revision == 1
    assert [one.action for one in first.changes.all()] == ["created"]
    assert (numbers(done.series), done.series.total) == ([1, 2, 3, 4, 5], 5)
    assert walls(done.series, form="%d %b %H:%M")[1] == "19 Jan 09:00"
    for one in visits[1:]:
        assert (one.notes, one.customer_id) == ("Bring a towel", visits[0].customer_id)
        assert (one.buffer_before_minutes, one.travel_minutes) == (10, 15)
        assert {row.member for row in one.assignments.all()} == {alice, bob}
        assert [use.resource for use in one.resource_uses.all()] == [van]


def test_who_let_it_repeat_has_made_the_others(alice: Member, bob: Member) -> None:
    first = single(alice)
    done = repeat_appointment(by=bob, appointment_id=first.id, how=weekly())
    assert [one.created_by for one in appointments_of(done.series)] == [alice, *[bob] * 4]


def test_what_begins_at_this_moment_repeats_no_more(alice: Member) -> None:
    first = single(alice)
    with time_machine.travel(NINE, tick=False), pytest.raises(InvalidSeries, match="has begun"):
        repeat_appointment(by=alice, appointment_id=first.id, how=weekly())
    with time_machine.travel(NINE - timedelta(seconds=1), tick=False):
        assert repeat_appointment(by=alice, appointment_id=first.id, how=weekly()).series


def test_one_undo_gives_the_single_appointment_back(alice: Member) -> None:
    first = single(alice)
    done = repeat_appointment(by=alice, appointment_id=first.id, how=weekly())
    undo(by=alice, act_id=done.act.id)
    assert [a.id for a in Appointment.objects.filter(deleted_at=None)] == [first.id]
    assert not Visit.objects.exists()
    assert not Series.objects.exists()
    first.refresh_from_db()
    assert (first.revision, first.start) == (1, NINE)
    again = repeat_appointment(by=alice, appointment_id=first.id, how=weekly())
    assert len(appointments_of(again.series)) == 5


@pytest.mark.parametrize("which", [0, 2], ids=["the first", "another"])
def test_it_is_not_undone_once_a_visit_was_changed(alice: Member, which: int) -> None:
    first = single(alice)
    booking.change(by=alice, appointment_id=first.id, changes={"title": "Course"})
    done = repeat_appointment(by=alice, appointment_id=first.id, how=weekly())
    changed = appointments_of(done.series)[which]
    booking.change(by=alice, appointment_id=changed.id, changes={"title": "Other"})
    with pytest.raises(CannotUndo):
        undo(by=alice, act_id=done.act.id)


def test_what_is_in_the_way_of_the_others_is_listed(alice: Member) -> None:
    first = single(alice)
    asked = details(start=NINE + WEEK, title="Meeting")
    booking.book(by=alice, details=asked, assignees=[alice])
    how: Any = {"by": alice, "appointment_id": first.id, "how": weekly()}
    _timing, visits, in_the_way = check_repeat(**how)
    assert len(visits) == 5
    assert [(v.number, v.nearest) for v in in_the_way] == [(2, NINE + WEEK + HOUR)]
    with pytest.raises(VisitsInTheWay):
        repeat_appointment(**how)
    assert not Series.objects.exists()
    done = repeat_appointment(**how, answers=Answers(Way.LEAVE_OUT))
    assert [visit.day for visit in done.left_out] == [date(2027, 1, 19)]
    assert (numbers(done.series), done.series.total) == ([1, 2, 3, 4], 4)


def test_its_own_time_is_in_nobodys_way(alice: Member) -> None:
    """Booked over something, it stays as it is, and nobody is asked again."""
    booking.book(by=alice, details=details(start=NINE), assignees=[alice])
    first = booking.book(
        by=alice, details=details(start=NINE), assignees=[alice], allow_overlap=True
    )
    done = repeat_appointment(by=alice, appointment_id=first.id, how=weekly())
    assert Assignment.objects.filter(booked_anyway=True).get().appointment_id == first.id
    assert len(appointments_of(done.series)) == 5


def test_what_cannot_repeat_says_why(
    alice: Member, charlie: Member, clock: time_machine.Coordinates
) -> None:
    first = single(alice)
    with pytest.raises(UnknownAppointment):
        repeat_appointment(by=charlie, appointment_id=first.id, how=weekly())
    with pytest.raises(InvalidSeries, match="on its own day"):
        repeat_appointment(
            by=alice, appointment_id=first.id, how=weekly("FREQ=WEEKLY;BYDAY=WE;COUNT=3")
        )
    out = weekly(left_out=frozenset([date(2027, 1, 12)]))
    with pytest.raises(InvalidSeries, match="on its own day"):
        repeat_appointment(by=alice, appointment_id=first.id, how=out)
    repeat_appointment(by=alice, appointment_id=first.id, how=weekly())
    with pytest.raises(InvalidSeries, match="a visit of a series already"):
        repeat_appointment(by=alice, appointment_id=first.id, how=weekly())
    other = details(start=NINE + 3 * HOUR)
    held = booking.book(by=alice, details=other, assignees=[alice], hold_minutes=10)
    with pytest.raises(InvalidSeries, match="confirm it first"):
        repeat_appointment(by=alice, appointment_id=held.id, how=weekly())
    confirm(by=alice, appointment_id=held.id)
    booking.cancel(by=alice, appointment_id=held.id)
    with pytest.raises(InvalidSeries, match="cancelled"):
        repeat_appointment(by=alice, appointment_id=held.id, how=weekly())
    past = booking.book(by=alice, details=details(start=NINE + 6 * HOUR), assignees=[alice])
    clock.shift(timedelta(days=9))
    with pytest.raises(InvalidSeries, match="has begun"):
        repeat_appointment(by=alice, appointment_id=past.id, how=weekly())


@pytest.mark.django_db(transaction=True)
def test_repeated_twice_at_once_it_repeats_once(alice: Member) -> None:
    first = single(alice)
    ended = at_once(
        *[
            lambda: repeat_appointment(by=alice, appointment_id=first.id, how=weekly())
            for _ in range(3)
        ]
    )
    refused = [one for one in ended if isinstance(one, Exception)]
    assert len(refused) == 2
    assert all(isinstance(one, InvalidSeries | VisitsInTheWay) for one in refused), refused
    assert Appointment.objects.count() == 5
    assert Series.objects.count() == 1


def test_through_the_api(
    api: ApiCaller, api_of: Callable[[Member], ApiCaller], alice: Member, charlie: Member
) -> None:
    first = single(alice)
    asked = details(start=NINE + WEEK, title="Meeting")
    booking.book(by=alice, details=asked, assignees=[alice])
    where, body = f"/appointments/{first.id}/repeat", {"rule": TUESDAYS}
    looked = api("POST", f"{where}?preview=true", body).json()
    assert (looked["words"], len(looked["visits"])) == ("every week on Tuesday, 5 times", 5)
    assert [one["number"] for one in looked["in_the_way"]] == [2]
    assert api("POST", where, body).status_code == 409
    assert not Series.objects.exists()
    made = api("POST", where, {**body, "in_the_way": "move"})
    assert made.status_code == 201, made.content
    series = made.json()
    assert made["Location"] == f"/api/v1/series/{series['id']}"
    assert series["visits"][0]["appointment_id"] == str(first.id)
    again = api("POST", where, body)
    assert (again.status_code, [*again.json()["errors"]]) == (422, ["appointment"])
    undone = api("POST", f"/series/{series['id']}/undo", {"act_id": series["act_id"]})
    assert undone.status_code == 204
    assert api("GET", f"/appointments/{first.id}").json()["series"] is None
    assert api_of(charlie)("POST", where, body).status_code == 404
