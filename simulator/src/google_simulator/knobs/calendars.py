"""Knobs of calendars and events: what the Google user does in Google's own pages.

There are no access checks here: the calendar's owner acts.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from aiohttp import web

from google_simulator import times
from google_simulator.calendar import calendars, editing
from google_simulator.calendar.body import merged, writable
from google_simulator.calendar.call import ROLE_ORDER
from google_simulator.calendar.editing import Editor
from google_simulator.calendar.rendering import Reader, render
from google_simulator.knobs.request import BadKnob, NoSuchThing, the_account, the_calendar, wanted
from google_simulator.model import Calendar, Event, Setting
from google_simulator.simulator import Simulator

Body = dict[str, Any]
_CALENDAR = "/accounts/{email}/calendars/{calendar}"
_EVENTS = f"{_CALENDAR}/events"
_EVENT = f"{_EVENTS}/{{event}}"


class CalendarKnobs:
    """What a person does to calendars and events."""

    def __init__(self, simulator: Simulator) -> None:
        self.simulator = simulator

    def table(self) -> Iterator[tuple[str, str, Any]]:
        """Each knob with its verb and address."""
        yield "POST", "/accounts/{email}/calendars", self.create
        yield "PATCH", _CALENDAR, self.change
        yield "DELETE", _CALENDAR, self.remove
        yield "POST", f"{_CALENDAR}/role", self.role
        yield "POST", f"{_CALENDAR}/show", self.show
        yield "POST", f"{_CALENDAR}/expire-sync-tokens", self.expire_sync_tokens
        yield "POST", f"{_CALENDAR}/empty-trash", self.empty_trash
        yield "POST", f"{_CALENDAR}/clear", self.clear
        yield "POST", "/accounts/{email}/expire-list-tokens", self.expire_list_tokens
        yield "GET", _EVENTS, self.events
        yield "POST", _EVENTS, self.insert_event
        yield "POST", f"{_EVENTS}/bulk", self.insert_events
        yield "GET", _EVENT, self.event
        yield "PATCH", _EVENT, self.patch_event
        yield "DELETE", _EVENT, self.delete_event
        yield "POST", f"{_EVENT}/move", self.move_event

    # -- calendars ---------------------------------------------------------------------------

    def create(self, request: web.Request, body: Body) -> Body:
        """A new secondary calendar."""
        account = the_account(self.simulator, request)
        calendar = calendars.create(
            self.simulator,
            account.email,
            wanted(body, "summary"),
            _zone(body.get("time_zone", account.time_zone)),
            calendar_id=body.get("id"),
        )
        return _shown_calendar(calendar)

    def change(self, request: web.Request, body: Body) -> Body:
        """Change a calendar's title, texts or zone."""
        calendar = the_calendar(self.simulator, request)
        names = ("summary", "description", "location", "time_zone", "working_hours")
        changes = {name: body[name] for name in names if name in body}
        if "time_zone" in changes:
            _zone(changes["time_zone"])
        if changes.get("working_hours") and not calendar.is_primary:
            raise BadKnob("Only a primary calendar has working hours.")
        calendars.change(self.simulator, calendar, changes)
        return _shown_calendar(calendar)

    def remove(self, request: web.Request, body: Body) -> Body:
        """Delete a secondary calendar."""
        calendar = the_calendar(self.simulator, request)
        if calendar.is_primary:
            raise BadKnob("A primary calendar cannot be deleted, only cleared.")
        calendars.remove(self.simulator, calendar)
        return _shown_calendar(calendar)

    def role(self, request: web.Request, body: Body) -> Body:
        """Give the account of the address a role, or take it with null."""
        account = the_account(self.simulator, request)
        calendar = the_calendar(self.simulator, request)
        role = body.get("role")
        if role is not None and role not in ROLE_ORDER:
            raise BadKnob(f"role must be null or one of {', '.join(ROLE_ORDER)}.")
        calendars.share(self.simulator, calendar, account.email, role)
        return _shown_calendar(calendar)

    def show(self, request: web.Request, body: Body) -> Body:
        """Take the calendar into the account's list."""
        account = the_account(self.simulator, request)
        calendar = the_calendar(self.simulator, request)
        entry = self.simulator.world.entries_of(account.email).get(calendar.id)
        entry = entry or calendars.show_in_list(self.simulator, account.email, calendar)
        for name in ("summary_override", "selected", "hidden", "deleted", "color_id"):
            if name in body:
                setattr(entry, name, body[name])
        entry.version = self.simulator.world.next_version()
        return self.simulator.world.save(entry).row()

    def expire_sync_tokens(self, request: web.Request, body: Body) -> Body:
        """End every sync token of the calendar."""
        calendar = the_calendar(self.simulator, request)
        calendar.token_floor = self.simulator.world.next_version()
        self.simulator.world.save(calendar)
        return _shown_calendar(calendar)

    def expire_list_tokens(self, request: web.Request, body: Body) -> Body:
        """End every sync token of the account's calendar list."""
        account = the_account(self.simulator, request)
        floor = self.simulator.world.next_version()
        self.simulator.world.save(Setting(f"list_token_floor:{account.email}", floor))
        return {}

    def empty_trash(self, request: web.Request, body: Body) -> Body:
        """Make what was deleted irretrievable."""
        calendar = the_calendar(self.simulator, request)
        return {"emptied": editing.empty_trash(self.simulator, calendar)}

    def clear(self, request: web.Request, body: Body) -> Body:
        """Delete all events."""
        calendar = the_calendar(self.simulator, request)
        editing.clear(self.simulator, calendar, self._hand(request))
        return {}

    # -- events --------------------------------------------------------------------------------

    def events(self, request: web.Request, body: Body) -> Body:
        """As stored: masters, exceptions, tombstones with everything they had."""
        the_account(self.simulator, request)
        calendar = the_calendar(self.simulator, request)
        live_only = request.query.get("live") == "true"
        found = sorted(calendar.events.values(), key=lambda event: event.order)
        return {
            "items": [
                _shown(event, calendar) for event in found
                if not (live_only and event.cancelled)
            ]
        }  # fmt: skip

    def event(self, request: web.Request, body: Body) -> Body:
        """One event as stored."""
        calendar = the_calendar(self.simulator, request)
        return _shown(self._event(request, calendar), calendar)

    def insert_event(self, request: web.Request, body: Body) -> Body:
        """A new event."""
        calendar = the_calendar(self.simulator, request)
        event = editing.insert(self.simulator, calendar, body, self._hand(request))
        return _shown(event, calendar)

    def insert_events(self, request: web.Request, body: Body) -> Body:
        """Many at once, to fill a calendar quickly; the first refusal ends it."""
        calendar, hand = the_calendar(self.simulator, request), self._hand(request)
        items = wanted(body, "items", list)
        if not all(isinstance(item, dict) for item in items):
            raise BadKnob("items must be events.")
        events = [editing.insert(self.simulator, calendar, item, hand) for item in items]
        return {"ids": [event.id for event in events]}

    def patch_event(self, request: web.Request, body: Body) -> Body:
        """Change an event; null clears a field."""
        calendar = the_calendar(self.simulator, request)
        event = self._event(request, calendar)
        wanted_now = merged(event.resource, writable(body))
        event = editing.change(self.simulator, calendar, event, wanted_now, self._hand(request))
        return _shown(event, calendar)

    def delete_event(self, request: web.Request, body: Body) -> Body:
        """Delete an event; idempotent."""
        calendar = the_calendar(self.simulator, request)
        event = self._event(request, calendar)
        if not event.cancelled:
            editing.delete(self.simulator, calendar, event, self._hand(request))
        return _shown(event, calendar)

    def move_event(self, request: web.Request, body: Body) -> Body:
        """To another calendar, as a person does by the event's menu."""
        calendar = the_calendar(self.simulator, request)
        destination = self.simulator.world.calendars.get(wanted(body, "destination"))
        if destination is None:
            raise NoSuchThing("There is no such destination.")
        event = self._event(request, calendar)
        editing.move(self.simulator, calendar, event, destination, self._hand(request))
        return _shown(destination.events[event.id], destination)

    def _event(self, request: web.Request, calendar: Calendar) -> Event:
        return editing.find(calendar, request.match_info["event"])

    def _hand(self, request: web.Request) -> Editor:
        return Editor(the_account(self.simulator, request), send_updates="all")


def _shown(event: Event, calendar: Calendar) -> Body:
    body = render(event, calendar, Reader.owner_of(calendar))
    return body | {"simulator": {"created_by": event.created_by,
                                 "trash_emptied": event.trash_emptied}}  # fmt: skip


def _shown_calendar(calendar: Calendar) -> Body:
    return calendar.row()


def _zone(name: Any) -> str:
    try:
        return times.zone(str(name)).key
    except times.BadTime as error:
        raise BadKnob(str(error)) from error
