"""Real processes: the product as people start it, ended as badly as it can be."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from tests import clock

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 300.0
PATIENCE_SECONDS = 300.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def clean_environment(**variables: str) -> dict[str, str]:
    """This process's environment without what the tests put there."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("SOPHIIE_", "GOOGLE_", "PYTEST_", "DJANGO_", "PORT"))
    }
    return {**kept, **variables}


def sophiie(*arguments: str, stdin: str = "", **variables: str) -> subprocess.CompletedProcess[str]:
    """Runs a command of the product to its end."""
    return subprocess.run(
        [sys.executable, "-m", "sophiie", *arguments],
        env=clean_environment(**variables),
        input=stdin,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
        cwd=ROOT,
    )


class Running:
    """A command of the product that goes on running, with its log in a file."""

    def __init__(
        self, *arguments: str, log: Path, on: Sequence[str] = (), **variables: str
    ) -> None:
        """`on`: words before the command that run it elsewhere, see `tests/machines.py`."""
        clock.must_be_real()
        self.log = log
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                [*on, sys.executable, "-m", "sophiie", *arguments],
                env=clean_environment(**variables),
                stdout=output,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                cwd=ROOT,
            )

    @property
    def output(self) -> str:
        return self.log.read_text(errors="replace")

    def family(self) -> list[psutil.Process]:
        """The process and all that it started."""
        try:
            me = psutil.Process(self.process.pid)
            return [me, *me.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []

    def child(self, word: str) -> psutil.Process:
        """The child whose command holds a word: `worker`, `web`, `google_simulator`."""
        found = [p for p in self.family()[1:] if word in _command(p)]
        assert found, [_command(p) for p in self.family()]
        return found[0]

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)


def _command(process: psutil.Process) -> list[str]:
    try:
        return list(process.cmdline())
    except (psutil.NoSuchProcess, psutil.ZombieProcess):
        return []


def until(condition: Callable[[], Any], *, what: str, seconds: float = PATIENCE_SECONDS) -> Any:
    """Waits for something to become true: by default as long as a very busy machine may take.

    It looks often at first and then less and less: what takes long needs the processor itself.
    """
    began = time.monotonic()
    while True:
        if value := condition():
            return value
        waited = time.monotonic() - began
        assert waited < seconds, f"not within {seconds} s: {what}"
        time.sleep(min(max(0.03, waited / 20), 0.5))


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


class Api:
    """The HTTP API of a running product."""

    def __init__(self, base: str, key: str) -> None:
        self._base, self._key = base, key

    def __call__(self, method: str, path: str, body: Any = None) -> Any:
        request = urllib.request.Request(
            f"{self._base}/api/v1{path}",
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {self._key}", "Content-Type": "application/json"},
            method=method,
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            text = answer.read()
        return json.loads(text) if text else None


class Demo(Running):
    """`sophiie demo` on free ports with a folder of its own."""

    def __init__(
        self,
        folder: Path,
        *,
        port: int = 0,
        simulator_port: int = 0,
        more: Mapping[str, str] | None = None,
    ) -> None:
        self.port, self.simulator_port = port or free_port(), simulator_port or free_port()
        self.folder = folder
        self.variables = {
            "PORT": str(self.port),
            "SIMULATOR_PORT": str(self.simulator_port),
            "SOPHIIE_DATA_DIR": str(folder),
            **(more or {}),
        }
        self.url = f"http://localhost:{self.port}"
        self.simulator_url = f"http://localhost:{self.simulator_port}"
        super().__init__("demo", log=folder.parent / f"{folder.name}.log", **self.variables)

    def wait(self) -> Demo:
        def ready() -> bool:
            assert self.process.poll() is None, self.output
            return answers(f"{self.url}/readyz")

        until(ready, seconds=START_SECONDS, what=f"the demo is ready:\n{self.output}")
        return self

    def api(self) -> Api:
        answer = sophiie("create-api-key", "--member", "alice@example.com", **self.variables)
        assert answer.returncode == 0, answer.stderr
        assert re.fullmatch(r"\S+\n", answer.stdout)
        return Api(self.url, answer.stdout.strip())


@contextmanager
def running_demo(folder: Path, **variables: str) -> Iterator[Demo]:
    demo = Demo(folder, more=variables)
    try:
        yield demo.wait()
    finally:
        demo.stop()
