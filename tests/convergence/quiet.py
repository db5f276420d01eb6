"""What acts stand on that are judged by themselves: how all comes to rest, and whom to ask then."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sophiie.accounts.models import Member
from sophiie.appointments.booking import book
from sophiie.appointments.errors import Conflict
from sophiie.appointments.rules import Details
from sophiie.calendar_link.models import CalendarLink, LinkState, Revocation
from sophiie.sync.models import GuestReview, MirroredEvent, MirrorState
from tests.convergence.acts_in_google import ActsInGoogle
from tests.convergence.acts_of_fate import ActsOfFate
from tests.convergence.acts_of_people import TOO_OLD
from tests.convergence.expected import Expected
from tests.convergence.ground import Place
from tests.convergence.invariants import place_of
from tests.convergence.worker import bookings_read_calendars, work
from tests.convergence.world import account_of

A_POLL = timedelta(minutes=40)  # the longest pause, of polls as of attempts
PAUSES = [A_POLL, timedelta(minutes=65), A_POLL, timedelta(hours=25), A_POLL, A_POLL]


class Quiet(ActsInGoogle, ActsOfFate):
    """Nothing fails here, and nothing waits for anything but time."""

    def judge(self) -> None:
        raise NotImplementedError

    def active_links(self) -> list[CalendarLink]:
        links = CalendarLink.objects.filter(state=LinkState.ACTIVE).select_related("member")
        return list(links.order_by("id"))

    def places_of(self, known: Expected) -> list[tuple[CalendarLink, Place]]:
        """Where each link shows it."""
        return [
            (link, place_of(link, known))
            for link in self.active_links()
            if known.is_covered(member=link.member.name, covers=link.covers)
        ]

    def an_event_of(self, which: int) -> tuple[Expected, CalendarLink, Place] | None:
        """An appointment that somebody's calendar shows, by the link that has the event."""
        start = which % len(self.appointments)
        for known in [*self.appointments[start:], *self.appointments[:start]]:
            for link, place in self.places_of(known):
                if MirroredEvent.objects.filter(link=link, event_id=place[1]).exists():
                    self.meddled.add(self.number_of(known))
                    return known, link, place
        return None

    def calls_that_read(self) -> int:
        return len(self.google.calls(method="calendar.events.list"))

    def event_at(self, place: Place) -> dict[str, Any]:
        return self.google.event(account_of(place[0]), *place)

    def read_and_find(self, place: Place) -> MirroredEvent:
        """The row of an event, after its calendar was read."""
        work(reading=True)
        rows = MirroredEvent.objects.filter(calendar_id=place[0], event_id=place[1])
        return rows.exclude(link__state=LinkState.UNLINKED).get()

    def readers_of(self, place: Place, known: Expected) -> list[Member]:
        """Whose busy time the calendar says."""
        return [link.member for link in self.active_links() if link.calendar_id == place[0]]

    def must_refuse_over_what_is_new(self, slot: int) -> None:
        start = self.world.slot(slot) + timedelta(days=3)
        for link in self.active_links():
            body = {"summary": "Private", **self.times_at(start, minutes=30)}
            self.add_foreign(link.calendar_id, body)
            self.must_refuse(link.member, start, 30)

    def must_refuse(self, member: Member, start: datetime, minutes: int) -> None:
        self.world.clocks.go_on(TOO_OLD)
        end = start + timedelta(minutes=minutes)
        details = Details(title="In the way", start=start, end=end, timezone="UTC")
        try:
            with bookings_read_calendars():
                book(by=member, details=details, assignees=[member])
        except Conflict:
            return
        self.tally.bookings_over_live += 1
        raise AssertionError(f"{member.name} was booked at {start}, over something live")

    def work_until_quiet(self) -> None:
        """Pauses pass, by both clocks: the longest wait that Google can cause is a day."""
        for pause in PAUSES:
            self.world.mend_links()
            work()
            waiting = CalendarLink.objects.exclude(state=LinkState.UNLINKED).filter(
                mirrored_events__state=MirrorState.PENDING
            )
            still = (waiting, GuestReview.objects.all(), Revocation.objects.all())
            if not any(rows.exists() for rows in still):
                return
            self.world.clocks.go_on(pause)
        rows = MirroredEvent.objects.filter(state=MirrorState.PENDING)
        left = [(row.next_attempt_at, row.link.parked_until, row.error) for row in rows]
        reviews, revocations = GuestReview.objects.count(), Revocation.objects.count()
        raise AssertionError(f"not quiet: {left}, {reviews} reviews, {revocations} revocations")

    def tidy_up_in_google(self) -> None:
        """What Sophiie has let go of for good, a person removes where they brought it back: the
        event of a deleted appointment, and one in a calendar that is not chosen any more."""
        there = self.world.events()
        rows = MirroredEvent.objects.exclude(link__state=LinkState.UNLINKED)
        wanted = set(rows.filter(wanted=True).values_list("calendar_id", "event_id"))
        for place in sorted(there.keys() & self.as_left.keys() - wanted - self.strays):
            if place in self.restored or there[place].get("recurrence"):
                self.google.delete_event(account_of(place[0]), *place)
