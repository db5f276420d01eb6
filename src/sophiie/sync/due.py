"""What is due, and what has to wait."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db.models import Q, QuerySet

from sophiie.calendar_link.models import MIRRORING, CalendarLink
from sophiie.sync.models import MirroredEvent, MirrorState


def due_rows(moment: datetime) -> QuerySet[MirroredEvent]:
    """The rows whose time has come, of links that may be used now."""
    return MirroredEvent.objects.filter(
        Q(link__parked_until=None) | Q(link__parked_until__lte=moment),
        link__state__in=MIRRORING,
        state=MirrorState.PENDING,
        next_attempt_at__lte=moment,
    )


def park(link_id: UUID, until: datetime) -> None:
    """Nothing is written for this link until then; everyone else goes on."""
    CalendarLink.objects.filter(
        Q(parked_until=None) | Q(parked_until__lt=until), pk=link_id
    ).update(parked_until=until)
