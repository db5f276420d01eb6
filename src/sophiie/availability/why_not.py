"""Why is this time not offered? Every reason, in plain words.

No reasons means that `slots.py` offers the time. A colleague's private matters stay private: a day
off shows no note, an appointment no title, busy time in Google nothing but the times.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.db.models import Q
from django.utils.text import get_text_list
from django.utils.translation import gettext as _

from sophiie.accounts.models import Member
from sophiie.appointments.hold_time import counts_still
from sophiie.appointments.models import OWN_DISTANCE, Assignment
from sophiie.appointments.resources import uses_in_the_way
from sophiie.availability.grid import is_on_grid, nearest_steps
from sophiie.availability.hours import DayKind, Hours, Stretch, joined, without, working_time
from sophiie.availability.plans import plan_of
from sophiie.availability.rules import GREATEST_AFTER, GREATEST_BEFORE, USUAL, Rules, Terms
from sophiie.availability.slots import known_time, near
from sophiie.availability.words import at, day_words, length, times
from sophiie.busy_time.knowledge import Freshness, Knowledge, knowledge_of
from sophiie.busy_time.models import BusyPeriod
from sophiie.common.clock import now
from sophiie.common.shown_clock import clock
from sophiie.common.wall_time import in_zone, local_day
from sophiie.resources.models import Resource


class Rule(StrEnum):
    OUTSIDE_HOURS = "outside_hours"
    DAY_OFF = "day_off"
    HOLIDAY = "holiday"
    APPOINTMENT = "appointment"
    HOLD = "hold"
    RESOURCE = "resource"
    BUSY_IN_GOOGLE = "busy_in_google"
    BUFFER = "buffer"
    NOTICE = "notice"
    WINDOW = "window"
    CALENDAR_UNREADABLE = "calendar_unreadable"
    STEP = "step"
    DURATION = "duration"
    SERVICE = "service"
    PEOPLE = "people"


@dataclass(frozen=True)
class Reason:
    """One rule against a time; `start` and `end` say where, if it is somewhere."""

    rule: Rule
    detail: str
    start: datetime | None = None
    end: datetime | None = None
    appointment_id: UUID | None = None


@dataclass(frozen=True)
class _Question:
    member: Member
    start: datetime
    end: datetime
    moment: datetime
    rules: Rules  # for what is asked
    usual: Rules  # the business's
    hours: Hours
    step: timedelta

    @property
    def zone(self) -> str:
        """The zone in which the answer speaks."""
        return self.member.business.timezone


def why_not(
    *,
    member: Member,
    start: datetime,
    end: datetime,
    step: timedelta | None = None,
    terms: Terms = USUAL,
    resources: Sequence[Resource] = (),
) -> list[Reason]:
    """The reasons why this time of this member, with these resources, is not offered; none if it
    is.

    `step` is the business's own unless given, as for `find_slots`. How many others it takes is not
    this member's matter; see `services.py`.
    """
    plan = plan_of(member.business, [member], start, end)
    asked = _Question(
        member,
        start,
        end,
        moment=now(),
        rules=plan.rules.under(terms),
        usual=plan.rules,
        hours=plan.hours[member.pk],
        step=step or timedelta(minutes=plan.rules.step_minutes),
    )
    return [
        *_too_soon_or_too_late(asked),
        *_not_at_work(asked),
        *_taken(asked),
        *_used(asked, resources),
        *_busy_in_google(asked),
        *_unknown(asked, knowledge_of([member.pk])[member.pk]),
        *_between_steps(asked),
    ]


def cautions(
    *, members: Sequence[Member], start: datetime, end: datetime, terms: Terms = USUAL
) -> list[Reason]:
    """What somebody should know who books this time although it is not offered: that it has passed,
    is too soon, too far ahead or outside the hours of one of the members."""
    if not members:
        return []
    plan = plan_of(members[0].business, members, start, end)
    rules, usual = plan.rules.under(terms), plan.rules
    found: dict[str, Reason] = {}
    for number, member in enumerate(members):
        asked = _Question(
            member, start, end, now(), rules, usual, plan.hours[member.pk], step=timedelta()
        )
        if number == 0:
            found |= {reason.detail: reason for reason in _too_soon_or_too_late(asked)}
        found |= {reason.detail: reason for reason in _not_at_work(asked)}
    return list(found.values())


def _too_soon_or_too_late(asked: _Question) -> Iterator[Reason]:
    rules, moment = asked.rules, asked.moment
    earliest = rules.earliest_start(moment)
    if asked.start < moment:
        yield Reason(Rule.NOTICE, _("This time has passed."), end=earliest)
    elif asked.start < earliest:
        ahead = length(timedelta(minutes=rules.notice_minutes))
        detail = _("Appointments are booked at least %(ahead)s ahead: from %(when)s.") % {
            "ahead": ahead,
            "when": at(earliest, asked.zone),
        }
        yield Reason(Rule.NOTICE, detail, end=earliest)
    if asked.start >= (window_end := rules.window_end(moment, asked.zone)):
        last = in_zone(window_end, asked.zone).date() - timedelta(days=1)
        days = length(timedelta(days=rules.window_days))
        detail = _("Appointments are booked at most %(days)s ahead: until %(day)s.") % {
            "days": days,
            "day": day_words(last),
        }
        yield Reason(Rule.WINDOW, detail, start=window_end)


def _not_at_work(asked: _Question) -> Iterator[Reason]:
    """One reason for each day that has a part of the time outside working hours."""
    worked = working_time(asked.hours, asked.start, asked.end)
    parts: dict[date, Stretch] = {}
    for begin, stop in without(asked.start, asked.end, worked):
        for day, piece in _by_day(begin, stop, asked.hours.zone):
            parts[day] = (parts[day][0], piece[1]) if day in parts else piece
    for day, (begin, stop) in parts.items():
        rule, detail = _about_day(asked, day)
        yield Reason(rule, detail, begin, stop)


def _by_day(start: datetime, end: datetime, zone: str) -> Iterator[tuple[date, Stretch]]:
    while start < end:
        day = in_zone(start, zone).date()
        stop = min(end, local_day(day, zone)[1])
        yield day, (start, stop)
        start = stop


def _about_day(asked: _Question, day: date) -> tuple[Rule, str]:
    name, zone = asked.member.name, asked.hours.zone
    said = asked.hours.on(day)
    if said.kind == DayKind.HOLIDAY:
        called = f" ({said.name})" if said.name else ""
        return Rule.HOLIDAY, _("%(day)s is a holiday%(called)s.") % {
            "day": day_words(day),
            "called": called,
        }
    if said.kind == DayKind.DAY_OFF:
        return Rule.DAY_OFF, _("%(name)s has a day off on %(day)s.") % {
            "name": name,
            "day": day_words(day),
        }
    where = "" if zone == asked.zone else f" ({zone})"
    if not said.spans:
        return Rule.OUTSIDE_HOURS, _("%(name)s does not work on %(day)s%(where)s.") % {
            "name": name,
            "day": day_words(day),
            "where": where,
        }
    spans = get_text_list([str(span) for span in sorted(said.spans)], _("and"))
    return Rule.OUTSIDE_HOURS, _("On %(day)s %(name)s works %(spans)s%(where)s.") % {
        "day": day_words(day),
        "name": name,
        "spans": spans,
        "where": where,
    }


def _taken(asked: _Question) -> Iterator[Reason]:
    for during, held_until, appointment_id, before, after in _assignments_near(asked):
        start, end = during.lower, during.upper
        what = _("a time held for somebody") if held_until else _("an appointment")
        taken = {"name": asked.member.name, "what": what, "when": times(start, end, asked.zone)}
        if start < asked.end and end > asked.start:
            rule = Rule.HOLD if held_until else Rule.APPOINTMENT
            detail = _("%(name)s has %(what)s %(when)s.") % taken
            if held_until:
                until = {"until": at(held_until, asked.zone)}
                detail = _("%(name)s has %(what)s %(when)s, until %(until)s at most.") % (
                    taken | until
                )
        else:
            needed = (
                after + asked.rules.before if end <= asked.start else asked.rules.after + before
            )
            if asked.start >= end + needed or asked.end + needed <= start:
                continue
            rule = Rule.BUFFER
            detail = _(
                "%(name)s needs %(length)s between two appointments and has %(what)s %(when)s."
            ) % (taken | {"length": length(needed)})
        yield Reason(rule, detail, start, end, appointment_id)


def _assignments_near(asked: _Question) -> Iterator[tuple[Any, ...]]:
    """What may be in the way, each with its distance before and after: the usual one, or its
    own."""
    usual, period = asked.usual, (asked.start, asked.end)
    by_rule = near(period, asked.rules, usual.before, usual.after)
    by_own = near(period, asked.rules, GREATEST_BEFORE, GREATEST_AFTER)
    assignments = (
        Assignment.objects.filter(
            counts_still(asked.moment),
            Q(blocking=True) | Q(displaced=True),
            Q(during__overlap=DateTimeTZRange(*by_rule))
            | OWN_DISTANCE & Q(during__overlap=DateTimeTZRange(*by_own)),
            member=asked.member,
        )
        .order_by("during")
        .values_list("during", "held_until", "appointment", *_DISTANCES)
    )
    for during, held_until, appointment_id, before, after, travel in assignments:
        before = usual.buffer_before_minutes if before is None else before
        after = usual.buffer_after_minutes if after is None else after
        distances = (timedelta(minutes=before + travel), timedelta(minutes=after))
        yield during, held_until, appointment_id, *distances


_DISTANCES = ("buffer_before_minutes", "buffer_after_minutes", "travel_minutes")


def _used(asked: _Question, resources: Sequence[Resource]) -> Iterator[Reason]:
    found = uses_in_the_way(resources=resources, start=asked.start, end=asked.end)
    for it in sorted(found, key=lambda obstacle: (obstacle.start, obstacle.member_name)):
        detail = _("%(name)s is in use %(when)s.") % {
            "name": it.member_name,
            "when": times(it.start, it.end, asked.zone),
        }
        yield Reason(Rule.RESOURCE, detail, it.start, it.end, it.appointment_id)


def _busy_in_google(asked: _Question) -> Iterator[Reason]:
    rules, name = asked.rules, asked.member.name
    near = DateTimeTZRange(asked.start - rules.before, asked.end + rules.after)
    found = BusyPeriod.objects.filter(member=asked.member, during__overlap=near)
    periods = found.values_list("during", flat=True)
    for start, end in joined((during.lower, during.upper) for during in periods):
        said = {"name": name, "when": times(start, end, asked.zone)}
        if start < asked.end and end > asked.start:
            detail = _("%(name)s is busy in Google %(when)s.") % said
            yield Reason(Rule.BUSY_IN_GOOGLE, detail, start, end)
        elif end <= asked.start:
            detail = _(
                "%(name)s needs %(length)s before an appointment and is busy in Google %(when)s."
            ) % (said | {"length": length(rules.before)})
            yield Reason(Rule.BUFFER, detail, start, end)
        else:
            detail = _(
                "%(name)s needs %(length)s after an appointment and is busy in Google %(when)s."
            ) % (said | {"length": length(rules.after)})
            yield Reason(Rule.BUFFER, detail, start, end)


def _unknown(asked: _Question, knowledge: Knowledge) -> Iterator[Reason]:
    if known_time([(asked.start, asked.end)], knowledge, asked.rules) == [(asked.start, asked.end)]:
        return
    first, last = knowledge.known_from, knowledge.known_until
    if knowledge.state == Freshness.UNREADABLE or first is None or last is None:
        detail = _(
            "The Google calendar of %(name)s cannot be read at the moment, so nobody knows whether "
            "this time is free."
        ) % {"name": asked.member.name}
        yield Reason(Rule.CALENDAR_UNREADABLE, detail)
        return
    detail = _(
        "The Google calendar of %(name)s has been read from %(first)s until %(last)s only."
    ) % {
        "name": asked.member.name,
        "first": at(first, asked.zone),
        "last": at(last, asked.zone),
    }
    yield Reason(Rule.CALENDAR_UNREADABLE, detail, first, last)


def _between_steps(asked: _Question) -> Iterator[Reason]:
    step = asked.step
    if is_on_grid(asked.start, zone=asked.zone, step=step):
        return
    near = nearest_steps(asked.start, zone=asked.zone, step=step)
    choices = get_text_list([clock(in_zone(n, asked.zone)) for n in near if n], _("or"))
    detail = _("Appointments start every %(length)s: at %(choices)s, for example.") % {
        "length": length(step),
        "choices": choices,
    }
    yield Reason(Rule.STEP, detail)
