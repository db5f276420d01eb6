"""A busy fortnight: one of each kind of event that decides whether a person is free.

Dates follow the simulator's today, so that the demo is always about this week and the next.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from google_simulator.calendar import editing
from google_simulator.calendar.editing import Editor
from google_simulator.calendar.recurrence import instances
from google_simulator.model import Calendar, Event, Json
from google_simulator.seeds.people import (
    ALICE,
    BOB,
    CHARLIE,
    CLINIC,
    HOLIDAYS,
    JOBS,
    LONDON,
    SYDNEY,
    TEAM,
)
from google_simulator.simulator import Simulator


class _Diary:
    """Writes events into one calendar as its owner, with days counted from a Monday."""

    def __init__(
        self, simulator: Simulator, calendar_id: str, owner: str, zone: str, monday: date
    ) -> None:
        self.simulator = simulator
        self.calendar: Calendar = simulator.world.calendars[calendar_id]
        self.editor = Editor(simulator.world.accounts[owner], send_updates="all")
        self.zone = zone
        self.monday = monday

    def at(self, day: int, start: str, end: str, summary: str, **more: object) -> Event:
        zone = str(more.pop("zone", self.zone))
        edges = {
            name: {
                "dateTime": self._moment(day, clock, zone).isoformat(),
                "timeZone": zone,
            }
            for name, clock in (("start", start), ("end", end))
        }
        return self._write(summary, {**edges, **more})

    def days(self, day: int, count: int, summary: str, **more: object) -> Event:
        first = self.monday + timedelta(days=day)
        after = first + timedelta(days=count)
        edges = {"start": {"date": first.isoformat()}, "end": {"date": after.isoformat()}}
        return self._write(summary, {**edges, **more})

    def change(self, event: Event, **changes: object) -> None:
        editing.change(
            self.simulator, self.calendar, event, {**event.resource, **changes}, self.editor
        )

    def cancel(self, event: Event) -> None:
        editing.delete(self.simulator, self.calendar, event, self.editor)

    def instance(self, series: Event, number: int) -> Event:
        return list(instances(series, self.calendar))[number]

    def _write(self, summary: str, body: Json) -> Event:
        return editing.insert(
            self.simulator, self.calendar, {"summary": summary, **body}, self.editor
        )

    def _moment(self, day: int, clock: str, zone: str) -> datetime:
        when = self.monday + timedelta(days=day)
        return datetime.combine(when, time.fromisoformat(clock), ZoneInfo(zone))


def plant_busy_week(simulator: Simulator) -> None:
    """A fortnight of events for everybody."""
    today = simulator.clock.utc().astimezone(ZoneInfo(SYDNEY)).date()
    monday = today - timedelta(days=today.weekday())
    _alice(_Diary(simulator, ALICE, ALICE, SYDNEY, monday))
    _jobs(_Diary(simulator, JOBS, ALICE, SYDNEY, monday))
    _bob(_Diary(simulator, BOB, BOB, SYDNEY, monday))
    _team(_Diary(simulator, TEAM, BOB, SYDNEY, monday))
    _charlie(_Diary(simulator, CHARLIE, CHARLIE, LONDON, monday))
    _clinic(_Diary(simulator, CLINIC, CHARLIE, LONDON, monday))
    _holidays(_Diary(simulator, HOLIDAYS, ALICE, SYDNEY, monday))


def _stand_ups(diary: _Diary) -> None:
    """A series with one occurrence moved and one cancelled."""
    series = diary.at(
        0, "08:30", "08:45", "Stand-up", recurrence=["RRULE:FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR"]
    )
    moved, cancelled = diary.instance(series, 2), diary.instance(series, 3)
    later = {
        name: {
            **moved.resource[name],
            "dateTime": (
                datetime.fromisoformat(moved.resource[name]["dateTime"]) + timedelta(hours=1)
            ).isoformat(),
        }
        for name in ("start", "end")
    }
    diary.change(moved, summary="Stand-up (late)", **later)
    diary.cancel(cancelled)


def _alice(diary: _Diary) -> None:
    _stand_ups(diary)
    diary.at(0, "12:30", "13:30", "Lunch with Sam", location="Harbour Kitchen")
    diary.at(1, "14:00", "15:00", "Dentist", visibility="private")
    diary.at(2, "13:00", "15:00", "Focus: quotes", eventType="focusTime")
    diary.at(3, "16:00", "17:00", "School play?", status="tentative")
    diary.at(4, "17:00", "18:00", "Gym (optional)", transparency="transparent")
    diary.at(2, "19:00", "20:00", "Call with London office", zone=LONDON)
    diary.at(5, "22:30", "23:30", "Flight lands late")
    diary.days(
        1,
        1,
        "Working from the depot",
        eventType="workingLocation",
        transparency="transparent",
        visibility="public",
        workingLocationProperties={
            "type": "officeLocation",
            "officeLocation": {"label": "Depot"},
        },
    )
    diary.at(8, "09:00", "17:00", "Out of office", eventType="outOfOffice")
    diary.days(9, 3, "Trade fair (away)")
    diary.days(
        3,
        1,
        "Mum's birthday",
        eventType="birthday",
        transparency="transparent",
        visibility="private",
        recurrence=["RRULE:FREQ=YEARLY"],
        birthdayProperties={"type": "birthday"},
    )


def _jobs(diary: _Diary) -> None:
    diary.at(1, "09:00", "11:00", "Hot water system, Newtown", location="4 King St, Newtown")
    diary.at(3, "10:00", "12:00", "Bathroom rough-in, Glebe", location="77 Glebe Point Rd")


def _bob(diary: _Diary) -> None:
    guests = [
        {"email": ALICE, "responseStatus": "declined"},
        {"email": CHARLIE, "responseStatus": "needsAction"},
        {"email": BOB, "responseStatus": "accepted"},
    ]
    diary.at(2, "10:00", "11:00", "Budget round", attendees=guests)
    diary.at(0, "09:00", "12:00", "Van service", location="Marrickville")
    diary.at(4, "15:00", "16:00", "Handover")
    diary.days(7, 2, "Leave")


def _team(diary: _Diary) -> None:
    diary.at(
        0,
        "16:00",
        "16:30",
        "Team planning",
        recurrence=["RRULE:FREQ=WEEKLY;INTERVAL=2;COUNT=10"],
    )


def _charlie(diary: _Diary) -> None:
    diary.at(1, "09:00", "10:00", "Ward round", recurrence=["RRULE:FREQ=DAILY;COUNT=14"])
    diary.at(3, "23:00", "23:45", "Late shift handover")
    diary.days(6, 1, "Marathon")


def _clinic(diary: _Diary) -> None:
    diary.at(0, "10:00", "12:00", "Room 1: consultation")
    diary.at(2, "14:00", "15:30", "Room 2: minor procedure")


def _holidays(diary: _Diary) -> None:
    diary.days(11, 1, "Public holiday", transparency="transparent", visibility="public")
