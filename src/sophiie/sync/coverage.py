"""Which appointments a link shows: a pure rule."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from sophiie.appointments.models import Appointment, Status
from sophiie.calendar_link.models import CalendarLink, Covers


def shows(link: CalendarLink, appointment: Appointment, assignee_ids: Collection[UUID]) -> bool:
    """Whether the link's calendar should hold an event for this appointment."""
    if not appointment.is_on or appointment.status == Status.HELD:
        return False
    if link.covers == Covers.ALL or link.member_id in assignee_ids:
        return True
    return link.covers == Covers.MINE and appointment.created_by_id == link.member_id
