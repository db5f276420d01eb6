"""One week of an account's calendars and their events."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from google_simulator import times
from google_simulator.calendar.call import DETAIL_READERS, WRITERS
from google_simulator.calendar.recurrence import instances, span_of
from google_simulator.model import Account, Calendar, Event
from google_simulator.simulator import Simulator


@dataclass(frozen=True)
class Shown:
    """An event in the week, with its times in the week's zone."""

    event: Event
    calendar: Calendar
    calendar_name: str
    start: datetime
    end: datetime
    all_day: bool
    details: bool
    editable: bool

    def covers(self, day: date) -> bool:
        """Whether the event lies on this day."""
        last = (self.end - timedelta(microseconds=1)).date()
        return self.start.date() <= day <= max(last, self.start.date())

    @property
    def answer(self) -> str | None:
        """What the calendar's owner said to an invitation."""
        for attendee in self.event.resource.get("attendees", []):
            if attendee["email"] == self.calendar.owner:
                return str(attendee["responseStatus"])
        return None

    @property
    def when(self) -> str:
        """Its times in words."""
        if self.all_day:
            return "All day"
        return f"{self.start:%H:%M}–{self.end:%H:%M}"


@dataclass(frozen=True)
class Week:
    """The seven days that are shown, and of which calendars."""

    account: Account
    monday: date
    zone: ZoneInfo
    calendars: list[tuple[Calendar, str]]
    events: list[Shown]
    today: date

    @property
    def writable(self) -> list[tuple[Calendar, str]]:
        """The calendars that the person may write to."""
        return [
            (calendar, name)
            for calendar, name in self.calendars
            if not calendar.generated and calendar.role_of(self.account.email) in WRITERS
        ]

    @property
    def days(self) -> list[date]:
        """The seven days."""
        return [self.monday + timedelta(days=number) for number in range(7)]


def read_week(
    simulator: Simulator, account: Account, day: date | None, calendar_id: str | None
) -> Week:
    """Shows times in the zone of the calendar that was picked, else of the account's own."""
    calendars = list(_calendars(simulator, account))
    if calendar_id:
        calendars = [pair for pair in calendars if pair[0].id == calendar_id]
    zone = times.zone(calendars[0][0].time_zone if calendars else account.time_zone)
    today = simulator.clock.utc().astimezone(zone).date()
    day = day or today
    monday = day - timedelta(days=day.weekday())
    start = datetime.combine(monday, datetime.min.time(), zone)
    end = start + timedelta(days=7)
    found = [
        shown
        for calendar, name in calendars
        for shown in _in_span(account, calendar, name, start, end)
    ]
    found.sort(key=lambda shown: (shown.start, shown.end, shown.event.id))
    return Week(account, monday, zone, calendars, found, today)


def _calendars(simulator: Simulator, account: Account) -> Iterator[tuple[Calendar, str]]:
    entries = simulator.world.entries_of(account.email).values()
    for entry in sorted(entries, key=lambda entry: entry.order):
        calendar = simulator.world.calendars[entry.calendar_id]
        if not (entry.deleted or calendar.deleted or calendar.role_of(account.email) is None):
            yield calendar, entry.summary_override or calendar.summary


def _in_span(
    account: Account, calendar: Calendar, name: str, start: datetime, end: datetime
) -> Iterator[Shown]:
    zone = start.tzinfo
    role = calendar.role_of(account.email) or ""
    for stored in calendar.events.values():
        if stored.cancelled:
            continue
        for event in instances(stored, calendar) if stored.is_series else (stored,):
            begins, ends = span_of(event, calendar)
            if begins >= end.timestamp() or max(ends, begins + 1) <= start.timestamp():
                continue
            edges = event.resource["start"], event.resource["end"]
            all_day = "date" in edges[0]
            if all_day:
                first, last = (
                    datetime.combine(date.fromisoformat(edge["date"]), datetime.min.time(), zone)
                    for edge in edges
                )
            else:
                first, last = (datetime.fromtimestamp(at, zone) for at in (begins, ends))
            yield Shown(
                event, calendar, name, first, last, all_day, role in DETAIL_READERS,
                role in WRITERS and not calendar.generated,
            )  # fmt: skip
