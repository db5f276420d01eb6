"""Holds keep others out and cost nothing, so they are bounded: in number, length and reach."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connections
from django.test import Client

from sophiie.accounts.api_keys import create_api_key, living_keys_of
from sophiie.accounts.models import Member
from sophiie.accounts.people import add_member
from sophiie.appointments import holding
from sophiie.appointments.booking import book, cancel, change, delete, reinstate
from sophiie.appointments.errors import InvalidAppointment, TooManyHolds
from sophiie.appointments.holds import confirm
from sophiie.appointments.models import Appointment, AppointmentChange, Assignment
from sophiie.availability.editing import save_rules
from sophiie.availability.rules import Rules
from sophiie.config.environment import Environment
from tests.conftest import details, tomorrow_at

BASE = tomorrow_at(0, days=2)


@pytest.fixture(autouse=True)
def few(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same rules with small numbers: a key 2 and 4 within an hour, a member 4 and 8."""
    settings.MAX_HOLDS = 2
    monkeypatch.setattr(holding, "WITHIN_AN_HOUR", 2)


@pytest.fixture
def hold(alice: Member) -> Callable[..., Appointment]:
    """Holds a quarter of an hour, always another one."""
    numbers = iter(range(1000))

    def one(*, by: Member = alice, minutes: int = 10, **more: Any) -> Appointment:
        start = BASE + timedelta(minutes=15 * next(numbers))
        quarter = details(start=start, end=start + timedelta(minutes=15))
        return book(by=by, details=quarter, assignees=[by], hold_minutes=minutes, **more)

    return one


Hold = Callable[..., Appointment]


def keys_of(member: Member, count: int) -> Iterator[Any]:
    for _ in range(count):
        create_api_key(member)
    return iter([key.id for key in living_keys_of(member)])


def pass_by(appointment: Appointment, **time: float) -> None:
    """So much time passes for this hold."""
    back = timedelta(**time)
    moment = datetime.now(UTC)
    AppointmentChange.objects.filter(appointment=appointment).update(at=moment - back)
    ends = (appointment.held_until or moment) - back
    Appointment.objects.filter(pk=appointment.pk, status="held").update(held_until=ends)
    Assignment.objects.filter(appointment=appointment).update(held_until=ends)


def test_so_many_live_at_once_and_one_that_ends_makes_room(alice: Member, hold: Hold) -> None:
    first, second, third, _ = hold(), hold(minutes=5), hold(), hold()
    with pytest.raises(TooManyHolds, match="At most 4") as refused:
        hold()
    assert refused.value.limit == 4
    assert 290 <= refused.value.retry_after <= 300  # when the second runs out
    cancel(by=alice, appointment_id=first.id)
    hold()
    with pytest.raises(TooManyHolds):
        hold()
    confirm(by=alice, appointment_id=third.id)
    hold()
    delete(by=alice, appointment_id=second.id)
    hold()


def test_one_that_has_run_out_counts_no_more(hold: Hold) -> None:
    made = [hold() for _ in range(4)]
    pass_by(made[1], minutes=11)
    hold()
    with pytest.raises(TooManyHolds):
        hold()


def test_a_key_has_less_than_its_member(alice: Member, hold: Hold) -> None:
    one, other = keys_of(alice, 2)
    hold(hold_key=one)
    hold(hold_key=one)
    with pytest.raises(TooManyHolds, match="At most 2"):
        hold(hold_key=one)
    hold()  # by hand there is room
    hold()
    with pytest.raises(TooManyHolds, match="At most 4"):
        hold(hold_key=other)


def test_each_member_for_themselves(alice: Member, bob: Member, hold: Hold) -> None:
    for _ in range(4):
        hold()
        hold(by=bob)
    for member in (alice, bob):
        with pytest.raises(TooManyHolds):
            hold(by=member)


def test_so_many_within_an_hour_however_they_ended(alice: Member, hold: Hold) -> None:
    for _ in range(8):
        cancel(by=alice, appointment_id=hold().id)
    with pytest.raises(TooManyHolds, match="At most 8 times can be held within an hour") as refused:
        hold()
    assert 3500 < refused.value.retry_after <= 3600
    pass_by(Appointment.objects.order_by("created_at")[0], minutes=61)
    hold()


def test_so_many_within_an_hour_by_one_key(alice: Member, hold: Hold) -> None:
    (key,) = keys_of(alice, 1)
    for n in range(4):
        made = hold(hold_key=key)
        (cancel if n % 2 else confirm)(by=alice, appointment_id=made.id)
    with pytest.raises(TooManyHolds, match="At most 4"):
        hold(hold_key=key)
    hold()


