"""The convergence machine for as long as one likes: `make soak MINUTES=30`.

Draws new acts from a random seed, which it prints; `--seed` repeats a round. The seed also decides
on which day a round begins, so that it is the same round on any day. A failure prints the acts that
led to it and the commands that repeat them, at the same commit. Exit code 1 if anything was found.
"""

from __future__ import annotations

import argparse
import os
import random
import secrets
import subprocess
import sys
import time
import traceback
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import tests.environment  # noqa: F401, I001  # a database and secrets, before Django is set up

import django
import time_machine

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

EXAMPLES_A_ROUND = 10
ROOT = Path(__file__).resolve().parent.parent
FIRST_DAY, DAYS = datetime(2026, 1, 1, tzinfo=UTC), 4 * 365
# An example looks so far ahead. What the clocks do to wall times when they change, Google alone
# knows; tests/sync has what Sophiie makes of it.
DAYS_WITHOUT_CHANGES_OF_CLOCKS = 45
ZONES = ("Australia/Sydney", "America/New_York", "Europe/London")


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
    print(f"seed {first}, commit {commit()}", flush=True)
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
        with time_machine.travel(beginning_of(number).timestamp(), tick=True):
            run_state_machine_as_test(machine, settings=how)
    except Exception:
        traceback.print_exc()
        print(f"\nFound with seed {number} at commit {commit()}. To have it again:")
        print(f"  git switch --detach {commit().partition(' ')[0]}")
        print(f"  .venv/bin/python tools/soak.py --seed {number} --steps {steps}")
        print("and, for a shorter way to it, the same with --shrink.")
        return False
    return True


def beginning_of(number: int) -> datetime:
    """The instant at which the round of this seed begins."""
    chance = random.Random(number)  # noqa: S311 - to be the same every time
    while True:
        found = FIRST_DAY + timedelta(days=chance.randrange(DAYS), minutes=chance.randrange(1440))
        later = found + timedelta(days=DAYS_WITHOUT_CHANGES_OF_CLOCKS)
        clocks = map(ZoneInfo, ZONES)
        if all(zone.utcoffset(found) == zone.utcoffset(later) for zone in clocks):
            return found


def commit() -> str:
    """What is being tested."""
    git = ["git", "-C", str(ROOT)]
    said = [
        subprocess.run([*git, *words], capture_output=True, text=True, check=False).stdout.strip()
        for words in (("rev-parse", "--short=12", "HEAD"), ("status", "--porcelain"))
    ]
    return f"{said[0] or 'unknown'}{' and what is not committed' if said[1] else ''}"


if __name__ == "__main__":
    sys.exit(main())
