"""Separate machines on one: network namespaces on a bridge, whose links can be cut.

What runs `on` a machine reaches others only over the bridge: PostgreSQL and the simulator by relays
that listen there. Needs root and the program `ip`. Nothing is left behind, not even of a test that
was killed: the next one takes its namespaces away.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import psutil
from psycopg.conninfo import conninfo_to_dict

from tests.relay import Relay

PREFIX = "sophiie"


def why_not() -> str:
    """Why there can be no machines here; "" if there can."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    if shutil.which("ip") is None:
        return "network namespaces need the program `ip`"
    name = f"{PREFIX}-{os.getpid()}-try"
    tried = subprocess.run(
        ["ip", "netns", "add", name], capture_output=True, text=True, check=False
    )
    if tried.returncode:
        return f"no network namespaces here: {tried.stderr.strip()}"
    _ip("netns", "delete", name)
    return ""


class Network:
    """A bridge with up to nine machines."""

    def __init__(self) -> None:
        _clear_away()
        self._number = os.getpid() % 250
        self._bridge = f"sph{os.getpid()}"
        # 198.18.0.0/15 is for tests of networks (RFC 2544), and nobody's.
        self._net = f"198.18.{self._number}"
        self.address = f"{self._net}.1"
        self.machines: list[Machine] = []
        self._relays: list[Relay] = []
        _ip("link", "add", self._bridge, "type", "bridge")
        _ip("address", "add", f"{self.address}/24", "dev", self._bridge)
        _ip("link", "set", self._bridge, "up")

    def machine(self) -> Machine:
        number = len(self.machines) + 1
        name = f"{PREFIX}-{os.getpid()}-{number}"
        cable = f"{self._bridge}.{number}"
        _ip("netns", "add", name)
        made = Machine(name, cable)
        self.machines.append(made)
        _ip("link", "add", cable, "type", "veth", "peer", "name", "eth0", "netns", name)
        _ip("link", "set", cable, "master", self._bridge, "up")
        _ip("-n", name, "link", "set", "lo", "up")
        _ip("-n", name, "address", "add", f"{self._net}.{number + 1}/24", "dev", "eth0")
        _ip("-n", name, "link", "set", "eth0", "up")
        return made

    def database(self, url: str) -> str:
        """The database's address on the bridge."""
        known = conninfo_to_dict(url)
        host, port = str(known["host"]), int(known.get("port") or 5432)
        socket_file = f"{host}/.s.PGSQL.{port}" if host.startswith("/") else ""
        relay = self._relay(socket_file or (host, port))
        query = urlencode({"host": self.address, "port": relay.port, "sslmode": "disable"})
        return f"postgresql://{known['user']}@/{known['dbname']}?{query}"

    def google(self, url: str) -> str:
        """The simulator's address on the bridge."""
        known = urlsplit(url)
        relay = self._relay((str(known.hostname), int(known.port or 80)))
        return f"http://{self.address}:{relay.port}"

    def _relay(self, to: str | tuple[str, int]) -> Relay:
        relay = Relay(self.address, to)
        self._relays.append(relay)
        return relay

    def close(self) -> None:
        for relay in self._relays:
            relay.close()
        for machine in self.machines:
            _ip("netns", "delete", machine.name, may_fail=True)  # and its end of the cable with it
        _ip("link", "delete", self._bridge, may_fail=True)


class Machine:
    """A network namespace with one cable to the bridge."""

    def __init__(self, name: str, cable: str) -> None:
        self.name, self._cable = name, cable

    @property
    def on(self) -> list[str]:
        """The words that run a command there."""
        return ["ip", "netns", "exec", self.name]

    def unplug(self) -> None:
        """Nothing passes any more, and nobody is told."""
        _ip("link", "set", self._cable, "down")

    def plug_in(self) -> None:
        _ip("link", "set", self._cable, "up")


def _clear_away() -> None:
    """What a process left behind that was killed."""
    for path in Path("/run/netns").glob(f"{PREFIX}-*-*"):
        pid = int(path.name.split("-")[1])
        if not psutil.pid_exists(pid):
            _ip("netns", "delete", path.name, may_fail=True)
            _ip("link", "delete", f"sph{pid}", may_fail=True)


def _ip(*words: str, may_fail: bool = False) -> None:
    done = subprocess.run(["ip", *words], capture_output=True, text=True, check=False)
    if done.returncode and not may_fail:
        raise RuntimeError(f"ip {' '.join(words)}: {done.stderr.strip()}")
