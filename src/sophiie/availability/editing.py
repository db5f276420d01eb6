"""The acts that change hours, special days and rules.

Members change their own; owners and admins change everybody's, and what applies to the whole
business.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import date, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from sophiie import audit
from sophiie.accounts.models import Business, Member
from sophiie.availability.hours import Spans, Week, spans_as_json, week_as_json
from sophiie.availability.models import NAME_LENGTH, BookingRules, SpecialDay, WorkingHours
from sophiie.availability.plans import rules_of
from sophiie.availability.rules import LIMITS, Rules
from sophiie.common.logs import log
from sophiie.common.wall_time import is_zone

logger = log(__name__)

MAX_SPANS = 6
MAX_SPECIAL_DAYS = 500
MAX_ABSENCE = timedelta(days=366)
FIRST_YEAR, LAST_YEAR = 2000, 2099


class NotAllowed(Exception):
    """Changing somebody else's hours, or the business's, without the right to."""


class InvalidHours(Exception):
    """Impossible values, with a message for each wrong field."""

    def __init__(self, errors: dict[str, str]) -> None:
        self.errors = errors
        super().__init__("; ".join(errors.values()))


class UnknownDay(Exception):
    """There is no such special day, or it belongs to another business."""


def may_edit(by: Member, member: Member | None) -> bool:
    """Whether `by` may change this member's hours, or the whole business's if None."""
    if member is None:
        return by.manages_business
    of_the_same = member.business_id == by.business_id
    return of_the_same and (member.pk == by.pk or by.manages_business)


def save_week(*, by: Member, member: Member, week: Week, timezone: str = "") -> None:
    """Saves the member's week, in the clocks of `timezone` ("" means the business's).

    Raises `InvalidHours` with the days as fields: "0" is Monday.
    """
    _check_right(by, member)
    errors = {str(n): text for n, spans in enumerate(week) if (text := spans_error(spans))}
    if timezone and not is_zone(timezone):
        errors["timezone"] = _("This is not an IANA time zone, such as Australia/Sydney.")
    if errors:
        raise InvalidHours(errors)
    with transaction.atomic():
        WorkingHours.objects.update_or_create(
            member=member, defaults={"week": week_as_json(week), "timezone": timezone}
        )
        _record(audit.Act.HOURS_CHANGED, by, member, timezone=timezone)
    logger.info("working hours saved", member_id=str(member.pk), by=str(by.pk))


def work_usual_hours(*, by: Member, member: Member) -> None:
    """Resets the member to Monday to Friday from nine to five, in the business's clocks."""
    _check_right(by, member)
    with transaction.atomic():
        WorkingHours.objects.filter(member=member).delete()
        _record(audit.Act.HOURS_CHANGED, by, member, usual=True)
    logger.info("usual hours count again", member_id=str(member.pk), by=str(by.pk))


def add_special_days(
    *,
    by: Member,
    member: Member | None,
    first_day: date,
    last_day: date,
    spans: Spans = (),
    name: str = "",
) -> SpecialDay:
    """Adds days off, other hours, or (without a member) a holiday of the business."""
    _check_right(by, member)
    errors = _days_errors(first_day, last_day) | _text_errors(name)
    if text := spans_error(spans):
        errors["spans"] = text
    if member is None and spans:
        errors["spans"] = _("A holiday has no hours. Whoever works on it enters their own.")
    days = SpecialDay.objects.filter(business=by.business_id, member=member)
    if not errors and days.filter(last_day__gte=first_day).count() >= MAX_SPECIAL_DAYS:
        errors["first_day"] = _("At most %(n)s entries. Remove some first.") % {
            "n": MAX_SPECIAL_DAYS
        }
    if errors:
        raise InvalidHours(errors)
    with transaction.atomic():
        made = SpecialDay.objects.create(
            business=by.business,
            member=member,
            first_day=first_day,
            last_day=last_day,
            spans=spans_as_json(spans),
            name=name.strip(),
        )
        _record(audit.Act.DAYS_ADDED, by, member, **_days_of(made))
    logger.info("special days added", day_id=str(made.pk), by=str(by.pk))
    return made


