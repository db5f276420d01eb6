"""What stands on a day sheet: who goes where, and when, in order."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from django.db.models import QuerySet

from sophiie.accounts.models import Member
from sophiie.appointments.models import Appointment, Status
from sophiie.appointments.resource_clashes import resource_clashes
from sophiie.appointments.selectors import in_period
from sophiie.availability.words import length
from sophiie.common.wall_time import in_zone, local_day
from sophiie.resources.selectors import names_of_resources
from sophiie.series.selectors import number_and_total
from sophiie.web.appointments.series_mark import in_its_series

# Of one page. A day of a business has far fewer.
MAX_VISITS = 500


@dataclass(frozen=True)
class Visit:
    """An appointment on one day, in the clocks of the business."""

    appointment: Appointment
    start: datetime
    end: datetime
    begins_before: bool
    ends_after: bool
    others: tuple[str, ...]
    way: str  # how long it takes to get there, if somebody said so
    number_of: str = ""  # "3 of 10", if it repeats
    resources: tuple[str, ...] = ()
    twice: tuple[str, ...] = ()  # the resources that another appointment has, too


@dataclass
class Sheet:
    """One person's day, or one day of a person."""

    title: str
    day: date
    visits: list[Visit] = field(default_factory=list)


def my_day(member: Member, day: date) -> Sheet:
    """The member's own visits of a day."""
    return my_days(member, day, count=1)[0]


def my_days(member: Member, first: date, *, count: int) -> list[Sheet]:
    """The member's own visits of some days, a sheet for each day."""
    days = [first + timedelta(days=n) for n in range(count)]
    zone = member.business.timezone
    period = local_day(days[0], zone)[0], local_day(days[-1], zone)[1]
    appointments = list(_visible(member, *period).filter(assignments__member=member)[:MAX_VISITS])
    return [Sheet(member.name, day, _on(day, appointments, member, without=member)) for day in days]


def team_day(member: Member, day: date) -> list[Sheet]:
    """Everybody's visits of a day, a sheet for each person who has any, in the order of names.

    A visit for which two people go stands on the sheets of both.
    """
    appointments = list(_visible(member, *local_day(day, member.business.timezone))[:MAX_VISITS])
    people: dict[object, tuple[Member, list[Appointment]]] = {}
    for appointment in appointments:
        for assignment in appointment.assignments.all():
            who = assignment.member
            people.setdefault(who.pk, (who, []))[1].append(appointment)
    in_order = sorted(people.values(), key=lambda one: (one[0].name.casefold(), str(one[0].pk)))
    return [Sheet(who.name, day, _on(day, theirs, member, without=who)) for who, theirs in in_order]


def _visible(member: Member, start: datetime, end: datetime) -> QuerySet[Appointment]:
    found = in_period(member, start, end).exclude(status=Status.CANCELLED)
    return found.annotate(place=number_and_total())


def _on(
    day: date, appointments: Iterable[Appointment], reader: Member, *, without: Member
) -> list[Visit]:
    zone = reader.business.timezone
    begins, ends = local_day(day, zone)
    appointments = [a for a in appointments if a.start < ends and a.end > begins]
    resources = names_of_resources(a.pk for a in appointments)
    twice = resource_clashes([a.pk for a in appointments]) if resources else {}
    return [
        Visit(
            appointment=a,
            start=in_zone(a.start, zone),
            end=in_zone(a.end, zone),
            begins_before=a.start < begins,
            ends_after=a.end > ends,
            others=tuple(
                one.member.name for one in a.assignments.all() if one.member_id != without.pk
            ),
            way=length(timedelta(minutes=a.travel_minutes)) if a.travel_minutes else "",
            number_of=in_its_series(a),
            resources=tuple(resources.get(a.pk, ())),
            twice=tuple(sorted({it.member_name for it in twice.get(a.pk, ())})),
        )
        for a in appointments
    ]
