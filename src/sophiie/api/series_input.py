"""What a request says of a series: when it is, what becomes of visits in the way, what changes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sophiie.accounts.models import Member
from sophiie.api.booking_input import (
    changed_details,
    check_may_overlap,
    customer_named,
    length_said,
)
from sophiie.api.problems import invalid
from sophiie.api.series_requests import Fit, SeriesIn, SeriesPatch
from sophiie.appointments.models import Appointment
from sophiie.appointments.resources import resources_named
from sophiie.appointments.rules import assignees_of
from sophiie.common.wall_time import in_zone, is_zone
from sophiie.resources.models import Resource
from sophiie.resources.selectors import uses_of_many
from sophiie.series.drafts import SeriesChange
from sophiie.series.fitting import Answers, Way
from sophiie.series.models import Series
from sophiie.series.planning import NOT_ASKED, ClockAnswers, Doubled, Skipped, Timing
from sophiie.series.retiming import NewTime
from sophiie.series.rule import Rule, ShortMonths, read
from sophiie.services.models import Service


def timing_of(data: SeriesIn, member: Member, service: Service | None) -> Timing:
    zone = member.business.timezone if data.timezone is None else data.timezone
    if not is_zone(zone):
        raise invalid({"timezone": ["This is not an IANA time zone, such as Australia/Sydney."]})
    end, minutes = length_said(data, service)
    first = wall_of(data.start, zone)
    return Timing(
        rule=rule_of(data.rule, first, zone, data.short_months),
        first=first,
        zone=zone,
        length=timedelta(minutes=minutes or 0) if end is None else end - data.start,
        left_out=frozenset(data.left_out),
        answers=clock_answers(data) or NOT_ASKED,
    )


def answers_of(data: Fit, member: Member) -> Answers:
    each: dict[date, Way | datetime] = {}
    for answer in data.answers:
        if (answer.start is None) == (answer.in_the_way is None):
            raise invalid({"answers": ["Give either in_the_way or start for each day."]})
        each[answer.day] = answer.start or Way(answer.in_the_way or "")
    answers = Answers(Way(data.in_the_way), each, unverified=data.accept_unverified)
    check_may_overlap(member, Way.BOOK_ANYWAY in (answers.otherwise, *each.values()))
    return answers


def change_of(
    data: SeriesPatch, series: Series, member: Member, appointment_id: UUID | None
) -> SeriesChange:
    zone = series.timezone
    start = wall_of(data.start, zone) if data.start else None
    rule = None
    if data.rule is not None:
        rule = rule_of(data.rule, start or _first(series, appointment_id), zone, data.short_months)
    elif data.short_months is not None:
        rule = replace(series.rule_as_told, short_months=ShortMonths(data.short_months))
    minutes = data.duration_minutes
    visits = series.visits.values_list("appointment_id", flat=True)
    return SeriesChange(
        details=changed_details(data),
        assignees=team_of(data, member),
        customer_id=customer_named(data),
        resources=resources_of(data, member, visits),
        time=NewTime(
            rule=rule,
            start=start,
            length=timedelta(minutes=minutes) if minutes else None,
            left_out=None if data.left_out is None else frozenset(data.left_out),
            answers=clock_answers(data),
        ),
    )


def change_of_one(data: SeriesPatch, shown: Appointment, member: Member) -> dict[str, Any]:
    """What `booking.change` is told to do with one visit, which is as any other appointment."""
    if data.rule is not None or data.left_out is not None:
        raise invalid({"scope": ["One visit has no rule of its own."]})
    changes = changed_details(data)
    if data.start is not None or data.duration_minutes is not None:
        start = data.start or shown.start
        wall_of(start, shown.timezone)  # raises where no end can be added
        length = shown.end - shown.start
        if data.duration_minutes is not None:
            length = timedelta(minutes=data.duration_minutes)
        changes |= {"start": start, "end": start + length}
    return {
        "changes": changes,
        "assignees": team_of(data, member),
        "resources": resources_of(data, member, [shown.id]),
    }


def team_of(data: SeriesPatch, member: Member) -> list[Member] | None:
    return None if data.assignees is None else assignees_of(member.business, data.assignees)


def resources_of(
    data: SeriesPatch, member: Member, visits: Iterable[UUID]
) -> list[Resource] | None:
    """Those that the request names; one that is out of use can stay where it is used."""
    if data.resource_ids is None:
        return None
    staying = [use.resource for uses in uses_of_many(visits).values() for use in uses]
    return resources_named(member.business, data.resource_ids, staying=staying)


def _first(series: Series, appointment_id: UUID | None) -> datetime:
    """The wall time of the visit from which on a rule applies."""
    visit = series.visits.filter(appointment=appointment_id).first()
    return datetime.combine(visit.planned, series.first.time()) if visit else series.first


def rule_of(text: str, first: datetime, zone: str, short_months: str | None) -> Rule:
    return read(text, first=first, zone=zone, short_months=ShortMonths(short_months or "skip"))


def wall_of(moment: datetime, zone: str) -> datetime:
    try:
        wall = in_zone(moment, zone).replace(tzinfo=None)
    except OverflowError:
        wall = None
    if wall is None or not 2000 <= wall.year < 2100:
        raise invalid({"start": ["Use a date between the years 2000 and 2099."]})
    return wall


def clock_answers(data: Fit) -> ClockAnswers | None:
    if data.clocks is None:
        return None
    skipped, doubled = data.clocks.skipped, data.clocks.doubled
    return ClockAnswers(
        Skipped(skipped) if skipped else None, Doubled(doubled) if doubled else None
    )