def remove_special_days(*, by: Member, day_id: UUID) -> SpecialDay:
    """Removes the entry, so these days follow the week again. Raises `UnknownDay`, `NotAllowed`."""
    days = SpecialDay.objects.filter(business=by.business_id).select_related("member")
    found = days.filter(pk=day_id).first()
    if found is None:
        raise UnknownDay
    _check_right(by, found.member)
    with transaction.atomic():
        SpecialDay.objects.filter(pk=day_id).delete()
        _record(audit.Act.DAYS_REMOVED, by, found.member, **_days_of(found))
    logger.info("special days removed", day_id=str(day_id), by=str(by.pk))
    return found


def special_days(business: Business, member: Member | None, since: date) -> list[SpecialDay]:
    """The entries of a member, or of the whole business, from a day on."""
    days = SpecialDay.objects.filter(business=business, member=member, last_day__gte=since)
    return list(days)


def save_rules(*, by: Member, rules: Rules) -> None:
    _check_right(by, None)
    errors = {
        name: _("Between %(least)s and %(most)s.") % {"least": least, "most": most}
        for name, (least, most) in LIMITS.items()
        if not least <= getattr(rules, name) <= most
    }
    if errors:
        raise InvalidHours(errors)
    before, after = asdict(rules_of(by.business)), asdict(rules)
    changes = {name: [before[name], after[name]] for name in after if before[name] != after[name]}
    with transaction.atomic():
        BookingRules.objects.update_or_create(business=by.business, defaults=after)
        if changes:
            _record(audit.Act.RULES_CHANGED, by, None, **changes)
    logger.info(
        "booking rules saved", business_id=str(by.business_id), by=str(by.pk), **asdict(rules)
    )


def spans_error(spans: Spans) -> str:
    """What is wrong with the spans of one day; "" if nothing is."""
    if len(spans) > MAX_SPANS:
        return _("At most %(n)s times a day.") % {"n": MAX_SPANS}
    for span in spans:
        if span.starts == span.ends and span.starts.hour + span.starts.minute:
            return _("%(span)s is no time; the whole day is 00:00–00:00.") % {"span": span}
    for first, second in pairwise(sorted(spans)):
        if first.ends_next_day or second.starts < first.ends:
            return _("%(first)s and %(second)s overlap.") % {"first": first, "second": second}
    return ""


def _record(act: audit.Act, by: Member, member: Member | None, **details: Any) -> None:
    """Records in the audit log what was decided for a member, or (None) for the whole business."""
    if member is None:
        subject = audit.Subject("business", by.business_id, by.business.name)
    else:
        subject = audit.Subject("member", member.id, member.name)
    audit.record(act=act, business_id=by.business_id, by=by, subject=subject, details=details)


def _days_of(day: SpecialDay) -> dict[str, str]:
    return {"first_day": day.first_day.isoformat(), "last_day": day.last_day.isoformat()}


def _check_right(by: Member, member: Member | None) -> None:
    if not may_edit(by, member):
        raise NotAllowed


def _days_errors(first_day: date, last_day: date) -> dict[str, str]:
    for name, day in (("first_day", first_day), ("last_day", last_day)):
        if not FIRST_YEAR <= day.year <= LAST_YEAR:
            return {name: _("Use a date between the years 2000 and 2099.")}
    if last_day < first_day:
        return {"last_day": _("The last day cannot be before the first.")}
    if last_day - first_day >= MAX_ABSENCE:
        return {"last_day": _("At most %(n)s days at once.") % {"n": MAX_ABSENCE.days}}
    return {}


def _text_errors(name: str) -> dict[str, str]:
    if len(name) > NAME_LENGTH:
        return {
            "name": _("At most %(most)s characters; this has %(length)s.")
            % {"most": f"{NAME_LENGTH:,}", "length": f"{len(name):,}"}
        }
    if "\x00" in name:
        return {"name": _("This text contains a character that cannot be stored.")}
    return {}
