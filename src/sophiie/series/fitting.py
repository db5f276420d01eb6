"""Fits planned visits into the assignees' time: what is in the way of each, and what becomes of it.

Only reads. The acts ask here under the members' locks; pages and the API ask before.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from sophiie.accounts.models import Business, Member
from sophiie.appointments.assignments import Consent
from sophiie.appointments.errors import Obstacle, Source
from sophiie.appointments.many import obstacles_at
from sophiie.appointments.rules import EARLIEST, LATEST, LONGEST, may_book_over
from sophiie.series.errors import InTheWay, InvalidSeries, VisitsInTheWay
from sophiie.series.needs import MAX_PROPOSALS, Needs, Placed, nearest_free
from sophiie.series.planning import Planned


class Way(StrEnum):
    """What becomes of a visit at whose time somebody is not free."""

    REFUSE = "refuse"
    LEAVE_OUT = "leave_out"
    MOVE = "move"
    BOOK_ANYWAY = "book_anyway"


@dataclass(frozen=True)
class Answers:
    """What becomes of visits that are in the way: in general, and of single ones by their day. An
    instant moves the visit there."""

    otherwise: Way = Way.REFUSE
    each: Mapping[date, Way | datetime] = field(default_factory=dict)
    unverified: bool = False

    def to(self, visit: Planned) -> Way | datetime:
        return self.each.get(visit.day, self.otherwise)

    def check(self, by: Member) -> None:
        """Raises `InvalidSeries` if this member may not book over what is in the way."""
        if Way.BOOK_ANYWAY in (self.otherwise, *self.each.values()) and not may_book_over(by):
            words = _("Only owners and admins may book over an appointment.")
            raise InvalidSeries({"in_the_way": words})


NO_ANSWERS = Answers()


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A visit that is to be booked, and what it needs. Where it `stays` at its time only what is
    `joining` is new there. `now`: where it lies, and goes on to lie if it is left out."""

    planned: Planned
    needs: Needs
    joining: Needs | None = None
    now: Placed | None = None
    title: str = ""
    appointment_id: UUID | None = None


@dataclass(frozen=True, kw_only=True)
class Fitted:
    """A visit as it can be booked, with the obstacles that somebody agreed to."""

    planned: Planned
    start: datetime
    end: datetime
    obstacles: list[Obstacle] = field(default_factory=list)


def fit(
    *,
    business: Business,
    visits: Sequence[Asked],
    timezone: str,
    answers: Answers,
    exclude: Collection[UUID] = (),
) -> list[Fitted]:
    """The visits that can be booked, by the answers; those left out are missing. The visits are in
    each other's way as well as others are in theirs.

    Raises `VisitsInTheWay` without proposals, which `with_proposals` adds outside the transaction.
    """
    trials = [_trial(visit, answers, timezone) for visit in visits]
    _look(trials, timezone, exclude)
    # What stays at its time was there first.
    waiting = deque(sorted(trials, key=lambda one: (one.asked.joining is None, one.number)))
    placed: dict[int, _Trial] = {}
    staying: list[_Trial] = []
    refused: list[_Trial] = []
    to_move: list[_Trial] = []
    while waiting:
        one = waiting.popleft()
        one.beside = one.met_by([*placed.values(), *staying])
        way = answers.to(one.asked.planned)
        consent = Consent(overlap=way == Way.BOOK_ANYWAY, unverified=answers.unverified)
        if all(map(consent.covers, one.obstacles)):
            placed[one.number] = one
        elif way == Way.MOVE and len(to_move) < MAX_PROPOSALS:
            to_move.append(one)
        elif way != Way.LEAVE_OUT:
            refused.append(one)
        elif one.asked.now is not None:
            one.at = one.asked.now
            staying.append(one)
            # Whoever was to come there is asked about it again.
            for other in [other for other in placed.values() if other.at.meets(one.at)]:
                waiting.append(placed.pop(other.number))
    for one in to_move:
        there = [other.at for other in (*placed.values(), *staying)]
        period = (one.at.start, one.at.end)
        start = nearest_free(business, period, one.asked.needs, placed=there)
        if start is None:
            refused.append(one)
        else:
            one.move_to(start)
            placed[one.number] = one
    if refused:
        listed = [one.in_the_way() for one in sorted(refused, key=lambda one: one.number)]
        there = [other.at for other in (*placed.values(), *staying)]
        raise VisitsInTheWay(listed, len(visits), there)
    return [one.fitted() for _number, one in sorted(placed.items())]


