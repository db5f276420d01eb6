"""Which events in Google are ours, and therefore not busy time: the one rule for it.

An event is ours only where it stands for a live appointment at that appointment's time. Whatever a
person restored, dragged, lengthened or repeated keeps busy like any other event until somebody
decides, while the appointment keeps its own time as well.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sophiie.calendar_link.models import MIRRORING
from sophiie.common.clock import now
from sophiie.common.ids import is_event_id
from sophiie.common.sql import execute
from sophiie.google import marks
from sophiie.sync.models import MirroredEvent, MirrorState

Item = Mapping[str, Any]

_LIVE = """
    appointment.deleted_at IS NULL AND appointment.status <> 'cancelled'
    AND (appointment.held_until IS NULL OR appointment.held_until > %(moment)s)
"""
_MAPPED = f"""
    SELECT row.event_id, appointment.start, appointment."end", row.wanted AND {_LIVE},
        row.calendar_id, row.etag, row.state = '{MirrorState.PENDING}' AND link.state = ANY(%(mirroring)s)
    FROM sync_mirroredevent row
    JOIN calendar_link_calendarlink link ON link.id = row.link_id
    JOIN appointments_appointment appointment ON appointment.id = row.appointment_id
    WHERE row.event_id = ANY(%(events)s) AND appointment.business_id = %(business)s
"""  # noqa: S608, E501 - no values
_MARKED = f"""
    SELECT appointment.id, appointment.start, appointment."end", {_LIVE}
    FROM appointments_appointment appointment
    WHERE appointment.id = ANY(%(appointments)s) AND appointment.business_id = %(business)s
"""  # noqa: S608 - no values


@dataclass(frozen=True)
class _Standing:
    """What one of our events stands for, and whether Sophiie is about to write it anyway."""

    start: datetime
    end: datetime
    is_live: bool
    calendar_id: str = ""
    etag: str = ""
    is_being_written: bool = False

    def covers(self, item: Item, calendar_id: str, start: datetime, end: datetime) -> bool:
        if self.is_live and (start, end) == (_whole(self.start), _whole(self.end)):
            return True
        # Our own last version, touched by nobody, which the next write moves or removes.
        untouched = bool(self.etag) and item.get("etag") == self.etag
        return self.is_being_written and untouched and calendar_id == self.calendar_id


class OurEvents:
    """Those among some items of a calendar that a mapping of the business knows.

    An event may be found in any calendar: a guest's copy has the id of what it is a copy of, and
    somebody may have moved an event to another calendar.
    """

    def __init__(self, calendar_id: str, standings: Mapping[str, list[_Standing]]) -> None:
        self._calendar_id, self._standings = calendar_id, standings

    @classmethod
    def among(
        cls,
        items: Collection[Item],
        *,
        business_id: UUID,
        calendar_id: str,
        lost_too: bool = False,
    ) -> OurEvents:
        """With `lost_too` also events that bear our mark and have lost their mapping."""
        standings: dict[str, list[_Standing]] = defaultdict(list)
        ids = {marks.event_id_of(item) for item in items}
        events = [event_id for event_id in ids if is_event_id(event_id)]
        if events:
            rows = execute(
                _MAPPED,
                events=events,
                business=business_id,
                moment=now(),
                mirroring=[state.value for state in MIRRORING],
            )
            for event_id, *values in rows:
                standings[event_id].append(_Standing(*values))
        if lost_too:
            _add_marked(standings, items, business_id)
        return cls(calendar_id, standings)

    def hold(self, item: Item, start: datetime, end: datetime) -> bool:
        """Whether this event, from `start` to `end`, stands for an appointment at its time.

        Where a person made a series of one, the occurrence at the appointment's time still does.
        """
        standings = self._standings.get(marks.event_id_of(item), [])
        return any(s.covers(item, self._calendar_id, start, end) for s in standings)


def _add_marked(
    standings: dict[str, list[_Standing]], items: Iterable[Item], business_id: UUID
) -> None:
    marked = {}
    for item in items:
        event_id = marks.event_id_of(item)
        appointment_id = marks.appointment_of(
            event_id, marks.marks_on(item), business_id=business_id
        )
        if appointment_id and event_id not in standings:
            marked[event_id] = appointment_id
    if not marked:
        return
    found = execute(_MARKED, appointments=list(marked.values()), business=business_id, moment=now())
    live = {appointment_id: _Standing(*values) for appointment_id, *values in found}
    for event_id, appointment_id in marked.items():
        if appointment_id in live:
            standings[event_id].append(live[appointment_id])


def own_events_of(appointment_ids: Collection[UUID]) -> dict[UUID, set[str]]:
    """By appointment, the ids of all events that stand or stood for it."""
    found: dict[UUID, set[str]] = defaultdict(set)
    rows = MirroredEvent.objects.filter(appointment__in=appointment_ids)
    for appointment_id, event_id in rows.values_list("appointment_id", "event_id"):
        found[appointment_id].add(event_id)
    return found


def _whole(moment: datetime) -> datetime:
    """Google keeps whole seconds."""
    return moment.replace(microsecond=0)
