"""The private marks by which our events are known again.

Private extended properties are seen by this OAuth client's project alone. Keys have at most 44
characters: Google drops longer ones without a word. Source: the guide to extended properties.
"""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

APPOINTMENT = "sophiieAppointment"
BUSINESS = "sophiieBusiness"


def appointment_of(private: Mapping[str, str]) -> UUID | None:
    """The appointment that an event's private properties name; None without a mark of ours."""
    try:
        return UUID(private.get(APPOINTMENT, ""))
    except ValueError:
        return None
