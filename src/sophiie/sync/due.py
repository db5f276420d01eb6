"""Which rows of the outbox are due, and which have to wait."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Q

from sophiie.calendar_link.models import MIRRORING, CalendarLink
from sophiie.common.wall_time import in_zone, start_of_day
from sophiie.sync.models import MirrorState

# The zone in which the days of Google's quotas begin. Source: the guide to quotas.
QUOTA_ZONE = "America/Los_Angeles"
# So that not everybody starts at the same moment.
QUOTA_SPREAD_SECONDS = 300.0

# The rows that are due, of links that may be written to now; takes the values of `due_at`. Names
# `pending` itself, because the index of the outbox holds those rows only. In SQL for `claim.py`.
DUE = f"""
    FROM sync_mirroredevent row
    JOIN calendar_link_calendarlink link ON link.id = row.link_id
    WHERE row.state = '{MirrorState.PENDING}' AND row.next_attempt_at <= %(moment)s
    AND link.state = ANY(%(mirroring)s)
    AND (link.parked_until IS NULL OR link.parked_until <= %(moment)s)
"""


def due_at(moment: datetime) -> dict[str, Any]:
    """The values that `DUE` takes."""
    return {"moment": moment, "mirroring": [state.value for state in MIRRORING]}


def park(link_id: UUID, until: datetime) -> None:
    """Stops all writes of this link until then; all others go on."""
    CalendarLink.objects.filter(
        Q(parked_until=None) | Q(parked_until__lt=until), pk=link_id
    ).update(parked_until=until)


def until_the_quotas_next_day(moment: datetime) -> timedelta:
    """How long until a new day of Google's quotas begins, and a little longer."""
    tomorrow = in_zone(moment, QUOTA_ZONE).date() + timedelta(days=1)
    spread = timedelta(seconds=random.uniform(0, QUOTA_SPREAD_SECONDS))  # noqa: S311 - no secret
    return start_of_day(tomorrow, QUOTA_ZONE) - moment + spread
