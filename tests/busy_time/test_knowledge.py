"""How fresh our knowledge of a member's time is: to the second, and that of the worst calendar."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from sophiie.accounts.models import Member
from sophiie.busy_time.knowledge import NOT_LINKED, Freshness, Knowledge, knowledge_of
from sophiie.common.clock import now
from tests.busy import calendar_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock_stands")]
SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)


def known(member: Member) -> Knowledge:
    return knowledge_of([member.id])[member.id]


@pytest.fixture
def max_age(settings: Any) -> timedelta:
    settings.BUSY_MAX_AGE_SECONDS = 120
    return timedelta(seconds=120)


def test_a_copy_is_fresh_for_as_long_as_it_may_be_old(alice: Member, max_age: timedelta) -> None:
    calendar = calendar_of(alice, age=max_age)
    assert known(alice).state == Freshness.FRESH
    for age in (max_age + SECOND, -SECOND):
        calendar.checked_at = now() - age
        calendar.save()
        assert known(alice).state == Freshness.STALE


def test_what_failed_last_is_unreadable_once_it_is_old(alice: Member, max_age: timedelta) -> None:
    calendar = calendar_of(alice, age=max_age, problem="503")
    assert known(alice).state == Freshness.FRESH
    assert known(alice).problem
    calendar.checked_at = now() - max_age - SECOND
    calendar.save()
    assert known(alice).state == Freshness.UNREADABLE


def test_of_several_calendars_the_worst_one_counts(alice: Member, max_age: timedelta) -> None:
    calendar_of(alice, known_days=10)
    old = calendar_of(alice, age=HOUR, known_days=400, problem="503")
    found = known(alice)
    assert (found.state, found.checked_at) == (Freshness.UNREADABLE, old.checked_at)
    moment = now()
    assert found.known_from == moment - timedelta(days=1)
    assert found.known_until == moment + timedelta(days=10)
    old.delete()
    assert known(alice).state == Freshness.FRESH
    calendar_of(alice, age=None)
    found = known(alice)
    assert (found.state, found.checked_at, found.known_from) == (Freshness.UNREADABLE, None, None)


@pytest.mark.parametrize("missing", ["checked_at", "known_from", "known_until"])
def test_a_copy_that_lacks_one_of_its_times_is_none(alice: Member, missing: str) -> None:
    calendar = calendar_of(alice)
    setattr(calendar, missing, None)
    calendar.save()
    assert known(alice).state == Freshness.UNREADABLE


def test_each_member_has_their_own_knowledge(alice: Member, bob: Member) -> None:
    calendar_of(alice)
    found = knowledge_of([alice.id, bob.id])
    assert found[alice.id].state == Freshness.FRESH
    assert found[bob.id] is NOT_LINKED


@pytest.mark.parametrize(
    ("state", "is_reliable"),
    [("fresh", True), ("not_linked", True), ("stale", False), ("unreadable", False)],
)
def test_only_fresh_knowledge_is_relied_on(state: str, is_reliable: bool) -> None:
    assert Knowledge(Freshness(state)).is_reliable is is_reliable


def test_a_time_is_known_up_to_both_edges_and_not_beyond(alice: Member) -> None:
    first, last = now(), now() + HOUR
    found = Knowledge(Freshness.FRESH, known_from=first, known_until=last)

    def covers(start: datetime, end: datetime) -> bool:
        return found.covers(start, end)

    assert covers(first, last)
    assert not covers(first - SECOND, last)
    assert not covers(first, last + SECOND)
    assert not Knowledge(Freshness.UNREADABLE, known_from=first).covers(first, last)
    assert not Knowledge(Freshness.UNREADABLE, known_until=last).covers(first, last)
    assert NOT_LINKED.covers(first, last)
