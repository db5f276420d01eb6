"""Reads hours and rules; of many members at once as cheaply as of one."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime, timedelta
from uuid import UUID

from django.db.models import Q

from sophiie.accounts.models import Business, Member
from sophiie.availability.hours import (
    USUAL_WEEK,
    Hours,
    Special,
    spans_from_json,
    week_from_json,
)
from sophiie.availability.models import BookingRules, SpecialDay, WorkingHours
from sophiie.availability.rules import LIMITS, Rules


def rules_of(business: Business) -> Rules:
    """The booking rules of a business, or those that count without any."""
    kept = BookingRules.objects.filter(business=business).values(*LIMITS).first()
    return Rules(**kept) if kept else Rules()


def hours_of(
    business: Business, members: Collection[Member], start: datetime, end: datetime
) -> dict[UUID, Hours]:
    """The hours of these members of the business, with the special days of a period: two queries,
    however many members and days."""
    ids = [member.pk for member in members]
    weeks = {week.member_id: week for week in WorkingHours.objects.filter(member__in=ids)}
    # A day more at both ends: what a date means in the members' zones, and spans over midnight.
    special = _special_days(business, ids, start.date() - _MARGIN, end.date() + _MARGIN)
    hours = {}
    for member_id in ids:
        week = weeks.get(member_id)
        hours[member_id] = Hours(
            zone=(week.timezone if week else "") or business.timezone,
            week=week_from_json(week.week) if week else USUAL_WEEK,
            special=(*special.get(None, ()), *special.get(member_id, ())),
        )
    return hours


_MARGIN = timedelta(days=2)


def _special_days(
    business: Business, member_ids: list[UUID], first: date, last: date
) -> dict[UUID | None, list[Special]]:
    found: dict[UUID | None, list[Special]] = {}
    days = SpecialDay.objects.filter(
        Q(member=None) | Q(member__in=member_ids),
        business=business,
        first_day__lte=last,
        last_day__gte=first,
    )
    for day in days:
        found.setdefault(day.member_id, []).append(
            Special(
                first_day=day.first_day,
                last_day=day.last_day,
                spans=spans_from_json(day.spans),
                name=day.name,
                for_everybody=day.member_id is None,
            )
        )
    return found
