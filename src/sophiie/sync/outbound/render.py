"""Turns an appointment into an event: a pure function, and the only place that knows its looks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape
from typing import Any
from uuid import UUID

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import override

from sophiie.calendar_link.models import Privacy
from sophiie.common.wall_time import in_zone
from sophiie.google import marks

# Google documents no limits and the reported ones differ: longer text is cut before it is sent.
SUMMARY_LENGTH = 500
DESCRIPTION_LENGTH = 7000


@dataclass(frozen=True)
class Content:
    """Everything that an event is made of."""

    appointment_id: UUID
    business_id: UUID
    revision: int
    privacy: str
    title: str
    start: datetime
    end: datetime
    timezone: str
    location: str
    notes: str
    assignees: Sequence[str]
    customer_name: str
    customer_phone: str
    customer_email: str
    language: str
    url: str


def render_event(content: Content) -> dict[str, Any]:
    """The fields of the event that are Sophiie's own; all others stay the person's.

    Times carry both the offset and the IANA zone. `date: None` clears an all-day date that a person
    may have set in Google; a patch would otherwise merge with it. The status makes a patch bring
    back a deleted event.
    """
    busy_only = content.privacy == Privacy.BUSY
    with override(content.language or settings.LANGUAGE_CODE):
        summary = _("Busy") if busy_only else content.title[:SUMMARY_LENGTH]
        description = _description(content)
    return {
        "summary": summary,
        "location": None if busy_only else content.location or None,
        "description": description,
        "start": _time(content.start, content.timezone),
        "end": _time(content.end, content.timezone),
        "status": "confirmed",
        "extendedProperties": {
            "private": {
                marks.APPOINTMENT: str(content.appointment_id),
                marks.BUSINESS: str(content.business_id),
                marks.REVISION: str(content.revision),
            }
        },
    }


def without_empty(fields: dict[str, Any]) -> dict[str, Any]:
    """The fields for an insert, where there is nothing to clear."""
    return {
        name: without_empty(value) if isinstance(value, dict) else value
        for name, value in fields.items()
        if value is not None
    }


def is_ours(event: dict[str, Any], appointment_id: UUID) -> bool:
    """Whether an event read back carries the marker of this appointment."""
    return marks.marks_on(event).get(marks.APPOINTMENT) == str(appointment_id)


def _time(instant: datetime, zone: str) -> dict[str, Any]:
    local = in_zone(instant, zone)
    return {"dateTime": local.isoformat(timespec="seconds"), "timeZone": zone, "date": None}


def _description(content: Content) -> str:
    """Google shows a description as HTML, so what people typed is escaped.

    People, customer and notes go to Google only at the full privacy level.
    """
    words = _("Open in Sophiie")
    end = f'<a href="{escape(content.url)}">{escape(words)}</a>'
    if content.privacy != Privacy.FULL:
        return end
    lines = []
    if content.assignees:
        lines.append(escape(_("With: %(names)s") % {"names": ", ".join(content.assignees)}))
    customer = [content.customer_name, content.customer_phone, content.customer_email]
    if any(customer):
        who = " · ".join(filter(None, customer))
        lines.append(escape(_("Customer: %(who)s") % {"who": who}))
    if content.notes:
        lines.append("\n" + escape(content.notes))
    text = "\n".join(lines)
    room = DESCRIPTION_LENGTH - len(end) - 2
    if len(text) > room:
        # Do not cut through an entity such as `&amp;`.
        text = text[: room - 1]
        ampersand = text.rfind("&", len(text) - 6)
        text = (text[:ampersand] if ampersand >= 0 and ";" not in text[ampersand:] else text) + "…"
    return f"{text}\n\n{end}".strip()
