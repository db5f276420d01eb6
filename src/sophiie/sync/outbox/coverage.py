"""Which appointments a link shows."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from django.db.models import Q, QuerySet

from sophiie.appointments.models import Appointment, Assignment, Status
from sophiie.calendar_link.models import CalendarLink, Covers


def upcoming(link: CalendarLink, moment: datetime) -> QuerySet[Appointment]:
    """The upcoming appointments of the link's business, with their assignments; in order."""
    return (
        Appointment.objects.filter(
            business_id=link.member.business_id, deleted_at=None, end__gt=moment
        )
        .prefetch_related("assignments")
        .order_by("start", "id")
    )


def planned_for(link: CalendarLink, moment: datetime) -> list[Appointment]:
    """The upcoming appointments that the link's calendar should hold; in order."""
    appointments = upcoming(link, moment)
    if link.covers != Covers.ALL:  # most of a large business's do not concern this member
        assigned = Assignment.objects.filter(member=link.member_id).values("appointment")
        appointments = appointments.filter(Q(pk__in=assigned) | Q(created_by=link.member_id))
    return [a for a in appointments if shows(link, a, assignee_ids(a))]


def assignee_ids(appointment: Appointment) -> set[UUID]:
    return {assignment.member_id for assignment in appointment.assignments.all()}


def shows(link: CalendarLink, appointment: Appointment, assignee_ids: Collection[UUID]) -> bool:
    """Whether the link's calendar should hold an event for this appointment: a pure rule."""
    if not appointment.is_on or appointment.status == Status.HELD:
        return False
    if link.covers == Covers.ALL or link.member_id in assignee_ids:
        return True
    return link.covers == Covers.MINE and appointment.created_by_id == link.member_id
