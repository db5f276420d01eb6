"""The times that can be offered.

Working time, known time, notice and window have become instants by the time PostgreSQL is asked.
One query over local rows, for all members, takes away what is booked, held or busy elsewhere and
lays the step grid over the rest. Unknown time is not free.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sophiie.accounts.models import Business, Member
from sophiie.appointments.hold_time import sql_counts_still
from sophiie.appointments.resources import uses_in_the_way
from sophiie.availability.grid import GridPiece, grid_of
from sophiie.availability.hours import Stretch, joined, without, working_time
from sophiie.availability.plans import Plan, plan_of
from sophiie.availability.rules import GREATEST_AFTER, GREATEST_BEFORE, USUAL, Rules, Terms
from sophiie.busy_time.knowledge import Freshness, Knowledge, knowledge_of
from sophiie.common.clock import now
from sophiie.common.sql import execute
from sophiie.resources.models import Resource

MAX_MEMBERS = 50  # as many as an appointment can have
MAX_SLOTS = 5000
MAX_PERIOD = timedelta(days=92)
MAX_STEPS = 300_000


@dataclass(frozen=True)
class Slot:
    """A time that can be offered, and who is free at it."""

    start: datetime
    end: datetime
    member_ids: tuple[UUID, ...]


@dataclass(frozen=True)
class Offer:
    """Slots in order of time, and how fresh the knowledge behind them is.

    `next_from` is where to continue if there are more than were asked for.
    """

    moment: datetime
    knowledge: dict[UUID, Knowledge]
    slots: list[Slot]
    next_from: datetime | None


class TooMuch(Exception):
    """A search over more steps than one answer should cost."""


def find_slots(
    *,
    business: Business,
    members: Sequence[Member],
    start: datetime,
    end: datetime,
    duration: timedelta,
    together: bool = False,
    step: timedelta | None = None,
    limit: int = MAX_SLOTS,
    terms: Terms = USUAL,
    resources: Sequence[Resource] = (),
    beside: Sequence[Stretch] = (),
) -> Offer:
    """The times from `start` to `end` at which an appointment of this length fits completely, and
    all these resources are free.

    Each lists which of the members are free; `together` keeps only those at which all are, and
    `terms` those at which as many are as it takes. `step` is the business's own unless given.
    `beside` are appointments on the same terms that are not booked yet. Raises `TooMuch`.
    """
    moment, plan = now(), plan_of(business, members, start, end)
    rules = plan.rules.under(terms)
    step = step or timedelta(minutes=rules.step_minutes)
    if len(members) * ((end - start) / step) > MAX_STEPS:
        raise TooMuch
    knowledge = knowledge_of([member.pk for member in members])
    offerable = _offerable_times(plan, rules, knowledge, start, end)
    apart = rules.before + rules.after
    found = _free_steps(
        _but(
            _without_used(offerable, resources, start, end),
            joined((a - apart, b + apart) for a, b in beside),
        ),
        _grid(business, rules, start, end, moment, step),
        rules,
        plan.rules,
        period=(start, end),
        now=moment,
        duration=duration,
        step=step,
        together=together,
        people=terms.people,
        limit=limit + 1,
    )
    return Offer(
        moment=moment,
        knowledge=knowledge,
        slots=[Slot(at, at + duration, who) for at, who in found[:limit]],
        next_from=found[limit][0] if len(found) > limit else None,
    )


def _grid(
    business: Business,
    rules: Rules,
    start: datetime,
    end: datetime,
    moment: datetime,
    step: timedelta,
) -> list[GridPiece]:
    """The steps on which something may start: not too soon, and not too far ahead."""
    zone = business.timezone
    first = max(start, rules.earliest_start(moment))
    return grid_of(first, min(end, rules.window_end(moment, zone)), zone=zone, step=step)


def _offerable_times(
    plan: Plan, rules: Rules, knowledge: dict[UUID, Knowledge], start: datetime, end: datetime
) -> dict[UUID, list[Stretch]]:
    """When each member works and it is known whether they are free."""
    # Members with the same hours, most of a team, are computed once.
    worked = {hours: working_time(hours, start, end) for hours in set(plan.hours.values())}
    return {
        member_id: known_time(worked[hours], knowledge[member_id], rules)
        for member_id, hours in plan.hours.items()
    }


def _without_used(
    times: dict[UUID, list[Stretch]], resources: Sequence[Resource], start: datetime, end: datetime
) -> dict[UUID, list[Stretch]]:
    """These times without those at which another appointment has one of the resources. A buffer is
    a matter of people: a room is free as soon as it is left."""
    used = joined(
        (it.start, it.end) for it in uses_in_the_way(resources=resources, start=start, end=end)
    )
    return _but(times, used)


def _but(times: dict[UUID, list[Stretch]], taken: list[Stretch]) -> dict[UUID, list[Stretch]]:
    if not taken:
        return times
    return {
        member_id: [part for a, b in theirs for part in without(a, b, taken)]
        for member_id, theirs in times.items()
    }


def known_time(times: list[Stretch], knowledge: Knowledge, rules: Rules) -> list[Stretch]:
    """The part of these times that what is known of the member's calendar lets us offer.

    An appointment's buffers have to be known to be free, too. An old copy counts, because a booking
    polls again before it relies on it. An unreadable one does not.
    """
    if knowledge.state == Freshness.NOT_LINKED:
        return times
    known_from, known_until = knowledge.known_from, knowledge.known_until
    if knowledge.state == Freshness.UNREADABLE or known_from is None or known_until is None:
        return []
    first, last = known_from + rules.before, known_until - rules.after
    if not times or (first <= times[0][0] and times[-1][1] <= last):
        return times
    clipped = ((max(a, first), min(b, last)) for a, b in times)
    return [(a, b) for a, b in clipped if a < b]


_STILL = sql_counts_still("assignment.held_until", moment="%(now)s")
# As `OWN_DISTANCE`, for which there is an index.
_HAS_OWN = (
    "(assignment.buffer_before_minutes IS NOT NULL OR assignment.buffer_after_minutes IS NOT NULL"
    " OR assignment.travel_minutes > 0)"
)
# `place` numbers the members; a set of them travels as the bits of one number. Appointments that
# keep the usual distance are found near by; the few that have their own may lie further away.
_SLOTS = f"""
WITH asked AS (
    SELECT member_id, hours, place - 1 AS place
    FROM unnest(%(members)s::uuid[], %(hours)s::text[]::tstzmultirange[])
        WITH ORDINALITY AS asked (member_id, hours, place)
),
free AS (
    SELECT asked.place, asked.hours - coalesce(taken.times, '{{}}') AS times
    FROM asked CROSS JOIN LATERAL (
        SELECT range_agg(during) AS times FROM (
            SELECT tstzrange(
                lower(during) - %(usual_before)s, upper(during) + %(usual_after)s
            ) AS during
            FROM appointments_assignment AS assignment
            WHERE assignment.member_id = asked.member_id
                AND assignment.during && %(near)s::tstzrange
                AND assignment.blocking
                AND NOT {_HAS_OWN}
                AND {_STILL}
            UNION ALL
            SELECT tstzrange(lower(during) - %(usual_before)s, upper(during) + %(usual_after)s)
            FROM appointments_assignment AS assignment
            WHERE assignment.member_id = asked.member_id
                AND assignment.during && %(near)s::tstzrange
                AND assignment.displaced
                AND NOT {_HAS_OWN}
            UNION ALL
            SELECT tstzrange(
                lower(during) - %(after)s - (
                    coalesce(buffer_before_minutes, %(rule_before)s) + travel_minutes
                ) * interval '1 minute',
                upper(during) + %(before)s
                    + coalesce(buffer_after_minutes, %(rule_after)s) * interval '1 minute'
            )
            FROM appointments_assignment AS assignment
            WHERE assignment.member_id = asked.member_id
                AND assignment.during && %(further)s::tstzrange
                AND {_HAS_OWN}
                AND (assignment.displaced OR assignment.blocking AND {_STILL})
            UNION ALL
            SELECT tstzrange(lower(during) - %(after)s, upper(during) + %(before)s)
            FROM busy_time_busyperiod AS busy
            WHERE busy.member_id = asked.member_id AND busy.during && %(near)s::tstzrange
        ) AS each
    ) AS taken
),
offered AS (
    SELECT 1::bigint << place::int AS who, times FROM free WHERE NOT %(together)s
    UNION ALL
    SELECT (1::bigint << count(*)::int) - 1, range_intersect_agg(times) FROM free
    WHERE %(together)s
),
grid AS (
    SELECT * FROM unnest(
        %(starts)s::timestamptz[], %(ends)s::timestamptz[], %(origins)s::timestamptz[]
    ) AS grid (starts, ends, origin)
)
SELECT slot, bit_or(who)
FROM offered CROSS JOIN LATERAL unnest(times) AS stretch
JOIN grid ON stretch && tstzrange(grid.starts, grid.ends)
CROSS JOIN LATERAL generate_series(
    date_bin(
        %(step)s,
        greatest(lower(stretch), grid.starts) + %(step)s - interval '1 microsecond',
        grid.origin
    ),
    least(upper(stretch) - %(duration)s, grid.ends - interval '1 microsecond'),
    %(step)s
) AS slot
GROUP BY slot
HAVING %(people)s = 1 OR bit_count(bit_or(who)::bit(64)) >= %(people)s
ORDER BY slot LIMIT %(limit)s
"""  # noqa: S608 - no values


def _free_steps(
    worked: dict[UUID, list[Stretch]],
    grid: list[GridPiece],
    rules: Rules,
    usual: Rules,
    *,
    period: Stretch,
    **asked: Any,
) -> list[tuple[datetime, tuple[UUID, ...]]]:
    """The one query: the steps at which the duration is free, and for whom. `rules` are those for
    what is asked, `usual` the business's."""
    members = list(worked)
    different = {id(times): times for times in worked.values()}
    written = {key: _multirange(times) for key, times in different.items()}
    rows = execute(
        _SLOTS,
        members=members,
        hours=[written[id(times)] for times in worked.values()],
        before=rules.before,
        after=rules.after,
        usual_before=usual.before + rules.after,
        usual_after=usual.after + rules.before,
        rule_before=usual.buffer_before_minutes,
        rule_after=usual.buffer_after_minutes,
        near=_range(near(period, rules, usual.before, usual.after)),
        further=_range(near(period, rules, GREATEST_BEFORE, GREATEST_AFTER)),
        starts=[piece.start for piece in grid],
        ends=[piece.end for piece in grid],
        origins=[piece.origin for piece in grid],
        **asked,
    )
    named = {bits: _members_of(bits, members) for bits in {bits for _, bits in rows}}
    return [(slot, named[bits]) for slot, bits in rows]


def near(period: Stretch, asked: Rules, before: timedelta, after: timedelta) -> Stretch:
    """Where appointments with these distances may be in the way of one in the period."""
    return period[0] - asked.before - after, period[1] + asked.after + before


def _range(stretch: Stretch) -> str:
    return f"[{stretch[0].isoformat()},{stretch[1].isoformat()})"


def _multirange(times: Collection[Stretch]) -> str:
    return "{" + ",".join(_range(stretch) for stretch in times) + "}"


def _members_of(bits: int, members: list[UUID]) -> tuple[UUID, ...]:
    return tuple(member_id for place, member_id in enumerate(members) if bits >> place & 1)
