"""calendarList: which calendars a user has in view, and as what (facts 2)."""

from __future__ import annotations

from collections.abc import Iterator

from google_simulator import errors
from google_simulator.calendar import tokens
from google_simulator.calendar.body import check_reminders
from google_simulator.calendar.call import ROLE_ORDER, CalendarCall, role_at_least
from google_simulator.calendar.colors import CALENDAR_COLORS
from google_simulator.http.answer import Answer
from google_simulator.model import Calendar, Json, ListEntry

FORBIDDEN_WITH_SYNC = ("minAccessRole", "showOwnOrganizationOnly")
# What of an entry is the user's own, by its name at Google and here, and its type.
OWN_FIELDS = {
    "selected": "selected",
    "hidden": "hidden",
    "summaryOverride": "summary_override",
    "colorId": "color_id",
    "backgroundColor": "background_color",
    "foregroundColor": "foreground_color",
    "defaultReminders": "default_reminders",
}
OWN_TYPES: dict[str, tuple[type, ...]] = {
    "selected": (bool,),
    "hidden": (bool,),
    "summary_override": (str, type(None)),
    "color_id": (str,),
    "background_color": (str, type(None)),
    "foreground_color": (str, type(None)),
    "default_reminders": (list,),
}


def list_entries(call: CalendarCall) -> Answer:
    """The account's list, by pages, or what changed in it since a sync token."""
    version = call.simulator.world.last_version
    least = call.text("minAccessRole")
    if least is not None and least not in ROLE_ORDER:
        raise errors.invalid_parameter("minAccessRole", least)
    since = _since(call)
    everything = since is not None
    show_deleted = everything or call.flag("showDeleted")
    show_hidden = everything or call.flag("showHidden")
    rows = [
        (entry, calendar) for entry, calendar in _entries(call)
        if (since is None or entry.version > since)
        and (show_deleted or not _is_gone(entry, calendar, call))
        and (show_hidden or not entry.hidden)
        and (least is None or role_at_least(_role(entry, calendar), least))
    ]  # fmt: skip
    size, start = call.number("maxResults", 100, 250), 0
    if page_token := call.text("pageToken"):
        token = tokens.open_token(call.simulator.world.birth, page_token)
        if token is None or token.get("page_of") != call.account.email:
            raise errors.invalid_parameter("pageToken", page_token)
        start, version = token["start"], token["version"]
    body: Json = {
        "kind": "calendar#calendarList",
        "etag": f'"p{version}"',
        "items": [rendered(entry, calendar, call) for entry, calendar in rows[start:][:size]],
    }
    if start + size < len(rows):
        body["nextPageToken"] = tokens.seal(
            call.simulator.world.birth,
            {"page_of": call.account.email, "start": start + size, "version": version},
        )
    else:
        body["nextSyncToken"] = tokens.seal(
            call.simulator.world.birth, {"list": call.account.email, "version": version}
        )
    return Answer(200, body, {"ETag": body["etag"]})


def get(call: CalendarCall) -> Answer:
    """One entry."""
    entry = _entry(call)
    etag = f'"{entry.version}"'
    if call.knows(etag):
        return Answer(304, None, {"ETag": etag})
    return Answer(200, rendered(entry, call.calendar, call), {"ETag": etag})


def insert(call: CalendarCall) -> Answer:
    """Take a calendar that one may see into one's list."""
    calendar_id = call.body.get("id")
    calendar = call.simulator.world.calendars.get(str(calendar_id))
    if calendar is None or calendar.deleted or calendar.role_of(call.account.email) is None:
        raise errors.not_found()
    known = call.simulator.world.entries_of(call.account.email).get(calendar.id)
    entry = known or ListEntry(call.account.email, calendar.id)
    entry.deleted = False
    return _saved(call, entry, calendar)


def patch(call: CalendarCall) -> Answer:
    """Change what is the user's own in an entry."""
    return _saved(call, _entry(call), call.calendar)


