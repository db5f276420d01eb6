"""When a law changes the clocks, an appointment at nine stays at nine.

What the clocks show at an appointment's start and end is stored beside the instants, and is the
truth. `follow_clock_laws` runs when a worker starts and once a minute:

1. It notes the wall times of coming appointments that release 0.1 booked or changed without.
2. It compares what each zone's clocks do, by the data of this machine, with what was noted.
3. In a zone that differs it works out the instants of coming appointments anew. Each that moves is
   an ordinary change: it makes a revision, stands in the history and goes to Google.
4. An appointment that so comes to overlap another one, in a zone whose clocks did not change, stays
   at its wall time and is `displaced`: a clash, shown on both, until one of them is moved.

A machine with older data than those noted leaves everything alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfoNotFoundError

from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.db.models import F, QuerySet

from sophiie.appointments.assignments import let_go_of_holds
from sophiie.appointments.errors import TooBusy
from sophiie.appointments.locking import TimeTaken, in_transaction, lock_members
from sophiie.appointments.models import Action, Appointment, Assignment, ZoneRules
from sophiie.appointments.record import announce, locked, save_next_revision
from sophiie.appointments.resources import let_go_of_held
from sophiie.appointments.signals import clocks_changed
from sophiie.common.clock import now
from sophiie.common.ending import stop_if_asked
from sophiie.common.logs import log
from sophiie.common.sql import execute
from sophiie.common.wall_time import instant_near
from sophiie.common.zone_rules import fingerprint, look_again, version
from sophiie.resources.models import ResourceUse
from sophiie.resources.selectors import uses_of

logger = log(__name__)

# The zones of all appointments, each found from the one before it in the index: as many steps as
# zones, however many appointments there are.
_ZONES = """
    WITH RECURSIVE zone (name) AS (
        SELECT min(timezone) FROM appointments_appointment
        UNION ALL
        SELECT (SELECT min(timezone) FROM appointments_appointment WHERE timezone > zone.name)
        FROM zone WHERE zone.name IS NOT NULL
    )
    SELECT name FROM zone WHERE name IS NOT NULL
"""
MOVED_AT_ONCE = 20
NOTED_AT_ONCE = 500


def follow_clock_laws() -> int:
    """Brings coming appointments to their wall times; returns how many moved. Idempotent."""
    look_again()
    _note_wall_times()
    known = {rules.name: rules for rules in ZoneRules.objects.all()}
    moved = sum(_follow(name, known.get(name)) for (name,) in execute(_ZONES))
    _settle()
    return moved


def _coming() -> QuerySet[Appointment]:
    """Also what is called off or deleted: it may be brought back."""
    return Appointment.objects.filter(end__gt=now())


def _note_wall_times() -> None:
    unnoted = _coming().exclude(wall_revision=F("revision")).order_by("end")
    while True:
        stop_if_asked()
        with transaction.atomic():
            some = list(unnoted.select_for_update(no_key=True, skip_locked=True)[:NOTED_AT_ONCE])
            for appointment in some:
                appointment.note_wall_times()
            names = ["wall_start", "wall_end", "wall_revision"]
            Appointment.objects.bulk_update(some, names)
        if len(some) < NOTED_AT_ONCE:
            return


def _follow(name: str, known: ZoneRules | None) -> int:
    """Moves what is at other instants by the rules of now, unless these are the ones noted."""
    try:
        here, release = fingerprint(name), version(name)
    except ZoneInfoNotFoundError:
        logger.warning("time zone has no data any more", zone=name)
        return 0
    if known and known.fingerprint == here:
        return 0
    if known and release and release < known.version:
        logger.warning("time zone data are old", zone=name, here=release, noted=known.version)
        return 0
    moves = [(new - old, old, pk) for pk, old, new in _moves(name)]
    # So that an appointment leaves its time before the next one comes to it.
    later = sorted((m for m in moves if m[0].total_seconds() > 0), key=lambda m: m[1], reverse=True)
    earlier = sorted((m for m in moves if m[0].total_seconds() <= 0), key=lambda m: m[1])
    ids = [pk for _, _, pk in [*later, *earlier]]
    for first in range(0, len(ids), MOVED_AT_ONCE):
        stop_if_asked()
        try:
            in_transaction(partial(_move, ids[first : first + MOVED_AT_ONCE]))
        except (TooBusy, TimeTaken):
            logger.info("appointments follow their clocks later", zone=name)
            return 0
    defaults = {"fingerprint": here, "version": release, "noted_at": now()}
    ZoneRules.objects.update_or_create(name=name, defaults=defaults)
    if known:
        logger.warning("clock laws changed", zone=name, release=release, moved=len(ids))
        clocks_changed.send(sender=ZoneRules, zone=name)
    return len(ids)


def _moves(name: str) -> Iterator[tuple[UUID, datetime, datetime]]:
    """Appointments that are not where their clocks say, with their start as it is and should be."""
    noted = _coming().filter(timezone=name, wall_revision=F("revision"))
    for appointment in noted.iterator():
        start, end = _times_of(appointment)
        if (start, end) != (appointment.start, appointment.end):
            yield appointment.pk, appointment.start, start


def _times_of(appointment: Appointment) -> tuple[datetime, datetime]:
    """The instants at which the clocks show the appointment's wall times."""
    assert appointment.wall_start is not None
    assert appointment.wall_end is not None
    zone = appointment.timezone
    start = instant_near(appointment.wall_start, zone, near=appointment.start)
    end = instant_near(appointment.wall_end, zone, near=appointment.end)
    if end <= start:  # the clocks skip what was in between
        end = start + (appointment.end - appointment.start)
    return start, end


