"""The history of an appointment in words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from sophiie.appointments.models import Action, Appointment, AppointmentChange, Status
from sophiie.common.wall_time import in_zone


@dataclass(frozen=True)
class Entry:
    at: datetime
    by: str
    text: str


def history_of(appointment: Appointment) -> list[Entry]:
    """Who did what, the newest first, with times in the appointment's zone."""
    changes = appointment.changes.select_related("by").order_by("-revision")
    return [
        Entry(in_zone(c.at, appointment.timezone), c.by.name, _text(c, appointment.timezone))
        for c in changes
    ]


def _text(change: AppointmentChange, zone: str) -> str:
    if change.action == Action.CREATED:
        return _("Made the appointment")
    if change.action == Action.CANCELLED:
        return _("Cancelled it")
    if change.action == Action.DELETED:
        return _("Deleted it")
    if change.action == Action.REINSTATED:
        return _("Brought it back")
    return "; ".join(
        _difference(name, before, after, zone) for name, (before, after) in change.fields.items()
    )


def _difference(name: str, before: Any, after: Any, zone: str) -> str:
    names = {
        "title": _("Title"),
        "start": _("Start"),
        "end": _("End"),
        "timezone": _("Time zone"),
        "location": _("Location"),
        "notes": _("Notes"),
        "customer_name": _("Customer's name"),
        "customer_phone": _("Customer's phone"),
        "customer_email": _("Customer's email"),
        "assignees": _("Assignees"),
        "status": _("Status"),
    }
    return _("%(name)s: %(before)s → %(after)s") % {
        "name": names.get(name, name),
        "before": _value(name, before, zone),
        "after": _value(name, after, zone),
    }


def _value(name: str, value: Any, zone: str) -> str:
    if value in ("", None, []):
        return "–"
    if name in ("start", "end"):
        moment = in_zone(datetime.fromisoformat(value), zone)
        return f"{moment:%a} {moment.day} {moment:%b %H:%M}"
    if name == "assignees":
        return ", ".join(value)
    if name == "status":
        return str(Status(value).label)
    return str(value) if len(str(value)) <= 80 else str(value)[:79] + "…"
