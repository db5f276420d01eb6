"""Tells other people's changes of our events from our own, and from our omissions.

Google reports every change to us, also our own, which we know by the etag that it answered to the
write. When a poll and a write overlap, the answer does not show which of the two came last. Then
nothing is decided: the version is remembered, and the event is fetched again once the write is
recorded.

What a person changed or deleted is noted as drift. What never arrived is written again: an event
that Google does not know, or one that still shows an earlier version of ours.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sophiie.appointments.models import Appointment
from sophiie.common import live
from sophiie.common.clock import now
from sophiie.common.horizon import SKEW
from sophiie.common.logs import log
from sophiie.google import marks
from sophiie.sync.drift_state import (
    DRIFT_FIELDS,
    Seen,
    clear_drift,
    compare,
    is_settled,
    repetition_of,
    set_drift,
)
from sophiie.sync.inbound.fetch import FetchResult
from sophiie.sync.inbound.poll_claim import Poll
from sophiie.sync.inbound.snapshot import Known
from sophiie.sync.models import DriftKind, MirroredEvent, MirrorState
from sophiie.sync.outbox import record

logger = log(__name__)

NO_ETAG = "-"


def detect_drift(poll: Poll, fetched: FetchResult, moment: datetime) -> int:
    """Notes what a poll of the chosen calendar says about our events, in its transaction.

    Skips other people's events: ours are those in the mapping, whatever marks an event carries.
    Returns how many are written again.
    """
    items = {str(item["id"]): item for item in fetched.items}
    rows = list(
        MirroredEvent.objects.select_for_update()
        .filter(link=poll.link_id, calendar_id=poll.calendar_id, event_id__in=list(items))
        .order_by("id")
    )
    # Read after the rows are locked: a booking that came first has made its rows pending by now.
    appointments = Appointment.objects.in_bulk([row.appointment_id for row in rows])
    omitted, judged = [], []
    for row in rows:
        appointment, item = appointments[row.appointment_id], items[row.event_id]
        if not row.wanted:
            if _note_still_there(row, item, poll, moment):
                live.announce(appointment.business_id, appointment=appointment.id)
        elif not _can_tell(row, appointment, poll.known):
            _remember(row, item)
        elif _never_arrived(row, item, fetched):
            omitted.append(row)
        else:
            judged.append(row)
            if _note(row, _seen(row, appointment, item, fetched), moment):
                live.announce(appointment.business_id, appointment=appointment.id)
    _note_compared(judged)
    _note_told(rows, fetched)
    _write_again(omitted, appointments)
    return len(omitted)


def _can_tell(row: MirroredEvent, appointment: Appointment, known: Known) -> bool:
    """Whether no write of ours was under way at any moment of the poll."""
    return (
        is_settled(row)
        and appointment.revision == row.shown_revision
        and known.etags.get(row.event_id) == row.etag
    )


def _never_arrived(row: MirroredEvent, item: dict[str, Any], fetched: FetchResult) -> bool:
    """Whether our last write is not there, and nobody has touched the event since.

    Google's clock says when the event was touched and ours when we wrote, so within `SKEW` of each
    other nothing follows from them, and what is there counts as a person's.
    """
    if row.event_id in fetched.lost:
        return not row.told
    if not fetched.everything or row.etag == item.get("etag") or row.synced_at is None:
        return False
    revision = marks.revision_of(marks.marks_on(item))
    if revision is None or revision >= row.shown_revision:
        return False
    if row.synced_at > now():  # the clock was set since: nothing follows from that time
        return False
    try:
        return datetime.fromisoformat(str(item.get("updated"))) <= row.synced_at - SKEW
    except (TypeError, ValueError):  # not said when, or without offset
        return False


def _write_again(rows: list[MirroredEvent], appointments: dict[UUID, Appointment]) -> None:
    record.put_back(rows)
    for row in rows:
        appointment = appointments[row.appointment_id]
        live.announce(appointment.business_id, appointment=appointment.id)
        logger.warning("event written again", event_id=row.event_id, link_id=str(row.link_id))


def _note_compared(rows: list[MirroredEvent]) -> None:
    """What a restored backup says of them is not in doubt any more."""
    doubted = [row.pk for row in rows if row.restored_revision is not None]
    if doubted:
        MirroredEvent.objects.filter(pk__in=doubted).update(restored_revision=None)


def _note_told(rows: list[MirroredEvent], fetched: FetchResult) -> None:
    """Google has shown us these events: if one is missing later, somebody deleted it."""
    new = [row.pk for row in rows if not row.told and row.event_id not in fetched.lost]
    if new:
        MirroredEvent.objects.filter(pk__in=new).update(told=True)


def _remember(row: MirroredEvent, item: dict[str, Any]) -> None:
    etag = str(item.get("etag") or NO_ETAG)[:100]
    if etag not in (row.etag, row.unjudged_etag):
        row.unjudged_etag = etag
        row.save(update_fields=["unjudged_etag"])


def _note_still_there(
    row: MirroredEvent, item: dict[str, Any], poll: Poll, moment: datetime
) -> bool:
    """An event that is not wanted any more, and was removed before the poll began, is there
    again: somebody restored it. Whether it may go is theirs to say."""
    if row.state != MirrorState.SYNCED or row.synced_at is None:
        return False
    # Later than now was noted by a clock that was wrong.
    if poll.moment <= row.synced_at <= moment + SKEW:
        return False
    if item.get("status") == "cancelled":
        return _note(row, Seen(DriftKind.NONE), moment)
    return _note(row, Seen(DriftKind.STILL_THERE, fields=repetition_of(item)), moment)


def _seen(
    row: MirroredEvent, appointment: Appointment, item: dict[str, Any], fetched: FetchResult
) -> Seen | None:
    """None: nothing new. What a write of ours left of other people's changes was noted when its
    answer came."""
    if row.etag and item.get("etag") == row.etag:
        return None
    shown = row.shown_fields if row.event_id in fetched.whole else None
    try:
        return compare(item, appointment.start, appointment.end, shown_fields=shown)
    except ValueError as error:
        logger.warning("event without usable times", event_id=row.event_id, problem=str(error))
        return None


def _note(row: MirroredEvent, seen: Seen | None, moment: datetime) -> bool:
    changed = seen is not None and set_drift(row, seen, moment)
    if changed or row.unjudged_etag:
        row.unjudged_etag = ""
        row.save(update_fields=["unjudged_etag", *DRIFT_FIELDS])
    if changed:
        logger.info("drift", event_id=row.event_id, kind=row.drift_kind or "none")
    return changed


def erase_drift(link_id: UUID) -> None:
    """Erases what was read in Google, for an unlinking."""
    nothing = MirroredEvent()
    clear_drift(nothing)
    MirroredEvent.objects.filter(link=link_id).exclude(drift_kind="", unjudged_etag="").update(
        unjudged_etag="", **{name: getattr(nothing, name) for name in DRIFT_FIELDS}
    )
