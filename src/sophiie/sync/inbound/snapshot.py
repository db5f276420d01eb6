"""What we think our events in one calendar look like, at the moment when a poll begins."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import F, Q

from sophiie.sync.models import DriftKind, MirroredEvent, MirrorState

RECENT = timedelta(days=30)


@dataclass(frozen=True)
class Known:
    """Our settled events in one calendar, by event id.

    `etags` of our last writes; `upcoming`: those that should be there; `unjudged`: those with a
    change that an earlier poll could not judge. `times` and `appointments`: what the events that
    should be there stand for.
    """

    etags: dict[str, str] = field(default_factory=dict)
    upcoming: frozenset[str] = frozenset()
    unjudged: frozenset[str] = frozenset()
    times: dict[str, tuple[datetime, datetime]] = field(default_factory=dict)
    appointments: dict[str, str] = field(default_factory=dict)


def known_events(link_id: UUID, calendar_id: str, moment: datetime, *, until: datetime) -> Known:
    """What we know now. Long past events are left out unless something is left to judge."""
    settled = MirroredEvent.objects.filter(
        Q(appointment__end__gt=moment - RECENT) | ~Q(unjudged_etag=""),
        link=link_id,
        calendar_id=calendar_id,
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
        "appointment_id",
    )
    etags, times, appointments, unjudged = {}, {}, {}, set()
    for event_id, etag, unjudged_etag, drift, start, end, appointment_id in settled:
        etags[event_id] = etag
        if end > moment and start < until and drift != DriftKind.DELETED:
            times[event_id], appointments[event_id] = (start, end), str(appointment_id)
        if unjudged_etag:
            unjudged.add(event_id)
    return Known(etags, frozenset(times), frozenset(unjudged), times, appointments)


def settle_our_own_versions(link_id: UUID, calendar_id: str) -> None:
    """A version that was left unjudged and turned out to be our own write needs no judging."""
    rows = MirroredEvent.objects.filter(link=link_id, calendar_id=calendar_id)
    rows.filter(unjudged_etag=F("etag")).exclude(unjudged_etag="").update(unjudged_etag="")