def _move(ids: list[UUID]) -> None:
    appointments = list(locked().filter(pk__in=ids).order_by("pk"))
    assignments = Assignment.objects.filter(appointment__in=ids)
    uses = ResourceUse.objects.filter(appointment__in=ids)
    lock_members(
        assignments.values_list("member_id", flat=True),
        resources=uses.values_list("resource_id", flat=True),
    )
    # In the order given, in which they make room for each other.
    for appointment in sorted(appointments, key=lambda a: ids.index(a.pk)):
        if not appointment.wall_is_noted:
            continue
        start, end = _times_of(appointment)
        if (start, end) == (appointment.start, appointment.end):
            continue
        differences: dict[str, Any] = {
            "start": [appointment.start.isoformat(), start.isoformat()],
            "end": [appointment.end.isoformat(), end.isoformat()],
        }
        appointment.start, appointment.end = start, end
        save_next_revision(appointment)
        _move_assignments(appointment)
        announce(appointment, Action.RECLOCKED, appointment.created_by, differences)


def _move_assignments(appointment: Appointment) -> None:
    assignments = list(appointment.assignments.select_related("member"))
    during = DateTimeTZRange(appointment.start, appointment.end)
    appointment.assignments.update(during=during, blocking=False, displaced=False)
    team = [assignment.member for assignment in assignments]
    let_go_of_holds(team, [(appointment.start, appointment.end)])
    for assignment in assignments:
        if assignment.blocking or assignment.displaced:
            _block_if_free(assignment, during)
    _move_uses(appointment, during)


def _move_uses(appointment: Appointment, during: Any) -> None:
    uses = uses_of(appointment.pk)
    if not uses:
        return
    appointment.resource_uses.update(during=during, blocking=False, displaced=False)
    let_go_of_held([use.resource_id for use in uses], [(appointment.start, appointment.end)])
    for use in uses:
        if use.blocking or use.displaced:
            _use_if_free(use, during)


def _block_if_free(assignment: Assignment, during: Any) -> None:
    blocking = Assignment.objects.filter(member=assignment.member_id, blocking=True)
    taken = blocking.exclude(pk=assignment.pk).filter(during__overlap=during).exists()
    Assignment.objects.filter(pk=assignment.pk).update(blocking=not taken, displaced=taken)


def _use_if_free(use: ResourceUse, during: Any) -> None:
    blocking = ResourceUse.objects.filter(resource=use.resource_id, blocking=True)
    taken = blocking.exclude(pk=use.pk).filter(during__overlap=during).exists()
    ResourceUse.objects.filter(pk=use.pk).update(blocking=not taken, displaced=taken)


def _settle() -> None:
    """What was displaced takes its time again as soon as that is free."""
    for assignment in Assignment.objects.filter(displaced=True).order_by("id"):
        try:
            in_transaction(partial(_settle_one, assignment.pk, assignment.member_id))
        except (TooBusy, TimeTaken):
            logger.info("assignment is settled later", assignment_id=str(assignment.pk))
    for use in ResourceUse.objects.filter(displaced=True).order_by("id"):
        try:
            in_transaction(partial(_settle_use, use.pk, use.resource_id))
        except (TooBusy, TimeTaken):
            logger.info("use of a resource is settled later", use_id=str(use.pk))


def _settle_one(assignment_id: UUID, member_id: UUID) -> None:
    lock_members([member_id])
    displaced = Assignment.objects.filter(pk=assignment_id, displaced=True)
    assignment = displaced.select_related("appointment", "member").first()
    if assignment is None:
        return
    if not assignment.appointment.is_on:
        displaced.update(displaced=False)
        return
    let_go_of_holds([assignment.member], [(assignment.during.lower, assignment.during.upper)])
    _block_if_free(assignment, assignment.during)


def _settle_use(use_id: UUID, resource_id: UUID) -> None:
    lock_members([], resources=[resource_id])
    displaced = ResourceUse.objects.filter(pk=use_id, displaced=True)
    use = displaced.select_related("appointment").first()
    if use is None:
        return
    if not use.appointment.is_on:
        displaced.update(displaced=False)
        return
    let_go_of_held([resource_id], [(use.during.lower, use.during.upper)])
    _use_if_free(use, use.during)
