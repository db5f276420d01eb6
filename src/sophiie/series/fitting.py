"""Fits planned visits into the assignees' time: what is in the way of each, and what becomes of it.

Only reads. The acts ask here under the members' locks; pages and the API ask before.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from itertools import pairwise
from uuid import UUID

from django.utils.translation import gettext as _

from sophiie.accounts.models import Business, Member
from sophiie.appointments.assignments import Consent
from sophiie.appointments.errors import Obstacle
from sophiie.appointments.many import obstacles_at
from sophiie.appointments.rules import EARLIEST, LATEST, LONGEST, may_book_over
from sophiie.availability.slots import MAX_MEMBERS, TooMuch, find_slots
from sophiie.common.clock import now
from sophiie.resources.models import Resource
from sophiie.series.errors import InTheWay, InvalidSeries, VisitsInTheWay
from sophiie.series.planning import Planned

# How far from its time another one is proposed for a visit, and for how many visits: whoever is
# asked for proposals, or moves visits, keeps others waiting no longer than that takes.
NEAR = timedelta(days=3)
MAX_PROPOSALS = 40


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
class Fitted:
    """A visit as it can be booked, with the obstacles that somebody agreed to."""

    planned: Planned
    start: datetime
    end: datetime
    obstacles: list[Obstacle] = field(default_factory=list)


def fit(
    *,
    business: Business,
    team: Sequence[Member],
    visits: Sequence[Planned],
    timezone: str,
    answers: Answers,
    exclude: Collection[UUID] = (),
    resources: Sequence[Resource] = (),
) -> list[Fitted]:
    """The visits that can be booked with these resources, by the answers; those left out are
    missing.

    Raises `VisitsInTheWay` without proposals, which `with_proposals` adds outside the transaction.
    """
    asked = [_where(visit, answers) for visit in visits]
    periods = [(one.start, one.end) for one in asked]
    found = obstacles_at(team, periods, timezone, exclude=exclude, resources=resources)
    fitted: list[Fitted] = []
    refused: list[InTheWay] = []
    to_move: list[Fitted] = []
    for one, obstacles in zip(asked, found, strict=True):
        way = answers.to(one.planned)
        consent = Consent(overlap=way == Way.BOOK_ANYWAY, unverified=answers.unverified)
        if all(map(consent.covers, obstacles)):
            fitted.append(replace(one, obstacles=obstacles))
        elif way == Way.MOVE and len(to_move) < MAX_PROPOSALS:
            to_move.append(replace(one, obstacles=obstacles))
        elif way != Way.LEAVE_OUT:
            refused.append(_in_the_way(one, obstacles, timezone))
    for one in to_move:
        taken = [(other.start, other.end) for other in fitted]
        start = nearest_free(
            business=business, team=team, visit=one, taken=taken, resources=resources
        )
        if start is None:
            refused.append(_in_the_way(one, one.obstacles, timezone))
        else:
            fitted.append(Fitted(planned=one.planned, start=start, end=start + _length(one)))
    if refused:
        raise VisitsInTheWay(sorted(refused, key=lambda visit: visit.number), len(visits))
    fitted.sort(key=lambda one: one.planned.number)
    _check_apart(fitted)
    return fitted


def _where(visit: Planned, answers: Answers) -> Fitted:
    way = answers.to(visit)
    start = way if isinstance(way, datetime) else visit.start
    if not EARLIEST <= start < LATEST - LONGEST:
        raise InvalidSeries({"answers": _("Use a date between the years 2000 and 2099.")})
    return Fitted(planned=visit, start=start, end=start + (visit.end - visit.start))


def _length(one: Fitted) -> timedelta:
    return one.end - one.start


def _in_the_way(one: Fitted, obstacles: list[Obstacle], timezone: str) -> InTheWay:
    return InTheWay(
        number=one.planned.number,
        day=one.planned.day,
        start=one.start,
        end=one.end,
        timezone=timezone,
        obstacles=obstacles,
    )


def _check_apart(fitted: Sequence[Fitted]) -> None:
    """Visits that were moved by hand may come to lie over one another."""
    ordered = sorted(fitted, key=lambda one: one.start)
    for one, after in pairwise(ordered):
        if after.start < one.end:
            raise InvalidSeries({"answers": _("Two visits of the series would overlap.")})


def nearest_free(
    *,
    business: Business,
    team: Sequence[Member],
    visit: Fitted | InTheWay,
    taken: Sequence[tuple[datetime, datetime]] = (),
    resources: Sequence[Resource] = (),
) -> datetime | None:
    """When all of the team and the resources are free nearest to the visit's time, besides what is
    `taken`."""
    length = visit.end - visit.start
    first = max(visit.start - NEAR, now())
    if not team or len(team) > MAX_MEMBERS or first >= visit.end + NEAR:
        return None
    try:
        offer = find_slots(
            business=business,
            members=team,
            start=first,
            end=visit.end + NEAR,
            duration=length,
            together=True,
            resources=resources,
        )
    except TooMuch:
        return None
    slots = sorted(offer.slots, key=lambda slot: (abs(slot.start - visit.start), slot.start))
    for slot in slots:
        if not any(slot.start < end and start < slot.end for start, end in taken):
            return slot.start
    return None


def with_proposals(
    error: VisitsInTheWay,
    *,
    business: Business,
    team: Sequence[Member],
    resources: Sequence[Resource] = (),
) -> VisitsInTheWay:
    """The same with the nearest free time of each of the first visits in the way."""
    proposed = [
        replace(
            visit,
            nearest=nearest_free(business=business, team=team, visit=visit, resources=resources),
        )
        if n < MAX_PROPOSALS
        else visit
        for n, visit in enumerate(error.visits)
    ]
    return VisitsInTheWay(proposed, error.of)
