"""Each act that the machine judges by itself, in its variants, in a small world."""

from __future__ import annotations

import pytest

from google_simulator.testing import RunningSimulator
from sophiie.calendar_link.models import Covers
from tests.convergence.machine import MirrorMachine
from tests.convergence.troubles import QUOTAS, UNKNOWNS
from tests.convergence.worker import watched_threads
from tests.convergence.world import ALICE

# How many variants an act has; which of them it is, the number of a slot decides.
WITH_ALICE_ALONE = {
    "somebody_writes_into_an_event": 6,
    "invitations_are_used_up": 1,
    "our_clock_is_wrong_for_a_while": 6,
    "a_quota_is_used_up": len(QUOTAS),
}
# Bob shares Alice's calendar, and so does Charlie, whose business is another one.
WITH_ALL_IN_ONE_CALENDAR = {
    "nothing_happens": 1,
    "somebody_writes_into_an_event": 1,
    "somebody_drags_an_event": 2,
    "somebody_restores_an_event": 2,
    "somebody_makes_a_series": 2,
    "a_calendar_gets_another_zone": 1,
    "a_business_gets_another_zone": 1,
}
CASES = [
    *((act, count, False) for act, count in WITH_ALICE_ALONE.items()),
    *((act, count, True) for act, count in WITH_ALL_IN_ONE_CALENDAR.items()),
]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("act", "variants", "together"),
    CASES,
    ids=[f"{act}, {'together' if together else 'alone'}" for act, _, together in CASES],
)
def test_an_act_in_quiet(google: RunningSimulator, act: str, variants: int, together: bool) -> None:
    MirrorMachine.google = google
    with watched_threads():
        machine = MirrorMachine()
        try:
            machine.google_is(tuple(answers[0] for answers in UNKNOWNS.values()))
            machine.linked_at_first(Covers.MINE)
            for name in ("Bob", "Charlie") if together else ():
                machine.link(name, ALICE, 0, Covers.MINE)
            machine.work_until_quiet()
            for slot in range(30, 30 + variants):
                assert getattr(machine, act)(slot, slot), "there was nothing to do it with"
                machine.settle()
            machine.watch.read()
        finally:
            machine.world.clocks.stop()
    google.quotas(enabled=True, per_user=600, clear=True)
