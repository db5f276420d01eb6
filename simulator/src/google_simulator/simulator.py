"""The simulator as one object: the world and everything that can be turned about it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from google_simulator.calls import CallLog
from google_simulator.clock import Clock
from google_simulator.faults import Faults
from google_simulator.first_client import FirstClient
from google_simulator.model import Client, Project, Setting
from google_simulator.oauth.keys import SigningKey
from google_simulator.quotas import Quotas
from google_simulator.storage import StateFile
from google_simulator.switches import SwitchBoard
from google_simulator.world import World

Planter = Callable[["Simulator", str], None]


class Simulator:
    """Owns the world, the clock, the knobs and the log. Knows nothing of HTTP."""

    def __init__(
        self,
        plant: Planter,
        *,
        state_file: Path | None = None,
        first_client: FirstClient | None = None,
        seed: str = "demo",
        quotas_enabled: bool = True,
    ) -> None:
        self.clock = Clock()
        self.world = World(self.clock, StateFile(state_file) if state_file else None)
        self.switches = SwitchBoard(self.world)
        self.faults = Faults()
        self.quotas = Quotas(quotas_enabled)
        self.calls = CallLog()
        self.signing_key = SigningKey(self.world)
        self.first_client = first_client or FirstClient()
        self.seed = seed
        self.plant = plant
        if self.world.is_empty:
            self.plant(self, seed)
        self._register_first_client()
        self.world.commit()

    def reset(self, seed: str | None = None) -> None:
        """Back to the first day: no grant, no event but the seed's, no fault, real time."""
        self.world.clear()
        self.faults.calm_down()
        self.quotas.clear()
        self.quotas.per_day = None
        self.calls.clear()
        self.signing_key.keep()
        self.seed = seed or self.seed
        self.plant(self, self.seed)
        self._register_first_client()

    def move_clock(self) -> None:
        """Remember where the clock stands, so that a restart does not go back in time."""
        self.world.save(Setting(name="clock_offset", value=self.clock.offset))

    def _register_first_client(self) -> None:
        first = self.first_client
        if first.project not in self.world.projects:
            self.world.save(Project(id=first.project))
        known = self.world.clients.get(first.id)
        client = known or Client(id=first.id, secret=first.secret, project=first.project)
        client.secret = first.secret
        client.redirect_uris = list(first.redirect_uris)
        client.any_loopback = not first.redirect_uris
        self.world.save(client)
