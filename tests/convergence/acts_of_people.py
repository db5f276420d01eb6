"""What people do in Sophiie: book and change appointments, link and unlink calendars."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from django.conf import settings
from hypothesis import strategies as st
from hypothesis.stateful import rule

from sophiie.accounts.business import BusinessDetails, change_business
from sophiie.accounts.models import Business
from sophiie.appointments.booking import book, cancel, delete, reinstate
from sophiie.appointments.errors import Conflict
from sophiie.appointments.rules import Details
from sophiie.calendar_link.choose import change_options
from sophiie.calendar_link.connect import link_of
from sophiie.calendar_link.models import RECORDING, CalendarLink, Covers, LinkState
from sophiie.calendar_link.unlink import unlink
from sophiie.sync.actions import drift
from sophiie.sync.models import MirroredEvent
from tests.convergence.expected import Expected
from tests.convergence.ground import (
    Ground,
    accounts,
    moments,
    numbers,
    people,
    slots,
    some_appointment,
    zones,
)
from tests.convergence.worker import Hand, bookings_read_calendars, work
from tests.convergence.world import ALICE, BOB, CALENDARS, SYDNEY, account_of

words = st.sampled_from(["Leaking tap", "Boiler <service>", "Ünïcode & co", "x" * 300])
places = st.sampled_from(["", "12 Bay Street", "Upstairs"])
teams = st.sampled_from([("Alice",), ("Bob",), ("Alice", "Bob"), ("Charlie",)])
# So much time that every copy of a calendar is too old for a booking to rely on.
TOO_OLD = timedelta(seconds=settings.BUSY_MAX_AGE_SECONDS + 60)


class ActsOfPeople(Ground):
    @rule(team=teams, slot=slots, title=words, zone=zones)
    def book(self, team: Sequence[str], slot: int, title: str, zone: str) -> None:
        """Whatever is known of their calendars."""
        self.try_to_book(team, self.world.slot(slot), title, zone, accept_unverified=True)

    @rule(team=teams, slot=slots)
    def book_carefully(self, team: Sequence[str], slot: int) -> None:
        """By what Google shows at this moment, or not at all."""
        self.world.clocks.go_on(TOO_OLD)
        start, broken = self.world.slot(slot), self.broken_links_of(team)
        with bookings_read_calendars():
            made = self.try_to_book(team, start, "With care", SYDNEY, accept_unverified=False)
        if made is not None:
            assert not broken, f"booked although nobody can read the calendar of {broken}"
            self.tally.careful_bookings += 1
            self.check_nothing_live_is_under(made)

    def try_to_book(
        self,
        team: Sequence[str],
        start: datetime,
        title: str,
        zone: str,
        *,
        accept_unverified: bool,
    ) -> Expected | None:
        end = start + timedelta(minutes=50)
        by = self.colleagues[team[-1]]
        try:
            made = book(
                by=self.member(by),
                details=Details(title=title, start=start, end=end, timezone=zone),
                assignees=self.members(team),
                accept_unverified=accept_unverified,
            )
        except Conflict:
            return None
        known = Expected(made.id, by, frozenset(team), title, start, end, zone, "")
        self.appointments.append(known)
        return known

    @some_appointment()
    @rule(which=numbers, title=words)
    def retitle(self, which: int, title: str) -> None:
        self.change(which, {"title": f"{title[:250]} {self.count()}"})

    @some_appointment()
    @rule(which=numbers, slot=slots, zone=zones)
    def move(self, which: int, slot: int, zone: str) -> None:
        start = self.world.slot(slot)
        end = start + timedelta(minutes=30)
        self.change(which, {"start": start, "end": end, "timezone": zone})

    @some_appointment()
    @rule(which=numbers, place=places)
    def relocate(self, which: int, place: str) -> None:
        self.change(which, {"location": place})

    @some_appointment()
    @rule(which=numbers, team=teams)
    def reassign(self, which: int, team: Sequence[str]) -> None:
        self.change(which, {}, team=team)

    @some_appointment()
    @rule(which=numbers)
    def cancel(self, which: int) -> None:
        if not (known := self.known(which)).deleted:
            cancel(by=self.colleague_of(known), appointment_id=known.id)
            self.now_is(known.changed(cancelled=True))

    @some_appointment()
    @rule(which=numbers)
    def delete(self, which: int) -> None:
        if not (known := self.known(which)).deleted:
            delete(by=self.colleague_of(known), appointment_id=known.id)
            self.now_is(known.changed(deleted=True))

    @some_appointment()
    @rule(which=numbers)
    def reinstate(self, which: int) -> None:
        known = self.known(which)
        if not known.is_on:
            try:
                reinstate(by=self.colleague_of(known), appointment_id=known.id)
            except Conflict:
                return
            self.now_is(known.reinstated())

    @rule(
        name=people,
        account=accounts,
        which=st.integers(0, 1),
        covers=st.sampled_from(Covers.values),
    )
    def link(self, name: str, account: str, which: int, covers: str) -> None:
        """Connects and chooses; goes on with what an earlier attempt left."""
        member = self.member(name)
        known = link_of(member)
        if known is not None and known.state != LinkState.CHOOSING:
            return
        self.watch.account_may_speak(account)
        if not self.world.consent(member, account):
            return
        link = link_of(member)
        assert link is not None
        CalendarLink.objects.filter(pk=link.pk).update(covers=covers)
        self.world.choose(link, CALENDARS[account][which])

    @rule(name=people, other=people, covers=st.sampled_from(Covers.values))
    def link_the_same_calendar(self, name: str, other: str, covers: str) -> None:
        """As a colleague, or as somebody of another business on the same account."""
        theirs = link_of(self.member(other))
        if theirs is not None and theirs.calendar_id:
            account = account_of(theirs.calendar_id)
            self.link(name, account, CALENDARS[account].index(theirs.calendar_id), covers)

    @rule(name=people)
    def reconnect(self, name: str) -> None:
        if known := link_of(self.member(name)):
            self.world.consent(self.member(name), known.google_email)

    @rule(
        name=people,
        at_work=st.booleans(),
        again=st.sampled_from(["no", "same calendar", "other calendar", "other account"]),
        covers=st.sampled_from(Covers.values),
    )
    def unlink(self, name: str, at_work: bool, again: str, covers: str) -> None:
        """Perhaps while the worker is at it; perhaps to link again at once."""
        member, known = self.member(name), link_of(self.member(name))
        if known is None:
            return
        if at_work:
            self.something_to_do(0, 3)
            work(meanwhile=lambda: unlink(member=member))
        else:
            self.world.unlink(member)
        account = known.google_email
        if not self.world.account_is_linked(account):
            self.watch.account_must_be_silent(account)
        if again == "other account":
            account = BOB if account == ALICE else ALICE
        if again != "no":
            here = known.calendar_id == CALENDARS[account][0]
            self.link(name, account, int(here == (again == "other calendar")), covers)

    @some_appointment()
    @rule(at=moments, which=numbers, act=st.sampled_from(["retitle", "cancel", "reinstate"]))
    def a_person_is_quicker_than_the_worker(self, at: int, which: int, act: str) -> None:
        acts: dict[str, Callable[[], None]] = {
            "retitle": lambda: self.change(which, {"title": f"Midway {self.count()}"}),
            "cancel": lambda: self.cancel(which),
            "reinstate": lambda: self.reinstate(which),
        }
        self.something_to_do(which, 1)
        hand = Hand(at, acts[act])
        work(hand=hand)
        if not hand.acted:
            acts[act]()

    @rule(name=people, privacy=st.sampled_from(["full", "full", "title_place"]))
    def show_more_or_less(self, name: str, privacy: str) -> None:
        """Another privacy level; everything upcoming is written anew."""
        known = link_of(self.member(name))
        if known is not None and known.state in RECORDING:
            change_options(link=known, covers=known.covers, privacy=privacy)

    @rule(name=st.sampled_from(["Alice", "Charlie"]), zone=zones)
    def zone_of_a_business_changes(self, name: str, zone: str) -> None:
        """Appointments keep the zone they were made in."""
        business = Business.objects.get(pk=self.member(name).business_id)
        change_business(
            self.member(name),
            BusinessDetails(
                name=business.name,
                timezone=zone,
                clock=business.clock,
                week_start=business.week_start,
                invite_guests=business.invite_guests,
            ),
        )

    @rule()
    def put_back_what_differs(self) -> None:
        """What somebody answers wherever Sophiie shows that Google differs."""
        drifted = MirroredEvent.objects.exclude(drift_kind="").select_related("appointment")
        for row in drifted.order_by("id"):
            if row.appointment.deleted_at is None:
                drift.put_back(row.appointment.created_by, row.appointment_id)
