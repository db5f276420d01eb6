"""Random acts of people, of Google and of fate; then the mirror must be right.

Each rule is one act. Appointments are named by a number, taken modulo how many there are. When
the dust settles (faults over, broken links mended, pauses passed, worked until quiet) Google must
show what `expected.py` says, each appointment once, and nothing else of ours.

Known and left out, because the product does not promise it yet: what a person changes or deletes
in Google stays so until the next change in Sophiie. So the machine changes the title of those
appointments, and only of those, before it looks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any, ClassVar, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from google_simulator.control import ControlError
from google_simulator.testing import RunningSimulator
from sophiie.accounts.models import Member
from sophiie.appointments.booking import book, cancel, change, delete, reinstate
from sophiie.appointments.errors import Conflict
from sophiie.appointments.rules import Details
from sophiie.calendar_link.connect import link_of
from sophiie.calendar_link.models import CalendarLink, Covers, LinkState
from sophiie.calendar_link.unlink import unlink
from sophiie.sync import mirror
from sophiie.sync.models import MirroredEvent, MirrorState
from tests.convergence.expected import Expected
from tests.convergence.invariants import (
    CallWatch,
    Tally,
    check_convergence,
    check_every_row_speaks,
    check_nothing_secret_is_left,
    refusals,
)
from tests.convergence.troubles import (
    BUSY_ANSWERS,
    DEAD_GRANTS,
    EVENT_METHODS,
    LOST_ANSWERS,
    OAUTH_METHODS,
    OAUTH_TROUBLES,
    REFUSALS,
    UNKNOWNS,
)
from tests.convergence.worker import (
    Hand,
    an_hour_passes,
    die,
    leases_run_out,
    pauses_pass,
    work,
)
from tests.convergence.world import (
    ALICE,
    BOB,
    CALENDARS,
    SHARED,
    SYDNEY,
    World,
    account_of,
)

T = TypeVar("T")
MOST_ROUNDS = 12

numbers = st.integers(0, 7)
slots = st.integers(0, 40)
words = st.sampled_from(["Leaking tap", "Boiler <service>", "Ünïcode & co", "x" * 300])
places = st.sampled_from(["", "12 Bay Street", "Upstairs"])
zones = st.sampled_from([SYDNEY, "America/New_York", "UTC"])
people = st.sampled_from(["Alice", "Bob"])
teams = st.sampled_from([("Alice",), ("Bob",), ("Alice", "Bob")])
accounts = st.sampled_from([ALICE, BOB])
moments = st.integers(6, 40)  # between which steps of the worker


def one_of(troubles: dict[str, Any]) -> st.SearchStrategy[str]:
    return st.sampled_from(sorted(troubles))


methods = st.sampled_from(EVENT_METHODS)


def some_appointment() -> Any:
    """A rule that needs an appointment."""
    return precondition(lambda self: self.appointments)


class MirrorMachine(RuleBasedStateMachine):
    """The whole product between the hands of people and a failing Google."""

    google: ClassVar[RunningSimulator]
    tally: ClassVar[Tally] = Tally()

    def __init__(self) -> None:
        super().__init__()
        self.world = World(self.google)
        self.appointments: list[Expected] = []
        self.disturbed: set[int] = set()  # which of them a person changed in Google
        self.strays: set[tuple[str, str]] = set()  # events that a person moved elsewhere
        self.foreign: list[tuple[str, str]] = []
        self.counter = 0
        self.unsettled = 0  # steps since the dust had settled
        self.watch = CallWatch(self.world, self.tally)
        self.refusals = refusals()
        self.digest = self.google.digest()
        self.tally.examples += 1

    # -- Google, as it happens to be -------------------------------------------------------------

    @initialize(answers=st.tuples(*(st.sampled_from(UNKNOWNS[name]) for name in UNKNOWNS)))
    def google_is(self, answers: tuple[str, ...]) -> None:
        """What nobody outside Google knows is one way or the other."""
        self.google.switch(**dict(zip(UNKNOWNS, answers, strict=True)))

    @initialize(covers=st.sampled_from(Covers.values))
    def linked_at_first(self, covers: str) -> None:
        """Some appointments before the first link, so that there is something to backfill."""
        for number, team in enumerate([("Alice",), ("Bob",), ("Alice", "Bob")]):
            self.book("Alice", team, number * 5, "Booked before", SYDNEY)
        self.link("Alice", ALICE, 0, covers)

    # -- people and their appointments -----------------------------------------------------------

    @rule(by=people, team=teams, slot=slots, title=words, zone=zones)
    def book(self, by: str, team: Sequence[str], slot: int, title: str, zone: str) -> None:
        start = self.world.slot(slot)
        details = Details(
            title=title, start=start, end=start + timedelta(minutes=50), timezone=zone
        )
        try:
            made = book(by=self.member(by), details=details, assignees=self.members(team))
        except Conflict:
            return
        self.appointments.append(
            Expected(made.id, by, frozenset(team), title, start, details.end, zone, "")
        )

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
            cancel(by=self.member("Alice"), appointment_id=known.id)
            self.now_is(known.changed(cancelled=True))

    @some_appointment()
    @rule(which=numbers)
    def delete(self, which: int) -> None:
        if not (known := self.known(which)).deleted:
            delete(by=self.member("Alice"), appointment_id=known.id)
            self.now_is(known.changed(deleted=True))

    @some_appointment()
    @rule(which=numbers)
    def reinstate(self, which: int) -> None:
        known = self.known(which)
        if not known.is_on:
            try:
                reinstate(by=self.member("Bob"), appointment_id=known.id)
            except Conflict:
                return
            self.now_is(known.reinstated())

    # -- people and their links ------------------------------------------------------------------

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

    # -- a person in Google Calendar -------------------------------------------------------------

    @some_appointment()
    @rule(which=numbers, fields=st.sampled_from(["title", "all day", "guest", "no description"]))
    def edit_mirrored(self, which: int, fields: str) -> None:
        edits: dict[str, dict[str, Any]] = {
            "title": {"summary": "Edited in Google", "location": "Elsewhere"},
            "all day": {
                "start": {"date": "2027-01-01", "dateTime": None, "timeZone": None},
                "end": {"date": "2027-01-02", "dateTime": None, "timeZone": None},
            },
            "guest": {"attendees": [{"email": "charlie@example.com"}], "colorId": "5"},
            "no description": {"description": None},
        }
        for calendar, event_id in self.shown(which):
            self.google.patch_event(account_of(calendar), calendar, event_id, edits[fields])

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

    @rule(account=accounts, which=st.integers(0, 1), slot=slots)
    def add_foreign_event(self, account: str, which: int, slot: int) -> None:
        start = self.world.slot(slot)
        body = {
            "summary": "Private",
            "start": {"dateTime": start.isoformat()},
            "end": {"dateTime": (start + timedelta(hours=1)).isoformat()},
        }
        self.add_foreign(CALENDARS[account][which], body)

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

    # -- Google fails ----------------------------------------------------------------------------

    @some_appointment()
    @rule(which=numbers, trouble=one_of(LOST_ANSWERS), method=methods, count=st.integers(1, 3))
    def answers_are_lost(self, which: int, trouble: str, method: str, count: int) -> None:
        self.google_fails(which, LOST_ANSWERS[trouble], method, count)

    @some_appointment()
    @rule(which=numbers, trouble=one_of(BUSY_ANSWERS), method=methods, count=st.integers(1, 3))
    def google_is_busy(self, which: int, trouble: str, method: str, count: int) -> None:
        self.google_fails(which, BUSY_ANSWERS[trouble], method, count)

    @some_appointment()
    @rule(which=numbers, trouble=one_of(REFUSALS), method=methods)
    def google_refuses(self, which: int, trouble: str, method: str) -> None:
        self.google_fails(which, REFUSALS[trouble], method, 1)

    def google_fails(self, which: int, fault: dict[str, Any], method: str, count: int) -> None:
        """While there is something to do, of one or of several appointments."""
        self.google.fault(method=f"calendar.events.{method}", count=count, **fault)
        self.something_to_do(which, count)
        work()

    @rule(
        account=accounts,
        name=st.sampled_from(sorted(OAUTH_TROUBLES)),
        method=st.sampled_from(OAUTH_METHODS),
        count=st.integers(1, 2),
    )
    def sign_in_fails(self, account: str, name: str, method: str, count: int) -> None:
        self.google.expire_access_tokens(account)
        self.google.fault(method=method, count=count, **OAUTH_TROUBLES[name])

    @rule(account=accounts, whose=st.sampled_from(["Google's", "Sophiie's"]))
    def access_tokens_end(self, account: str, whose: str) -> None:
        if whose == "Google's":
            self.google.expire_access_tokens(account)
        else:
            an_hour_passes()

    @some_appointment()
    @rule(
        which=numbers,
        account=accounts,
        how=st.sampled_from(["withdrawn", *DEAD_GRANTS]),
        for_long=st.booleans(),
    )
    def access_is_lost(self, which: int, account: str, how: str, for_long: bool) -> None:
        if how == "withdrawn":
            self.google.revoke_grant(account)
        else:
            self.google.fail_tokens(account, how)
            self.google.expire_access_tokens(account)
        self.something_to_do(which, 2)
        work()
        if not for_long:
            self.google.fail_tokens(account, None)
            for name in self.world.members:
                self.reconnect(name)

    @some_appointment()
    @rule(
        which=numbers,
        account=accounts,
        role=st.sampled_from(["reader", "freeBusyReader", None]),
        for_long=st.booleans(),
    )
    def role_is_lowered(self, which: int, account: str, role: str | None, for_long: bool) -> None:
        self.google.set_role(account, SHARED[account], role)
        self.something_to_do(which, 2)
        work()
        if not for_long:
            self.world.restore_role(account)

    @some_appointment()
    @rule(which=numbers, account=accounts, units=st.integers(0, 10))
    def google_refuses_more(self, which: int, account: str, units: int) -> None:
        """Few calls are left in this minute, or the account's calendars are read-only for hours."""
        if units:
            self.google.quotas(enabled=True, per_user=units, clear=True)
        else:
            self.google.quota_exceeded(account)
        self.something_to_do(which, 3)
        work()
        self.google.quotas(enabled=False)

    # -- the worker ------------------------------------------------------------------------------

    @rule()
    def work(self) -> None:
        pauses_pass()
        work()

    @some_appointment()
    @rule(which=numbers)
    def two_workers(self, which: int) -> None:
        self.something_to_do(which, 3)
        work(workers=2)

    @some_appointment()
    @rule(which=numbers, at=moments)
    def worker_is_killed(self, which: int, at: int) -> None:
        self.something_to_do(which, 2)
        hand = Hand(at, die)
        work(hand=hand)
        leases_run_out()
        self.tally.kills += hand.acted

    @some_appointment()
    @rule(which=numbers, at=moments)
    def worker_stands_still_and_another_takes_over(self, which: int, at: int) -> None:
        """As long as its lease lasts; then it goes on as if nothing had been."""

        def another() -> None:
            leases_run_out()
            pauses_pass()
            work()

        self.something_to_do(which, 2)
        hand = Hand(at, another)
        work(hand=hand)
        self.tally.stalls += hand.acted

    @some_appointment()
    @rule(at=moments, which=numbers, act=st.sampled_from(["retitle", "cancel", "reinstate"]))
    def a_person_is_quicker_than_the_worker(self, at: int, which: int, act: str) -> None:
        acts: dict[str, Callable[[], None]] = {
            "retitle": lambda: self.change(which, {"title": f"Midway {self.count()}"}),
            "cancel": lambda: MirrorMachine.cancel(self, which),
            "reinstate": lambda: MirrorMachine.reinstate(self, which),
        }
        self.something_to_do(which, 1)
        hand = Hand(at, acts[act])
        work(hand=hand)
        if not hand.acted:
            acts[act]()

    # -- and then --------------------------------------------------------------------------------

    @precondition(lambda self: self.unsettled > 9)
    @rule()
    def the_dust_settles(self) -> None:
        """Nothing fails any more; soon everything is right."""
        self.world.heal_google()
        leases_run_out()
        self.world.mend_links()
        for which in sorted(self.disturbed):
            if not self.known(which).deleted:
                self.change(which, {"title": f"Put right {self.count()}"})
        self.disturbed.clear()
        self.work_until_quiet()
        failed = check_every_row_speaks()
        if failed:
            mirror.retry(failed)  # the button *Retry now*
            self.work_until_quiet()
        check_convergence(self.world, self.appointments, self.strays, self.tally)
        self.tally.settled += 1
        self.unsettled = 0

    def teardown(self) -> None:
        self.the_dust_settles()
        self.watch.read()

    @invariant()
    def foreign_events_are_untouched(self) -> None:
        self.tally.steps += 1
        self.unsettled += 1
        if self.google.digest() != self.digest:
            self.tally.foreign_changed += 1
            raise AssertionError("an event that is not ours was changed")

    @invariant()
    def nobody_is_called_or_mailed_who_must_not_be(self) -> None:
        self.watch.read()
        check_nothing_secret_is_left()
        assert refusals() == self.refusals, "the write guard had to refuse a write"

    # -- small parts -----------------------------------------------------------------------------

    def member(self, name: str) -> Member:
        return self.world.members[name]

    def members(self, names: Sequence[str]) -> list[Member]:
        return [self.member(name) for name in names]

    def count(self) -> int:
        self.counter += 1
        return self.counter

    def known(self, which: int) -> Expected:
        return pick(self.appointments, which)

    def now_is(self, expected: Expected) -> None:
        ids = [appointment.id for appointment in self.appointments]
        self.appointments[ids.index(expected.id)] = expected

    def change(
        self, which: int, changes: dict[str, Any], *, team: Sequence[str] | None = None
    ) -> None:
        known = self.known(which)
        if known.deleted:
            return
        assignees = self.members(team) if team else None
        try:
            change(
                by=self.member("Bob"),
                appointment_id=known.id,
                changes=changes,
                assignees=assignees,
            )
        except Conflict:
            return
        self.now_is(known.changed(**changes, **({"team": frozenset(team)} if team else {})))

    def something_to_do(self, which: int, how_many: int) -> None:
        for number in range(which, which + how_many):
            self.change(number, {"title": f"Changed {self.count()}"})
        pauses_pass()

    def shown(self, which: int) -> list[tuple[str, str]]:
        """Where the appointment's events are; whoever asks is about to disturb them."""
        which %= len(self.appointments)
        rows = MirroredEvent.objects.filter(appointment=self.known(which).id)
        there = self.world.events()
        self.disturbed.add(which)
        return sorted(
            {(row.calendar_id, row.event_id) for row in rows} & there.keys() - self.strays
        )

    def add_foreign(self, calendar: str, body: dict[str, Any]) -> None:
        made = self.google.insert_event(account_of(calendar), calendar, body)
        self.foreign.append((calendar, made["id"]))
        self.digest = self.google.digest()

    def work_until_quiet(self) -> None:
        for _ in range(MOST_ROUNDS):
            self.world.mend_links()
            pauses_pass()
            work()
            waiting = CalendarLink.objects.exclude(state=LinkState.UNLINKED).filter(
                mirrored_events__state=MirrorState.PENDING
            )
            if not waiting.exists():
                return
        raise AssertionError(f"still not quiet after {MOST_ROUNDS} rounds")


def pick(items: Sequence[T], which: int) -> T:
    return items[which % len(items)]
