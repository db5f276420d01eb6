"""The private marks on our events, and how they identify an event as ours.

Only this OAuth client's project sees private extended properties. Keys have at most 44 characters:
Google silently drops longer ones. Source: the guide to extended properties.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sophiie.common.ids import is_event_id

APPOINTMENT = "sophiieAppointment"
BUSINESS = "sophiieBusiness"
REVISION = "sophiieRevision"
_OCCURRENCE = re.compile(r"(.+)_\d{8}(T\d{6}Z)?", re.DOTALL)


def event_id_of(item: Mapping[str, Any]) -> str:
    """The id of an event as Google lists it; of an occurrence, that of its series."""
    return str(item.get("recurringEventId") or item["id"])


def series_named_by(item: Mapping[str, Any]) -> str:
    """The series of which an item is an occurrence; "" if it is none.

    Of a deleted occurrence Google may send nothing but the id, which consists of the id of the
    series and the occurrence's first start.
    """
    if series_id := item.get("recurringEventId"):
        return str(series_id)
    if item.get("status") != "cancelled":
        return ""
    found = _OCCURRENCE.fullmatch(str(item["id"]))
    return found[1] if found else ""


def marks_on(item: Mapping[str, Any]) -> Mapping[str, str]:
    """The private properties of an event; {} when it has none."""
    return (item.get("extendedProperties") or {}).get("private") or {}


def appointment_of(event_id: str, private: Mapping[str, str], *, business_id: UUID) -> UUID | None:
    """The appointment that an event of our making stands for; None for every other event.

    A copy that a person made carries the marks too, but under an id that is not ours.
    """
    if private.get(BUSINESS) != str(business_id) or not is_event_id(event_id):
        return None
    try:
        return UUID(private.get(APPOINTMENT, ""))
    except ValueError:
        return None


def revision_of(private: Mapping[str, str]) -> int | None:
    """The revision of the appointment that the event was written for, if it says so."""
    revision = private.get(REVISION, "")
    return int(revision) if revision.isdecimal() else None
