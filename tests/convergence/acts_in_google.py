"""What people do in Google Calendar, with our events and with their own."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from google_simulator.control import ControlError
from tests.convergence.ground import (
    Ground,
    accounts,
    numbers,
    pick,
    slots,
    some_appointment,
    zones,
)
from tests.convergence.world import CALENDARS, account_of

DAILY = "RRULE:FREQ=DAILY;COUNT=3"
EDITS = ["title", "place", "description", "all day", "guests", "no description", "series"]


class ActsInGoogle(Ground):
    @some_appointment()
    @rule(which=numbers, fields=st.sampled_from(EDITS))
    def edit_mirrored(self, which: int, fields: str) -> None:
        edits: dict[str, dict[str, Any]] = {
            "title": {"summary": "Edited in Google"},
            "place": {"location": "Elsewhere"},
            "description": {"description": f"Gate code {self.count()}"},
            "all day": {
                "start": {"date": "2027-01-01", "dateTime": None, "timeZone": None},
                "end": {"date": "2027-01-02", "dateTime": None, "timeZone": None},
            },
            "guests": {"attendees": [{"email": "charlie@example.com"}], "colorId": "5"},
            "no description": {"description": None},
            "series": {"recurrence": [DAILY]},
        }
        for place in self.shown(which):
            self.edit_ours(place, edits[fields])

    @some_appointment()
    @rule(which=numbers, slot=slots)
    def drag_mirrored(self, which: int, slot: int) -> None:
        for place in self.shown(which):
            self.edit_ours(place, self.times_at(self.world.slot(slot), minutes=40))

    @some_appointment()
    @rule(which=numbers)
    def restore_mirrored(self, which: int) -> None:
        """From the trash: of an appointment that is off, or of one whose event was deleted."""
        for place in self.in_the_trash(which):
            if self.edit_ours(place, {"status": "confirmed"}):
                self.restored.add(place)

    @some_appointment()
    @rule(which=numbers)
    def delete_mirrored(self, which: int) -> None:
        for calendar, event_id in self.shown(which):
            self.google.delete_event(account_of(calendar), calendar, event_id)

    @some_appointment()
    @rule(which=numbers)
    def move_mirrored(self, which: int) -> None:
        """To the other calendar of the account, where it is the person's own business."""
        for calendar, event_id in self.shown(which):
            account = account_of(calendar)
            target = next(other for other in CALENDARS[account] if other != calendar)
            try:
                self.google.move_event(account, calendar, event_id, target)
            except ControlError:  # it was there before
                continue
            self.strays.add((target, event_id))

    @some_appointment()
    @rule(which=numbers)
    def copy_mirrored(self, which: int) -> None:
        """A copy carries our mark along, and is a foreign event all the same."""
        for calendar, event_id in self.shown(which):
            event = self.google.event(account_of(calendar), calendar, event_id)
            names = ("summary", "start", "end", "extendedProperties", "description")
            self.add_foreign(calendar, {name: event[name] for name in names if name in event})

    @rule(account=accounts, which=st.integers(0, 1))
    def empty_trash(self, account: str, which: int) -> None:
        self.google.empty_trash(account, CALENDARS[account][which])
        self.digest = self.google.digest()  # foreign events that were deleted are gone for good

    @rule(account=accounts, which=st.integers(0, 1), slot=slots, all_day=st.booleans())
    def add_foreign_event(self, account: str, which: int, slot: int, all_day: bool) -> None:
        start = self.world.slot(slot)
        body = {"summary": "Private", **self.times_at(start, minutes=60)}
        if all_day:
            body["start"] = {"date": start.date().isoformat()}
            body["end"] = {"date": (start + timedelta(days=1)).date().isoformat()}
        self.add_foreign(CALENDARS[account][which], body)

    @rule(account=accounts, which=st.integers(0, 1), zone=zones)
    def zone_of_a_calendar_changes(self, account: str, which: int, zone: str) -> None:
        """Its days off are other hours from then on."""
        self.google.change_calendar(account, CALENDARS[account][which], time_zone=zone)

    @precondition(lambda self: self.foreign)
    @rule(which=numbers, gone=st.booleans())
    def edit_foreign_event(self, which: int, gone: bool) -> None:
        calendar, event_id = pick(self.foreign, which)
        if gone:
            self.google.delete_event(account_of(calendar), calendar, event_id)
            self.foreign.remove((calendar, event_id))
        else:
            text = {"summary": f"Private {self.count()}"}
            self.google.patch_event(account_of(calendar), calendar, event_id, text)
        self.digest = self.google.digest()
