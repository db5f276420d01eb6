"""The copy of a calendar: which calendars count, when they make their member busy, how old that is.

Others pass in times and ids of events, within their transactions. Nothing here decides whether an
event makes anybody busy, or knows where it came from.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.db.models import Q

from sophiie.busy_time.models import BusyCalendar, BusyPeriod
from sophiie.common.reasons import Reason, columns

AT_ONCE = 500


class Period(NamedTuple):
    """One event that makes somebody busy; `series_id` is "" unless it belongs to a series."""

    event_id: str
    series_id: str
    start: datetime
    end: datetime


def calendars_that_count(member_id: UUID) -> set[str]:
    return set(BusyCalendar.objects.filter(member=member_id).values_list("calendar_id", flat=True))


def set_counted_calendars(member_id: UUID, calendar_ids: Collection[str]) -> None:
    """Makes these the calendars of the member that count, and no others.

    The copy of a calendar that no longer counts is deleted. A new one is not known yet, and what is
    not known is not free.
    """
    BusyCalendar.objects.filter(member=member_id).exclude(calendar_id__in=calendar_ids).delete()
    BusyCalendar.objects.bulk_create(
        [BusyCalendar(member_id=member_id, calendar_id=name) for name in calendar_ids],
        ignore_conflicts=True,
    )


def note_problem(member_id: UUID, problem: Reason, *, calendar_id: str | None = None) -> None:
    """Notes why a calendar of the member, or each of them, cannot be read. The copy stays, and
    counts for as long as it is fresh."""
    calendars = BusyCalendar.objects.filter(member=member_id)
    if calendar_id is not None:
        calendars = calendars.filter(calendar_id=calendar_id)
    new = columns(BusyCalendar, "problem", problem)
    calendars.exclude(**new).update(**new)


def held_copy(member_id: UUID, calendar_id: str) -> BusyCalendar | None:
    """The calendar, locked until its copy is written; None if it no longer counts."""
    calendars = BusyCalendar.objects.select_for_update()
    return calendars.filter(member=member_id, calendar_id=calendar_id).first()


def held_copies(business_id: UUID, calendar_id: str) -> list[BusyCalendar]:
    """The same for all members of a business for whom the calendar counts."""
    calendars = BusyCalendar.objects.select_for_update(of=("self",))
    of_business = calendars.filter(member__business=business_id, calendar_id=calendar_id)
    return list(of_business.order_by("id"))


def series_of(
    member_id: UUID, calendar_id: str, *, events: Collection[str], series: Collection[str]
) -> set[str]:
    """The series in the copy to which any of these events belong, or that have these ids."""
    known = BusyPeriod.objects.filter(
        Q(event_id__in=events) | Q(series_id__in=series),
        calendar__member=member_id,
        calendar__calendar_id=calendar_id,
    )
    return set(known.exclude(series_id="").values_list("series_id", flat=True).distinct())


def replace(calendar: BusyCalendar, periods: Iterable[Period]) -> bool:
    """Replaces the whole copy. Returns whether anything changed."""
    new = {period.event_id: period for period in periods}
    known = BusyPeriod.objects.filter(calendar=calendar)
    gone = known.exclude(event_id__in=new)
    return _write(calendar, new, known=known) | bool(gone.delete()[0])


def apply(
    calendar: BusyCalendar,
    periods: Iterable[Period],
    *,
    gone: Collection[str] = (),
    gone_series: Collection[str] = (),
) -> bool:
    """Applies an increment: adds or updates `periods`, and removes the events and whole series that
    are gone. Returns whether anything changed."""
    new = {period.event_id: period for period in periods}
    known = BusyPeriod.objects.filter(calendar=calendar)
    left = known.filter(Q(event_id__in=gone) | Q(series_id__in=gone_series))
    deleted = left.exclude(event_id__in=new).delete()[0]
    return _write(calendar, new, known=known.filter(event_id__in=new)) | bool(deleted)


def _write(calendar: BusyCalendar, new: dict[str, Period], *, known: Iterable[BusyPeriod]) -> bool:
    there = {
        row.event_id: Period(row.event_id, row.series_id, row.during.lower, row.during.upper)
        for row in known
    }
    different = [period for period in new.values() if there.get(period.event_id) != period]
    BusyPeriod.objects.bulk_create(
        [
            BusyPeriod(
                calendar=calendar,
                member_id=calendar.member_id,
                event_id=period.event_id,
                series_id=period.series_id,
                during=DateTimeTZRange(period.start, period.end),
            )
            for period in different
        ],
        batch_size=AT_ONCE,
        update_conflicts=True,
        unique_fields=["calendar", "event_id"],
        update_fields=["series_id", "during"],
    )
    return bool(different)
