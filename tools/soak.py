"""The convergence machine for as long as one likes: `make soak MINUTES=30`.

Draws new acts from a random seed, which it prints; `--seed` repeats a round. A failure prints the
acts that led to it and how to have them again. Exit code 1 if anything was found.
"""

from __future__ import annotations

import argparse
import os
import secrets
import sys
import time
import traceback
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import tests.environment  # noqa: F401, I001  # a database and secrets, before Django is set up

import django

os.environ["DJANGO_SETTINGS_MODULE"] = "sophiie.config.settings"
django.setup()

from django.conf import settings as django_settings
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from google_simulator.testing import running_simulator
from sophiie.common.logs import configure_logging
from sophiie.ops.schema import migrate
from tests.convergence.machine import MirrorMachine
from tests.convergence.worker import watched_threads
from tests.google_place import variables_of

EXAMPLES_A_ROUND = 20


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--steps", type=int, default=60, help="acts in one example, at most")
    parser.add_argument("--seed", type=int, help="one round with this seed")
    parser.add_argument("--shrink", action="store_true", help="look for a shorter failure (slow)")
    asked = parser.parse_args()
    configure_logging("CRITICAL")
    list(migrate())
    with running_simulator() as google, watched_threads():
        for name, value in variables_of(google).items():
            setattr(django_settings, name.removeprefix("SOPHIIE_"), value)
        MirrorMachine.google = google
        return soak(asked)


def soak(asked: argparse.Namespace) -> int:
    """Rounds of examples until the time is over or something is found."""
    start = time.monotonic()
    first = asked.seed if asked.seed is not None else secrets.randbelow(10**9)
    print(f"seed {first}", flush=True)
    failed = False
    rounds = 0
    while not failed:
        failed = not run_round(first + rounds, steps=asked.steps, shrink=asked.shrink)
        rounds += 1
        minutes = (time.monotonic() - start) / 60
        print(f"{minutes:6.1f} min  {MirrorMachine.tally.line()}", flush=True)
        if asked.seed is not None or minutes >= asked.minutes:
            break
    print(MirrorMachine.tally.report(seed=first, rounds=rounds))
    return int(failed)


def run_round(number: int, *, steps: int, shrink: bool) -> bool:
    """Whether all examples of this seed ended well."""
    phases = (Phase.generate, Phase.shrink) if shrink else (Phase.generate,)
    how = settings(
        max_examples=EXAMPLES_A_ROUND,
        stateful_step_count=steps,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=phases,
        report_multiple_bugs=False,
        print_blob=False,
    )
    machine = seed(number)(type("MirrorMachine", (MirrorMachine,), {}))
    try:
        run_state_machine_as_test(machine, settings=how)
    except Exception:
        traceback.print_exc()
        print(f"\nFound with seed {number}. To have it again:")
        print(f"  .venv/bin/python tools/soak.py --seed {number} --steps {steps}")
        print("and, for a shorter way to it, the same with --shrink.")
        return False
    return True


if __name__ == "__main__":
    sys.exit(main())
