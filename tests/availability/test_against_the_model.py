"""Slots and explanations against the minute model, over random worlds."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
import time_machine
from django.db import transaction
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from sophiie.accounts.models import Business, Member
from sophiie.appointments.conflicts import conflicts_of
from sophiie.availability.hours import Hours, Span, Special, working_time
from sophiie.availability.rules import Terms
from sophiie.availability.slots import Offer, find_slots
from sophiie.availability.why_not import why_not
from tests.availability.minutes import MINUTE, Person, World, _working_minutes, minutes
from tests.availability.worlds import worlds, written

pytestmark = pytest.mark.django_db
PATIENT = settings(
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def offer(world: World, business: Business, members: list[Member], **more: Any) -> Offer:
    asked: dict[str, Any] = {
        "business": business,
        "members": members,
        "start": world.start,
        "end": world.end,
        "duration": timedelta(minutes=world.duration),
        "terms": terms_of(world),
    }
    return find_slots(**{**asked, **more})


def terms_of(world: World) -> Terms:
    before, after, way = world.asked
    return Terms(
        buffer_before_minutes=before,
        buffer_after_minutes=after,
        notice_minutes=world.asked_notice,
        window_days=world.asked_window,
        travel_minutes=way,
        people=world.asked_people,
    )


@settings(PATIENT, max_examples=40)
@given(world=worlds())
def test_what_is_offered_is_what_the_minutes_say(world: World) -> None:
    _busy_only_where_known(world)
    expected = world.offered()
    event("something is offered" if expected else "nothing is offered")
    with time_machine.travel(world.moment, tick=False), transaction.atomic():
        business, members = written(world)
        found = offer(world, business, members).slots
        together = offer(world, business, members, together=True).slots
        first = offer(world, business, members, limit=3)
        transaction.set_rollback(True)
    place = {member.pk: number for number, member in enumerate(members)}
    assert {s.start: {place[m] for m in s.member_ids} for s in found} == expected
    assert [s.start for s in found] == sorted(expected)
    assert all(s.end - s.start == timedelta(minutes=world.duration) for s in found)
    everybody = set(range(len(members)))
    assert [s.start for s in together] == sorted(t for t, w in expected.items() if w == everybody)
    assert first.slots == found[:3]
    assert first.next_from == (found[3].start if len(found) > 3 else None)


@settings(PATIENT, max_examples=20)
@given(world=worlds(), choose=st.randoms(use_true_random=False))
def test_an_explanation_always_agrees_with_what_is_offered(world: World, choose: Any) -> None:
    """Any start, on the grid or off it; no reasons exactly when the slots have this time."""
    _busy_only_where_known(world)
    world.asked_people = 1
    expected = world.offered()
    asked = choose.sample(sorted(expected), min(4, len(expected)))
    asked += [world.start + choose.randrange(2000) * MINUTE for _ in range(5)]
    asked += [t.replace(minute=0, second=0) for t in asked[-3:]]
    duration = timedelta(minutes=world.duration)
    with time_machine.travel(world.moment, tick=False), transaction.atomic():
        business, members = written(world)
        for start in asked:
            _agree(world, business, choose.choice(members), start, start + duration)
        transaction.set_rollback(True)


def _agree(
    world: World, business: Business, member: Member, start: datetime, end: datetime
) -> None:
    found = find_slots(
        business=business,
        members=[member],
        start=start,
        end=end,
        duration=end - start,
        terms=replace(terms_of(world), people=1),
    )
    reasons = why_not(member=member, start=start, end=end, terms=terms_of(world))
    assert bool(found.slots) == (not reasons), (start, [str(r.rule) for r in reasons])
    assert all(r.detail.endswith(".") and "Secret" not in r.detail for r in reasons)


@settings(PATIENT, max_examples=25)
@given(world=worlds(), choose=st.randoms(use_true_random=False))
def test_what_is_offered_can_be_booked(world: World, choose: Any) -> None:
    """Nothing is in the way of it. An old copy is asked for anew first, by the booking."""
    _busy_only_where_known(world)
    with time_machine.travel(world.moment, tick=False), transaction.atomic():
        business, members = written(world)
        found = offer(world, business, members).slots
        for slot in choose.sample(found, min(6, len(found))):
            for place, member in enumerate(members):
                person = world.people[place]
                if member.pk in slot.member_ids and (person.fresh or not person.known):
                    event("a slot is looked at")
                    assert not conflicts_of(
                        team=[member], start=slot.start, end=slot.end, timezone=world.zone
                    )
        transaction.set_rollback(True)


@settings(PATIENT, max_examples=40)
@given(world=worlds())
def test_working_time_is_what_the_clock_shows(world: World) -> None:
    """The pure function alone, every minute of it."""
    for person in world.people:
        found = working_time(_hours(world, person), world.start, world.end)
        assert all(a[1] < b[0] for a, b in pairwise(found))
        expected = _working_minutes(world, person)
        inside = set(minutes(world.start, world.end))
        assert {m for a, b in found for m in minutes(a, b)} == expected & inside


def _hours(world: World, person: Person) -> Hours:
    def spans(walls: Any) -> tuple[Span, ...]:
        return tuple(Span(a, b) for a, b in walls)

    return Hours(
        zone=person.zone,
        week=tuple(spans(day) for day in person.week),
        special=(
            *(Special(a, b, for_everybody=True) for a, b in world.holidays),
            *(Special(a, b) for a, b in person.off),
            *(Special(a, b, spans(walls)) for a, b, walls in person.other),
        ),
    )


def _busy_only_where_known(world: World) -> None:
    """Who has no calendar has nothing busy in it."""
    for person in world.people:
        if not person.known:
            person.busy = []
