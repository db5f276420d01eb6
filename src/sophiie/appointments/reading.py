"""Reading appointments; always within the business of the one who asks."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Prefetch, QuerySet

from sophiie.accounts.models import Member
from sophiie.appointments.models import Appointment, Assignment


def visible_to(member: Member) -> QuerySet[Appointment]:
    """All appointments of the member's business that were not deleted, with their assignees."""
    assignments = Assignment.objects.select_related("member").order_by("id")
    return (
        Appointment.objects.filter(business=member.business_id, deleted_at=None)
        .prefetch_related(Prefetch("assignments", assignments))
        .order_by("start", "id")
    )


def in_period(member: Member, start: datetime, end: datetime) -> QuerySet[Appointment]:
    """Those that touch the period, also when they began before it."""
    return visible_to(member).filter(start__lt=end, end__gt=start)
