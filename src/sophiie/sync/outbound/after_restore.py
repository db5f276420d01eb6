"""Looks at an event before the first write since a backup was restored.

Google may show what this database has forgotten: a later revision, an event of an appointment that
had none here when the backup was taken, or no event any more. None of that is overwritten, doubled,
deleted or brought back; the row takes it as shown, and the person sees it as drift. The look comes
before the write and not with it, so the person may still be a second quicker; then the etag of the
next poll shows it.
"""

from __future__ import annotations

from typing import Any

from django.db import IntegrityError

from sophiie.common.in_thread import in_thread
from sophiie.google import marks
from sophiie.google.errors import EventGone, Unreachable
from sophiie.sync.models import MirroredEvent
from sophiie.sync.outbound.apply import Shown
from sophiie.sync.outbound.claim import Work
from sophiie.sync.outbound.guard import GuardedCalendar
from sophiie.sync.outbound.parts import FIELDS, shown_fields_after
from sophiie.sync.outbound.render import is_ours, render_event
from sophiie.sync.outbox.guests import must_write_guests


async def look_first(calendar: GuardedCalendar, work: Work) -> Shown | None:
    """What Google shows already and Sophiie leaves as it is; None if the work goes on as usual."""
    row = work.row
    if row.restored_revision is not None:
        return await _look_at_the_known(calendar, work, row.restored_revision)
    if not (work.is_from_backup and row.wanted):
        return None
    if not row.shown_revision:
        return await _look_for_a_lost_one(calendar, work)
    if not row.etag and not row.shown_fields:  # adopted: nobody knows what it shows
        return await _look_at_the_known(calendar, work, row.wanted_revision)
    return None


async def _look_at_the_known(
    calendar: GuardedCalendar, work: Work, known_revision: int
) -> Shown | None:
    """The event under the row's id, which this database knew at `known_revision`."""
    row = work.row
    event = await _read(calendar, row)
    if not row.wanted and not _is_live(event):
        return None
    if not event and not row.shown_revision:
        return await _look_for_a_lost_one(calendar, work)
    if not _is_live(event):  # also when Google has emptied its trash
        return _deleted_since(work)
    if not is_ours(event, work.content.appointment_id):
        return None
    there = marks.revision_of(marks.marks_on(event)) or 0
    is_newer = there > known_revision
    # What was still to be written when the backup was taken was written after it.
    was_written = row.wanted and row.shown_revision < there == row.wanted_revision
    if is_newer or (was_written and not must_write_guests(row)):
        return _left_as_it_is(work, event)
    return None


async def _look_for_a_lost_one(calendar: GuardedCalendar, work: Work) -> Shown | None:
    """An event of the appointment in this calendar that no row stands for: the row that did was
    made after the backup. The new row takes it over."""
    row = work.row
    found = await calendar.marked(
        row.calendar_id, marks.APPOINTMENT, str(work.content.appointment_id)
    )
    others = [
        event.id
        for event in found
        if event.id != row.event_id
        and marks.appointment_of(event.id, event.private, business_id=work.content.business_id)
    ]
    lost = await in_thread(_without_row, row.calendar_id, others)
    for event_id in lost:
        if await in_thread(_take_over, row, event_id):
            row.event_id = event_id
            event = await _read(calendar, row)
            if _is_live(event):
                return _left_as_it_is(work, event)
    return None


def _without_row(calendar_id: str, event_ids: list[str]) -> list[str]:
    rows = MirroredEvent.objects.filter(calendar_id=calendar_id, event_id__in=event_ids)
    known = set(rows.values_list("event_id", flat=True))
    return sorted(set(event_ids) - known)


def _take_over(row: MirroredEvent, event_id: str) -> bool:
    """Stores the id before anything is done with it, as `drain.py` does with a new one."""
    mapping = MirroredEvent.objects.filter(pk=row.pk, event_id=row.event_id)
    try:
        if not mapping.update(event_id=event_id, sent=True):
            raise Unreachable("Another worker was quicker.", reason="overtaken")
    except IntegrityError:  # another row of this link has taken it meanwhile
        return False
    return True


async def _read(calendar: GuardedCalendar, row: MirroredEvent) -> dict[str, Any]:
    """The event as Google has it; {} when it has none."""
    try:
        return await calendar.read(row.calendar_id, row.event_id)
    except EventGone as error:
        return {} if error.status != 410 else {"id": row.event_id, "status": "cancelled"}


def _is_live(event: dict[str, Any]) -> bool:
    return bool(event) and event.get("status") != "cancelled"


def _left_as_it_is(work: Work, event: dict[str, Any]) -> Shown:
    """Compared as if Sophiie had just written what it wants: every difference is then drift."""
    row = work.row
    if not row.wanted:
        return Shown(revision=0, event=event, is_left=True)
    return Shown(row.wanted_revision, event, unwritten=_as_if_written(work))


def _deleted_since(work: Work) -> Shown:
    event = {"status": "cancelled"}
    return Shown(work.row.wanted_revision, event, unwritten=_as_if_written(work))


def _as_if_written(work: Work) -> dict[str, Any]:
    known: dict[str, Any] = work.row.shown_fields
    if known.get("there"):
        return known
    fields = render_event(work.content)
    return shown_fields_after(work.row, fields, FIELDS, fields)
