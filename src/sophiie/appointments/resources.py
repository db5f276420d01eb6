"""Which resources an appointment needs, and that nothing else has them then.

To a resource what `assignments.py` is to a member: callers hold the resources' locks, inside the
transaction of a business act. Without resources it costs one small query, and none for a new
appointment.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.utils.translation import gettext as _

from sophiie.accounts.models import Business, Member
from sophiie.appointments.errors import InvalidAppointment, Obstacle
from sophiie.appointments.hold_time import sql_counts_still
from sophiie.appointments.locking import in_transaction, lock_members
from sophiie.appointments.models import Appointment
from sophiie.common.clock import now
from sophiie.common.sql import execute, insert, send
from sophiie.resources import editing
from sophiie.resources.models import Resource, ResourceUse
from sophiie.resources.selectors import resources_of, uses_of

MAX_RESOURCES = 10


def resources_named(
    business: Business, wanted: Iterable[UUID], *, staying: Iterable[Resource] = ()
) -> list[Resource]:
    """The resources with these ids, each once, in the given order. One that is not in use any more
    can only stay. Raises `InvalidAppointment`."""
    ids = list(dict.fromkeys(wanted))
    if len(ids) > MAX_RESOURCES:
        words = _("At most %(n)s resources.") % {"n": MAX_RESOURCES}
        raise InvalidAppointment({"resource_ids": words})
    if not ids:
        return []
    known = {r.pk: r for r in resources_of(business.pk).filter(pk__in=ids, active=True)}
    known |= {resource.pk: resource for resource in staying}
    if any(one not in known for one in ids):
        raise InvalidAppointment({"resource_ids": _unknown()})
    return [known[one] for one in ids]


def check_are_there(resources: Sequence[Resource]) -> None:
    """Raises `InvalidAppointment` if somebody deleted one before we had its lock."""
    ids = {resource.pk for resource in resources}
    if ids and Resource.objects.filter(pk__in=ids).count() < len(ids):
        raise InvalidAppointment({"resource_ids": _unknown()})


def _unknown() -> str:
    return _("There is no such resource, or it is not in use any more.")


_OBSTACLES = f"""
    SELECT period.place - 1, resource.id, resource.name, appointment.id, appointment.start,
        appointment."end", appointment.title, appointment.timezone
    FROM unnest(%(starts)s::timestamptz[], %(ends)s::timestamptz[])
        WITH ORDINALITY AS period (starts, ends, place)
    JOIN resources_resourceuse AS resource_use
        ON resource_use.during && tstzrange(period.starts, period.ends)
    JOIN resources_resource AS resource ON resource.id = resource_use.resource_id
    JOIN appointments_appointment AS appointment ON appointment.id = resource_use.appointment_id
    WHERE resource_use.resource_id = ANY(%(resources)s)
        AND (resource_use.blocking OR resource_use.displaced)
        AND {sql_counts_still("resource_use.held_until")}
        AND NOT (resource_use.appointment_id = ANY(%(exclude)s::uuid[]))
"""  # noqa: S608 - no values


def uses_at(
    *,
    resources: Sequence[Resource],
    periods: Sequence[tuple[datetime, datetime]],
    exclude: Collection[UUID] = (),
) -> list[tuple[int, Obstacle]]:
    """The appointments that have one of these resources, each with the place of the period in which
    they do; in one query."""
    if not resources or not periods:
        return []
    rows = execute(
        _OBSTACLES,
        resources=[resource.pk for resource in resources],
        starts=[start for start, _ in periods],
        ends=[end for _, end in periods],
        moment=now(),
        exclude=list(exclude),
    )
    return [
        (
            place,
            Obstacle.of_resource(
                resource_id,
                name,
                appointment_id=appointment_id,
                title=title,
                start=start,
                end=end,
                timezone=timezone,
            ),
        )
        for place, resource_id, name, appointment_id, start, end, title, timezone in rows
    ]


def uses_in_the_way(
    *, resources: Sequence[Resource], start: datetime, end: datetime
) -> list[Obstacle]:
    """The appointments that have one of these resources at this time."""
    return [it[1] for it in uses_at(resources=resources, periods=[(start, end)])]


def write_uses(
    appointment: Appointment,
    resources: Sequence[Resource],
    obstacles: Sequence[Obstacle],
    kept: Mapping[UUID, ResourceUse] | None = None,
) -> dict[str, Any]:
    """Writes the uses of an appointment that has none; returns what was booked over, for the
    history."""
    uses, over = uses_to_write(appointment, resources, obstacles, kept or {})
    insert(uses)
    return over


def uses_to_write(
    appointment: Appointment,
    resources: Sequence[Resource],
    obstacles: Sequence[Obstacle],
    kept: Mapping[UUID, ResourceUse],
) -> tuple[list[ResourceUse], dict[str, Any]]:
    """The uses to write, and what was booked over, for the history."""
    taken = {obstacle.resource_id for obstacle in obstacles if obstacle.resource_id}
    uses = [
        _kept(kept[resource.pk])
        if resource.pk in kept
        else ResourceUse(
            appointment=appointment,
            resource=resource,
            during=DateTimeTZRange(appointment.start, appointment.end),
            blocking=appointment.is_on and resource.pk not in taken,
            held_until=appointment.held_until,
            booked_anyway=resource.pk in taken,
        )
        for resource in resources
    ]
    over = sorted(r.name for r in resources if r.pk in taken and r.pk not in kept)
    return uses, ({"booked_anyway": [[], over]} if over else {})


def _kept(use: ResourceUse) -> ResourceUse:
    return ResourceUse(
        appointment_id=use.appointment_id,
        resource_id=use.resource_id,
        during=use.during,
        blocking=use.blocking,
        held_until=use.held_until,
        booked_anyway=use.booked_anyway,
        displaced=use.displaced,
    )


_LET_GO = f"""
    UPDATE resources_resourceuse SET blocking = false
    FROM unnest(%(starts)s::timestamptz[], %(ends)s::timestamptz[]) AS asked (starts, ends)
    WHERE resource_id = ANY(%(resources)s) AND blocking
        AND during && tstzrange(asked.starts, asked.ends) AND NOT {sql_counts_still("held_until")}
"""  # noqa: S608 - no values


def let_go_of_held(
    resource_ids: Sequence[UUID], periods: Sequence[tuple[datetime, datetime]]
) -> None:
    """Releases expired holds, as `let_go_of_holds` does for members."""
    if resource_ids:
        send(
            _LET_GO,
            resources=list(resource_ids),
            starts=[start for start, _ in periods],
            ends=[end for _, end in periods],
            moment=now(),
        )


def other_resources(before: Sequence[Resource], after: Sequence[Resource]) -> dict[str, Any]:
    """{"resources": [names before, names after]} for the history, if they differ."""
    if {resource.pk for resource in before} == {resource.pk for resource in after}:
        return {}
    return {"resources": [sorted(r.name for r in before), sorted(r.name for r in after)]}


def resources_used(appointment: Appointment) -> list[Resource]:
    return [use.resource for use in uses_of(appointment.pk)]


def delete_resource(*, by: Member, resource_id: UUID) -> None:
    """Deletes a resource; see `resources/editing.py`. Nobody takes it meanwhile."""

    def remove() -> None:
        editing.find(by, resource_id)
        lock_members([], resources=[resource_id])
        editing.delete(by=by, resource_id=resource_id)

    in_transaction(remove)
