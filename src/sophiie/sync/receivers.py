"""What the mirror does when it hears of a change, inside that change's transaction."""

from __future__ import annotations

from typing import Any

from sophiie.appointments.models import Appointment
from sophiie.appointments.signals import appointment_changed
from sophiie.calendar_link.models import CalendarLink
from sophiie.calendar_link.signals import link_activated, link_changed, link_mended
from sophiie.common import live
from sophiie.sync import mirror


def connect() -> None:
    appointment_changed.connect(_on_appointment, dispatch_uid="mirror")
    link_activated.connect(_on_activated, dispatch_uid="mirror")
    link_mended.connect(_on_mended, dispatch_uid="mirror")
    link_changed.connect(_on_link, dispatch_uid="mirror")


def _on_appointment(appointment: Appointment, **_: Any) -> None:
    mirror.record_change(appointment)
    live.announce(appointment.business_id, appointment=appointment.id)


def _on_activated(link: CalendarLink, **_: Any) -> None:
    mirror.record_backfill(link)
    _on_link(link)


def _on_mended(link: CalendarLink, **_: Any) -> None:
    mirror.resume(link)
    _on_link(link)


def _on_link(link: CalendarLink, **_: Any) -> None:
    live.announce(link.member.business_id, link=link.id)
