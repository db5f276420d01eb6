"""What is used of Google's quotas, and how near their limits that is."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db.models import Sum

from sophiie.common.clock import now
from sophiie.common.logs import log
from sophiie.sync.models import UnitsUsed
from sophiie.sync.quota.units import PROJECT, Span, Use, day_of

logger = log(__name__)

# Of a limit, from which on it is said.
NEAR = 0.8
HOUR = timedelta(hours=1)


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
    today = _by_use(moment)
    links = UnitsUsed.objects.filter(span=Span.DAY, since=day_of(moment)).exclude(scope=PROJECT)
    most = links.values("scope").annotate(used=Sum("units")).order_by("-used").first()
    return Usage(
        day=Part(Span.DAY, sum(today.values()), settings.GOOGLE_UNITS_PER_DAY),
        minute=_fullest_minute(moment),
        today=today,
        most_of_a_link=most["used"] if most else 0,
    )


def near_limits() -> list[Part]:
    """The limits that are near, in two small queries."""
    moment = now()
    day = Part(Span.DAY, sum(_by_use(moment).values()), settings.GOOGLE_UNITS_PER_DAY)
    return [part for part in (day, _fullest_minute(moment)) if part.is_near]


def units_today(link_ids: Collection[UUID]) -> dict[UUID, int]:
    """What each of these links used of today's units."""
    names = {str(link_id): link_id for link_id in link_ids}
    rows = UnitsUsed.objects.filter(span=Span.DAY, since=day_of(now()), scope__in=names)
    found = rows.values("scope").annotate(used=Sum("units")).values_list("scope", "used")
    return {names[scope]: used for scope, used in found}


def _by_use(moment: datetime) -> dict[Use, int]:
    rows = UnitsUsed.objects.filter(scope=PROJECT, span=Span.DAY, since=day_of(moment))
    found = dict(rows.values_list("kind", "units"))
    return {use: found.get(use, 0) for use in Use}


def _fullest_minute(moment: datetime) -> Part:
    rows = UnitsUsed.objects.filter(scope=PROJECT, span=Span.MINUTE, since__gt=moment - HOUR)
    minutes = rows.values("since").annotate(used=Sum("units")).order_by("-used")
    fullest = minutes.first()
    used = fullest["used"] if fullest else 0
    return Part(Span.MINUTE, used, settings.GOOGLE_UNITS_PER_MINUTE)


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
