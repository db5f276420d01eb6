"""The mirror of a whole business, for those who manage it: what waits, and what needs a person."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Count, Min, Q, QuerySet

from sophiie.calendar_link.models import MIRRORING, RECORDING, LinkState
from sophiie.sync.models import DriftKind, MirroredEvent, MirrorState

FIRST = 20


@dataclass(frozen=True)
class Queue:
    """What is still to be sent for a business. `oldest` counts only what could be sent now."""

    waiting: int
    oldest: datetime | None
    failed: int
    drifted: int


def queue_of(business_id: UUID) -> Queue:
    """One query."""
    counts = _rows(business_id).aggregate(
        waiting=Count("id", filter=Q(state=MirrorState.PENDING)),
        oldest=Min("updated_at", filter=Q(state=MirrorState.PENDING, link__state__in=MIRRORING)),
        failed=Count("id", filter=Q(state=MirrorState.FAILED)),
        drifted=Count("id", filter=_DRIFTED),
    )
    return Queue(**counts)


def failed_events(business_id: UUID) -> list[MirroredEvent]:
    """The first of what Google refused for good, with appointment and member; the soonest first."""
    return _first(_rows(business_id).filter(state=MirrorState.FAILED))


def drifted_events(business_id: UUID) -> list[MirroredEvent]:
    """The first of what was changed in Google and waits for an answer; the soonest first."""
    return _first(_rows(business_id).filter(_DRIFTED))


_DRIFTED = (
    Q(state=MirrorState.SYNCED, link__state__in=RECORDING, appointment__deleted_at=None)
    & ~Q(drift_kind=DriftKind.NONE)
    & (Q(wanted=True) | Q(drift_kind=DriftKind.STILL_THERE))
)


def _rows(business_id: UUID) -> QuerySet[MirroredEvent]:
    rows = MirroredEvent.objects.filter(link__member__business=business_id)
    return rows.exclude(link__state=LinkState.UNLINKED)


def _first(rows: QuerySet[MirroredEvent]) -> list[MirroredEvent]:
    found = rows.select_related("appointment", "link__member")
    return list(found.order_by("appointment__start", "id")[:FIRST])
