"""The changes themselves, whoever makes them: a client by API or a person by hand.

Callers decide about access and preconditions. This module keeps the rules of the data: ids stay
taken, tombstones stay, series and exceptions belong together.
"""

from __future__ import annotations

import secrets
from copy import deepcopy
from dataclasses import dataclass

from google_simulator import errors, times
from google_simulator.calendar import body as bodies
from google_simulator.calendar import guests
from google_simulator.calendar.recurrence import find_instance, occurrences
from google_simulator.model import Account, Calendar, Event, Json
from google_simulator.simulator import Simulator

KEPT_FROM_STORED = ("created", "creator", "organizer", "iCalUID", "recurringEventId",
                    "originalStartTime", "sequence")  # fmt: skip
SCHEDULING = ("start", "end", "location", "recurrence")


@dataclass(frozen=True)
class Editor:
    """Who changes something. `client_id` is None when a person does it in Google's own pages."""

    account: Account
    client_id: str | None = None
    send_updates: str = "none"


def find(calendar: Calendar, event_id: str) -> Event:
    """A stored event or a planned instance of a series."""
    event = calendar.events.get(event_id) or find_instance(calendar, event_id)
    if event is None:
        raise errors.not_found()
    return event


def insert(simulator: Simulator, calendar: Calendar, sent: Json, editor: Editor) -> Event:
    """Store a new event. An id that was ever used is refused."""
    event_id = sent.get("id") or secrets.token_hex(13)
    if "id" in sent:
        bodies.check_client_id(sent["id"])
        if sent.get("iCalUID") not in (None, f"{sent['id']}@google.com"):
            raise errors.invalid("Only one of id and iCalUID may be given.")
    if event_id in calendar.events:
        raise errors.duplicate()
    resource = bodies.checked(sent, calendar, simulator.switches)
    resource["iCalUID"] = sent.get("iCalUID") or f"{event_id}@google.com"
    _check_may_invite(simulator, editor, resource, {})
    event = Event(calendar.id, event_id, resource, created_by=editor.client_id)
    _sign(simulator, calendar, resource, editor)
    simulator.world.save_event(calendar, event)
    guests.follow(simulator, calendar, event, editor.send_updates)
    return event


def change(
    simulator: Simulator, calendar: Calendar, event: Event, wanted: Json, editor: Editor
) -> Event:
    """Replace the event by `wanted`, into which a patch has already been merged."""
    if event.trash_emptied:
        raise errors.forbidden()
    if wanted.get("eventType", "default") != event.resource.get("eventType", "default"):
        raise errors.invalid("The event type cannot be changed.")
    if wanted.get("status") == "cancelled":
        if event.cancelled:
            return event
        return delete(simulator, calendar, event, editor)
    resource = bodies.checked(wanted, calendar, simulator.switches)
    stored = event.resource
    _check_may_invite(simulator, editor, resource, stored)
    resource |= {name: stored[name] for name in KEPT_FROM_STORED if name in stored}
    series_changed = any(
        resource.get(name) != stored.get(name) for name in ("start", "end", "recurrence")
    )
    same = {**resource, "updated": stored.get("updated")} == stored
    if same and simulator.switches["no_op_patch"] == "keeps_etag":
        return event
    if any(resource.get(name) != stored.get(name) for name in SCHEDULING):
        resource["sequence"] = stored.get("sequence", 0) + 1
    resource["updated"] = _updated(simulator, stored, resource)
    reminders_only = resource["updated"] == stored.get("updated")
    planned_before = planned_keys(event) if event.is_series and series_changed else set()
    event.resource = resource
    quiet = reminders_only and simulator.switches["reminder_edit_notifies"] == "off"
    simulator.world.save_event(calendar, event, quiet=quiet)
    if planned_before:
        _remember_dropped(event, planned_before)
    if event.is_series and series_changed:
        _drop_stray_exceptions(simulator, calendar, event)
    had_guests = "attendees" in stored
    guests.follow(simulator, calendar, event, editor.send_updates, had_guests=had_guests)
    return event


def delete(simulator: Simulator, calendar: Calendar, event: Event, editor: Editor) -> Event:
    """Leave a tombstone. The id stays taken for ever (facts 3.1)."""
    event.resource = {
        **event.resource,
        "status": "cancelled",
        "updated": times.with_milliseconds(simulator.clock.now()),
    }
    simulator.world.save_event(calendar, event)
    if event.is_series:
        for exception in exceptions_of(calendar, event.id):
            if not exception.cancelled:
                delete(simulator, calendar, exception, editor)
    guests.withdraw(simulator, calendar, event, editor.send_updates)
    return event


