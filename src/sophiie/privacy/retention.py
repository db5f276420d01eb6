"""Forgets in time what nobody needs any more: after as many days as the operator says, in small
batches."""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from pathlib import Path

from django.apps import apps
from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from sophiie.appointments.models import Appointment, AppointmentChange
from sophiie.calendar_link.models import LinkState
from sophiie.common.batches import delete_in_batches
from sophiie.common.clock import now
from sophiie.common.ending import stop_if_asked
from sophiie.privacy.answers import ANSWERS
from sophiie.sync.models import MirroredEvent, MirrorState, SyncAttempt
from sophiie.waiting_list.models import WaitingEntry

# No column orders the history by age, so it is scanned, and not often.
HISTORY_SECONDS = 3600.0
# Of mails in the data folder, if no mail server is set: links in them last a week at most.
MAIL_DAYS = 30
_looked_at: list[float] = []


def forget_old() -> None:
    """Forgets stored answers and mails now, and the history from time to time."""
    forget_old_answers()
    forget_old_mails()
    forget_who_waited()
    if _looked_at and time.monotonic() < _looked_at[0] + HISTORY_SECONDS:
        return
    _looked_at[:] = [time.monotonic()]
    forget_old_history()


def forget_old_answers() -> int:
    """Deletes expired answers to API callers, even if nobody calls any more."""
    answers = apps.get_model(ANSWERS)._default_manager
    old = answers.filter(created_at__lt=_before(settings.IDEMPOTENCY_DAYS))
    return delete_in_batches(old)


def forget_who_waited() -> int:
    """Deletes entries of the waiting list whose last day has passed in every zone."""
    return delete_in_batches(WaitingEntry.objects.filter(last_day__lt=_before(1).date()))


def forget_old_history() -> int:
    """Deletes old history, and the deleted appointments that were kept only for it."""
    if not settings.HISTORY_DAYS:
        return 0
    cutoff = _before(settings.HISTORY_DAYS)
    count = delete_in_batches(AppointmentChange.objects.filter(at__lt=cutoff))
    for appointment in _deleted_before(cutoff).iterator():
        stop_if_asked()
        _take_out(appointment)
        count += 1
    return count


def _deleted_before(cutoff: datetime) -> QuerySet[Appointment]:
    """Those whose events have left Google, or never will."""
    at_work = MirroredEvent.objects.filter(appointment=OuterRef("pk")).exclude(
        link__state=LinkState.UNLINKED
    )
    at_work = at_work.exclude(wanted=False, state=MirrorState.SYNCED)
    return Appointment.objects.filter(~Exists(at_work), deleted_at__lt=cutoff)


@transaction.atomic
def _take_out(appointment: Appointment) -> None:
    SyncAttempt.objects.filter(mirrored_event__appointment=appointment).delete()
    MirroredEvent.objects.filter(appointment=appointment).delete()
    appointment.delete()


def forget_old_mails() -> int:
    folder = getattr(settings, "EMAIL_FILE_PATH", None)
    if folder is None or not Path(folder).is_dir():
        return 0
    oldest = _before(MAIL_DAYS).timestamp()
    old = [path for path in Path(folder).glob("*.log") if path.stat().st_mtime < oldest]
    for path in old:
        path.unlink(missing_ok=True)
    return len(old)


def _before(days: int) -> datetime:
    return now() - timedelta(days=days)
