"""How visits and their series were before an act: what undoing it needs, without anybody's words.

The texts that an act changed stand in the appointments' history already, where erasing finds them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sophiie.appointments.models import Appointment, Assignment
from sophiie.resources.models import ResourceUse
from sophiie.series.models import Series, Visit
from sophiie.series.scope import Part

SERIES_FIELDS = (
    *("rule", "short_months", "timezone", "left_out", "not_booked", "when_skipped"),
    *("when_doubled", "total"),
)


def of_series(series: Series) -> dict[str, Any]:
    day = series.planned_through
    return {
        **{name: getattr(series, name) for name in SERIES_FIELDS},
        "id": str(series.id),
        "wall_start": series.first.isoformat(),
        "length": series.length.total_seconds(),
        "planned_through": day.isoformat() if day else None,
        "ended_at": series.ended_at.isoformat() if series.ended_at else None,
    }


# What an appointment keeps of its service; the name of the column is that in the snapshot.
DISTANCES = ("buffer_before_minutes", "buffer_after_minutes", "travel_minutes")


def of_rest(part: Part) -> list[dict[str, Any]]:
    """Taken before the act; `after` is filled in once it has written its revision."""
    return [
        _of_visit(visit, part.assignments[visit.appointment_id], part.uses[visit.appointment_id])
        for visit in part.rest
    ]


def _of_visit(
    visit: Visit, assignments: Sequence[Assignment], uses: Sequence[ResourceUse]
) -> dict[str, Any]:
    appointment = visit.appointment
    return {
        "appointment": str(visit.appointment_id),
        "series": str(visit.series_id),
        "number": visit.number,
        "start": appointment.start.isoformat(),
        "end": appointment.end.isoformat(),
        "timezone": appointment.timezone,
        "status": appointment.status,
        "held_until": appointment.held_until.isoformat() if appointment.held_until else None,
        "customer": str(appointment.customer_id) if appointment.customer_id else None,
        "members": [str(a.member_id) for a in assignments],
        "anyway": [str(a.member_id) for a in assignments if a.booked_anyway],
        "unverified": [str(a.member_id) for a in assignments if a.unverified],
        "service": str(appointment.service_id) if appointment.service_id else None,
        **{name: getattr(appointment, name) for name in DISTANCES},
        "resources": [str(use.resource_id) for use in uses],
        "resources_anyway": [str(use.resource_id) for use in uses if use.booked_anyway],
        "planned": visit.planned.isoformat(),
        "changed_alone": visit.changed_alone,
        "revision": appointment.revision,
        "after": appointment.revision,
    }


def note_revisions(taken: Sequence[dict[str, Any]], appointments: Sequence[Appointment]) -> None:
    """Notes which revision each has after the act: another one means that it was changed since."""
    revisions = {str(one.id): one.revision for one in appointments}
    for one in taken:
        one["after"] = revisions.get(one["appointment"], one["after"])
