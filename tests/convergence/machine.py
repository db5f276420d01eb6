"""Random acts of people, of Google and of fate; then the mirror must be right.

Each rule is one act. When the dust settles (faults over, broken links mended, pauses passed,
worked until quiet) Google must show what `expected.py` says, each appointment once, and nothing
else of ours; and nothing that Sophiie wrote may look like somebody else's doing.

What a person changes or deletes in Google stays so until somebody decides. So the machine changes
the title of those appointments, lets the polls notice what else differs, and has that put back,
before it looks. Pauses pass by the clocks, so that nothing can wait for longer than it says.
"""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule

from sophiie.calendar_link.models import Covers
from sophiie.sync.outbox import record
from tests.convergence.acts_in_quiet import IN_QUIET, ActsInQuiet
from tests.convergence.acts_on_series import ActsOnSeries
from tests.convergence.ground import numbers, slots
from tests.convergence.invariants import (
    check_convergence,
    check_every_row_speaks,
    check_guests,
    check_nothing_looks_like_drift,
    check_nothing_secret_is_left,
    check_one_event_per_calendar,
    refusals,
)
from tests.convergence.invariants_of_time import check_busy_time, check_nobody_is_booked_twice
from tests.convergence.troubles import UNKNOWNS
from tests.convergence.worker import leases_run_out, work
from tests.convergence.world import ALICE, SYDNEY


class MirrorMachine(ActsOnSeries, ActsInQuiet):
    """The whole product between the hands of people and a failing Google."""

    @initialize(answers=st.tuples(*(st.sampled_from(UNKNOWNS[name]) for name in UNKNOWNS)))
    def google_is(self, answers: tuple[str, ...]) -> None:
        """What nobody outside Google knows is one way or the other."""
        self.google.switch(**dict(zip(UNKNOWNS, answers, strict=True)))

    @initialize(covers=st.sampled_from(Covers.values))
    def linked_at_first(self, covers: str) -> None:
        """Some appointments before the first link, so that there is something to backfill."""
        for number, team in enumerate([("Alice",), ("Bob",), ("Alice", "Bob"), ("Charlie",)]):
            self.book(team, number * 5, "Booked before", SYDNEY)
        self.link("Alice", ALICE, 0, covers)

    @precondition(lambda self: self.unsettled > 9)
    @rule(then=st.sampled_from(IN_QUIET), which=numbers, slot=slots)
    def the_dust_settles(self, then: str, which: int, slot: int) -> None:
        """Nothing fails any more; soon everything is right. Then one act, judged by itself."""
        self.settle()
        self.tally.in_quiet[then] += getattr(self, then)(which, slot)
        self.settle()
        self.unsettled = 0

    def settle(self) -> None:
        self.world.heal_google()
        leases_run_out()
        self.notice_lost_access()
        self.world.mend_links()
        for which in sorted(self.disturbed):
            if not self.known(which).deleted:
                self.change(which, {"title": f"Put right {self.count()}"})
        self.disturbed.clear()
        self.work_until_quiet()
        for _ in range(2):  # what the first could not judge the second does
            work(reading=True)
        self.put_back_what_differs()
        self.work_until_quiet()
        failed = check_every_row_speaks()
        if failed:
            record.retry(failed)  # the button *Retry now*
            self.work_until_quiet()
        self.tidy_up_in_google()
        self.judge()
        for _ in range(2):  # what the first could not judge the second does
            work(reading=True)
        check_nothing_looks_like_drift()
        check_busy_time(self.world, self.appointments)
        self.tally.settled += 1

    def notice_lost_access(self) -> None:
        """Google may let an access token live for an hour after its grant was taken back."""
        for account in self.lost:
            self.google.expire_access_tokens(account)
        if self.lost:
            work(reading=True)
        self.lost.clear()

    def judge(self) -> None:
        check_convergence(self.world, self.appointments, self.strays, self.tally)
        by_people = self.strays | self.restored
        check_one_event_per_calendar(self.world, self.appointments, by_people)
        undisturbed = [a for i, a in enumerate(self.appointments) if i not in self.meddled]
        check_guests(self.world, undisturbed)

    def teardown(self) -> None:
        try:
            self.settle()
            self.watch.read()
        finally:
            self.world.clocks.stop()

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

    @invariant()
    def nobody_is_booked_twice(self) -> None:
        check_nobody_is_booked_twice(self.appointments)
