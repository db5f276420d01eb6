"""Availability's say when a time is to be held, and when others ask who works now."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from sophiie.accounts.models import Business, Member
from sophiie.appointments.errors import InvalidAppointment
from sophiie.appointments.signals import hold_asked, working_asked
from sophiie.availability.hours import working_time
from sophiie.availability.plans import plan_of, rules_of
from sophiie.availability.services import terms_of
from sophiie.common.clock import now
from sophiie.services.selectors import services_of

BEGINS_SOON = timedelta(minutes=15)


def connect() -> None:
    hold_asked.connect(_on_hold, dispatch_uid="availability")
    working_asked.connect(_on_working, dispatch_uid="availability")


def _on_hold(
    business: Business, start: datetime, service_id: UUID | None = None, **_more: Any
) -> None:
    """Refuses to hold a time that is not offered yet. Raises `InvalidAppointment`."""
    service = services_of(business.pk).filter(pk=service_id).first() if service_id else None
    rules = rules_of(business).under(terms_of(service))
    if start >= rules.window_end(now(), business.timezone):
        words = _("A time can be held at most %(n)s days ahead, as far as times are offered.")
        raise InvalidAppointment({"start": words % {"n": rules.window_days}})


def _on_working(member_ids: Collection[UUID], moment: datetime, **_more: Any) -> set[UUID]:
    soon, staff = moment + BEGINS_SOON, defaultdict(list)
    for member in Member.objects.filter(pk__in=member_ids).select_related("business"):
        staff[member.business].append(member)
    working: set[UUID] = set()
    for business, members in staff.items():
        hours = plan_of(business, members, moment, soon).hours
        working |= {who for who, theirs in hours.items() if working_time(theirs, moment, soon)}
    return working
