"""Worlds to start from.

`demo`: three people with calendars and a busy fortnight around today. `calendars`: the same
people and calendars without an event. `empty`: nobody; make accounts by the knobs.
"""

from __future__ import annotations

from google_simulator.seeds.busy_week import plant_busy_week
from google_simulator.seeds.people import plant_people
from google_simulator.simulator import Simulator

SEEDS = ("demo", "calendars", "empty")


def plant(simulator: Simulator, seed: str) -> None:
    """Fill an empty world with a seed."""
    if seed not in SEEDS:
        raise ValueError(f"There is no seed {seed!r}; there are {', '.join(SEEDS)}.")
    if seed == "empty":
        return
    plant_people(simulator)
    if seed == "demo":
        plant_busy_week(simulator)