def move(
    simulator: Simulator, source: Calendar, event: Event, target: Calendar, editor: Editor
) -> Event:
    """To another calendar under the same id; the source keeps a tombstone (facts 3.4, 3.11)."""
    there = target.events.get(event.id)
    if there is not None and not there.cancelled:
        raise errors.duplicate()
    if event.series_id:
        raise errors.invalid("An instance of a series cannot be moved.")
    if event.resource.get("eventType", "default") != "default":
        raise errors.invalid("Only events of type default can be moved.")
    resource = deepcopy(event.resource)
    resource["organizer"] = _organizer(simulator, target)
    resource["updated"] = times.with_milliseconds(simulator.clock.now())
    moved = Event(target.id, event.id, resource, created_by=event.created_by)
    simulator.world.save_event(target, moved)
    for exception in exceptions_of(source, event.id):
        copy = Event(target.id, exception.id, deepcopy(exception.resource), exception.created_by)
        simulator.world.save_event(target, copy)
    return delete(simulator, source, event, editor)


def empty_trash(simulator: Simulator, calendar: Calendar) -> int:
    """The person empties the calendar's trash: no event there can be brought back."""
    emptied = [
        event for event in calendar.events.values() if event.cancelled and not event.trash_emptied
    ]
    for event in emptied:
        event.trash_emptied = True
        simulator.world.save_event(calendar, event)
    return len(emptied)


def clear(simulator: Simulator, calendar: Calendar, editor: Editor) -> None:
    """Delete every live event of the calendar."""
    for event in list(calendar.events.values()):
        if not event.cancelled:
            delete(simulator, calendar, event, editor)


def _check_may_invite(simulator: Simulator, editor: Editor, resource: Json, stored: Json) -> None:
    """Only clients run out of invitations, not people in Google's own pages (facts 7.2)."""
    if editor.client_id is not None:
        guests.check_may_invite(
            simulator,
            editor.account,
            resource.get("attendees", []),
            stored.get("attendees", []),
        )


def exceptions_of(calendar: Calendar, series_id: str) -> list[Event]:
    """The instances of a series that were changed or cancelled singly."""
    return [event for event in calendar.events.values() if event.series_id == series_id]


def _sign(simulator: Simulator, calendar: Calendar, resource: Json, editor: Editor) -> None:
    now = simulator.clock.now()
    resource["created"] = times.without_milliseconds(now)
    resource["updated"] = times.with_milliseconds(now)
    resource["creator"] = {"email": editor.account.email}
    resource.setdefault("organizer", _organizer(simulator, calendar))
    resource["sequence"] = 0


def _organizer(simulator: Simulator, calendar: Calendar) -> Json:
    """On a secondary calendar the organizer is the calendar itself."""
    if calendar.is_primary:
        return {"email": calendar.id}
    return {"email": calendar.id, "displayName": calendar.summary}


def _updated(simulator: Simulator, stored: Json, resource: Json) -> str:
    """`updated` does not move for reminders alone (facts 3.3)."""
    ignored = ("reminders", "updated", "sequence")
    before = {name: value for name, value in stored.items() if name not in ignored}
    after = {name: value for name, value in resource.items() if name not in ignored}
    if before == after and "updated" in stored:
        return str(stored["updated"])
    return times.with_milliseconds(simulator.clock.now())


def planned_keys(series: Event) -> set[str]:
    """The tails of the ids of all planned instances."""
    return {occurrence.key for occurrence in occurrences(series)}


def _remember_dropped(event: Event, before: set[str]) -> None:
    """Which instances the changed rule no longer has, and since which version (facts 4)."""
    now = planned_keys(event) if event.is_series else set()
    event.dropped = {key: version for key, version in event.dropped.items() if key not in now}
    event.dropped |= dict.fromkeys(before - now, event.version)


def _drop_stray_exceptions(simulator: Simulator, calendar: Calendar, series: Event) -> None:
    """Cancel the exceptions on dates that the changed rule no longer has."""
    planned = planned_keys(series)
    for exception in exceptions_of(calendar, series.id):
        if exception.id.rpartition("_")[2] not in planned and not exception.cancelled:
            exception.resource = {**exception.resource, "status": "cancelled"}
            simulator.world.save_event(calendar, exception)
