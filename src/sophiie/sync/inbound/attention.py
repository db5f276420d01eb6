"""Whether somebody is likely to ask for a member's time soon, or looks at their pages now."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import DateTimeField, ExpressionWrapper, Value
from django.db.models.functions import Random

from sophiie.appointments.models import Assignment
from sophiie.appointments.signals import working_asked
from sophiie.common.clock import now
from sophiie.common.horizon import is_over
from sophiie.sync.inbound import rhythm
from sophiie.sync.models import WatchedCalendar

# The web processes say it again before this is over.
PAGES_COUNT_FOR = timedelta(minutes=5)
SOON = timedelta(hours=2)


def is_bookable(member_id: UUID, moment: datetime) -> bool:
    """Whether the member works now, or has an appointment now or soon."""
    answers = working_asked.send(sender=WatchedCalendar, member_ids=[member_id], moment=moment)
    if any(member_id in (working or ()) for _, working in answers):
        return True
    ahead = Assignment.objects.filter(member=member_id, blocking=True)
    return ahead.filter(during__overlap=(moment, moment + SOON)).exists()


def is_looked_at(watched: WatchedCalendar, moment: datetime) -> bool:
    if watched.looked_at is None:
        return False
    return not is_over(watched.looked_at + PAGES_COUNT_FOR, moment, at_most=PAGES_COUNT_FOR)


def note_open_pages(member_ids: Collection[UUID]) -> None:
    """These members have a page open: their calendars are due soon, unless Google reports their
    changes or somebody said how often to ask."""
    if settings.BUSY_POLL_SECONDS is not None:
        return
    moment = now()
    with transaction.atomic():
        # In one order, and without those that a poll holds: the next note comes in two minutes.
        rows = WatchedCalendar.objects.select_for_update(of=("self",), skip_locked=True)
        theirs = WatchedCalendar.objects.filter(
            pk__in=[row.pk for row in rows.filter(link__member__in=member_ids).order_by("pk")]
        )
        theirs.update(looked_at=moment)
        waiting = theirs.filter(is_net=False, error="")
        soon = Value(moment) + Value(rhythm.WHILE_LOOKED_AT) * Random()
        waiting.filter(next_read_at__gt=moment + rhythm.WHILE_LOOKED_AT).update(
            next_read_at=ExpressionWrapper(soon, output_field=DateTimeField())
        )
