"""An event as a client sends it, checked and put into the form that is stored (facts 3.1-3.8)."""

from __future__ import annotations

import json
import re
from typing import Any

from google_simulator import errors, times
from google_simulator.calendar.recurrence import BadRecurrence, check_recurrence
from google_simulator.model import Calendar, Json
from google_simulator.switches import SwitchBoard

CLIENT_ID = re.compile(r"[0-9a-v]{5,1024}\Z")
TEXTS = ("summary", "description", "location", "colorId", "eventLabelId")
FLAGS = ("guestsCanInviteOthers", "guestsCanModify", "guestsCanSeeOtherGuests", "anyoneCanAddSelf")
FLAG_DEFAULTS = {"guestsCanInviteOthers": True, "guestsCanSeeOtherGuests": True}
CHOICES = {
    "status": ("confirmed", "tentative", "cancelled"),
    "transparency": ("opaque", "transparent"),
    "visibility": ("default", "public", "private", "confidential"),
    "eventType": (
        "default", "outOfOffice", "focusTime", "workingLocation", "birthday", "fromGmail",
    ),
}  # fmt: skip
OBJECTS = (
    "source", "outOfOfficeProperties", "focusTimeProperties", "workingLocationProperties",
    "birthdayProperties", "gadget",
)  # fmt: skip
WRITABLE = frozenset(
    {*TEXTS, *FLAGS, *CHOICES, *OBJECTS, "start", "end", "recurrence", "attendees", "reminders",
     "extendedProperties"}
)  # fmt: skip
_CONFERENCE_EDGE = r"-::~:~::[~:]*::-"
_CONFERENCE_BLOCK = re.compile(rf"\n*{_CONFERENCE_EDGE}.*?{_CONFERENCE_EDGE}", re.DOTALL)
# A host that can receive mail from outside: neither `localhost` nor an address in brackets.
_ADDRESS = re.compile(
    r"""[^\s@<>()\[\]\\,;:"]{1,64}@(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.)+[^\W\d_][\w-]*[^\W_]\Z"""
)
_TAG = re.compile(r"<[^>]*>")


def check_client_id(event_id: Any) -> str:
    """Refuse an id that a client may not choose."""
    if not isinstance(event_id, str) or not CLIENT_ID.match(event_id):
        raise errors.invalid("Invalid resource id value.")
    return event_id


def writable(body: Json) -> Json:
    """Unknown and read-only fields are ignored, not refused."""
    return {name: value for name, value in body.items() if name in WRITABLE}


def merged(stored: Json, changes: Json) -> Json:
    """PATCH: objects merge, everything else replaces, null clears (facts 3.3)."""
    result = dict(stored)
    for name, value in changes.items():
        if value is None:
            result.pop(name, None)
        elif isinstance(value, dict) and isinstance(result.get(name), dict):
            result[name] = merged(result[name], value)
        elif isinstance(value, dict):
            result[name] = merged({}, value)
        else:
            result[name] = value
    return result


def checked(body: Json, calendar: Calendar, switches: SwitchBoard) -> Json:
    """The stored form of `body`; what Google omits at its default is not stored."""
    event = {name: value for name, value in writable(body).items() if value is not None}
    _check_types(event)
    _check_times(event, calendar, switches)
    if event.get("recurrence") == []:
        del event["recurrence"]
    if "recurrence" in event:
        event["recurrence"] = _recurrence(event, switches)
    _check_event_type(event, calendar)
    for name, default in (("transparency", "opaque"), ("visibility", "default")):
        if event.get(name) == default:
            del event[name]
    for name in FLAGS:
        if event.get(name) == FLAG_DEFAULTS.get(name, False):
            del event[name]
    event.setdefault("status", "confirmed")
    event.setdefault("eventType", "default")
    event.setdefault("reminders", {"useDefault": True})
    if "description" in event:
        event["description"] = _description(event["description"], switches)
    if "attendees" in event:
        event["attendees"] = _attendees(event["attendees"])
    if "extendedProperties" in event:
        event["extendedProperties"] = _extended_properties(
            event["extendedProperties"],
            numbers_are_text=switches["number_property_value"] == "as_text",
        )
    return _without_the_empty(event, keep_texts=switches["empty_text"] == "kept")


