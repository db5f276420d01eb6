"""Appointments whose assignees are guests, and who is a guest in Google."""

from __future__ import annotations

from google_simulator.testing import RunningSimulator
from sophiie.accounts.models import Member
from sophiie.appointments.booking import book
from sophiie.appointments.models import Appointment
from tests.conftest import details, tomorrow_at
from tests.sync.drifting import ALICE

BOB, CHARLIE = "bob@example.com", "charlie@example.com"


def book_for(by: Member, *team: Member, hour: int = 1) -> Appointment:
    return book(by=by, details=details(start=tomorrow_at(hour)), assignees=team)


def guests(google: RunningSimulator, account: str = ALICE) -> list[set[str]]:
    """The guests of each event that stands in the account's main calendar and was made there."""
    return [
        {guest["email"] for guest in event.get("attendees", [])}
        for event in google.events(account)
        if event["organizer"]["email"] == account
    ]


def seen_by(google: RunningSimulator, account: str) -> int:
    """How often somebody sees an appointment in their own calendar."""
    return len(google.events(account))
