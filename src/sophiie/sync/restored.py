"""What follows from restoring a backup, while Google has moved on.

Nothing that the database says of Google is believed before it was compared. Every event is looked
at before the next write (`outbound/after_restore.py`) or when a poll finds it settled: what is
newer there stays and is shown as drift. Calendars are read whole, so that events of appointments
that nobody knows any more count as busy, are reported and stay. Channels are opened anew. Sessions
and mails that were waiting are of another time and are dropped.
"""

from __future__ import annotations

from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import F

from sophiie.accounts.models import OutgoingMail
from sophiie.busy_time.models import BusyCalendar
from sophiie.calendar_link.models import CalendarLink
from sophiie.common.clock import now
from sophiie.common.logs import log
from sophiie.sync.models import (
    MirroredEvent,
    MirrorState,
    PushChannel,
    RestoredBackup,
    WatchedCalendar,
)

logger = log(__name__)


def settle() -> bool:
    """Notes what follows from a restored backup, once; False if there is nothing to note."""
    moment = now()
    with transaction.atomic():
        restored = list(
            RestoredBackup.objects.select_for_update().filter(settled_at=None).order_by("id")
        )
        if not restored:
            return False
        _distrust_events()
        _read_everything_anew()
        Session.objects.all().delete()
        OutgoingMail.objects.all().delete()
        RestoredBackup.objects.filter(pk__in=[row.pk for row in restored]).update(settled_at=moment)
    logger.warning("a backup was restored", taken_at=restored[-1].taken_at.isoformat())
    return True


def _distrust_events() -> None:
    MirroredEvent.objects.update(restored_revision=F("wanted_revision"))
    # Nobody knows what polls have told since. An event that is gone was deleted, not left out.
    MirroredEvent.objects.filter(state=MirrorState.SYNCED, shown_revision__gt=0).update(told=True)


def _read_everything_anew() -> None:
    moment = now()
    WatchedCalendar.objects.update(
        sync_token="",
        window_start=None,
        next_read_at=moment,
        is_net=False,
        reader=None,
        reading_until=None,
        push_next_at=None,
    )
    # What is over is stopped and forgotten by `inbound/channels.py`.
    PushChannel.objects.update(expires_at=moment)
    # Never read, so no booking relies on it.
    BusyCalendar.objects.update(checked_at=None)
    CalendarLink.objects.update(
        lease_holder=None, lease_until=None, refreshing_until=None, parked_until=None
    )
