"""What a form proposes to whoever books: the next free time, other times, other people.

Everything proposed is a slot of `slots.py`; only where a calendar cannot be read does the first
working hour without an appointment have to do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

from sophiie.accounts.models import Business, Member
from sophiie.appointments.conflicts import conflicts_of
from sophiie.appointments.errors import Source
from sophiie.availability.hours import Stretch, working_time
from sophiie.availability.plans import plan_of
from sophiie.availability.rules import USUAL, Terms
from sophiie.availability.slots import MAX_MEMBERS, MAX_SLOTS, Slot, TooMuch, find_slots
from sophiie.common.clock import now
from sophiie.common.wall_time import in_zone, is_shown_once, start_of_day
from sophiie.resources.models import Resource

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
LOOK_AHEAD = timedelta(days=14)
MAX_INSTEAD = 4


def next_free(
    *,
    business: Business,
    members: Sequence[Member],
    start: datetime,
    duration: timedelta,
    together: bool = True,
    terms: Terms = USUAL,
    resources: Sequence[Resource] = (),
) -> Slot | None:
    """The first slot from `start` on: of all the members or, if not `together`, of any of them."""
    slots = _slots(
        business,
        members,
        start,
        duration,
        together=together,
        limit=1,
        terms=terms,
        resources=resources,
    )
    return slots[0] if slots else None


def next_working_hour(*, business: Business, member: Member, start: datetime) -> datetime | None:
    """Where a new appointment begins that nobody gave a time: at a full hour, if there is one."""
    for step in (HOUR, None):
        slots = _slots(business, [member], start, HOUR, together=True, step=step, limit=8)
        for slot in slots:
            if _is_clear_hour(slot.start, business.timezone):
                return slot.start
    return _first_working_hour(business, member, start)


def _is_clear_hour(start: datetime, zone: str) -> bool:
    """Whether the clocks show both ends of this hour once: nobody wants to begin with a question
    about summer time."""
    wall = in_zone(start, zone).replace(tzinfo=None)
    return is_shown_once(wall, zone) and is_shown_once(wall + HOUR, zone)


def _first_working_hour(business: Business, member: Member, start: datetime) -> datetime | None:
    """As far as anybody can tell while the member's calendar cannot be read."""
    end = start + LOOK_AHEAD
    plan = plan_of(business, [member], start, end)
    first = max(start, plan.rules.earliest_start(now()))
    found = conflicts_of(team=[member], start=first, end=end, timezone=business.timezone)
    taken = [it for it in found if it.source != Source.UNREADABLE]
    for begin, stop in working_time(plan.hours[member.pk], first, end):
        hour = _next_hour(begin, business.timezone)
        while hour + HOUR <= stop:
            is_free = not any(it.start < hour + HOUR and hour < it.end for it in taken)
            if is_free and _is_clear_hour(hour, business.timezone):
                return hour
            hour += HOUR
    return None


def _next_hour(moment: datetime, zone: str) -> datetime:
    wall = in_zone(moment, zone)
    past = wall - wall.replace(minute=0, second=0, microsecond=0)
    return moment - past + HOUR if past else moment


def free_instead(
    *,
    business: Business,
    members: Sequence[Member],
    start: datetime,
    duration: timedelta,
    timezone: str,
    terms: Terms = USUAL,
    resources: Sequence[Resource] = (),
) -> list[Slot]:
    """A few slots instead of a time that is taken, at most one a day.

    First those at the same time of day, then the nearest; the day that was asked for is always
    among them if it has any.
    """
    asked = in_zone(start, timezone)
    first = max(start_of_day(asked.date(), timezone), now())
    by_day: dict[date, Slot] = {}
    apart: dict[date, timedelta] = {}
    slots = _slots(
        business, members, first, duration, together=True, terms=terms, resources=resources
    )
    for slot in slots:
        day = (wall := in_zone(slot.start, timezone)).date()
        distance = abs(_time_of_day(wall) - _time_of_day(asked))
        if day not in apart or distance < apart[day]:
            by_day[day], apart[day] = slot, distance
    days = sorted(by_day)
    same_hour = [day for day in days if not apart[day]]
    others = [day for day in days if apart[day]]
    same_day = others[:1] if others[:1] == [asked.date()] else []
    chosen = [*same_hour[: MAX_INSTEAD - len(same_day)], *same_day]
    chosen += [day for day in others if day not in chosen]
    return [by_day[day] for day in chosen[:MAX_INSTEAD]]


def _time_of_day(wall: datetime) -> timedelta:
    return timedelta(hours=wall.hour, minutes=wall.minute)


def nearest_free(
    *,
    business: Business,
    members: Sequence[Member],
    start: datetime,
    duration: timedelta,
    within: timedelta,
    terms: Terms = USUAL,
    resources: Sequence[Resource] = (),
    others: Sequence[Member] = (),
    beside: Sequence[Stretch] = (),
    only_looking: bool = False,
) -> datetime | None:
    """The slot of all the members that begins nearest to `start`, at most `within` from it.

    If it takes more people than the members, enough of the `others` have to be free as well.
    `beside` are appointments on the same terms that are not booked yet. Whoever is not
    `only_looking` gets nothing that a booking would not rely on, as in `conflicts_of`.
    """
    first, together = max(start - within, now()), terms.people <= len(members)
    asked = list(members) if together else [*members, *others][:MAX_MEMBERS]
    if not members or len(members) > MAX_MEMBERS or first > start + within:
        return None
    try:
        offer = find_slots(
            business=business,
            members=asked,
            start=first,
            end=start + within + duration,
            duration=duration,
            together=together,
            terms=replace(terms, people=1) if together else terms,
            resources=resources,
            beside=beside,
        )
    except TooMuch:
        return None
    if not only_looking and not all(offer.knowledge[one.pk].is_reliable for one in members):
        return None
    needed = {member.pk for member in members}
    starts = (slot.start for slot in offer.slots if needed <= set(slot.member_ids))
    return min(starts, key=lambda at: (abs(at - start), at), default=None)


def free_then(
    *,
    business: Business,
    members: Sequence[Member],
    start: datetime,
    end: datetime,
    terms: Terms = USUAL,
    resources: Sequence[Resource] = (),
) -> list[Member]:
    """Those of the members to whom exactly this time could be offered, on these terms and with
    these resources; also if they are fewer than it takes."""
    if not members:
        return []
    try:
        offer = find_slots(
            business=business,
            members=members[:MAX_MEMBERS],
            start=start,
            end=end,
            duration=end - start,
            step=MINUTE,  # not only at the business's own steps
            limit=1,
            terms=replace(terms, people=1),
            resources=resources,
        )
    except TooMuch:
        return []
    free = {one for slot in offer.slots for one in slot.member_ids if slot.start == start}
    return [member for member in members if member.pk in free]


def _slots(
    business: Business,
    members: Sequence[Member],
    start: datetime,
    duration: timedelta,
    *,
    together: bool,
    step: timedelta | None = None,
    limit: int = MAX_SLOTS,
    terms: Terms = USUAL,
    resources: Sequence[Resource] = (),
) -> list[Slot]:
    if not members or len(members) > MAX_MEMBERS:
        return []
    first = max(start, now())
    try:
        offer = find_slots(
            business=business,
            members=members,
            start=first,
            end=first + LOOK_AHEAD + duration,
            duration=duration,
            together=together,
            step=step,
            limit=limit,
            terms=terms,
            resources=resources,
        )
    except TooMuch:
        return []
    return offer.slots
