"""`GET /appointments`: the list, page by page."""

from __future__ import annotations

import base64
import binascii
import json
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q

from sophiie.accounts.models import Member
from sophiie.api.appointment_schemas import AppointmentFilter, appointment_out
from sophiie.api.problems import invalid
from sophiie.api.schemas import in_utc
from sophiie.appointments.clashes import clashes_of
from sophiie.appointments.errors import InvalidAppointment
from sophiie.appointments.models import Appointment
from sophiie.appointments.rules import assignees_of
from sophiie.appointments.selectors import listed_for
from sophiie.resources.selectors import ids_of_resources
from sophiie.series.selectors import places_of
from sophiie.services.selectors import find as find_service
from sophiie.sync.reports.event_status import statuses_of


def page_of(
    member: Member, filters: AppointmentFilter, *, customer_id: UUID | None = None
) -> dict[str, Any]:
    """One page of the business's appointments by start, or of one customer's, and the cursor of the
    next page."""
    found = listed_for(member)
    if customer_id is not None:
        found = found.filter(customer=customer_id)
    if filters.from_:
        found = found.filter(end__gt=filters.from_)
    if filters.to:
        found = found.filter(start__lt=filters.to)
    if filters.status:
        found = found.filter(status=filters.status)
    if filters.service:
        found = found.filter(service=find_service(member.business_id, filters.service))
    if filters.updated_since:
        found = found.filter(updated_at__gte=filters.updated_since)
    if filters.assignee is not None:
        found = found.filter(assignments__member=_assignee(member, filters.assignee))
    if filters.cursor:
        start, last_id = _read_cursor(filters.cursor)
        found = found.filter(Q(start__gt=start) | Q(start=start, id__gt=last_id))
    page = list(found[: filters.limit + 1])
    more = len(page) > filters.limit
    page = page[: filters.limit]
    statuses, clashes = statuses_of((a.id for a in page), to=member), clashes_of(page)
    places = places_of(a.id for a in page)
    resource_ids = ids_of_resources(a.id for a in page)
    items = [
        appointment_out(
            a,
            [assignment.member for assignment in a.assignments.all()],
            statuses.get(a.id, []),
            clashes.get(a.id, []),
            places.get(a.id),
            resource_ids.get(a.id, []),
        ).model_dump(mode="json")
        for a in page
    ]
    return {"items": items, "next_cursor": _cursor(page[-1]) if more else None}


def _assignee(member: Member, name: str) -> Member:
    try:
        return assignees_of(member.business, [name])[0]
    except InvalidAppointment as error:
        raise invalid({"assignee": [error.errors["assignees"]]}) from None


def _cursor(appointment: Appointment) -> str:
    text = json.dumps([appointment.start.isoformat(), str(appointment.id)])
    return base64.urlsafe_b64encode(text.encode()).decode()


def _read_cursor(text: str) -> tuple[datetime, UUID]:
    try:
        start, last_id = json.loads(base64.urlsafe_b64decode(text.encode()))
        moment = datetime.fromisoformat(start)
        if moment.tzinfo is None:
            raise ValueError
        return in_utc(moment), UUID(last_id)
    except (ValueError, TypeError, AttributeError, binascii.Error):
        raise invalid({"cursor": ["This is not a cursor from an earlier answer."]}) from None
