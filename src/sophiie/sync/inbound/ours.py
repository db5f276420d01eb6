"""Which events in a calendar stand for appointments of a business: the one place that decides it.

An event is ours only where it stands for a live appointment at that appointment's time. Whatever a
person restored, dragged, lengthened or repeated keeps its member busy like any other event until
somebody decides, while the appointment keeps its own time as well.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sophiie.appointments.hold_time import sql_counts_still
from sophiie.calendar_link.models import MIRRORING, CalendarLink, LinkState
from sophiie.common.clock import now
from sophiie.common.ids import is_event_id
from sophiie.common.sql import execute
from sophiie.google import marks
from sophiie.sync.drift_state import whole_seconds
from sophiie.sync.inbound.busy_rule import Stretch
from sophiie.sync.left_in_google import Stray
from sophiie.sync.models import MirrorState

Item = Mapping[str, Any]

_LIVE = f"""
    appointment.deleted_at IS NULL AND appointment.status <> 'cancelled'
    AND {sql_counts_still("appointment.held_until")}
"""
# In SQL: one query for each page of a poll instead of models with their link and appointment.
_MAPPED = f"""
    SELECT row.event_id, appointment.id, appointment.start, appointment."end",
        row.wanted AND {_LIVE},
        CASE WHEN link.state <> '{LinkState.UNLINKED}' THEN row.link_id END,
        row.calendar_id, row.etag,
        row.state = '{MirrorState.PENDING}' AND link.state = ANY(%(mirroring)s)
    FROM sync_mirroredevent row
    JOIN calendar_link_calendarlink link ON link.id = row.link_id
    JOIN appointments_appointment appointment ON appointment.id = row.appointment_id
    WHERE row.event_id = ANY(%(events)s) AND appointment.business_id = %(business)s
"""  # noqa: S608 - no values
_MARKED = f"""
    SELECT appointment.id, appointment.start, appointment."end", {_LIVE}
    FROM appointments_appointment appointment
    WHERE appointment.id = ANY(%(appointments)s) AND appointment.business_id = %(business)s
"""  # noqa: S608 - no values

# In SQL, because it runs in a pipeline of a booking's statements.
_OWN = """
    SELECT appointment_id, event_id FROM sync_mirroredevent
    WHERE appointment_id = ANY(%(appointments)s)
"""


@dataclass(frozen=True)
class _Standing:
    """The appointment behind one of our events, the link not yet unlinked that manages the event,
    the calendar where Sophiie has put it, and whether Sophiie is about to write it anyway."""

    appointment_id: UUID
    start: datetime
    end: datetime
    is_live: bool
    managed_by: UUID | None = None
    calendar_id: str = ""
    etag: str = ""
    is_being_written: bool = False

    def covers(self, item: Item, calendar_id: str, time: Stretch) -> bool:
        if self.is_live and time == Stretch(whole_seconds(self.start), whole_seconds(self.end)):
            return True
        # Our own last version, touched by nobody, which the next write moves or removes.
        untouched = bool(self.etag) and item.get("etag") == self.etag
        return self.is_being_written and untouched and calendar_id == self.calendar_id


class OurEvents:
    """Those among some items of a calendar that a mapping of the business knows.

    An event may be found in any calendar: a guest's copy has the id of the event that it is a copy
    of, and somebody may have moved an event to another calendar.
    """

    def __init__(self, calendar_id: str, standings: Mapping[str, Collection[_Standing]]) -> None:
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
        """With `lost_too`, includes events that have our mark and have lost their mapping."""
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

    def hold(self, item: Item, time: Stretch) -> bool:
        """Whether this event, at this time, stands for an appointment at its time, and so keeps
        nobody busy by itself.

        Where a person made a series of one, the occurrence at the appointment's time still does.
        """
        return any(s.covers(item, self._calendar_id, time) for s in self._behind(item))

    def stray(self, item: Item) -> Stray | None:
        """What the event stands for, if it is in a calendar where Sophiie has put none."""
        standings = self._behind(item)
        if not standings or any(s.calendar_id == self._calendar_id for s in standings):
            return None
        found = standings[0]  # others are of the same appointment
        return Stray(found.appointment_id, whole_seconds(found.start), whole_seconds(found.end))

    def adoptable_by(self, link: CalendarLink, item: Item) -> UUID | None:
        """The appointment for which we once made the event, if this link would adopt it: what
        another link manages stays with that one."""
        standings = self._behind(item)
        if not standings or {s.managed_by for s in standings} - {None, link.id}:
            return None
        return standings[0].appointment_id

    def _behind(self, item: Item) -> list[_Standing]:
        return list(self._standings.get(marks.event_id_of(item), ()))


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
    known = {row[0]: _Standing(*row) for row in found}
    for event_id, appointment_id in marked.items():
        if appointment_id in known:
            standings[event_id].append(known[appointment_id])


def own_events_of(appointment_ids: Collection[UUID]) -> dict[UUID, set[str]]:
    """By appointment, the ids of all events that stand or stood for it."""
    found: dict[UUID, set[str]] = defaultdict(set)
    for appointment_id, event_id in execute(_OWN, appointments=list(appointment_ids)):
        found[appointment_id].add(event_id)
    return found
