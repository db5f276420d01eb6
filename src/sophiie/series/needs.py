"""What a visit needs wherever it is booked, and the nearest time that has all of it.

What is proposed for a visit is a slot of availability, on the terms of its service: it can be
booked as it is.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sophiie.accounts.models import Business, Member
from sophiie.appointments.conflicts import Period
from sophiie.appointments.models import Appointment
from sophiie.availability import proposals
from sophiie.availability.rules import USUAL, Terms
from sophiie.availability.services import is_done_by, terms_kept, terms_of
from sophiie.resources.models import Resource
from sophiie.series.errors import InTheWay, VisitsInTheWay
from sophiie.services.models import Service
from sophiie.services.selectors import able_members, services_of

# How far from its time another one is proposed for a visit, and for how many visits: whoever is
# asked for proposals, or moves visits, keeps others waiting no longer than that takes.
NEAR = timedelta(days=3)
MAX_PROPOSALS = 40


@dataclass(frozen=True, kw_only=True)
class Needs:
    """Whose time a visit takes, which resources, and on what terms another time is proposed.

    `others` do the service as well, if it takes more people than the team. What is not `offered`
    at any time, such as a length that the service does not have, gets no proposal.
    """

    team: tuple[Member, ...]
    resources: tuple[Resource, ...] = ()
    terms: Terms = USUAL
    others: tuple[Member, ...] = ()
    offered: bool = True

    @property
    def taken(self) -> frozenset[UUID]:
        """The people and things that cannot be used twice."""
        return frozenset(one.pk for one in (*self.team, *self.resources))

    def only(self, team: Iterable[Member], resources: Iterable[Resource]) -> Needs:
        return replace(self, team=tuple(team), resources=tuple(resources))


def needs_of_new(
    *,
    business: Business,
    team: Sequence[Member],
    resources: Sequence[Resource],
    length: timedelta,
    service_id: UUID | None = None,
    travel_minutes: int = 0,
) -> Needs:
    """What visits need that are booked for a service, or for none. Whether the business has the
    service is checked when it is noted on them."""
    service = _service(business, service_id)
    needs = Needs(
        team=tuple(team),
        resources=tuple(resources),
        terms=terms_of(service, travel_minutes=travel_minutes),
    )
    if service is None:
        return needs
    named, others = {member.pk for member in team}, []
    if service.people > len(named):
        others = [member for member in able_members(service) if member.pk not in named]
    return replace(needs, others=tuple(others), offered=is_done_by(service, team, length))


def _service(business: Business, service_id: UUID | None) -> Service | None:
    return services_of(business.pk).filter(pk=service_id).first() if service_id else None


@dataclass
class NeedsOfBooked:
    """What visits need that are booked already, or others like them: who does them, and for how
    long, was agreed then. Of visits that are alike it asks the database once."""

    business: Business
    change: Mapping[str, Any] = field(default_factory=dict)  # details that become others
    _known: dict[tuple[object, ...], Needs] = field(default_factory=dict)

    def of(
        self,
        appointment: Appointment,
        team: Sequence[Member],
        resources: Sequence[Resource],
        length: timedelta,
    ) -> Needs:
        """`length` counts for a service that the appointment only gets by the change."""
        kept = (getattr(appointment, name) for name in _KEPT)
        people, things = (one.pk for one in team), (one.pk for one in resources)
        key = (*kept, length, *people, None, *things)
        if key not in self._known:
            self._known[key] = self._needs(appointment, team, resources, length)
        return self._known[key]

    def _needs(
        self,
        appointment: Appointment,
        team: Sequence[Member],
        resources: Sequence[Resource],
        length: timedelta,
    ) -> Needs:
        way = self.change.get("travel_minutes", appointment.travel_minutes)
        service_id = self.change.get("service_id", appointment.service_id)
        if service_id != appointment.service_id:
            return needs_of_new(
                business=self.business,
                team=team,
                resources=resources,
                length=length,
                service_id=service_id,
                travel_minutes=way,
            )
        terms = terms_kept(appointment, _service(self.business, service_id))
        terms = replace(terms, travel_minutes=way)
        return Needs(team=tuple(team), resources=tuple(resources), terms=terms)


_KEPT = ("service_id", "buffer_before_minutes", "buffer_after_minutes", "travel_minutes")


@dataclass(frozen=True, kw_only=True)
class Placed:
    """Where a visit of the act lies, and whose and what it takes there."""

    start: datetime
    end: datetime
    taken: Collection[UUID]

    def meets(self, other: Placed) -> bool:
        return (
            self.start < other.end
            and other.start < self.end
            and any(one in other.taken for one in self.taken)
        )


def nearest_free(
    business: Business,
    period: Period,
    needs: Needs,
    *,
    placed: Iterable[Placed] = (),
    only_looking: bool = False,
) -> datetime | None:
    """When everything the visit needs is free nearest to this period, besides what is `placed`
    already by the same act."""
    if not needs.offered:
        return None
    start, end = period
    taken = needs.taken
    beside = [(one.start, one.end) for one in placed if not taken.isdisjoint(one.taken)]
    return proposals.nearest_free(
        business=business,
        members=needs.team,
        start=start,
        duration=end - start,
        within=NEAR,
        terms=needs.terms,
        resources=needs.resources,
        others=needs.others,
        beside=beside,
        only_looking=only_looking,
    )


def with_proposals(error: VisitsInTheWay, business: Business) -> VisitsInTheWay:
    """The same with the nearest free time of each of the first visits in the way. They can be taken
    all together."""
    placed = list(error.placed)
    proposed: list[InTheWay] = []
    for visit in error.visits:
        nearest = None
        if visit.needs is not None and len(proposed) < MAX_PROPOSALS:
            period = (visit.start, visit.end)
            nearest = nearest_free(business, period, visit.needs, placed=placed)
        if nearest is not None and visit.needs is not None:
            end = nearest + (visit.end - visit.start)
            placed.append(Placed(start=nearest, end=end, taken=visit.needs.taken))
        proposed.append(replace(visit, nearest=nearest))
    return VisitsInTheWay(proposed, error.of, placed)
