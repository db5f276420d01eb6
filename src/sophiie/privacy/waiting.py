"""A customer on the waiting list: found by the number, as everywhere, and forgotten."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from django.db.models import Q, QuerySet

from sophiie.privacy.identity import Identity
from sophiie.waiting_list.models import WaitingEntry

TEXTS = ("title", "customer_name", "note")


def waiting_of(identity: Identity) -> list[UUID]:
    """The entries with a number of theirs, or with their number or address in a text."""
    if not identity.traces:
        return []
    entries = WaitingEntry.objects.filter(business=identity.business_id)
    return [entry.pk for entry in entries.iterator() if _is_of(identity, entry)]


def waiting_rows(identity: Identity, appointment_ids: Collection[UUID]) -> QuerySet[WaitingEntry]:
    """All that waits for them, for an export."""
    theirs = Q(pk__in=waiting_of(identity)) | Q(appointment__in=appointment_ids)
    return WaitingEntry.objects.filter(theirs, business=identity.business_id)


def forget_waiting(identity: Identity, appointment_ids: Collection[UUID]) -> None:
    """They wait no longer, and what was written about that is gone."""
    waiting_rows(identity, appointment_ids).delete()


def _is_of(identity: Identity, entry: WaitingEntry) -> bool:
    if identity.traces.name("", entry.customer_phone):
        return True
    texts = [getattr(entry, name) for name in TEXTS]
    return any(identity.traces.blank(text) != text for text in texts)
