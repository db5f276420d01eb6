"""Records what Google should show of many appointments that one act changed, in few statements.

A series' visits come after all single changes, so that nobody's own change waits for them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from uuid import UUID

from sophiie.appointments.models import Appointment
from sophiie.common.clock import now
from sophiie.common.sql import execute, insert, update
from sophiie.sync.jobs import defer_drain
from sophiie.sync.left_in_google import poll_what_nobody_writes
from sophiie.sync.models import MirroredEvent
from sophiie.sync.outbox.guests import Circle
from sophiie.sync.outbox.record import changed_rows, hold_links
from sophiie.sync.outbox.rows import WANTED_FIELDS, Rows, write

_ASSIGNEES = """
    SELECT appointment_id, member_id FROM appointments_assignment
    WHERE appointment_id = ANY(%(appointments)s)
"""


def record_changes(
    appointments: Sequence[Appointment], *, is_new: bool = False, frees_or_takes_time: bool = False
) -> int:
    """As `record_change` does for one; all are of one business."""
    if not appointments:
        return 0
    moment, business = now(), appointments[0].business
    ids = [appointment.id for appointment in appointments]
    assignees: dict[UUID, set[UUID]] = defaultdict(set)
    for appointment_id, member_id in execute(_ASSIGNEES, appointments=ids):
        assignees[appointment_id].add(member_id)
    links = hold_links(business.id)
    if frees_or_takes_time and not is_new:
        poll_what_nobody_writes(*appointments)
    known = {} if is_new else _known_rows(ids)
    circle = Circle.of(business, links, only=set().union(*assignees.values()))
    new: Rows = []
    changed: Rows = []
    count = 0
    for appointment in appointments:
        rows = known.get(appointment.id, defaultdict(list))
        at_once = _may_hand_over(circle, rows)
        team = assignees[appointment.id]
        for row in changed_rows(
            circle, appointment, team, rows, moment, is_new=is_new, backfill=True
        ):
            count += 1
            defer_drain(row.link_id)
            if at_once:
                write(row)
            else:
                (new if row._state.adding else changed).append(row)
    insert(new)
    update(changed, WANTED_FIELDS)
    return count


def _may_hand_over(circle: Circle, rows: Mapping[UUID, Rows]) -> bool:
    """Whether one link may take over another's event, which reads what was written of it before."""
    known = [row for of_link in rows.values() for row in of_link]
    places = {*((row.link_id, row.calendar_id) for row in known)}
    places |= {(link.id, link.calendar_id) for link in circle.links}
    return bool(known) and len({calendar for _, calendar in places}) < len(places)


def _known_rows(appointments: Sequence[UUID]) -> dict[UUID, dict[UUID, Rows]]:
    """By appointment and link. Held in the order in which a worker holds them, so that neither
    waits for the other in a circle."""
    found: dict[UUID, dict[UUID, Rows]] = {one: defaultdict(list) for one in appointments}
    rows = MirroredEvent.objects.filter(appointment__in=appointments)
    for row in rows.select_for_update(of=("self",)).order_by("id"):
        found[row.appointment_id][row.link_id].append(row)
    return found
