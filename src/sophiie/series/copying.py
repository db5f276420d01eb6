"""One more visit like those before: what a new appointment takes over from another one."""

from __future__ import annotations

from datetime import datetime

from sophiie.appointments.models import Appointment, Status
from sophiie.common.clock import now

# What belongs to one appointment alone.
_ITS_OWN = {
    *("id", "start", "end", "wall_start", "wall_end", "wall_revision", "status", "held_until"),
    *("hold_key", "revision", "created_at", "updated_at", "deleted_at"),
}


def copy_of(pattern: Appointment, *, start: datetime, end: datetime) -> Appointment:
    """A new appointment at another time, not stored yet, with all else as in the pattern."""
    moment = now()
    taken_over = {
        field.attname: getattr(pattern, field.attname)
        for field in Appointment._meta.concrete_fields
        if field.name not in _ITS_OWN
    }
    made = Appointment(
        **taken_over,
        start=start,
        end=end,
        status=Status.SCHEDULED,
        created_at=moment,
        updated_at=moment,
    )
    made.business = pattern.business
    return made
