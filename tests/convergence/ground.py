"""What all acts stand on: the world, what the machine knows of it, and how to look at it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition

from google_simulator.control import ControlError
from google_simulator.testing import RunningSimulator
from sophiie.accounts.models import Member
from sophiie.appointments.booking import change
from sophiie.appointments.errors import Conflict
from sophiie.calendar_link.connect import link_of
from sophiie.calendar_link.models import LinkState
from sophiie.sync.models import MirroredEvent
from tests.convergence.expected import BUSINESSES, Expected
from tests.convergence.invariants import CallWatch, refusals
from tests.convergence.invariants_of_time import live_under
from tests.convergence.tally import Tally
from tests.convergence.worker import pauses_pass
from tests.convergence.world import ALICE, BOB, SYDNEY, World, account_of

T = TypeVar("T")
Place = tuple[str, str]  # a calendar and an event's id

numbers = st.integers(0, 7)
slots = st.integers(0, 40)
people = st.sampled_from(["Alice", "Alice", "Bob", "Bob", "Charlie"])
accounts = st.sampled_from([ALICE, BOB])
zones = st.sampled_from([SYDNEY, "America/New_York", "UTC"])
moments = st.integers(6, 40)  # between which steps of the worker


def some_appointment() -> Any:
    """A rule that needs an appointment."""
    return precondition(lambda self: self.appointments)


class Ground(RuleBasedStateMachine):
    """Appointments are named by a number, taken modulo how many there are."""

    google: ClassVar[RunningSimulator]
    tally: ClassVar[Tally] = Tally()

    def __init__(self) -> None:
        super().__init__()
        self.world = World(self.google)
        self.appointments: list[Expected] = []
        self.disturbed: set[int] = set()  # which of them a person changed in Google
        self.meddled: set[int] = set()  # … at any time: whom they invited is their business
        self.strays: set[Place] = set()  # events that a person moved elsewhere
        self.restored: set[Place] = set()  # … or brought back from the trash
        self.as_left: dict[Place, str] = {}  # the version that a person last made of an event
        self.foreign: list[Place] = []
        self.lost: set[str] = set()  # accounts that took their grant back
        self.counter = 0
        self.unsettled = 0  # steps since the dust had settled
        self.watch = CallWatch(self.world, self.tally)
        self.refusals = refusals()
        self.digest = self.google.digest()
        self.tally.examples += 1

    def member(self, name: str) -> Member:
        return self.world.members[name]

    def members(self, names: Sequence[str]) -> list[Member]:
        return [self.member(name) for name in names]

    # Who acts for whom: somebody of the same business.
    colleagues: ClassVar = {"Alice": "Bob", "Bob": "Alice", "Charlie": "Charlie"}

    def colleague_of(self, known: Expected) -> Member:
        return self.member(self.colleagues[known.by])

    def broken_links_of(self, team: Sequence[str]) -> list[str]:
        links = {name: link_of(self.member(name)) for name in team}
        broken = LinkState.NEEDS_RECONNECT
        return [name for name, link in links.items() if link and link.state == broken]

    def check_nothing_live_is_under(self, made: Expected) -> None:
        """A booking that nobody agreed to make blindly is over nothing that Google shows."""
        for name in sorted(made.team):
            link = link_of(self.member(name))
            if link is None or not link.calendar_id:
                continue
            under = live_under(self.world, link, made, self.appointments, self.as_left)
            if under:
                self.tally.bookings_over_live += 1
                raise AssertionError(f"{made} was booked over {under}, link {link.state}")

    def count(self) -> int:
        self.counter += 1
        return self.counter

    def known(self, which: int) -> Expected:
        return pick(self.appointments, which)

    def now_is(self, expected: Expected) -> None:
        self.appointments[self.number_of(expected)] = expected

    def number_of(self, known: Expected) -> int:
        return [appointment.id for appointment in self.appointments].index(known.id)

    def change(
        self, which: int, changes: dict[str, Any], *, team: Sequence[str] | None = None
    ) -> None:
        known = self.known(which)
        if known.deleted:
            return
        if team and known.business != BUSINESSES[team[0]]:
            return
        assignees = self.members(team) if team else None
        try:
            change(
                by=self.colleague_of(known),
                appointment_id=known.id,
                changes=changes,
                assignees=assignees,
                accept_unverified=True,
            )
        except Conflict:
            return
        self.now_is(known.changed(**changes, **({"team": frozenset(team)} if team else {})))

    def something_to_do(self, which: int, how_many: int) -> None:
        for number in range(which, which + how_many):
            self.change(number, {"title": f"Changed {self.count()}"})
        pauses_pass()

    def shown(self, which: int) -> list[Place]:
        """Where the appointment's events are; whoever asks is about to disturb them."""
        return sorted(self._places(which) & self.world.events().keys() - self.strays)

    def in_the_trash(self, which: int) -> list[Place]:
        """Where its events were, and are not now."""
        return sorted(self._places(which) - self.world.events().keys() - self.strays)

    def _places(self, which: int) -> set[Place]:
        which %= len(self.appointments)
        self.disturbed.add(which)
        self.meddled.add(which)
        rows = MirroredEvent.objects.filter(appointment=self.known(which).id, sent=True)
        return {(row.calendar_id, row.event_id) for row in rows}

    @staticmethod
    def times_at(start: datetime, *, minutes: int) -> dict[str, Any]:
        end = start + timedelta(minutes=minutes)
        return {
            name: {"dateTime": moment.isoformat(), "date": None, "timeZone": "UTC"}
            for name, moment in (("start", start), ("end", end))
        }

    def edit_ours(self, place: Place, body: dict[str, Any]) -> bool:
        """A person changes one of our events; False if Google does not let them."""
        calendar, event_id = place
        try:
            edited = self.google.patch_event(account_of(calendar), calendar, event_id, body)
        except ControlError:  # the trash was emptied
            return False
        self.as_left[place] = edited["etag"]
        return True

    def add_foreign(self, calendar: str, body: dict[str, Any]) -> None:
        made = self.google.insert_event(account_of(calendar), calendar, body)
        self.foreign.append((calendar, made["id"]))
        self.digest = self.google.digest()


def pick(items: Sequence[T], which: int) -> T:
    return items[which % len(items)]
