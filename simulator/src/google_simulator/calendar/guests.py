"""Guests' copies: an event with attendees also stands in their primary calendars (facts 3.6).

Only accounts of this simulator have calendars; everybody else is a name in the list. With
`sendUpdates=none` a deletion leaves the copy behind, as Google's documentation warns.
"""

from __future__ import annotations

from copy import deepcopy

from google_simulator import errors
from google_simulator.model import Account, Calendar, Event, Json
from google_simulator.simulator import Simulator

SHARED = ("summary", "description", "location", "start", "end", "recurrence", "attendees",
          "status", "organizer", "creator", "created", "updated", "iCalUID", "sequence",
          "guestsCanInviteOthers", "guestsCanModify", "guestsCanSeeOtherGuests", "transparency",
          "eventType", "source", "recurringEventId", "originalStartTime")  # fmt: skip


def is_organizers_copy(calendar: Calendar, event: Event) -> bool:
    """Whether this copy rules those of the guests."""
    return bool(event.resource.get("organizer", {}).get("email") == calendar.id)


def check_may_invite(
    simulator: Simulator, editor: Account, attendees: list[Json], known: list[Json]
) -> None:
    """An account whose invitations are used up may write everything but new guests."""
    invited = {row["email"] for row in attendees} - {row["email"] for row in known}
    if invited and simulator.clock.now() < editor.no_invitations_until:
        raise errors.quota_exceeded()


def follow(
    simulator: Simulator,
    calendar: Calendar,
    event: Event,
    send_updates: str,
    *,
    had_guests: bool = False,
) -> None:
    """Bring the guests' copies in line with the organizer's."""
    if "attendees" not in event.resource and not had_guests:
        return
    if not is_organizers_copy(calendar, event):
        _answer(simulator, calendar, event)
        return
    unseen = simulator.switches["guests_with_updates_none"] == "never_see_it"
    if send_updates == "none" and unseen:
        return
    invited = {attendee["email"] for attendee in event.resource.get("attendees", [])}
    for email in invited:
        _copy_to(simulator, event, email)
    _uninvite(simulator, event, invited)


def withdraw(simulator: Simulator, calendar: Calendar, event: Event, send_updates: str) -> None:
    """The organizer deleted the event; a guest who deletes declines instead."""
    if "attendees" not in event.resource:
        return
    if not is_organizers_copy(calendar, event):
        _answer(simulator, calendar, event, response="declined")
    elif send_updates != "none":
        _uninvite(simulator, event, set())


def _copy_to(simulator: Simulator, event: Event, email: str) -> None:
    primary = simulator.world.calendars.get(email)
    if primary is None or primary.deleted or primary.id == event.calendar_id:
        return
    copy = primary.events.get(event.id)
    if copy is None:
        copy = Event(primary.id, event.id, {}, created_by=event.created_by)
    elif copy.resource.get("iCalUID") != event.resource["iCalUID"]:
        return
    kept = {
        name: value for name, value in copy.resource.items()
        if name not in SHARED
    }  # fmt: skip
    shared = {name: deepcopy(event.resource[name]) for name in SHARED if name in event.resource}
    if properties := event.resource.get("extendedProperties", {}).get("shared"):
        shared["extendedProperties"] = {
            **kept.get("extendedProperties", {}), "shared": dict(properties),
        }  # fmt: skip
    copy.resource = {"reminders": {"useDefault": True}, **kept, **shared}
    simulator.world.save_event(primary, copy)


def _uninvite(simulator: Simulator, event: Event, invited: set[str]) -> None:
    """Cancel the copies of those who are no longer on the list."""
    for account in simulator.world.accounts.values():
        primary = simulator.world.calendars.get(account.email)
        copy = primary.events.get(event.id) if primary else None
        if primary is None or copy is None or account.email in invited:
            continue
        is_copy = copy.calendar_id != event.calendar_id and not is_organizers_copy(primary, copy)
        if is_copy and not copy.cancelled:
            copy.resource = {**copy.resource, "status": "cancelled"}
            simulator.world.save_event(primary, copy)


def _answer(
    simulator: Simulator, calendar: Calendar, copy: Event, response: str | None = None
) -> None:
    """A guest's answer travels to the organizer's copy."""
    organizer = simulator.world.calendars.get(copy.resource.get("organizer", {}).get("email", ""))
    original = organizer.events.get(copy.id) if organizer else None
    if organizer is None or original is None:
        return
    said = response or _response_of(copy.resource, calendar.id)
    rows = original.resource.get("attendees", [])
    if said is None or all(
        row["responseStatus"] == said for row in rows if row["email"] == calendar.id
    ):
        return
    original.resource = {
        **original.resource,
        "attendees": [
            {**row, "responseStatus": said} if row["email"] == calendar.id else row for row in rows
        ],
    }
    simulator.world.save_event(organizer, original)


def _response_of(resource: Json, email: str) -> str | None:
    for row in resource.get("attendees", []):
        if row["email"] == email:
            return str(row["responseStatus"])
    return None
