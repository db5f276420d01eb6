"""*Retry now* for a whole link."""

from __future__ import annotations

from django.db import transaction

from sophiie.calendar_link.models import CalendarLink
from sophiie.common.clock import now
from sophiie.sync import mirror
from sophiie.sync.models import MirroredEvent, MirrorState, WatchedCalendar


def retry_link(link: CalendarLink) -> int:
    """Everything that waits or failed is due now, and the calendars are read; returns how much
    that is.

    Also what waits because Google asked to wait: if it still does, one call finds out.
    """
    with transaction.atomic():
        # The link before its rows, as whoever records an outcome takes them.
        CalendarLink.objects.filter(pk=link.pk).update(parked_until=None)
        rows = list(
            MirroredEvent.objects.select_for_update()
            .filter(link=link)
            .exclude(state=MirrorState.SYNCED)
            .order_by("id")
        )
        mirror.retry(rows)
        WatchedCalendar.objects.filter(link=link).update(next_read_at=now())
    return len(rows)
