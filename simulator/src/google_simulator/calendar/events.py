"""Events one at a time: get, insert, patch, update, delete, move, import (facts 3)."""

from __future__ import annotations

from google_simulator import errors, times
from google_simulator.calendar import editing
from google_simulator.calendar import quick_add as quick_add_grammar
from google_simulator.calendar.body import merged, writable
from google_simulator.calendar.call import WRITERS, CalendarCall
from google_simulator.calendar.editing import Editor
from google_simulator.calendar.rendering import Reader, render
from google_simulator.http.answer import Answer
from google_simulator.model import Calendar, Event, Json


def get(call: CalendarCall) -> Answer:
    """One event, an instance of a series, or a tombstone."""
    calendar = call.calendar
    event = editing.find(calendar, call.path["eventId"])
    if event.cancelled:
        _check_tombstone(call, calendar, event)
    if call.knows(event.etag):
        return Answer(304, None, {"ETag": event.etag})
    return _shown(call, calendar, event)


def insert(call: CalendarCall) -> Answer:
    """A new event."""
    calendar = call.must_write()
    event = editing.insert(call.simulator, calendar, call.body, _editor(call))
    return _shown(call, calendar, event)


def quick_add(call: CalendarCall) -> Answer:
    """An event out of a sentence."""
    calendar = call.must_write()
    text = call.text("text")
    if text is None:
        raise errors.required("Missing text.")
    now, where = call.simulator.clock.now(), times.zone(calendar.time_zone)
    body = quick_add_grammar.understood(text, now, where)
    return _shown(call, calendar, editing.insert(call.simulator, calendar, body, _editor(call)))


def patch(call: CalendarCall) -> Answer:
    """Change what is sent and leave the rest."""
    calendar = call.must_write()
    event = editing.find(calendar, call.path["eventId"])
    call.check_if_match(event)
    changes = writable(call.body)
    _check_guest_may(call, calendar, event, changes)
    wanted = merged(event.resource, changes)
    revives = call.simulator.switches["patch_on_tombstone"] == "revives"
    if event.cancelled and "status" not in changes and revives:
        wanted["status"] = "confirmed"
    if event.cancelled and wanted.get("status") == "cancelled":
        return _edit_tombstone(call, calendar, event, wanted)
    return _shown(
        call,
        calendar,
        editing.change(call.simulator, calendar, event, wanted, _editor(call)),
    )


def update(call: CalendarCall) -> Answer:
    """PUT: what is not sent is lost."""
    calendar = call.must_write()
    event = editing.find(calendar, call.path["eventId"])
    call.check_if_match(event)
    wanted = writable(call.body)
    _check_guest_may(call, calendar, event, wanted)
    return _shown(
        call,
        calendar,
        editing.change(call.simulator, calendar, event, wanted, _editor(call)),
    )


def delete(call: CalendarCall) -> Answer:
    """Leave a tombstone. A second deletion is refused."""
    calendar = call.must_write()
    event = editing.find(calendar, call.path["eventId"])
    if event.cancelled:
        raise errors.already_deleted()
    call.check_if_match(event)
    editing.delete(call.simulator, calendar, event, _editor(call))
    return Answer(204)


def move(call: CalendarCall) -> Answer:
    """The answer shows what is left behind: a cancelled event (facts 3.4)."""
    source = call.must_write()
    destination = call.text("destination")
    if destination is None:
        raise errors.required("Missing destination.")
    event = editing.find(source, call.path["eventId"])
    if event.cancelled:
        raise errors.already_deleted()
    call.check_if_match(event)
    target = call.simulator.world.calendars.get(
        call.account.email if destination == "primary" else destination
    )
    role = target.role_of(call.account.email) if target and not target.deleted else None
    if target is None or role is None:
        raise errors.not_found()
    if role not in WRITERS or target.generated:
        raise errors.writer_needed()
    left = editing.move(call.simulator, source, event, target, _editor(call))
    return _shown(call, source, left)


def import_(call: CalendarCall) -> Answer:
    """A private copy keyed by `iCalUID`; a second import of the same UID updates it."""
    calendar = call.must_write()
    uid = call.body.get("iCalUID")
    if not isinstance(uid, str) or not uid:
        raise errors.required("Missing iCalUID.")
    if call.body.get("eventType", "default") != "default":
        raise errors.invalid("Only events of type default can be imported.")
    known = [event for event in calendar.events.values() if event.resource.get("iCalUID") == uid]
    if known:
        changed = editing.change(
            call.simulator, calendar, known[0], writable(call.body), _editor(call)
        )
        return _shown(call, calendar, changed)
    sent = {name: value for name, value in call.body.items() if name != "id"}
    return _shown(call, calendar, editing.insert(call.simulator, calendar, sent, _editor(call)))


def _editor(call: CalendarCall) -> Editor:
    send_updates = call.text("sendUpdates") or call.simulator.switches["send_updates_unset"]
    if send_updates not in ("all", "externalOnly", "none"):
        raise errors.invalid_parameter("sendUpdates", send_updates)
    return Editor(call.account, call.client.id, send_updates)


def _shown(call: CalendarCall, calendar: Calendar, event: Event) -> Answer:
    return Answer(200, render(event, calendar, Reader.of(call)), {"ETag": event.etag})


def _check_tombstone(call: CalendarCall, calendar: Calendar, event: Event) -> None:
    """Whether a deleted event can still be read (facts 3.2)."""
    switches = call.simulator.switches
    series = calendar.events.get(event.series_id or "")
    orphan = event.series_id is not None and (series is None or series.cancelled)
    if orphan and switches["exception_of_deleted_series"] == "404":
        raise errors.not_found()
    if event.trash_emptied and switches["emptied_trash_get"] == "not_found":
        raise errors.not_found()
    if switches["deleted_get"] == "404":
        raise errors.not_found()
    if switches["deleted_get"] == "410":
        raise errors.already_deleted()


def _edit_tombstone(call: CalendarCall, calendar: Calendar, event: Event, wanted: Json) -> Answer:
    """Change a deleted event that stays deleted."""
    if event.trash_emptied:
        raise errors.forbidden()
    event.resource = {**event.resource, **writable(wanted), "status": "cancelled"}
    call.simulator.world.save_event(calendar, event)
    return _shown(call, calendar, event)


def _check_guest_may(call: CalendarCall, calendar: Calendar, event: Event, changes: Json) -> None:
    """Guests' rights and shared properties are the organizer's (facts 3.6)."""
    organizer = event.resource.get("organizer", {}).get("email")
    touched = {"guestsCanModify", "guestsCanInviteOthers", "guestsCanSeeOtherGuests"} & set(changes)
    if organizer != calendar.id and touched:
        raise errors.BackendError(
            403,
            "forbiddenForNonOrganizer",
            "Shared properties can only be changed by the organizer of the event.",
            domain="calendar",
        )
