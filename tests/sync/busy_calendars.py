"""Events in Google that keep people busy, and what Sophiie knows of them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from google_simulator.testing import RunningSimulator
from sophiie.accounts.models import Member
from sophiie.busy_time.knowledge import Knowledge, knowledge_of
from sophiie.busy_time.models import BusyPeriod
from sophiie.calendar_link.models import CalendarLink
from tests.linking import browser_of, link
from tests.sync.drifting import ALICE

Times = tuple[datetime, datetime]


def busy_times(member: Member) -> list[Times]:
    rows = BusyPeriod.objects.filter(member=member)
    return sorted((row.during.lower, row.during.upper) for row in rows)


def knowledge(member: Member) -> Knowledge:
    return knowledge_of([member.id])[member.id]


def event(
    google: RunningSimulator,
    start: datetime,
    *,
    hours: float = 1,
    calendar_id: str = ALICE,
    account: str = ALICE,
    **more: Any,
) -> str:
    """Somebody makes an event in Google; its id."""
    body = {
        "summary": "Private matter",
        "start": {"dateTime": start.isoformat(), "timeZone": "UTC"},
        "end": {"dateTime": (start + timedelta(hours=hours)).isoformat(), "timeZone": "UTC"},
        **more,
    }
    return str(google.insert_event(account, calendar_id, body)["id"])


def move(google: RunningSimulator, event_id: str, start: datetime) -> None:
    """Somebody moves an event of Alice's, which then lasts an hour."""
    times = {"start": start, "end": start + timedelta(hours=1)}
    body = {name: {"dateTime": moment.isoformat()} for name, moment in times.items()}
    google.patch_event(ALICE, ALICE, event_id, body)


def hour(start: datetime, hours: float = 1) -> Times:
    return start, start + timedelta(hours=hours)


def link_with(member: Member, google: RunningSimulator, *ticked: str) -> CalendarLink:
    """Links the member's primary calendar and ticks further ones."""
    return link(member, google, account=member.email, busy=ticked, read=False)


def choose(member: Member, calendar_id: str, *ticked: str) -> None:
    form = {"calendar_id": calendar_id, "check_for_conflicts": list(ticked)}
    answer = browser_of(member).post("/settings/calendar/choose", form, follow=True)
    assert b"synchronization is active" in answer.content, answer.content


def calendar_named(google: RunningSimulator, name: str) -> str:
    """The id of one of the calendars that Alice sees."""
    return str(next(c["id"] for c in google.calendars(ALICE) if c["summary"] == name))
