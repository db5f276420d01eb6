"""The machine's run in `make test`: the same acts every time. `make soak` draws others."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from google_simulator.testing import RunningSimulator
from tests.convergence.machine import MirrorMachine
from tests.convergence.worker import watched_threads

EXAMPLES = 30
STEPS = 75

SETTINGS = settings(
    max_examples=EXAMPLES,
    stateful_step_count=STEPS,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.generate,),
    report_multiple_bugs=False,
    print_blob=False,
)


@pytest.fixture
def watched(google: RunningSimulator) -> Iterator[RunningSimulator]:
    MirrorMachine.google = google
    with watched_threads():
        yield google
    google.quotas(enabled=True, per_user=600, clear=True)


@pytest.mark.django_db(transaction=True)
def test_whatever_happens_the_mirror_is_right_in_the_end(watched: RunningSimulator) -> None:
    run_state_machine_as_test(MirrorMachine, settings=SETTINGS)
    tally = MirrorMachine.tally
    print(tally)
    assert tally.steps >= 1400