def delete(call: CalendarCall) -> Answer:
    """Take a calendar out of the list; its data owner cannot."""
    entry = _entry(call)
    if call.calendar.owner == call.account.email:
        raise errors.BackendError(
            403,
            "cannotUnsubscribeFromOwnedCalendar",
            "The data owner of a calendar cannot unsubscribe from it.",
            domain="calendar",
        )
    entry.deleted = True
    entry.version = call.simulator.world.next_version()
    call.simulator.world.save(entry)
    return Answer(204)


def _saved(call: CalendarCall, entry: ListEntry, calendar: Calendar) -> Answer:
    """The user's own part of the entry; the rest of the body is ignored."""
    changes = {
        attribute: call.body[name] for name, attribute in OWN_FIELDS.items() if name in call.body
    }
    for attribute, value in changes.items():
        if not isinstance(value, OWN_TYPES[attribute]):
            raise errors.invalid(f"Invalid value for: {attribute}")
    check_reminders({"overrides": changes.get("default_reminders", [])})
    for attribute, value in changes.items():
        setattr(entry, attribute, value)
    entry.version = call.simulator.world.next_version()
    call.simulator.world.save(entry)
    return Answer(200, rendered(entry, calendar, call))


def _since(call: CalendarCall) -> int | None:
    sync_token = call.text("syncToken")
    if sync_token is None:
        return None
    if any(name in call.query for name in FORBIDDEN_WITH_SYNC):
        raise errors.BackendError(
            400,
            call.simulator.switches["sync_restriction_reason"],
            "Sync token cannot be used with other request restrictions.",
        )
    token = tokens.open_token(call.simulator.world.birth, sync_token)
    floor = call.simulator.world.setting(f"list_token_floor:{call.account.email}") or 0
    ours = token is not None and token.get("list") == call.account.email
    if token is None or not ours or token["version"] < floor:
        raise errors.full_sync_required()
    return int(token["version"])


def _entry(call: CalendarCall) -> ListEntry:
    """The entry of a calendar that is still there and visible."""
    entry = call.simulator.world.entries_of(call.account.email).get(call.calendar.id)
    if entry is None or entry.deleted:
        raise errors.not_found()
    return entry


def _entries(call: CalendarCall) -> Iterator[tuple[ListEntry, Calendar]]:
    entries = call.simulator.world.entries_of(call.account.email).values()
    for entry in sorted(entries, key=lambda entry: (entry.order, entry.calendar_id)):
        yield entry, call.simulator.world.calendars[entry.calendar_id]


def _role(entry: ListEntry, calendar: Calendar) -> str:
    return calendar.role_of(entry.account) or "freeBusyReader"


def _is_gone(entry: ListEntry, calendar: Calendar, call: CalendarCall) -> bool:
    return entry.deleted or calendar.deleted or calendar.role_of(call.account.email) is None


def rendered(entry: ListEntry, calendar: Calendar, call: CalendarCall) -> Json:
    """The entry as its account sees it."""
    body: Json = {
        "kind": "calendar#calendarListEntry",
        "etag": f'"{entry.version}"',
        "id": calendar.id,
    }
    if _is_gone(entry, calendar, call):
        return body | {"deleted": True}
    color = CALENDAR_COLORS.get(entry.color_id, CALENDAR_COLORS["14"])
    body |= {
        "summary": calendar.summary,
        "timeZone": calendar.time_zone,
        "colorId": entry.color_id,
        "backgroundColor": entry.background_color or color["background"],
        "foregroundColor": entry.foreground_color or color["foreground"],
        "selected": entry.selected,
        "accessRole": _role(entry, calendar),
        "defaultReminders": entry.default_reminders,
        "conferenceProperties": {"allowedConferenceSolutionTypes": ["hangoutsMeet"]},
    }
    optional = {
        "description": calendar.description,
        "location": calendar.location,
        "summaryOverride": entry.summary_override,
        "hidden": entry.hidden or None,
        "primary": calendar.id == call.account.email or None,
        "dataOwner": None if calendar.is_primary or calendar.generated else calendar.owner,
    }
    return body | {name: value for name, value in optional.items() if value is not None}
