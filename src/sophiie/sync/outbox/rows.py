"""The rows of the outbox: what Google should show of one appointment in one link.

This module writes what is wanted; only a worker writes what became of it.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings

from sophiie.appointments.models import Appointment
from sophiie.calendar_link.models import CalendarLink
from sophiie.common.reasons import NO_REASON, keep
from sophiie.common.sql import insert
from sophiie.sync.models import MirroredEvent, MirrorState
from sophiie.sync.outbox.coverage import shows
from sophiie.sync.outbox.guests import Circle
from sophiie.sync.outbox.hosting import follow, has_event, let_go

Rows = list[MirroredEvent]
# The columns written here; a worker writes all others.
WANTED_FIELDS = (
    "wanted",
    "wanted_revision",
    "guests",
    "backfill",
    "state",
    "error",
    "error_reason",
    "attempts",
    "next_attempt_at",
    "updated_at",
    "series_may_go",
    "hosted_elsewhere",
)


def align(
    link: CalendarLink,
    appointment: Appointment,
    assignees: Collection[UUID],
    rows: Rows,
    moment: datetime,
    *,
    guests: list[str],
    is_new: bool = False,
    again: bool = False,
    follows: bool = False,
) -> Rows:
    """Sets the rows of one appointment to what Google should show; returns those with work to do.

    `guests` are those of this link's event. With `again`, what Google shows already is written
    once more. `follows`: the same calendar has the event of another link, see `hosting.py`. A past
    appointment without an event gets one only if it `is_new`: whoever links does not send the past,
    whatever is noted about it later.
    """
    target = None
    if shows(link, appointment, assignees):
        target = _home(link, appointment, rows, moment)
        if target is None and (is_new or appointment.end > moment):
            target = new_row(link, appointment, moment)
        rows = [*filter(None, [target]), *(row for row in rows if row is not target)]
    changed = []
    for row in rows:
        wanted = row is target
        if wanted and follows and not has_event(row):
            if follow(row, appointment.revision, moment):
                changed.append(row)
            continue
        if row.hosted_elsewhere and not wanted:
            if let_go(row, appointment.revision, moment):
                changed.append(row)
            continue
        # An event of one's own besides that of another link is one too many.
        wanted = wanted and not follows
        gone = not wanted and not row.wanted and row.state == MirrorState.SYNCED
        current = (row.wanted, row.wanted_revision) == (wanted, appointment.revision)
        current = current and not row.hosted_elsewhere
        if wanted:
            current = current and row.guests == guests
            row.guests, row.hosted_elsewhere = guests, False
        if gone or (current and not again and not row._state.adding):
            continue
        want(row, wanted, appointment.revision, moment)
        changed.append(row)
    return changed


def home_of(link: CalendarLink, appointment: Appointment, rows: Rows, moment: datetime) -> str:
    """The calendar where the event of this link belongs."""
    row = _home(link, appointment, rows, moment)
    return row.calendar_id if row else link.calendar_id


def _home(
    link: CalendarLink, appointment: Appointment, rows: Rows, moment: datetime
) -> MirroredEvent | None:
    """The row in the calendar where the event belongs: the chosen one; a past event stays."""
    if appointment.end <= moment:
        for row in rows:
            if row.wanted:
                return row
    return next((row for row in rows if row.calendar_id == link.calendar_id), None)


def want(row: MirroredEvent, wanted: bool, revision: int, moment: datetime) -> None:
    row.wanted, row.wanted_revision = wanted, revision
    row.series_may_go = row.series_may_go and not wanted
    row.state, row.attempts = MirrorState.PENDING, 0
    keep(row, "error", NO_REASON)
    row.updated_at = moment
    # The first change goes out at once; those that follow quickly are gathered into one more call.
    gathered = timedelta(seconds=settings.MIRROR_COALESCE_SECONDS)
    row.next_attempt_at = moment
    if row.synced_at and row.synced_at <= moment:
        row.next_attempt_at = max(moment, row.synced_at + gathered)


def new_row(link: CalendarLink, appointment: Appointment, moment: datetime) -> MirroredEvent:
    return MirroredEvent(
        link=link,
        appointment=appointment,
        calendar_id=link.calendar_id,
        wanted_revision=appointment.revision,
        created_at=moment,
        updated_at=moment,
    )


def adopt(
    row: MirroredEvent, earlier: MirroredEvent | None, found_id: str | None, circle: Circle
) -> None:
    """Lets a new row stand for an event that exists already."""
    if earlier is not None:
        row.event_id, row.sent = earlier.event_id, True
        row.shown_revision = earlier.shown_revision
        row.shown_guests, row.sent_guests = earlier.shown_guests, earlier.sent_guests
        row.shown_fields, row.left_out = earlier.shown_fields, earlier.left_out
        row.restored_revision = earlier.restored_revision
    elif found_id:
        # Nobody knows what it shows; any revision before the wanted one makes it a patch.
        row.event_id, row.sent, row.shown_revision = found_id, True, 1
        row.sent_guests = sorted(circle.emails.values())  # nor which guests it has


def write(row: MirroredEvent) -> None:
    """Saves one row; what a worker has noted on it since it was read stays."""
    if row._state.adding:
        insert([row])
    else:
        row.save(update_fields=WANTED_FIELDS)


def save(rows: Rows) -> None:
    """Saves many rows at once, as `write` does one."""
    MirroredEvent.objects.bulk_create([r for r in rows if r._state.adding], batch_size=500)
    known = [row for row in rows if not row._state.adding]
    MirroredEvent.objects.bulk_update(known, WANTED_FIELDS, batch_size=500)