def _without_the_empty(event: Json, *, keep_texts: bool) -> Json:
    """Google leaves out empty lists and objects; of texts nobody is sure (facts 3.6)."""
    reminders = {"useDefault": False, **event["reminders"]}
    if not reminders.get("overrides"):
        reminders.pop("overrides", None)
    return {
        name: value
        for name, value in {**event, "reminders": reminders}.items()
        if value not in ([], {}) and (value != "" or keep_texts)
    }


def _check_types(event: Json) -> None:
    for name in TEXTS:
        if name in event and not isinstance(event[name], str):
            raise errors.invalid(f"Invalid value for: {name}")
    for name in FLAGS:
        if name in event and not isinstance(event[name], bool):
            raise errors.invalid(f"Invalid value for: {name}")
    for name, choices in CHOICES.items():
        if name in event and event[name] not in choices:
            raise errors.invalid(f"Invalid value for: {name}")
    for name in (*OBJECTS, "start", "end", "reminders", "extendedProperties"):
        if name in event and not isinstance(event[name], dict):
            raise errors.invalid(f"Invalid value for: {name}")
    check_reminders(event.get("reminders", {}))
    url = event.get("source", {}).get("url", "https:")
    if not str(url).startswith(("http:", "https:")):
        raise errors.invalid("Invalid source url.")


def check_reminders(reminders: Json) -> None:
    """Refuse reminders that no event can have."""
    overrides = reminders.get("overrides", [])
    if not isinstance(overrides, list) or len(overrides) > 5:
        raise errors.invalid("Too many override reminders for this event.")
    if overrides and reminders.get("useDefault") is True:
        raise errors.BackendError(
            400,
            "cannotUseDefaultRemindersAndSpecifyOverride",
            "Cannot specify both default reminders and overrides at the same time.",
            domain="calendar",
        )
    for override in overrides:
        minutes = override.get("minutes") if isinstance(override, dict) else None
        if not isinstance(minutes, int) or not 0 <= minutes <= 40_320:
            raise errors.invalid("Invalid reminder minutes.")
        if override.get("method") not in ("email", "popup"):
            raise errors.invalid("Invalid reminder method.")


# -- times --------------------------------------------------------------------------------


def _check_times(event: Json, calendar: Calendar, switches: SwitchBoard) -> None:
    """Checks the end before the start, as Google does."""
    recurring = bool(event.get("recurrence"))
    for name in ("end", "start"):
        if not event.get(name):
            raise errors.required(f"Missing {name} time.")
        event[name] = _edge(event[name], name, calendar, switches, recurring=recurring)
    if ("date" in event["start"]) != ("date" in event["end"]):
        raise errors.invalid("The start and end times must either both be date or dateTime.")
    where = times.zone(calendar.time_zone)
    start, end = (times.instant_of(event[name], where) for name in ("start", "end"))
    empty_refused = "date" in event["start"] or switches["empty_event"] == "refused"
    if end < start or (end == start and empty_refused):
        raise errors.empty_time_range("end")


def _edge(
    edge: Json, name: str, calendar: Calendar, switches: SwitchBoard, *, recurring: bool
) -> Json:
    """`start` or `end`: a day, or a moment with the zone that the client named."""
    given = {key: value for key, value in edge.items() if value is not None}
    if ("date" in given) == ("dateTime" in given):
        raise errors.invalid(f"Invalid {name} time.")
    try:
        if "date" in given:
            return {"date": times.parse_date(given["date"]).isoformat()}
        named = times.zone(given["timeZone"]) if "timeZone" in given else None
    except times.BadTime as error:
        raise errors.invalid(f"Invalid {name} time.") from error
    floating = not re.search(r"(Z|[+-]\d\d:?\d\d)$", str(given["dateTime"]), re.IGNORECASE)
    if named is None and (recurring or (floating and switches["missing_zone"] == "error")):
        raise errors.required(f"Missing time zone definition for {name} time.")
    fold = 0 if switches["dst_fold"] == "earlier" else 1
    try:
        moment = times.parse_date_time(
            given["dateTime"], named or times.zone(calendar.time_zone), fold=fold
        )
    except times.BadTime as error:
        raise errors.invalid(f"Invalid {name} time.") from error
    return {
        "dateTime": times.rendered(moment),
        "timeZone": given.get("timeZone", calendar.time_zone),
    }