def test_an_appointment_is_not_a_hold(alice: Member, hold: Hold) -> None:
    for _ in range(4):
        hold()
    for n in range(8):
        start = BASE + timedelta(days=3, hours=n)
        book(by=alice, details=details(start=start), assignees=[alice])


def test_nothing_comes_back_beyond_the_bound(alice: Member, hold: Hold) -> None:
    made = [hold(), hold(), hold()]
    for one in made:
        delete(by=alice, appointment_id=one.id)
    hold()
    hold()
    reinstate(by=alice, appointment_id=made[0].id)
    reinstate(by=alice, appointment_id=made[1].id)
    with pytest.raises(TooManyHolds):
        reinstate(by=alice, appointment_id=made[2].id)


@pytest.mark.django_db(transaction=True)
def test_the_bound_holds_whatever_races(alice: Member, hold: Hold) -> None:
    made: list[Appointment] = []
    refused: list[TooManyHolds] = []
    begin = threading.Barrier(8)

    def try_it() -> None:
        begin.wait()
        try:
            made.append(hold())
        except TooManyHolds as error:
            refused.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=try_it) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(made), len(refused)) == (4, 4)


# How much of whose time, and how far ahead.


def refusal_of(by: Member, team: list[Member], **changes: Any) -> dict[str, str]:
    with pytest.raises(InvalidAppointment) as refused:
        book(by=by, details=details(**changes), assignees=team, hold_minutes=5)
    return refused.value.errors


def test_a_day_at_most_is_held(alice: Member) -> None:
    day = {"start": BASE, "end": BASE + timedelta(hours=24)}
    book(by=alice, details=details(**day), assignees=[alice], hold_minutes=5)
    later = BASE + timedelta(days=5)
    long = {"start": later, "end": later + timedelta(hours=24, seconds=1)}
    assert "24 hours" in refusal_of(alice, [alice], **long)["end"]
    book(by=alice, details=details(**long), assignees=[alice])  # that somebody means


def test_not_everybody_at_once(alice: Member) -> None:
    people = [
        add_member(
            business=alice.business,
            email=f"{n}@example.com",
            name="Bob",
            role="member",
            password=None,
        )
        for n in range(11)
    ]
    assert "at most 10 people" in refusal_of(alice, people)["assignees"]
    book(by=alice, details=details(), assignees=people[:10], hold_minutes=5)


def test_no_further_ahead_than_times_are_offered(alice: Member) -> None:
    save_rules(by=alice, rules=Rules(window_days=10))
    start = tomorrow_at(3, days=9)
    book(by=alice, details=details(start=start), assignees=[alice], hold_minutes=5)
    far = tomorrow_at(3, days=12)
    assert "at most 10 days ahead" in refusal_of(alice, [alice], start=far)["start"]
    book(by=alice, details=details(start=far), assignees=[alice])


def test_a_hold_cannot_be_made_larger_than_one_may_be(
    alice: Member, bob: Member, hold: Hold
) -> None:
    save_rules(by=alice, rules=Rules(window_days=10))
    made = hold()
    far = tomorrow_at(3, days=12)
    for changes, field in (
        ({"end": made.start + timedelta(days=2)}, "end"),
        ({"start": far, "end": far + timedelta(hours=1)}, "start"),
    ):
        with pytest.raises(InvalidAppointment) as refused:
            change(by=alice, appointment_id=made.id, changes=changes)
        assert list(refused.value.errors) == [field]
    people = [
        add_member(
            business=alice.business, email=f"{n}@x.example", name="B", role="member", password=None
        )
        for n in range(11)
    ]
    with pytest.raises(InvalidAppointment, match="at most 10 people"):
        change(by=alice, appointment_id=made.id, changes={}, assignees=people)
    change(by=alice, appointment_id=made.id, changes={"title": "Another"}, assignees=[alice, bob])
    scheduled = change(
        by=alice,
        appointment_id=made.id,
        changes={"end": made.start + timedelta(days=2)},
        status="scheduled",
    )
    assert scheduled.status == "scheduled"


def test_the_numbers_are_what_the_description_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    most = Environment.model_fields["max_holds"].default
    text = Client().get("/api/v1/openapi.json").json()["paths"]["/api/v1/appointments"]["post"]
    said = " ".join(text["description"].split())
    hours = holding.MAX_HELD // holding.HOUR
    assert f"at most {hours} hours and {holding.MAX_PEOPLE} people" in said
    assert f"{most} at once and {most * holding.WITHIN_AN_HOUR} within an hour for each key" in said
    assert holding.FOR_A_MEMBER == 2
    assert "twice that for each member" in said
