"""calendars: the calendar itself, apart from anyone's list (facts 2, 8)."""

from __future__ import annotations

import secrets

from google_simulator import errors, times
from google_simulator.calendar import editing
from google_simulator.calendar.call import CalendarCall
from google_simulator.calendar.editing import Editor
from google_simulator.http.answer import Answer
from google_simulator.model import Calendar, Json, ListEntry
from google_simulator.simulator import Simulator

CHANGEABLE = {"summary": "summary", "description": "description", "location": "location",
              "timeZone": "time_zone"}  # fmt: skip


def get(call: CalendarCall) -> Answer:
    """The calendar itself."""
    etag = f'"{call.calendar.version}"'
    if call.knows(etag):
        return Answer(304, None, {"ETag": etag})
    return Answer(200, _rendered(call.calendar), {"ETag": etag})


def insert(call: CalendarCall) -> Answer:
    """Make a secondary calendar. Its zone is UTC unless the client names one."""
    summary = call.body.get("summary")
    if not isinstance(summary, str) or not summary:
        raise errors.required("Missing summary.")
    texts = {name: call.body[name] for name in ("description", "location") if call.body.get(name)}
    if not all(isinstance(text, str) for text in texts.values()):
        raise errors.invalid("Invalid value for: description or location")
    calendar = create(
        call.simulator,
        call.account.email,
        summary,
        _zone(call.body.get("timeZone", "UTC")),
        created_by=call.client.id,
    )
    change(call.simulator, calendar, texts)
    return Answer(200, _rendered(calendar))


def patch(call: CalendarCall) -> Answer:
    """The same value again keeps the ETag (facts 3.3)."""
    calendar = call.must_own()
    changes = {
        attribute: call.body[name] for name, attribute in CHANGEABLE.items() if name in call.body
    }
    if "time_zone" in changes:
        _zone(changes["time_zone"])
    change(call.simulator, calendar, changes)
    return Answer(200, _rendered(calendar))


def delete(call: CalendarCall) -> Answer:
    """Delete a secondary calendar."""
    calendar = call.must_own()
    if calendar.is_primary:
        raise errors.bad_request("The primary calendar cannot be deleted.")
    remove(call.simulator, calendar)
    return Answer(204)


def clear(call: CalendarCall) -> Answer:
    """Delete all events of a primary calendar."""
    calendar = call.must_own()
    if not calendar.is_primary:
        raise errors.bad_request("Only a primary calendar can be cleared.")
    editing.clear(call.simulator, calendar, Editor(call.account, call.client.id))
    return Answer(204)


def create(
    simulator: Simulator,
    owner: str,
    summary: str,
    time_zone: str,
    *,
    calendar_id: str | None = None,
    created_by: str | None = None,
) -> Calendar:
    """A calendar with its owner's access and place in the owner's list."""
    world = simulator.world
    calendar = Calendar(
        id=calendar_id or f"{secrets.token_hex(32)}@group.calendar.google.com",
        owner=owner,
        summary=summary,
        time_zone=time_zone,
        acl={owner: "owner"},
        created_by=created_by,
        version=world.next_version(),
    )
    world.save(calendar)
    show_in_list(simulator, owner, calendar)
    return calendar


def show_in_list(simulator: Simulator, email: str, calendar: Calendar) -> ListEntry:
    """Give the calendar a place at the end of the account's list."""
    version = simulator.world.next_version()
    entry = ListEntry(email, calendar.id, order=version, version=version)
    return simulator.world.save(entry)


def change(simulator: Simulator, calendar: Calendar, changes: Json) -> None:
    """Set attributes. Nothing happens if all of them are so already."""
    if all(getattr(calendar, name) == value for name, value in changes.items()):
        return
    for name, value in changes.items():
        setattr(calendar, name, value)
    if "time_zone" in changes:
        for event in calendar.events.values():
            event._span = None
    calendar.version = simulator.world.next_version()
    simulator.world.save(calendar)


def remove(simulator: Simulator, calendar: Calendar) -> None:
    """From now on every call on it is a 404; lists show it as deleted."""
    calendar.deleted = True
    simulator.world.save(calendar)
    for entry in simulator.world.entries.values():
        if entry.calendar_id == calendar.id:
            entry.version = simulator.world.next_version()
            simulator.world.save(entry)


def share(simulator: Simulator, calendar: Calendar, email: str, role: str | None) -> None:
    """Give, change or take (None) a role. A changed role shows in no increment (facts 2)."""
    before = calendar.acl.get(email)
    if role is None:
        calendar.acl.pop(email, None)
    else:
        calendar.acl[email] = role
    if simulator.switches["acl_change_expires_tokens"] == "on" and before != role:
        calendar.token_floor = simulator.world.next_version()
    simulator.world.save(calendar)
    entry = simulator.world.entries_of(email).get(calendar.id)
    if entry is not None and (before is None or role is None):
        entry.version = simulator.world.next_version()
        simulator.world.save(entry)


def publish(simulator: Simulator, calendar: Calendar, role: str | None) -> None:
    """Give everybody a role, or take it (None)."""
    if calendar.public_role == role:
        return
    calendar.public_role = role
    if simulator.switches["acl_change_expires_tokens"] == "on":
        calendar.token_floor = simulator.world.next_version()
    simulator.world.save(calendar)


def _zone(name: object) -> str:
    try:
        return times.zone(str(name)).key
    except times.BadTime as error:
        raise errors.invalid("Invalid time zone.") from error


def _rendered(calendar: Calendar) -> Json:
    body: Json = {
        "kind": "calendar#calendar",
        "etag": f'"{calendar.version}"',
        "id": calendar.id,
        "summary": calendar.summary,
        "timeZone": calendar.time_zone,
        "conferenceProperties": {"allowedConferenceSolutionTypes": ["hangoutsMeet"]},
    }
    optional = {
        "description": calendar.description,
        "location": calendar.location,
        "workingHours": calendar.working_hours,
        "dataOwner": None if calendar.is_primary or calendar.generated else calendar.owner,
    }
    return body | {name: value for name, value in optional.items() if value is not None}
