"""Knobs of the machine itself: log, faults, latency, clock, quotas, switches, push, reset."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from aiohttp import web

from google_simulator import times
from google_simulator.digest import digest
from google_simulator.knobs.request import BadKnob, optional_number, wanted
from google_simulator.push import Mischief, Push
from google_simulator.seeds import SEEDS
from google_simulator.simulator import Simulator
from google_simulator.switches import SWITCHES

Body = dict[str, Any]


class MachineryKnobs:
    """What a test can turn about the machine, and read of it."""

    def __init__(self, simulator: Simulator, push: Push) -> None:
        self.simulator = simulator
        self.push = push

    def table(self) -> Iterator[tuple[str, str, Any]]:
        """Each knob with its verb and address."""
        yield "GET", "/state", self.state
        yield "GET", "/calls", self.calls
        yield "DELETE", "/calls", self.forget_calls
        yield "GET", "/faults", self.faults
        yield "POST", "/faults", self.add_fault
        yield "DELETE", "/faults", self.clear_faults
        yield "POST", "/latency", self.latency
        yield "POST", "/clock", self.clock
        yield "GET", "/switches", self.switches
        yield "POST", "/switches", self.set_switches
        yield "POST", "/quotas", self.quotas
        yield "GET", "/push", self.deliveries
        yield "POST", "/push", self.push_mischief
        yield "GET", "/digest", self.digest
        yield "POST", "/reset", self.reset

    def state(self, request: web.Request, body: Body) -> Body:
        """Everything that can be turned, as it stands."""
        simulator = self.simulator
        return {
            "now": times.with_milliseconds(simulator.clock.now()),
            "seed": simulator.seed,
            "latency": self._latency(),
            "faults": [asdict(fault) for fault in simulator.faults.faults],
            "switches": simulator.switches.all(),
            "quotas": self._quotas(),
            "push": self.push.settings(),
            "accounts": [account.row() for account in simulator.world.accounts.values()],
            "clients": [client.row() for client in simulator.world.clients.values()],
            "projects": [project.row() for project in simulator.world.projects.values()],
            "last_call": simulator.calls.last,
        }  # fmt: skip

    # -- the log ---------------------------------------------------------------------------

    def calls(self, request: web.Request, body: Body) -> Body:
        """The log of calls, filtered."""
        query = request.query
        after = query.get("after", "0")
        if not after.isdecimal():
            raise BadKnob("after must be a number.")
        return {
            "items": self.simulator.calls.find(
                after=int(after),
                method=query.get("method", "*"),
                account=query.get("account"),
                calendar_id=query.get("calendar_id"),
            ),
            "last": self.simulator.calls.last,
        }

    def forget_calls(self, request: web.Request, body: Body) -> None:
        """Empty the log."""
        self.simulator.calls.clear()

    # -- failures and time --------------------------------------------------------------------

    def faults(self, request: web.Request, body: Body) -> Body:
        """The faults in force."""
        return {"items": [asdict(fault) for fault in self.simulator.faults.faults]}

    def add_fault(self, request: web.Request, body: Body) -> Body:
        """Put a fault in force."""
        body.pop("hits", None)
        return asdict(self.simulator.faults.add(**body))

    def clear_faults(self, request: web.Request, body: Body) -> None:
        """End all faults."""
        self.simulator.faults.clear()

    def latency(self, request: web.Request, body: Body) -> Body:
        """Delay calls, and let lists lag."""
        faults = self.simulator.faults
        faults.latency_ms = optional_number(body, "ms", 0)
        faults.spread_ms = optional_number(body, "spread_ms", 0)
        faults.list_lag_seconds = optional_number(body, "list_lag_seconds", 0)
        return self._latency()

    def _latency(self) -> Body:
        faults = self.simulator.faults
        return {
            "ms": faults.latency_ms,
            "spread_ms": faults.spread_ms,
            "list_lag_seconds": faults.list_lag_seconds,
        }

    def clock(self, request: web.Request, body: Body) -> Body:
        """Set or move the clock."""
        if "set" in body:
            try:
                self.simulator.clock.set(times.parse_instant(body["set"]))
            except times.BadTime as error:
                raise BadKnob("set must be an RFC 3339 time with offset.") from error
        self.simulator.clock.advance(optional_number(body, "advance_seconds", 0))
        self.simulator.move_clock()
        return {"now": times.with_milliseconds(self.simulator.clock.now())}

    # -- behaviour ------------------------------------------------------------------------------

    def switches(self, request: web.Request, body: Body) -> Body:
        """All switches, their settings and questions."""
        board = self.simulator.switches
        return {
            "items": [
                asdict(switch) | {"value": board[switch.name]} for switch in SWITCHES.values()
            ]
        }

    def set_switches(self, request: web.Request, body: Body) -> Body:
        """Set some switches."""
        for name, value in body.items():
            self.simulator.switches.set(name, str(value))
        return self.simulator.switches.all()

    def quotas(self, request: web.Request, body: Body) -> Body:
        """Set the limits of calls, or forget what was spent."""
        quotas = self.simulator.quotas
        if isinstance(body.get("enabled"), bool):
            quotas.enabled = body["enabled"]
        for name in ("per_user", "per_project"):
            if name in body:
                setattr(quotas, name, int(wanted(body, name, int)))
        if "per_day" in body:
            unlimited = body["per_day"] is None
            quotas.per_day = None if unlimited else int(wanted(body, "per_day", int))
        if body.get("clear"):
            quotas.clear()
        return self._quotas()

    def _quotas(self) -> Body:
        quotas = self.simulator.quotas
        return {
            "enabled": quotas.enabled,
            "per_user": quotas.per_user,
            "per_project": quotas.per_project,
            "per_day": quotas.per_day,
            "spent": quotas.spent(self.simulator.clock.now()),
        }

    # -- push -------------------------------------------------------------------------------------

    def deliveries(self, request: web.Request, body: Body) -> Body:
        """Channels, and every attempt to deliver."""
        return {
            "settings": self.push.settings(),
            "channels": [channel.row() for channel in self.simulator.world.channels.values()],
            "deliveries": [asdict(delivery) for delivery in self.push.deliveries],
        }

    def push_mischief(self, request: web.Request, body: Body) -> Body:
        """Set what goes wrong with notifications."""
        try:
            self.push.mischief = Mischief(**{**self.push.settings(), **body})
        except TypeError as error:
            raise BadKnob(f"Unknown field: {error}.") from error
        return self.push.settings()

    # -- the whole ------------------------------------------------------------------------------

    def digest(self, request: web.Request, body: Body) -> Body:
        """A hash over all events that a client did not make."""
        excluded = request.query.get("exclude_client")
        return digest(self.simulator.world, excluded)

    def reset(self, request: web.Request, body: Body) -> Body:
        """Back to the first day."""
        seed = body.get("seed")
        if seed not in (None, *SEEDS):
            raise BadKnob(f"There is no seed {seed!r}; there are {', '.join(SEEDS)}.")
        self.simulator.reset(seed)
        self.push.forget()
        return {"seed": self.simulator.seed}
