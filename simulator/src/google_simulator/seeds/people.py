"""Alice, Bob and Charlie, and who may do what in whose calendar."""

from __future__ import annotations

import hashlib

from google_simulator.calendar.calendars import create, share, show_in_list
from google_simulator.model import Account, Calendar
from google_simulator.simulator import Simulator

ALICE, BOB, CHARLIE = "alice@example.com", "bob@example.com", "charlie@example.com"
JOBS = "jobs-alice@group.calendar.google.com"
TEAM = "team@group.calendar.google.com"
CLINIC = "clinic@group.calendar.google.com"
HOLIDAYS = "en.australian#holiday@group.v.calendar.google.com"
SYDNEY, LONDON = "Australia/Sydney", "Europe/London"


def plant_people(simulator: Simulator) -> None:
    """Alice, Bob and Charlie with their calendars, without events."""
    add_account(simulator, ALICE, "Alice", SYDNEY)
    add_account(simulator, BOB, "Bob", SYDNEY)
    add_account(simulator, CHARLIE, "Charlie", LONDON)
    create(simulator, ALICE, "Jobs", SYDNEY, calendar_id=JOBS)
    team = create(simulator, BOB, "Team", SYDNEY, calendar_id=TEAM)
    clinic = create(simulator, CHARLIE, "Clinic rooms", LONDON, calendar_id=CLINIC)
    for calendar, email, role in (
        (team, ALICE, "reader"),
        (clinic, BOB, "writer"),
        (clinic, ALICE, "freeBusyReader"),
    ):
        share(simulator, calendar, email, role)
        show_in_list(simulator, email, calendar)
    holidays = simulator.world.save(
        Calendar(
            id=HOLIDAYS,
            owner=HOLIDAYS,
            summary="Holidays in Australia",
            time_zone=SYDNEY,
            public_role="reader",
            generated=True,
            version=simulator.world.next_version(),
        )
    )
    show_in_list(simulator, ALICE, holidays)


def add_account(simulator: Simulator, email: str, name: str, time_zone: str) -> Account:
    """A person with a primary calendar whose id is the address."""
    # Google's `sub` is a number of 21 digits; here it follows from the address.
    number = int(hashlib.sha256(email.encode()).hexdigest(), 16) % 10**20
    account = simulator.world.save(
        Account(email=email, name=name, sub=f"1{number:020d}", time_zone=time_zone)
    )
    create(simulator, email, email, time_zone, calendar_id=email)
    entry = simulator.world.entries_of(email)[email]
    entry.default_reminders = [{"method": "popup", "minutes": 10}]
    return account
