"""An event as one reader gets it: zone, `self`, level of detail (facts 3.6-3.8)."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import tzinfo

from google_simulator import times
from google_simulator.calendar.call import DETAIL_READERS, CalendarCall
from google_simulator.calendar.recurrence import span_of
from google_simulator.errors import invalid_parameter
from google_simulator.model import Calendar, Event, Json

PRIVATE = frozenset({"private", "confidential"})
SEES_PRIVATE = frozenset({"owner", "writer"})


@dataclass(frozen=True)
class Reader:
    """For whom and how events are rendered."""

    email: str
    role: str
    zone: tzinfo
    zulu: bool
    details: bool = True
    max_attendees: int | None = None
    fallback_attendees: bool = False

    @classmethod
    def of(cls, call: CalendarCall) -> Reader:
        """The reader who made this call."""
        asked = call.text("timeZone")
        try:
            where = times.zone(asked or call.calendar.time_zone)
        except times.BadTime as error:
            raise invalid_parameter("timeZone", asked or "") from error
        most = call.number("maxAttendees", 0, 10_000) if call.text("maxAttendees") else None
        return cls(
            email=call.account.email,
            role=call.role,
            zone=where,
            zulu=call.simulator.switches["utc_as"] == "Z",
            details=call.sees_details,
            max_attendees=most,
            fallback_attendees=call.simulator.switches["beyond_max_attendees"] == "first",
        )

    @classmethod
    def owner_of(cls, calendar: Calendar) -> Reader:
        """The calendar's owner, who sees everything."""
        return cls(calendar.owner, "owner", times.zone(calendar.time_zone), True)


def render(event: Event, calendar: Calendar, reader: Reader) -> Json:
    """The event as this reader may see it."""
    resource = event.resource
    hidden = resource.get("visibility") in PRIVATE and reader.role not in SEES_PRIVATE
    if not reader.details or hidden or reader.role not in DETAIL_READERS:
        return _availability(event, calendar, reader)
    body: Json = {
        "kind": "calendar#event",
        "etag": event.etag,
        "id": event.id,
        "htmlLink": html_link(event),
        **resource,
    }
    _render_times(body, event, calendar, reader)
    for name in ("creator", "organizer"):
        if name in body and body[name]["email"] in (reader.email, calendar.id):
            body[name] = {**body[name], "self": True}
    if "attendees" in body:
        _render_attendees(body, calendar, reader)
    if "extendedProperties" in body and not body["extendedProperties"]:
        del body["extendedProperties"]
    return body


def bare_cancellation(event: Event) -> Json:
    """A cancelled exception as a plain list shows it (facts 3.2)."""
    return {
        "kind": "calendar#event",
        "etag": event.etag,
        "id": event.id,
        "status": "cancelled",
        "recurringEventId": event.resource["recurringEventId"],
        "originalStartTime": event.resource["originalStartTime"],
    }


def tombstone(event: Event, *, sparse: bool = False) -> Json:
    """A deletion as a sync reports it: only the id is certain (facts 3.10).

    `sparse`: an instance that does not even name its series.
    """
    body = {
        "kind": "calendar#event",
        "etag": event.etag,
        "id": event.id,
        "status": "cancelled",
    }
    if event.series_id and not sparse:
        body |= {
            "recurringEventId": event.series_id,
            "originalStartTime": event.resource["originalStartTime"],
        }
    return body


def html_link(event: Event) -> str:
    """The address of the event's page in Google Calendar."""
    eid = base64.urlsafe_b64encode(f"{event.id} {event.calendar_id}".encode()).rstrip(b"=")
    return f"https://www.google.com/calendar/event?eid={eid.decode()}"


def _availability(event: Event, calendar: Calendar, reader: Reader) -> Json:
    """Times without details."""
    resource = event.resource
    body: Json = {
        "kind": "calendar#event",
        "etag": event.etag,
        "id": event.id,
        "status": resource["status"],
        "visibility": "private",
    }
    kept = ("start", "end", "recurringEventId", "originalStartTime", "transparency", "eventType",
            "recurrence", "iCalUID")  # fmt: skip
    body |= {name: resource[name] for name in kept if name in resource}
    _render_times(body, event, calendar, reader)
    return body


def _render_times(body: Json, event: Event, calendar: Calendar, reader: Reader) -> None:
    span = span_of(event, calendar)
    for name, seconds in zip(("start", "end"), span, strict=True):
        edge = body.get(name)
        if edge and "dateTime" in edge:
            body[name] = {**edge, "dateTime": times.in_zone(seconds, reader.zone, reader.zulu)}
    original = body.get("originalStartTime")
    if original and "dateTime" in original:
        moment = times.instant_of(original, reader.zone)
        body["originalStartTime"] = {
            **original,
            "dateTime": times.in_zone(moment, reader.zone, reader.zulu),
        }


def _render_attendees(body: Json, calendar: Calendar, reader: Reader) -> None:
    """On a secondary calendar the account's own row carries no `self` (facts 3.6)."""
    own = calendar.id if calendar.is_primary else None
    organizer = body.get("organizer", {}).get("email")
    rows = [
        attendee
        | ({"self": True} if attendee["email"] == own else {})
        | ({"organizer": True} if attendee["email"] == organizer else {})
        for attendee in body["attendees"]
    ]
    if reader.max_attendees is not None and len(rows) > reader.max_attendees:
        others = rows[: reader.max_attendees] if reader.fallback_attendees else []
        rows = [row for row in rows if row.get("self")] or others
        body["attendeesOmitted"] = True
    body["attendees"] = rows
