"""Each act that the machine judges by itself, once or twice in a small world."""

from __future__ import annotations

import pytest

from google_simulator.testing import RunningSimulator
from sophiie.calendar_link.models import Covers
from tests.convergence.acts_in_quiet import IN_QUIET
from tests.convergence.machine import MirrorMachine
from tests.convergence.troubles import QUOTAS, UNKNOWNS
from tests.convergence.worker import watched_threads
from tests.convergence.world import ALICE

# Bob shares Alice's calendar, and so does Charlie, whose business is another one.
VARIANTS = {
    "nothing_happens": 1,
    "somebody_writes_into_an_event": 6,
    "our_clock_is_wrong_for_a_while": 6,
    "a_quota_is_used_up": len(QUOTAS),
}
TOGETHER, APART = "Alice's calendar", "nobody else"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("others", [TOGETHER, APART])
@pytest.mark.parametrize("act", IN_QUIET)
def test_an_act_in_quiet(google: RunningSimulator, act: str, others: str) -> None:
    """With each of its variants, which the number of a slot decides."""
    MirrorMachine.google = google
    with watched_threads():
        machine = MirrorMachine()
        try:
            machine.google_is(tuple(answers[0] for answers in UNKNOWNS.values()))
            machine.linked_at_first(Covers.MINE)
            for name in ("Bob", "Charlie") if others == TOGETHER else ():
                machine.link(name, ALICE, 0, Covers.MINE)
            machine.settle()
            for slot in range(30, 30 + VARIANTS.get(act, 2)):
                assert getattr(machine, act)(slot, slot), "there was nothing to do it with"
                machine.settle()
            machine.watch.read()
        finally:
            machine.world.clocks.stop()
    google.quotas(enabled=True, per_user=600, clear=True)
