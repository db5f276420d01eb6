"""The list of a week, day by day: the calendar for a browser without JavaScript."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from uuid import UUID

from django.urls import reverse

from sophiie.accounts.models import Member
from sophiie.appointments.clashes import clashes_of
from sophiie.appointments.errors import Obstacle
from sophiie.appointments.models import Appointment
from sophiie.appointments.selectors import in_period
from sophiie.common.wall_time import in_zone, local_day
from sophiie.resources.selectors import names_of_resources
from sophiie.series.selectors import number_and_total
from sophiie.sync.reports.event_status import statuses_of
from sophiie.web.appointments.series_mark import in_its_series
from sophiie.web.shared.badges import most_urgent

MAX_IN_A_WEEK = 2000


def week_of(
    member: Member, first: date, today: date, *, service: UUID | None = None
) -> dict[str, Any]:
    """Seven days of appointments in the business's zone, for `calendar/_agenda.html`; with
    `service` only those of it."""
    zone = member.business.timezone
    days = [first + timedelta(days=n) for n in range(7)]
    start, end = local_day(days[0], zone)[0], local_day(days[-1], zone)[1]
    found = in_period(member, start, end).annotate(place=number_and_total())
    appointments = (found.filter(service=service) if service else found)[:MAX_IN_A_WEEK]
    statuses = statuses_of((a.id for a in appointments), to=member)
    clashes = clashes_of(appointments)
    resources = names_of_resources(a.id for a in appointments)
    by_day: dict[date, list[dict[str, Any]]] = {day: [] for day in days}
    for appointment in appointments:
        day = max(in_zone(appointment.start, zone).date(), first)
        badge = most_urgent(statuses.get(appointment.id, []))
        row = _row(appointment, badge, clashes.get(appointment.id, []))
        by_day[day].append(row | {"resources": resources.get(appointment.id, [])})
    return {
        "days": [
            {"date": day, "appointments": rows, "is_today": day == today}
            for day, rows in by_day.items()
        ],
        "is_empty": not appointments,
    }


def _row(appointment: Appointment, badge: Any, clashes: list[Obstacle]) -> dict[str, Any]:
    return {
        "id": appointment.id,
        "title": appointment.title,
        "location": appointment.location,
        "local_start": appointment.local_start,
        "local_end": appointment.local_end,
        "timezone": appointment.timezone,
        "assignee_names": [a.member.name for a in appointment.assignments.all()],
        "status": appointment.current_status,
        "url": reverse("appointment", args=[appointment.id]),
        "visit": in_its_series(appointment),
        "badge": badge,
        "clashes": clashes,
    }
