"""What is used of Google's quotas, and how near their limits that is."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db.models import CharField, Q, Sum
from django.db.models.functions import Cast

from sophiie.calendar_link.models import CalendarLink
from sophiie.common.clock import now
from sophiie.common.logs import log
from sophiie.common.wall_time import in_zone, start_of_day
from sophiie.sync.due import QUOTA_ZONE
from sophiie.sync.models import UnitsUsed
from sophiie.sync.quota.units import PROJECT, Span, Use, day_of

logger = log(__name__)

# Of a limit, from which on it is said.
NEAR = 0.8
HOUR = timedelta(hours=1)
DAYS_SHOWN = 30


@dataclass(frozen=True)
class Part:
    """Units used in a span of time, and how many Google allows in it."""

    span: Span
    used: int
    limit: int

    @property
    def share(self) -> float:
        return self.used / self.limit

    @property
    def is_near(self) -> bool:
        return self.share >= NEAR


@dataclass(frozen=True)
class Usage:
    """Of the whole project: the day of Google's quotas so far, by use, and the fullest minute of
    the last hour. `most_of_a_link`: what the link that used most of the day used."""

    day: Part
    minute: Part
    today: Mapping[Use, int]
    most_of_a_link: int

    @property
    def near(self) -> list[Part]:
        return [part for part in (self.day, self.minute) if part.is_near]


def usage() -> Usage:
    """In three small queries, however many links there are."""
    moment = now()
    day, minute = _parts(moment)
    rows = UnitsUsed.objects.filter(span=Span.DAY, since=day_of(moment))
    found = dict(rows.filter(scope=PROJECT).values_list("kind", "units"))
    links = rows.exclude(scope=PROJECT).values("scope").annotate(used=Sum("units"))
    most = links.order_by("-used").first()
    return Usage(
        day=day,
        minute=minute,
        today={use: found.get(use, 0) for use in Use},
        most_of_a_link=most["used"] if most else 0,
    )


def near_limits() -> list[Part]:
    """The limits that are near, in one small query."""
    return [part for part in _parts(now()) if part.is_near]


def units_today(link_ids: Collection[UUID]) -> dict[UUID, int]:
    """What each of these links used of today's units."""
    names = {str(link_id): link_id for link_id in link_ids}
    rows = UnitsUsed.objects.filter(span=Span.DAY, since=day_of(now()), scope__in=names)
    found = rows.values("scope").annotate(used=Sum("units")).values_list("scope", "used")
    return {names[scope]: used for scope, used in found}


def days_of_business(business_id: UUID) -> list[tuple[date, int]]:
    """The units that the links of a business used on each of the last days of Google's quotas,
    today last: one query."""
    today = in_zone(now(), QUOTA_ZONE).date()
    days = [today - timedelta(days=n) for n in reversed(range(DAYS_SHOWN))]
    links = CalendarLink.objects.filter(member__business=business_id)
    rows = UnitsUsed.objects.filter(
        span=Span.DAY,
        since__gte=start_of_day(days[0], QUOTA_ZONE),
        scope__in=links.values_list(Cast("pk", CharField())),
    )
    used = {
        in_zone(since, QUOTA_ZONE).date(): units
        for since, units in rows.values("since")
        .annotate(used=Sum("units"))
        .values_list("since", "used")
    }
    return [(day, used.get(day, 0)) for day in days]


def _parts(moment: datetime) -> tuple[Part, Part]:
    """The day so far, and the fullest minute of the last hour, of the whole project."""
    rows = UnitsUsed.objects.filter(
        Q(span=Span.DAY, since=day_of(moment)) | Q(span=Span.MINUTE, since__gt=moment - HOUR),
        scope=PROJECT,
    )
    most = dict.fromkeys(Span, 0)
    for span, used in (
        rows.values("span", "since").annotate(used=Sum("units")).values_list("span", "used")
    ):
        most[Span(span)] = max(most[Span(span)], used)
    return (
        Part(Span.DAY, most[Span.DAY], settings.GOOGLE_UNITS_PER_DAY),
        Part(Span.MINUTE, most[Span.MINUTE], settings.GOOGLE_UNITS_PER_MINUTE),
    )


_said: dict[Span, datetime] = {}


def warn_near_limits() -> None:
    """Logs, at most once an hour for each, which of Google's limits are near."""
    moment = now()
    for part in near_limits():
        said_at = _said.get(part.span)
        if said_at is None or not said_at <= moment < said_at + HOUR:
            _said[part.span] = moment
            logger.warning(
                "near a limit of Google's",
                span=str(part.span),
                units=part.used,
                limit=part.limit,
                share=round(part.share, 2),
            )
