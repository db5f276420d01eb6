"""Reads hours and rules; for many members and days as cheaply as for one."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sophiie.accounts.models import Business, Member
from sophiie.availability.hours import (
    USUAL_WEEK,
    Hours,
    Special,
    spans_from_json,
    week_from_json,
)
from sophiie.availability.models import BookingRules, WorkingHours
from sophiie.availability.rules import LIMITS, Rules
from sophiie.common.sql import execute


@dataclass(frozen=True)
class Plan:
    """The rules of a business and the hours of its members."""

    rules: Rules
    hours: dict[UUID, Hours]


def rules_of(business: Business) -> Rules:
    """The booking rules of a business, or the defaults."""
    kept = BookingRules.objects.filter(business=business).values(*LIMITS).first()
    return Rules(**kept) if kept else Rules()


# Every search for slots asks this; three of Django's queries cost as much as the search itself.
_PLAN = """
SELECT
    (SELECT to_jsonb(rules) FROM availability_bookingrules AS rules
        WHERE business_id = %(business)s),
    (SELECT jsonb_object_agg(member_id, to_jsonb(hours)) FROM availability_workinghours AS hours
        WHERE member_id = ANY(%(members)s)),
    (SELECT jsonb_agg(to_jsonb(days) ORDER BY first_day, id) FROM availability_specialday AS days
        WHERE business_id = %(business)s AND first_day <= %(last)s AND last_day >= %(first)s
            AND (member_id IS NULL OR member_id = ANY(%(members)s)))
"""
# Whatever a date means in the members' zones, and spans over midnight.
_MARGIN = timedelta(days=2)


def plan_of(
    business: Business, members: Collection[Member], start: datetime, end: datetime
) -> Plan:
    """The rules, and these members' hours with the special days of a period: one query."""
    ((rules, weeks, days),) = execute(
        _PLAN,
        business=business.pk,
        members=[member.pk for member in members],
        first=start.date() - _MARGIN,
        last=end.date() + _MARGIN,
    )
    special: dict[str | None, list[Special]] = {}
    for day in days or ():
        special.setdefault(day["member_id"], []).append(_special(day))
    hours = {}
    for member in members:
        kept = (weeks or {}).get(str(member.pk))
        hours[member.pk] = Hours(
            zone=(kept and kept["timezone"]) or business.timezone,
            week=week_from_json(kept["week"]) if kept else USUAL_WEEK,
            special=(*special.get(None, ()), *special.get(str(member.pk), ())),
        )
    return Plan(Rules(**{name: rules[name] for name in LIMITS}) if rules else Rules(), hours)


def _special(row: dict[str, Any]) -> Special:
    return Special(
        first_day=date.fromisoformat(row["first_day"]),
        last_day=date.fromisoformat(row["last_day"]),
        spans=spans_from_json(row["spans"]),
        name=row["name"],
        for_everybody=row["member_id"] is None,
    )


def kept_week(member: Member) -> WorkingHours | None:
    """The week that was saved for a member; None means the usual week, in the business's clocks."""
    return WorkingHours.objects.filter(member=member).first()
