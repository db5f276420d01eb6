"""Telling other people's changes of our events from our own.

Google tells every change back to us, also those that we made. Ours are known by the etag that
Google answered to the write. And a reading and a write may overlap: then it cannot be said from
what was told which of the two came last, so nothing is said. The version is remembered, and the
event is read once more when the write is recorded.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import F, Q

from sophiie.appointments.models import Appointment
from sophiie.common import live
from sophiie.common.logs import log
from sophiie.sync.drift_state import (
    DRIFT_FIELDS,
    Seen,
    clear_drift,
    compare,
    is_settled,
    set_drift,
)
from sophiie.sync.models import DriftKind, MirroredEvent, MirrorState

logger = log(__name__)

RECENT = timedelta(days=30)
NO_ETAG = "-"


@dataclass(frozen=True)
class Known:
    """Our settled events in one calendar as they were when a reading began, by event id.

    `etags` of our last writes; `upcoming`: those that should be there; `unjudged`: those with a
    change that an earlier reading could not judge.
    """

    etags: dict[str, str]
    upcoming: frozenset[str]
    unjudged: frozenset[str]


def known_events(link_id: UUID, calendar_id: str, moment: datetime, *, until: datetime) -> Known:
    """What we know now. Of long past events only those with something left to judge."""
    rows = MirroredEvent.objects.filter(link=link_id, calendar_id=calendar_id)
    rows.filter(unjudged_etag=F("etag")).exclude(unjudged_etag="").update(unjudged_etag="")
    settled = rows.filter(
        Q(appointment__end__gt=moment - RECENT) | ~Q(unjudged_etag=""),
        wanted=True,
        state=MirrorState.SYNCED,
        shown_revision__gt=0,
        wanted_revision=F("shown_revision"),
    ).values_list(
        "event_id",
        "etag",
        "unjudged_etag",
        "drift_kind",
        "appointment__start",
        "appointment__end",
    )
    etags, upcoming, unjudged = {}, set(), set()
    for event_id, etag, unjudged_etag, drift, start, end in settled:
        etags[event_id] = etag
        if end > moment and start < until and drift != DriftKind.DELETED:
            upcoming.add(event_id)
        if unjudged_etag:
            unjudged.add(event_id)
    return Known(etags, frozenset(upcoming), frozenset(unjudged))


def judge(
    link_id: UUID,
    calendar_id: str,
    items: Iterable[dict[str, Any]],
    known: Known,
    moment: datetime,
) -> None:
    """Notes drift for what a reading told, in its transaction. Other people's events are skipped:
    ours are those in the mapping, whatever marks an event carries."""
    told = {str(item["id"]): item for item in items}
    rows = list(
        MirroredEvent.objects.select_for_update()
        .filter(link=link_id, calendar_id=calendar_id, event_id__in=list(told))
        .order_by("id")
    )
    # Read after the rows are held: a booking that came first has made its rows pending by now.
    appointments = Appointment.objects.in_bulk([row.appointment_id for row in rows])
    for row in rows:
        appointment, item = appointments[row.appointment_id], told[row.event_id]
        if not row.wanted:
            continue
        if not _can_tell(row, appointment, known):
            _remember(row, item)
        elif _note(row, _seen(row, appointment, item), moment):
            live.announce(appointment.business_id, appointment=appointment.id)


def _can_tell(row: MirroredEvent, appointment: Appointment, known: Known) -> bool:
    """Whether no write of ours was under way at any moment of the reading."""
    return (
        is_settled(row)
        and appointment.revision == row.shown_revision
        and known.etags.get(row.event_id) == row.etag
    )


def _remember(row: MirroredEvent, item: dict[str, Any]) -> None:
    etag = str(item.get("etag") or NO_ETAG)[:100]
    if etag not in (row.etag, row.unjudged_etag):
        row.unjudged_etag = etag
        row.save(update_fields=["unjudged_etag"])


def _seen(row: MirroredEvent, appointment: Appointment, item: dict[str, Any]) -> Seen | None:
    if row.etag and item.get("etag") == row.etag:
        return Seen(DriftKind.NONE)
    try:
        return compare(item, appointment.start, appointment.end)
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
