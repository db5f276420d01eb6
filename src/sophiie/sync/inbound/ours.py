"""Which events in a calendar stand for appointments of a business: the one place that decides it.

The mapping of the business says it, in whichever calendar an event is found, because a guest's copy
has the id of the event that it is a copy of. An event whose mapping was lost still has our mark.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sophiie.calendar_link.models import LinkState
from sophiie.common.ids import is_event_id
from sophiie.google import marks
from sophiie.sync.inbound.busy_rule import Stretch
from sophiie.sync.models import MirroredEvent

Item = Mapping[str, Any]


@dataclass(frozen=True)
class OwnEvent:
    """The appointment behind an event, and the links not yet unlinked that manage the event."""

    appointment_id: UUID
    start: datetime
    end: datetime
    managed_by: set[UUID] = field(default_factory=set)


def own_events(business_id: UUID, items: Collection[Item]) -> dict[str, OwnEvent]:
    """Those of the events that are in the mapping of the business, by event id."""
    ids = {marks.event_id_of(item) for item in items}
    rows = MirroredEvent.objects.filter(
        event_id__in=[event_id for event_id in ids if is_event_id(event_id)],
        appointment__business=business_id,
    ).select_related("appointment", "link")
    found: dict[str, OwnEvent] = {}
    for row in rows.only("event_id", "link__state", "appointment__start", "appointment__end"):
        appointment = row.appointment
        own = OwnEvent(appointment.id, appointment.start, appointment.end)
        own = found.setdefault(row.event_id, own)
        if row.link.state != LinkState.UNLINKED:
            own.managed_by.add(row.link_id)
    return found


def is_ours(item: Item, time: Stretch, own: Mapping[str, OwnEvent]) -> bool:
    """Whether an event at this time stands for an appointment, and so keeps nobody busy by itself.

    Where a person made a series of one, the occurrence at the appointment's time still does, the
    others are theirs.
    """
    if str(item["id"]) in own:
        return True
    original = own.get(str(item.get("recurringEventId") or ""))
    return original is not None and time.start < original.end and original.start < time.end


def appointment_of(item: Item, own: Mapping[str, OwnEvent], *, business_id: UUID) -> UUID | None:
    """The appointment for which we once made the event, by the mapping or else by our mark."""
    event_id = marks.event_id_of(item)
    if event_id in own:
        return own[event_id].appointment_id
    return marks.appointment_of(event_id, marks.marks_on(item), business_id=business_id)