@dataclass(kw_only=True)
class _Trial:
    """A visit while it is fitted: where it would be, and what is in its way there."""

    asked: Asked
    at: Placed
    timezone: str
    others: list[Obstacle] = field(default_factory=list)
    beside: list[Obstacle] = field(default_factory=list)

    @property
    def number(self) -> int:
        return self.asked.planned.number

    @property
    def obstacles(self) -> list[Obstacle]:
        return [*self.others, *self.beside]

    @property
    def new_there(self) -> Needs:
        """What has to be free at the time: all it needs, or what joins a visit that stays."""
        planned, joining = self.asked.planned, self.asked.joining
        stays = (self.at.start, self.at.end) == (planned.start, planned.end)
        return joining if joining is not None and stays else self.asked.needs

    def met_by(self, others: Iterable[_Trial]) -> list[Obstacle]:
        """The visits of the same act that are in its way."""
        return [it for other in others if self.at.meets(other.at) for it in self._obstacles(other)]

    def _obstacles(self, other: _Trial) -> list[Obstacle]:
        needs, there = self.asked.needs, other.at
        each: Any = {
            "start": there.start,
            "end": there.end,
            "timezone": self.timezone,
            "title": other.asked.title,
            "appointment_id": other.asked.appointment_id,
        }
        people = [
            Obstacle(source=Source.APPOINTMENT, member_id=one.pk, member_name=one.name, **each)
            for one in needs.team
            if one.pk in there.taken
        ]
        things = [
            Obstacle.of_resource(one.pk, one.name, **each)
            for one in needs.resources
            if one.pk in there.taken
        ]
        return [*people, *things]

    def move_to(self, start: datetime) -> None:
        self.at = replace(self.at, start=start, end=start + (self.at.end - self.at.start))
        self.others, self.beside = [], []

    def fitted(self) -> Fitted:
        return Fitted(
            planned=self.asked.planned,
            start=self.at.start,
            end=self.at.end,
            obstacles=self.obstacles,
        )

    def in_the_way(self) -> InTheWay:
        return InTheWay(
            number=self.number,
            day=self.asked.planned.day,
            start=self.at.start,
            end=self.at.end,
            timezone=self.timezone,
            obstacles=self.obstacles,
            needs=self.asked.needs,
        )


def _trial(visit: Asked, answers: Answers, timezone: str) -> _Trial:
    planned, way = visit.planned, answers.to(visit.planned)
    start = way if isinstance(way, datetime) else planned.start
    if not EARLIEST <= start < LATEST - LONGEST:
        raise InvalidSeries({"answers": _("Use a date between the years 2000 and 2099.")})
    end = start + (planned.end - planned.start)
    at = Placed(start=start, end=end, taken=visit.needs.taken)
    return _Trial(asked=visit, at=at, timezone=timezone)


def _look(trials: Sequence[_Trial], timezone: str, exclude: Collection[UUID]) -> None:
    """Finds what others have in the way of each; together for those that need the same."""
    groups: dict[tuple[object, ...], list[_Trial]] = defaultdict(list)
    for one in trials:
        needs = one.new_there
        key = (*(it.pk for it in needs.team), None, *(it.pk for it in needs.resources))
        groups[key].append(one)
    for group in groups.values():
        needs = group[0].new_there
        found = obstacles_at(
            needs.team,
            [(one.at.start, one.at.end) for one in group],
            timezone,
            exclude=exclude,
            resources=needs.resources,
        )
        for one, obstacles in zip(group, found, strict=True):
            one.others = obstacles
