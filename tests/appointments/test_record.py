"""What stands in the history and in the audit log, and what those hear who follow appointments."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from sophiie.accounts.models import Member
from sophiie.appointments.booking import book, cancel, change, delete, reinstate
from sophiie.appointments.models import Appointment
from sophiie.appointments.record import announce_erasure, differences_between
from sophiie.appointments.rules import Details
from sophiie.appointments.signals import appointment_changed
from sophiie.audit import Act
from sophiie.audit.models import Entry
from tests.busy import TOO_OLD, busy, calendar_of
from tests.conftest import details, tomorrow_at

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


@pytest.fixture
def heard() -> Iterator[list[bool]]:
    """Of each change that was announced, whether it frees or takes somebody's time."""
    said: list[bool] = []

    def hear(frees_or_takes_time: bool, **_: Any) -> None:
        said.append(frees_or_takes_time)

    appointment_changed.connect(hear, weak=False)
    yield said
    appointment_changed.disconnect(hear)


Acts = Callable[[Member, Appointment], object]


def changes(**what: Any) -> Acts:
    return lambda by, it: change(by=by, appointment_id=it.id, changes=what)


@pytest.mark.parametrize(
    ("act", "frees_or_takes_time"),
    [
        (changes(title="x"), False),
        (changes(notes="x", location="y"), False),
        (changes(timezone="UTC"), False),
        (changes(start=tomorrow_at(0)), True),
        (changes(end=tomorrow_at(5)), True),
        (lambda by, it: change(by=by, appointment_id=it.id, changes={}, status="completed"), True),
        (lambda by, it: cancel(by=by, appointment_id=it.id), True),
        (lambda by, it: delete(by=by, appointment_id=it.id), True),
    ],
)
def test_who_follows_appointments_hears_whether_time_is_freed_or_taken(
    booked: Appointment, alice: Member, heard: list[bool], act: Acts, frees_or_takes_time: bool
) -> None:
    act(alice, booked)
    assert heard == [frees_or_takes_time]


def test_who_follows_hears_of_what_comes_back_and_of_new_people(
    booked: Appointment, alice: Member, bob: Member, heard: list[bool]
) -> None:
    change(by=alice, appointment_id=booked.id, changes={}, assignees=[bob])
    assert heard == [True]
    cancel(by=alice, appointment_id=booked.id)
    reinstate(by=alice, appointment_id=booked.id)
    assert heard == [True, True, True]
    change(by=alice, appointment_id=booked.id, changes={"title": booked.title})
    reinstate(by=alice, appointment_id=booked.id)
    assert len(heard) == 3  # nothing changed


@pytest.mark.parametrize("aloud", [True, False])
@pytest.mark.parametrize("is_known", [True, False])
def test_an_erasure_stands_in_the_history_with_whoever_did_it(
    booked: Appointment, alice: Member, heard: list[bool], aloud: bool, is_known: bool
) -> None:
    booked.revision += 1
    announce_erasure(booked, alice if is_known else None, {"notes": ["x", ""]}, aloud=aloud)
    assert heard == ([False] if aloud else [])
    erased = booked.changes.filter(action="erased")
    assert [change.fields for change in erased] == ([{"notes": ["x", ""]}] if is_known else [])


def test_wall_times_are_noted_for_the_revision_that_there_is(
    booked: Appointment, alice: Member
) -> None:
    """Those of an earlier revision say nothing: release 0.1 changes without noting them."""

    def changed(**what: Any) -> tuple[int, int, bool]:
        change(by=alice, appointment_id=booked.id, changes=what)
        booked.refresh_from_db()
        return booked.revision, booked.wall_revision, booked.wall_is_noted

    assert booked.wall_is_noted
    assert changed(title="x") == (2, 2, True)
    Appointment.objects.update(wall_revision=1)
    assert changed(title="y") == (3, 1, False)
    assert changed(start=tomorrow_at(0)) == (4, 4, True)
    Appointment.objects.update(wall_start=None)
    booked.refresh_from_db()
    assert not booked.wall_is_noted


def entries(act: Act) -> list[dict[str, Any]]:
    return list(Entry.objects.filter(act=act).order_by("id").values_list("details", flat=True))


def test_the_audit_log_has_what_went_past_a_rule(
    booked: Appointment, alice: Member, bob: Member
) -> None:
    start = booked.start.isoformat()
    assert entries(Act.BOOKED_ANYWAY) == []
    over = details(start=booked.start)
    book(by=alice, details=over, assignees=[alice], allow_overlap=True)
    assert entries(Act.BOOKED_ANYWAY) == [{"start": start, "consents": ["booked_anyway"]}]
    calendar_of(bob, age=TOO_OLD)
    busy(bob, booked.start, booked.end)
    book(by=alice, details=over, assignees=[bob], allow_overlap=True, accept_unverified=True)
    assert entries(Act.BOOKED_ANYWAY)[1]["consents"] == ["booked_anyway", "unverified"]
    assert entries(Act.APPOINTMENT_DELETED) == []
    delete(by=alice, appointment_id=booked.id)
    assert entries(Act.APPOINTMENT_DELETED) == [{"start": start}]


def plain(**more: Any) -> Details:
    return details(**more)


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        ({}, {}, {}),
        ({}, {"title": "x"}, {"title": ["Leaking tap", "x"]}),
        ({"notes": "x"}, {"notes": ""}, {"notes": ["x", ""]}),
        ({}, {"location": "y"}, {"location": ["", "y"]}),
    ],
)
def test_the_history_names_what_differs(
    alice: Member, before: dict[str, Any], after: dict[str, Any], found: dict[str, Any]
) -> None:
    assert differences_between(plain(**before), plain(**after), [alice], [alice]) == found


def test_the_history_of_a_new_one_begins_with_what_was_said(alice: Member, bob: Member) -> None:
    about = plain(notes="Ring")
    found = differences_between(None, about, None, [bob, alice])
    assert found == {
        "title": [None, "Leaking tap"],
        "start": [None, about.start.isoformat()],
        "end": [None, about.end.isoformat()],
        "timezone": [None, about.timezone],
        "notes": [None, "Ring"],
        "assignees": [[], ["Alice", "Bob"]],
    }


def test_people_differ_by_who_they_are_and_not_by_their_order(alice: Member, bob: Member) -> None:
    about = plain()
    assert differences_between(about, about, [alice, bob], [bob, alice]) == {}
    assert differences_between(about, about, [bob, alice], [alice]) == {
        "assignees": [["Alice", "Bob"], ["Alice"]]
    }
    assert differences_between(about, about, [], [alice]) == {"assignees": [[], ["Alice"]]}
