"""What a series notes when one of its visits is changed without the others."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sophiie.appointments.models import Action, Appointment
from sophiie.appointments.signals import appointment_changed
from sophiie.common.sql import send

_CHANGED_ALONE = """
    UPDATE series_visit SET changed_alone = true
    WHERE appointment_id = %(appointment)s AND NOT changed_alone
"""


def connect() -> None:
    appointment_changed.connect(_on_change, dispatch_uid="series")


def _on_change(appointment: Appointment, action: Action, fields: Collection[str], **_: Any) -> None:
    """What came of a visit, such as that nobody came, makes it no other visit."""
    if action is Action.CHANGED and set(fields) - {"status"}:
        send(_CHANGED_ALONE, appointment=appointment.id)
