"""What is proposed for a visit in the way: availability would offer it, and it can be booked as it
is, all of it together."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sophiie.accounts.models import Member
from sophiie.appointments.booking import book, change
from sophiie.appointments.errors import Obstacle
from sophiie.appointments.models import Appointment, Assignment
from sophiie.availability.editing import save_rules
from sophiie.availability.plans import rules_of
from sophiie.availability.rules import Rules
from sophiie.availability.services import why_not_for
from sophiie.resources.editing import make
from sophiie.resources.models import Resource
from sophiie.series.booking import book_series, check_series
from sophiie.series.changing import change_series, preview_change
from sophiie.series.drafts import SeriesChange
from sophiie.series.errors import InTheWay, VisitsInTheWay
from sophiie.series.fitting import Answers, Way
from sophiie.series.retiming import NewTime
from sophiie.series.scope import Scope
from sophiie.services.models import Service
from tests.busy import busy, calendar_of
from tests.conftest import details
from tests.series.making import HOUR, appointments_of, made, timing, wall
from tests.services.made import service

pytestmark = pytest.mark.django_db
NINE = datetime(2027, 1, 11, 22, tzinfo=UTC)  # Tuesday 12 January, nine in Sydney
DAY = timedelta(days=1)


@dataclass
class World:
    """A service, who is asked to do it, and much that is in the way."""

    by: Member
    service: Service
    team: list[Member]
    resources: list[Resource]
    travel: int
    length: timedelta

    def check(self, rule: str = "FREQ=DAILY;COUNT=6") -> list[InTheWay]:
        return check_series(
            by=self.by,
            timing=timing(rule, length=self.length),
            details=self.details,
            assignees=self.team,
            resources=self.resources,
        )[1]

    @property
    def details(self) -> Any:
        return details(service_id=self.service.id, travel_minutes=self.travel)

    def book(self, answers: Answers, rule: str = "FREQ=DAILY;COUNT=6") -> list[Appointment]:
        done = book_series(
            by=self.by,
            timing=timing(rule, length=self.length),
            details=self.details,
            assignees=self.team,
            resources=self.resources,
            answers=answers,
        )
        return appointments_of(done.series)

    def why_not(self, start: datetime) -> list[str]:
        """Why availability does not offer this time to somebody of the team."""
        return [
            reason.detail
            for member in self.team
            for reason in why_not_for(
                member=member,
                service=self.service,
                start=start,
                end=start + self.length,
                travel_minutes=self.travel,
                resources=self.resources,
            )
        ]


def world(seed: int, alice: Member, bob: Member) -> World:
    chance = random.Random(seed)
    save_rules(
        by=alice,
        rules=Rules(
            buffer_before_minutes=chance.choice([0, 10]),
            buffer_after_minutes=chance.choice([0, 25]),
            step_minutes=chance.choice([5, 15, 30]),
        ),
    )
    people = chance.choice([1, 1, 2])
    length = chance.choice([30, 45, 90])
    found = World(
        by=alice,
        service=service(
            alice,
            duration_minutes=length,
            people=people,
            buffer_before=chance.choice([None, 0, 20]),
            buffer_after=chance.choice([None, 0, 40]),
            notice_minutes=chance.choice([None, 24 * 60 * 9]),
            window_days=chance.choice([None, 11]),
        ),
        team=chance.choice([[alice], [alice, bob]]),
        resources=[make(by=alice, name="Blue van")] if chance.random() < 0.5 else [],
        travel=chance.choice([0, 35]),
        length=timedelta(minutes=length),
    )
    calendar_of(bob)
    book(by=alice, details=details(start=NINE, end=NINE + HOUR), assignees=[alice, bob])
    van = make(by=alice, name="Red van") if not found.resources else found.resources[0]
    for day in range(-2, 8):
        for _ in range(4):
            start = NINE + day * DAY + timedelta(minutes=15 * chance.randrange(-2, 30))
            end = start + timedelta(minutes=chance.choice([15, 60]))
            who = chance.choice([alice, bob])
            asked = details(start=start, end=end, travel_minutes=chance.choice([0, 0, 30]))
            used = [van] if chance.random() < 0.3 else []
            book(by=alice, details=asked, assignees=[who], resources=used, allow_overlap=True)
        busy(bob, NINE + day * DAY, NINE + day * DAY + timedelta(minutes=20))
    return found


@pytest.mark.parametrize("seed", range(16))
def test_every_proposal_is_offered_by_availability_and_booked_as_it_is(
    seed: int, alice: Member, bob: Member
) -> None:
    asked = world(seed, alice, bob)
    refused = asked.check()
    assert refused
    moves: dict[Any, Way | datetime] = {}
    for visit in refused:
        if visit.nearest is not None:
            assert asked.why_not(visit.nearest) == []
            moves[visit.day] = visit.nearest
    visits = asked.book(Answers(Way.LEAVE_OUT, moves))
    assert set(moves.values()) <= {visit.start for visit in visits}
    rows = Assignment.objects.filter(appointment__in=[visit.id for visit in visits])
    assert {(row.booked_anyway, row.blocking) for row in rows} == {(False, True)}
    for visit in visits:
        if visit.start in moves.values():
            _check_apart(asked, visit, [other for other in visits if other is not visit])


@pytest.mark.parametrize("seed", range(4))
def test_a_visit_that_moves_by_itself_goes_where_availability_offers_it(
    seed: int, alice: Member, bob: Member
) -> None:
    asked = world(seed, alice, bob)
    taken = [visit for visit in asked.check() if visit.nearest is not None]
    offered = {visit.day: asked.why_not(visit.nearest) for visit in taken if visit.nearest}
    assert set(map(tuple, offered.values())) <= {()}
    ways: dict[Any, Way | datetime] = {visit.day: Way.MOVE for visit in taken}
    visits = asked.book(Answers(Way.LEAVE_OUT, ways))
    assert {visit.nearest for visit in taken} <= {visit.start for visit in visits}


def _check_apart(asked: World, one: Appointment, others: list[Appointment]) -> None:
    """Between two visits lie the buffers of both, and the way."""
    found = asked.service
    rules = rules_of(asked.by.business)
    before = rules.buffer_before_minutes if found.buffer_before is None else found.buffer_before
    after = rules.buffer_after_minutes if found.buffer_after is None else found.buffer_after
    apart = timedelta(minutes=before + after + asked.travel)
    for other in others:
        assert other.start >= one.end + apart or one.start >= other.end + apart


def test_no_time_is_proposed_for_what_the_service_does_not_offer(
    alice: Member, bob: Member
) -> None:
    book(by=alice, details=details(start=NINE, end=NINE + HOUR), assignees=[alice, bob])
    check = service(alice, alice, duration_minutes=60)
    fits = World(alice, check, [alice], [], 0, HOUR)
    assert [visit.nearest for visit in fits.check()] == [NINE + HOUR]
    for other in (
        replace(fits, team=[alice, bob]),  # Bob does not do it
        replace(fits, length=timedelta(minutes=50)),
    ):
        assert [visit.nearest for visit in other.check()] == [None]


def test_a_service_for_two_waits_until_somebody_else_is_free_as_well(
    alice: Member, bob: Member
) -> None:
    book(by=alice, details=details(start=NINE, end=NINE + HOUR), assignees=[alice])
    book(by=alice, details=details(start=NINE + HOUR, end=NINE + 3 * HOUR), assignees=[bob])
    for_two = service(alice, duration_minutes=60, people=2)
    asked = World(alice, for_two, [alice], [], 0, HOUR)
    assert [visit.nearest for visit in asked.check()] == [NINE + 3 * HOUR]


def test_proposals_do_not_lie_on_one_another(alice: Member) -> None:
    """Each alone would be proposed the same hour: all others of three days are taken."""
    for day in range(-4, 6):
        free = HOUR if day == 0 else timedelta()
        start = NINE + day * DAY
        book(by=alice, details=details(start=start, end=start + 8 * HOUR - free), assignees=[alice])
    _visits, refused = check_series(
        by=alice, timing=timing("FREQ=DAILY;COUNT=2"), assignees=[alice]
    )
    assert [visit.nearest for visit in refused] == [NINE + 7 * HOUR, None]


def moved_to(when: str) -> SeriesChange:
    return SeriesChange(time=NewTime(start=wall(when)))


def test_a_visit_of_an_older_service_is_moved_with_the_buffers_it_keeps(alice: Member) -> None:
    found = service(alice, duration_minutes=60, buffer_before=0, buffer_after=60)
    series = made_for(alice, found)
    found.buffer_after = 0
    found.save()
    start = NINE + 2 * HOUR
    book(by=alice, details=details(start=start, end=start + HOUR), assignees=[alice])
    how: Any = {"by": alice, "series_id": series.id, "scope": Scope.ALL}
    (refused,) = preview_change(**how, change=moved_to("2027-01-12 11:00")).in_the_way
    # Its own time is taken until it moves, with an hour behind it; then comes the other one.
    assert refused.nearest == NINE + 3 * HOUR
    assert refused.number == 1


def made_for(by: Member, found: Service) -> Any:
    return book_series(
        by=by, details=details(service_id=found.id), timing=timing(), assignees=[by]
    ).series


def test_who_joins_a_visit_moves_it_to_where_all_are_free(alice: Member, bob: Member) -> None:
    """Not only those who join."""
    series = made(alice).series
    first = appointments_of(series)[0]
    book(by=alice, details=details(start=NINE, end=NINE + HOUR), assignees=[bob])
    book(by=alice, details=details(start=NINE + HOUR, end=NINE + 2 * HOUR), assignees=[alice])
    how: Any = {"by": alice, "series_id": series.id, "scope": Scope.ALL}
    join = SeriesChange(assignees=[alice, bob])
    with pytest.raises(VisitsInTheWay) as caught:
        change_series(**how, change=join)
    assert [visit.nearest for visit in caught.value.visits] == [NINE + 2 * HOUR]
    change_series(**how, change=join, answers=Answers(Way.MOVE))
    first.refresh_from_db()
    assert first.start == NINE + 2 * HOUR
    assert set(first.assignments.values_list("booked_anyway", "blocking")) == {(False, True)}


def test_a_named_time_is_asked_of_everybody_whom_the_visit_has_then(
    alice: Member, bob: Member
) -> None:
    series = made(alice).series
    book(by=alice, details=details(start=NINE + HOUR, end=NINE + 2 * HOUR), assignees=[alice])
    to_there = Answers(each={day(NINE): NINE + HOUR})
    with pytest.raises(VisitsInTheWay) as caught:
        change_series(
            by=alice,
            series_id=series.id,
            scope=Scope.ALL,
            change=SeriesChange(assignees=[alice, bob]),
            answers=to_there,
        )
    assert [names(visit.obstacles) for visit in caught.value.visits] == [["Alice"]]


def day(moment: datetime) -> Any:
    return (moment + timedelta(hours=11)).date()


def names(obstacles: list[Obstacle]) -> list[str]:
    return [one.member_name for one in obstacles]


def test_two_groups_of_a_series_that_move_onto_each_other_are_listed(
    alice: Member, bob: Member
) -> None:
    """The visits of one person and those of two, which overlap after the change."""
    series = made(alice, "FREQ=DAILY;COUNT=4").series
    second = appointments_of(series)[1]
    how: Any = {"by": alice, "series_id": series.id, "scope": Scope.ALL, "include_changed": True}
    change(by=alice, appointment_id=second.id, changes={}, assignees=[alice, bob])
    onto = Answers(each={day(NINE) + DAY: NINE + HOUR})
    later = moved_to("2027-01-12 10:00")
    with pytest.raises(VisitsInTheWay) as caught:
        change_series(**how, change=later, answers=onto)
    (refused,) = caught.value.visits
    assert (refused.number, names(refused.obstacles)) == (2, ["Alice"])
    assert refused.obstacles[0].title == "Leaking tap"
    assert refused.nearest is not None
    change_series(**how, change=later, answers=Answers(each={day(NINE) + DAY: refused.nearest}))
    assert len({a.start for a in appointments_of(series)}) == 4


def test_a_visit_left_where_it_is_keeps_others_from_moving_there(alice: Member) -> None:
    """All move on by a day, and the third cannot: so the second cannot either, and the first."""
    series = made(alice, "FREQ=DAILY;COUNT=3").series
    start = NINE + 3 * DAY
    book(by=alice, details=details(start=start, end=start + HOUR), assignees=[alice])
    how: Any = {"by": alice, "series_id": series.id, "scope": Scope.ALL}
    by_a_day = moved_to("2027-01-13 09:00")
    only_third = Answers(each={day(start): Way.LEAVE_OUT})
    with pytest.raises(VisitsInTheWay) as caught:
        change_series(**how, change=by_a_day, answers=only_third)
    assert [visit.number for visit in caught.value.visits] == [2]
    change_series(**how, change=by_a_day, answers=Answers(Way.LEAVE_OUT))
    assert [a.start for a in appointments_of(series)] == [NINE, NINE + DAY, NINE + 2 * DAY]
