"""The stage of one example: two businesses, three people, and Google as new.

Everybody may link any of the calendars, also the same ones: colleagues, and people of two
businesses.
"""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from itertools import chain
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from google_simulator.testing import RunningSimulator
from sophiie.accounts.models import Business, Member
from sophiie.appointments.booking import book
from sophiie.appointments.rules import Details
from sophiie.calendar_link.choose import CannotChoose, choose_calendar
from sophiie.calendar_link.connect import begin, finish, link_of
from sophiie.calendar_link.models import CalendarLink, LinkState
from sophiie.calendar_link.problems import LinkProblem
from sophiie.calendar_link.unlink import unlink
from sophiie.common.clock import now
from tests.convergence.clocks import RIGHT, Clocks
from tests.convergence.expected import BUSINESSES
from tests.tables import empty_tables

SYDNEY = "Australia/Sydney"
ZONES = {"Harbour Plumbing": SYDNEY, "Thames Salon": "Europe/London"}
# So far ahead that nothing is over before its example is.
DAYS_AHEAD = 30
SESSION = "a session"
REDIRECT = "http://localhost:8000/integrations/google/callback"
ALICE, BOB = "alice@example.com", "bob@example.com"
# The calendars that can be chosen in each account, the primary first. Bob writes to the clinic's
# by Charlie's leave, which can be taken.
CALENDARS = {
    ALICE: (ALICE, "jobs-alice@group.calendar.google.com"),
    BOB: (BOB, "clinic@group.calendar.google.com"),
}
SHARED = {BOB: "clinic@group.calendar.google.com", ALICE: "jobs-alice@group.calendar.google.com"}
FULL_ROLE = {BOB: "writer", ALICE: "owner"}


class World:
    """The database and Google at the beginning of an example."""

    def __init__(self, google: RunningSimulator) -> None:
        self.google = google
        empty_tables()
        google.reset()
        self.clocks = Clocks(google)
        self.clocks.agree()
        google.quotas(enabled=False)
        self.first_day = (now() + timedelta(days=DAYS_AHEAD)).replace(
            hour=0, minute=0, second=0, microsecond=0
        )
        self.businesses = {
            name: Business.objects.create(name=name, timezone=zone, members_may_mirror_all=True)
            for name, zone in ZONES.items()
        }
        self.members = {
            name: _member(self.businesses[business], name, "member" if name == "Bob" else "owner")
            for name, business in BUSINESSES.items()
        }
        # What must never appear anywhere, because it is over.
        self._book(self.members["Alice"], "Over", now() - timedelta(days=7))

    def slot(self, number: int) -> datetime:
        """Hours of the coming days."""
        return self.first_day + timedelta(hours=number)

    def _book(self, member: Member, title: str, start: datetime) -> None:
        end = start + timedelta(hours=1)
        details = Details(title=title, start=start, end=end, timezone=SYDNEY)
        book(by=member, details=details, assignees=[member])

    # -- links -------------------------------------------------------------------------------

    def consent(self, member: Member, account: str) -> bool:
        """The walk to Google and back; False when it did not succeed."""
        url = begin(member=member, session_key=SESSION, redirect_uri=REDIRECT)
        back = self.google.authorize(url, account=account)
        answer = dict(parse_qsl(urlsplit(back).query))
        try:
            asyncio.run(finish(member=member, session_key=SESSION, answer=answer))
        except LinkProblem:
            return False
        return True

    def choose(self, link: CalendarLink, calendar_id: str) -> bool:
        try:
            asyncio.run(choose_calendar(link=link, calendar_id=calendar_id, busy_calendar_ids=[]))
        except (LinkProblem, CannotChoose):
            return False
        return True

    def unlink(self, member: Member) -> None:
        asyncio.run(unlink(member=member))

    def mend_links(self) -> None:
        """Each person presses the one button that a broken or unfinished link shows."""
        for member in self.members.values():
            link = link_of(member)
            if link is not None and link.state == LinkState.NEEDS_RECONNECT:
                assert link.problem, "a broken link must say what is the matter"
                assert self.consent(member, link.google_email)
            elif link is not None and link.state == LinkState.CHOOSING:
                assert self.consent(member, link.google_email)
                link.refresh_from_db()
                assert self.choose(link, link.google_email)

    def account_is_linked(self, account: str) -> bool:
        links = CalendarLink.objects.filter(google_email=account)
        return links.exclude(state=LinkState.UNLINKED).exists()

    # -- Google ------------------------------------------------------------------------------

    def heal_google(self) -> None:
        """All that can be wrong with Google, and with our clock, is over."""
        self.clocks.set_ours(RIGHT)
        self.google.clear_faults()
        self.google.quotas(enabled=False)
        for account in CALENDARS:
            self.restore_role(account)
            self.google.fail_tokens(account, None)
            self.google.quota_exceeded(account, 0)
            self.google.invitations_exceeded(account, 0)

    def restore_role(self, account: str) -> None:
        self.google.set_role(account, SHARED[account], FULL_ROLE[account])

    def zone_of(self, calendar: str) -> str:
        listed = self.google.calendars(account_of(calendar))
        return next(str(known["time_zone"]) for known in listed if known["id"] == calendar)

    def everything_in(self, calendar: str) -> list[dict[str, Any]]:
        """All that is live there, whoever made it; series as one event.

        A guest's copy has none of the organizer's marks; here it shows those of its original.
        """
        events = self.google.events(account_of(calendar), calendar)
        return [self._with_marks_of_original(event, calendar) for event in events]

    def _with_marks_of_original(self, event: dict[str, Any], calendar: str) -> dict[str, Any]:
        organizer = event["organizer"]["email"]
        if organizer == calendar or organizer not in chain.from_iterable(CALENDARS.values()):
            return event
        made = self.google.all_events(account_of(organizer), organizer)
        original = next((known for known in made if known["id"] == event["id"]), {})
        marks = original.get("extendedProperties", {})
        return {**event, "extendedProperties": marks}

    def events(self) -> dict[tuple[str, str], dict[str, Any]]:
        """Every event that Sophiie made and that is there, by calendar and id."""
        return {
            place: event
            for place, event in self._made_by_us().items()
            if event["organizer"]["email"] == place[0]
        }

    def copies(self) -> dict[tuple[str, str], dict[str, Any]]:
        """What guests see of such events, by their calendar and the event's id."""
        return {
            place: event
            for place, event in self._made_by_us().items()
            if event["organizer"]["email"] != place[0]
        }

    def _made_by_us(self) -> dict[tuple[str, str], dict[str, Any]]:
        return {
            (calendar, event["id"]): event
            for account, calendars in CALENDARS.items()
            for calendar in calendars
            for event in self.google.events(account, calendar)
            if event["simulator"]["created_by"] == self.google.client_id
        }


def account_of(calendar: str) -> str:
    return next(account for account, calendars in CALENDARS.items() if calendar in calendars)


def _member(business: Business, name: str, role: str) -> Member:
    return Member.objects.create_member(
        business=business,
        email=f"{name.lower()}@example.com",
        name=name,
        role=role,
        password=None,
    )
