"""Series to test with, and what is left of them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from sophiie.accounts.models import Member
from sophiie.appointments.models import Appointment
from sophiie.series.booking import Booked, book_series
from sophiie.series.fitting import NO_ANSWERS, Answers
from sophiie.series.models import Series, Visit
from sophiie.series.planning import Timing
from sophiie.series.rule import Rule, ShortMonths, read
from tests.conftest import SYDNEY, details


def wall(text: str) -> datetime:
    """What clocks show."""
    return datetime.fromisoformat(text)


# A Tuesday.
FIRST = wall("2027-01-12 09:00")
HOUR = timedelta(hours=1)
TUESDAYS = "FREQ=WEEKLY;BYDAY=TU;COUNT=5"


def rule(text: str, *, first: datetime = FIRST, zone: str = SYDNEY, **more: Any) -> Rule:
    return read(text, first=first, zone=zone, **more)


def timing(
    text: str = TUESDAYS,
    *,
    first: datetime = FIRST,
    zone: str = SYDNEY,
    length: timedelta = HOUR,
    left_out: Collection[date] = (),
    short_months: ShortMonths = ShortMonths.SKIP,
    **more: Any,
) -> Timing:
    return Timing(
        rule=rule(text, first=first, zone=zone, short_months=short_months),
        first=first,
        zone=zone,
        length=length,
        left_out=frozenset(left_out),
        **more,
    )


def made(
    by: Member,
    text: str = TUESDAYS,
    *,
    team: Sequence[Member] = (),
    way: Answers = NO_ANSWERS,
    **more: Any,
) -> Booked:
    """A series of hours from Tuesday 12 January, nine in the morning in Sydney."""
    how = {name: more.pop(name) for name in list(more) if name in Timing.__dataclass_fields__}
    return book_series(
        by=by,
        details=details(),
        timing=timing(text, **how),
        assignees=team or [by],
        answers=way,
        **more,
    )


def appointments_of(series: Series) -> list[Appointment]:
    """In the order of their numbers; also those that were called off."""
    visits = Visit.objects.filter(series=series, appointment__deleted_at=None)
    return [visit.appointment for visit in visits.select_related("appointment").order_by("number")]


def walls(series: Series, *, form: str = "%a %d %b %H:%M") -> list[str]:
    """What the clocks show when the visits that are on begin."""
    return [a.local_start.strftime(form) for a in appointments_of(series) if a.is_on]


def numbers(series: Series) -> list[int]:
    return list(
        Visit.objects.filter(series=series).order_by("number").values_list("number", flat=True)
    )
