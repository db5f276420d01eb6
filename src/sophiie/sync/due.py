"""Which rows of the outbox are due, and which have to wait."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import Any, TypeGuard
from uuid import UUID

from django.db.models import Q

from sophiie.calendar_link.models import MIRRORING, CalendarLink
from sophiie.common.clock import now
from sophiie.common.horizon import SKEW, is_over
from sophiie.common.wall_time import in_zone, start_of_day
from sophiie.sync.models import MirrorState

# The zone in which the days of Google's quotas begin. Source: the guide to quotas.
QUOTA_ZONE = "America/Los_Angeles"
# So that not everybody starts at the same moment.
QUOTA_SPREAD_SECONDS = 300.0
# The longest pause that is taken for another reason.
MAX_ASKED_PAUSE = timedelta(hours=1)

# The rows that are due, of links that may be written to now; takes the values of `due_at`. A row
# written in what is now the future waits for nothing: the clock was set back since. Names `pending`
# itself, because the index of the outbox holds those rows only. In SQL for `claim.py`.
DUE = f"""
    FROM sync_mirroredevent row
    JOIN calendar_link_calendarlink link ON link.id = row.link_id
    WHERE row.state = '{MirrorState.PENDING}' AND NOT row.hosted_elsewhere
    AND link.state = ANY(%(mirroring)s)
    AND (
        row.updated_at > %(moment)s
        OR NOT (row.next_attempt_at > %(moment)s AND row.next_attempt_at <= %(latest)s)
        AND (
            link.parked_until IS NULL
            OR NOT (link.parked_until > %(moment)s AND link.parked_until <= %(latest)s)
        )
    )
"""


def due_at(moment: datetime) -> dict[str, Any]:
    """The values that `DUE` takes."""
    return {
        "moment": moment,
        "latest": moment + longest_pause(moment),
        "mirroring": [state.value for state in MIRRORING],
    }


def is_parked(until: datetime | None, moment: datetime) -> TypeGuard[datetime]:
    """Whether nothing is written for a link because it has to wait until then."""
    return until is not None and not is_over(until, moment, at_most=longest_pause(moment))


def park(link_id: UUID, until: datetime) -> None:
    """Stops all writes of this link until then; all others go on."""
    moment = now()
    beyond = Q(parked_until__gt=moment + longest_pause(moment))
    CalendarLink.objects.filter(
        Q(parked_until=None) | Q(parked_until__lt=until) | beyond, pk=link_id
    ).update(parked_until=until)


def until_the_quotas_next_day(moment: datetime) -> timedelta:
    """How long until a new day of Google's quotas begins, and a little longer."""
    spread = timedelta(seconds=random.uniform(0, QUOTA_SPREAD_SECONDS))  # noqa: S311 - no secret
    return _until_tomorrow(moment) + spread


def longest_pause(moment: datetime) -> timedelta:
    """How far ahead of now anything may be put off: until the quotas' next day, or for as long as
    Google may ask for."""
    tomorrow = _until_tomorrow(moment) + timedelta(seconds=QUOTA_SPREAD_SECONDS)
    return max(tomorrow, MAX_ASKED_PAUSE) + SKEW


def _until_tomorrow(moment: datetime) -> timedelta:
    tomorrow = in_zone(moment, QUOTA_ZONE).date() + timedelta(days=1)
    return start_of_day(tomorrow, QUOTA_ZONE) - moment