def _recurrence(event: Json, switches: SwitchBoard) -> list[str]:
    lines = event["recurrence"]
    if not isinstance(lines, list) or not all(isinstance(line, str) for line in lines):
        raise errors.invalid("Invalid recurrence rule.")
    if switches["trailing_semicolon"] == "refused" and any(line.endswith(";") for line in lines):
        raise errors.invalid("Invalid recurrence rule.")
    lines = [line.rstrip(";") for line in lines]
    try:
        check_recurrence(lines, event["start"])
    except BadRecurrence as error:
        raise errors.invalid("Invalid recurrence rule.") from error
    return lines


# -- the rest -----------------------------------------------------------------------------


def _check_event_type(event: Json, calendar: Calendar) -> None:
    kind = event.get("eventType", "default")
    if kind == "default":
        return
    if kind == "fromGmail":
        raise errors.invalid("Events of type fromGmail cannot be created.")
    if not calendar.is_primary:
        raise errors.invalid(f"Events of type {kind} are only possible on a primary calendar.")
    if kind == "workingLocation" and (
        event.get("transparency") != "transparent" or event.get("visibility") != "public"
    ):
        raise errors.invalid("A working location must be transparent and public.")
    if kind == "birthday" and "date" not in event["start"]:
        raise errors.invalid("A birthday must be an all-day event.")


def _description(text: str, switches: SwitchBoard) -> str:
    """Cuts out Google's own conference block, whoever sent it (facts 8)."""
    limit = switches["max_description"]
    if limit != "none" and len(text) > int(limit):
        raise errors.invalid("The description is too long.")
    text = _CONFERENCE_BLOCK.sub("", text)
    return _TAG.sub("", text) if switches["description_html"] == "stripped" else text


def _attendees(attendees: Any) -> list[Json]:
    if not isinstance(attendees, list):
        raise errors.invalid("Invalid value for: attendees")
    result = []
    for attendee in attendees:
        email = attendee.get("email") if isinstance(attendee, dict) else None
        if not isinstance(email, str) or len(email) > 254 or not _ADDRESS.match(email):
            raise errors.invalid("Invalid attendee email.")
        kept = {
            name: attendee[name]
            for name in ("displayName", "optional", "resource", "comment", "additionalGuests")
            if attendee.get(name)
        }
        response = attendee.get("responseStatus", "needsAction")
        if response not in ("needsAction", "declined", "tentative", "accepted"):
            raise errors.invalid("Invalid response status.")
        result.append({"email": email.lower(), **kept, "responseStatus": response})
    return result


def _extended_properties(properties: Json, *, numbers_are_text: bool) -> Json:
    """Drops keys and cuts values that are too long, silently (facts 3.6)."""
    result: Json = {}
    for side in ("private", "shared"):
        given = properties.get(side)
        if not isinstance(given, dict):
            continue
        if numbers_are_text:
            given = {key: _as_text(value) for key, value in given.items()}
        if not all(isinstance(value, str) for value in given.values()):
            raise errors.invalid(f"Invalid value for: extendedProperties.{side}")
        kept = {key: value[:1024] for key, value in given.items() if len(key) <= 44}
        if kept:
            result[side] = kept
    count = sum(len(side) for side in result.values())
    size = sum(len(key) + len(value) for side in result.values() for key, value in side.items())
    if count > 300 or size > 32_768:
        raise errors.invalid("Too many extended properties.")
    return result


def _as_text(value: Any) -> Any:
    """A number in the words of JSON; anything else as it is."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return json.dumps(value) if is_number else value
