"""A simulator for a test: started as a process of its own, gone when the block ends."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from google_simulator.control import SimulatorControl

START_SECONDS = 20


class RunningSimulator(SimulatorControl):
    """The control of a simulator that this process started and may kill and start again."""

    def __init__(self, options: list[str]) -> None:
        self._options = options
        self._process: subprocess.Popen[str] | None = None
        self._lifeline: int | None = None
        super().__init__(self._start(port=0))

    @property
    def pid(self) -> int | None:
        """The process, while it runs."""
        return self._process.pid if self._process else None

    def kill(self) -> None:
        """SIGKILL: what was not written through is lost."""
        if self._process is not None:
            self._process.kill()
            self._end()

    def stop(self) -> None:
        """SIGTERM: it writes through and ends."""
        if self._process is not None:
            self._process.terminate()
            self._end()

    def restart(self) -> None:
        """On the same address; without a state file it begins anew."""
        self.stop()
        self._start(port=int(self.base_url.rpartition(":")[2]))

    def _start(self, port: int) -> str:
        read_end, self._lifeline = os.pipe()
        # -P: not from the folder of the tests, in which a file may be named like a library.
        command = [sys.executable, "-P", "-m", "google_simulator", "--port", str(port)]
        self._process = subprocess.Popen(  # noqa: S603 - our own module
            [*command, *self._options],
            stdout=subprocess.PIPE,
            text=True,
            pass_fds=(read_end,),
            env={**os.environ, "LIFELINE_FD": str(read_end)},
        )
        os.close(read_end)
        line = self._process.stdout.readline() if self._process.stdout else ""
        found = re.search(r"http://\S+?:\d+", line)
        if found is None:
            self._end()
            raise RuntimeError(f"The simulator did not start: {line!r}")
        return found.group(0)

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.wait(START_SECONDS)
        if process.stdout:
            process.stdout.close()
        if self._lifeline is not None:
            os.close(self._lifeline)
            self._lifeline = None


@contextmanager
def running_simulator(
    state_file: Path | str | None = None,
    *,
    seed: str = "calendars",
    quotas: bool = True,
    redirect_uris: tuple[str, ...] = (),
) -> Iterator[RunningSimulator]:
    """A simulator on a free port. `seed="demo"` also plants a busy fortnight."""
    options = ["--seed", seed]
    if state_file is not None:
        options += ["--state-file", str(state_file)]
    if not quotas:
        options.append("--no-quotas")
    for uri in redirect_uris:
        options += ["--redirect-uri", uri]
    simulator = RunningSimulator(options)
    try:
        yield simulator
    finally:
        simulator.stop()
