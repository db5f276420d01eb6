"""What all acts stand on: the world, what the machine knows of it, and how to look at it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition

from google_simulator.testing import RunningSimulator
from sophiie.accounts.models import Member
from sophiie.appointments.booking import change
from sophiie.appointments.errors import Conflict
from sophiie.sync.models import MirroredEvent
from tests.convergence.expected import Expected
from tests.convergence.invariants import CallWatch, Tally, refusals
from tests.convergence.worker import pauses_pass
from tests.convergence.world import ALICE, BOB, World, account_of

T = TypeVar("T")

numbers = st.integers(0, 7)
slots = st.integers(0, 40)
people = st.sampled_from(["Alice", "Bob"])
accounts = st.sampled_from([ALICE, BOB])
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
        self.strays: set[tuple[str, str]] = set()  # events that a person moved elsewhere
        self.foreign: list[tuple[str, str]] = []
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
                accept_unverified=True,
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
        self.meddled.add(which)
        return sorted(
            {(row.calendar_id, row.event_id) for row in rows} & there.keys() - self.strays
        )

    def add_foreign(self, calendar: str, body: dict[str, Any]) -> None:
        made = self.google.insert_event(account_of(calendar), calendar, body)
        self.foreign.append((calendar, made["id"]))
        self.digest = self.google.digest()


def pick(items: Sequence[T], which: int) -> T:
    return items[which % len(items)]
