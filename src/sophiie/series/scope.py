"""Which visits of a series an act is about: this, this and the following, or all."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from uuid import UUID

from django.utils.translation import gettext as _

from sophiie.accounts.models import Member
from sophiie.appointments.models import Appointment, Assignment
from sophiie.common.clock import now
from sophiie.resources.models import Resource, ResourceUse
from sophiie.resources.selectors import uses_of_many
from sophiie.series.errors import InvalidSeries, UnknownSeries
from sophiie.series.models import Series, Visit


class Scope(StrEnum):
    THIS = "this"
    FOLLOWING = "following"
    ALL = "all"


@dataclass(kw_only=True)
class Part:
    """The visits from one on, in order, with their appointments and assignments.

    `rest` begins with the first that is ahead, whatever became of each; `touched` are those that
    the act changes, `kept` those that somebody changed alone. `pointed_at` is the visit that was
    named, or the first. Whoever names a visit means it, even if it was changed alone before.
    """

    series: Series
    before: list[Visit]
    rest: list[Visit]
    pointed_at: Visit
    named: Visit | None
    include_changed: bool
    moment: datetime
    assignments: dict[UUID, list[Assignment]]
    uses: dict[UUID, list[ResourceUse]]

    @cached_property
    def touched(self) -> list[Visit]:
        return [v for v in self._ahead if not self.stays_alone(v)]

    @cached_property
    def kept(self) -> list[Visit]:
        return [v for v in self._ahead if self.stays_alone(v)]

    def stays_alone(self, visit: Visit) -> bool:
        """Whether it is left as somebody changed it alone."""
        return visit.changed_alone and not self.include_changed and visit is not self.named

    @cached_property
    def _ahead(self) -> list[Visit]:
        return [
            visit
            for visit in self.rest
            if visit.appointment.is_on and visit.appointment.start > self.moment
        ]

    @property
    def first_number(self) -> int:
        return self.rest[0].number

    def team_of(self, visit: Visit) -> list[Member]:
        return [assignment.member for assignment in self.assignments[visit.appointment_id]]

    def resources_of(self, visit: Visit) -> list[Resource]:
        return [use.resource for use in self.uses.get(visit.appointment_id, [])]


def part_of(
    series: Series,
    *,
    scope: Scope,
    appointment_id: UUID | None,
    include_changed: bool,
    held: bool = False,
) -> Part:
    """The visits that the act is about. With `held` their rows are locked, in order, until the
    transaction ends. Raises `UnknownSeries`, and `InvalidSeries` if none is ahead."""
    appointments = Appointment.objects.filter(pk__in=_ids_of(series)).order_by("id")
    if held:  # not against rows that refer to them
        appointments = appointments.select_for_update(no_key=True)
    known = {appointment.id: appointment for appointment in appointments}
    visits = list(Visit.objects.filter(series=series).order_by("number"))
    visits = [visit for visit in visits if visit.appointment_id in known]
    for visit in visits:
        visit.appointment = known[visit.appointment_id]
        visit.appointment.business = series.business
    pointed_at = _pointed_at(visits, appointment_id)
    if scope == Scope.FOLLOWING and pointed_at is None:
        words = _("Name the appointment from which on it applies.")
        raise InvalidSeries({"appointment": words})
    begins = pointed_at.number if scope == Scope.FOLLOWING and pointed_at else 0
    moment = now()
    rest = _rest(visits, begins, moment)
    if not rest:
        raise InvalidSeries({"scope": _("No visit of this series is ahead.")})
    return Part(
        series=series,
        before=[visit for visit in visits if visit.number < rest[0].number],
        rest=rest,
        pointed_at=pointed_at if pointed_at in rest else rest[0],
        named=pointed_at if pointed_at in rest else None,
        include_changed=include_changed,
        moment=moment,
        assignments=_assignments(rest),
        uses=uses_of_many(visit.appointment_id for visit in rest),
    )


def check_not_run_out(part: Part) -> None:
    """Nothing is changed that is not there any more. Raises `InvalidSeries` if all that is ahead
    are holds that have expired."""
    if not part.touched and not part.kept:
        refuse_run_out(visit.appointment for visit in part.rest)


def refuse_run_out(appointments: Iterable[Appointment]) -> None:
    """Raises `InvalidSeries` if one of these visits is a hold that has expired."""
    if any(one.deleted_at is None and one.has_run_out for one in appointments):
        words = _("These times are not held any more: confirm the series, or book it anew.")
        raise InvalidSeries({"series": words})


def _ids_of(series: Series) -> list[UUID]:
    return list(Visit.objects.filter(series=series).values_list("appointment_id", flat=True))


def _pointed_at(visits: Sequence[Visit], appointment_id: UUID | None) -> Visit | None:
    if appointment_id is None:
        return None
    for visit in visits:
        if visit.appointment_id == appointment_id and visit.appointment.deleted_at is None:
            return visit
    raise UnknownSeries


def _rest(visits: Sequence[Visit], begins: int, moment: datetime) -> list[Visit]:
    """From the first that has not begun. A later one that somebody moved into the past is among
    them, so that it keeps its place; `Part.touched` leaves it out."""
    from_ = [visit for visit in visits if visit.number >= begins]
    first = next((v.number for v in from_ if v.appointment.start > moment), None)
    if first is None:
        return []
    return [v for v in from_ if v.number >= first]


def _assignments(visits: Sequence[Visit]) -> dict[UUID, list[Assignment]]:
    found: dict[UUID, list[Assignment]] = {visit.appointment_id: [] for visit in visits}
    rows = Assignment.objects.filter(appointment__in=list(found)).select_related("member")
    for row in rows.order_by("id"):
        found[row.appointment_id].append(row)
    return found


def locked_series(by: Member, series_id: UUID) -> Series:
    """The series, locked against other acts on it."""
    found = (
        Series.objects.select_for_update(no_key=True, of=("self",))
        .select_related("business")
        .filter(pk=series_id, business=by.business_id)
        .first()
    )
    if found is None:
        raise UnknownSeries
    return found
