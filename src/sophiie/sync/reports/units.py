"""What is used of Google's quotas, and how near their limits that is."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
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
DAYS_SHOWN, HOURS_SHOWN = 30, 24
# What Google does not charge for; see docs/reference/limits.md.
FREE_UNITS_PER_DAY = 1_000_000


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
class Cost:
    """An amount of money."""

    amount: Decimal
    currency: str


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


def limits() -> tuple[Part, Part]:
    """How near the project is to Google's limits of a day and of a minute: one small query."""
    return _parts(now())


def cost_of(units: int) -> Cost | None:
    """What so many units cost by the operator's price; None if there is none."""
    amount, _, currency = settings.GOOGLE_UNIT_PRICE.partition(" ")
    return Cost(Decimal(amount) * units, currency) if amount else None


def charged_lately() -> int:
    """The units above the free tier on the last days, of the whole project."""
    first = start_of_day(_last_days()[0], QUOTA_ZONE)
    rows = UnitsUsed.objects.filter(scope=PROJECT, span=Span.DAY, since__gte=first)
    days = rows.values("since").annotate(used=Sum("units")).values_list("used", flat=True)
    return sum(max(0, used - FREE_UNITS_PER_DAY) for used in days)


def hours_of_project() -> list[tuple[datetime, float]]:
    """For each of the last hours, this one last, its share of what Google allows in a day: one
    query. Of all businesses together, for their limit is one."""
    this_hour = now().replace(minute=0, second=0, microsecond=0)
    hours = [this_hour - n * HOUR for n in reversed(range(HOURS_SHOWN))]
    rows = UnitsUsed.objects.filter(scope=PROJECT, span=Span.HOUR, since__gte=hours[0])
    used = dict(rows.values("since").annotate(used=Sum("units")).values_list("since", "used"))
    return [(hour, used.get(hour, 0) / settings.GOOGLE_UNITS_PER_DAY) for hour in hours]


def units_today(link_ids: Collection[UUID]) -> dict[UUID, int]:
    """What each of these links used of today's units."""
    names = {str(link_id): link_id for link_id in link_ids}
    rows = UnitsUsed.objects.filter(span=Span.DAY, since=day_of(now()), scope__in=names)
    found = rows.values("scope").annotate(used=Sum("units")).values_list("scope", "used")
    return {names[scope]: used for scope, used in found}


def days_of_business(business_id: UUID) -> list[tuple[date, int]]:
    """The units that the links of a business used on each of the last days of Google's quotas,
    today last: one query."""
    days = _last_days()
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


def _last_days() -> list[date]:
    today = in_zone(now(), QUOTA_ZONE).date()
    return [today - timedelta(days=n) for n in reversed(range(DAYS_SHOWN))]


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
    for part in (part for part in limits() if part.is_near):
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
