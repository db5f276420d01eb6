"""What was read from somebody's Google calendar, put where a reading would put it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count

from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from sophiie.accounts.models import Member
from sophiie.busy_time.models import BusyCalendar, BusyPeriod

TOO_OLD = timedelta(hours=2)
_numbers = count()


def calendar_of(
    member: Member,
    *,
    age: timedelta | None = timedelta(0),
    known_days: int = 400,
    problem: str = "",
    calendar_id: str = "",
    time_zone: str = "",
) -> BusyCalendar:
    """A calendar of the member, read `age` ago; None: never."""
    moment = datetime.now(UTC)
    read = None if age is None else moment - age
    return BusyCalendar.objects.create(
        member=member,
        calendar_id=calendar_id or f"{next(_numbers)}@example.com",
        checked_at=read,
        known_from=read and read - timedelta(days=1),
        known_until=read and read + timedelta(days=known_days),
        problem=problem,
        time_zone=time_zone,
    )


def busy(
    member: Member, start: datetime, end: datetime, *, calendar: BusyCalendar | None = None
) -> BusyPeriod:
    """An event in the member's calendar; in a freshly read one unless one is given."""
    found = calendar or member.busy_calendars.first() or calendar_of(member)
    return BusyPeriod.objects.create(
        calendar=found,
        member=member,
        event_id=f"event-{next(_numbers)}",
        during=DateTimeTZRange(start, end),
    )
