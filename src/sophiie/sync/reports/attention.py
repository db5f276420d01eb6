"""Finds the appointments that need a person, for a page that shows very many of them."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db.models import Q

from sophiie.accounts.models import Business
from sophiie.calendar_link.models import LinkState
from sophiie.sync.models import MirroredEvent, MirrorState


def perhaps_in_need(business: Business, start: datetime, end: datetime) -> set[UUID]:
    """The appointments of a period with a row that may need attention; `statuses_of` decides.

    One query, which reads none of the many rows that are fine.
    """
    waits_for_person = Q(state=MirrorState.PENDING, link__state=LinkState.NEEDS_RECONNECT)
    rows = (
        MirroredEvent.objects.filter(
            appointment__business=business,
            appointment__deleted_at=None,
            appointment__start__lt=end,
            appointment__end__gt=start,
        )
        .filter(Q(state=MirrorState.FAILED) | ~Q(drift_kind="") | waits_for_person)
        .exclude(link__state=LinkState.UNLINKED)
    )
    return set(rows.values_list("appointment_id", flat=True))
