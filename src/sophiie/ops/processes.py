"""A family of processes: started, watched, replaced when they die, stopped at the end."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType

from sophiie.common import ending
from sophiie.common.logs import log
from sophiie.ops.errors import CommandError

# A worker whose database hangs needs five seconds; after that the database has to be stopped.
STOP_SECONDS = 6.0
LIFELINE = "LIFELINE_FD"
PAUSE_SECONDS = 0.05
# Without the folder from which somebody started us: a file there may be named like a library.
PYTHON_M = (sys.executable, "-P", "-m")

logger = log(__name__)


@dataclass
class _Child:
    name: str
    command: list[str]
    process: subprocess.Popen[bytes]


class Family:
    """The processes of one command. They end with it, even if it is killed.

    Each child holds one end of a pipe whose other end only this process has: when this process is
    gone, however it went, the pipe closes and the child stops itself. Signals are handled only
    where this process waits (`ending.pause`), so no child can get lost.
    """

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._lifeline, self._ours = os.pipe()
        self._variables = {**variables, LIFELINE: str(self._lifeline)}
        self._children: list[_Child] = []

    def __enter__(self) -> Family:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self, name: str, *arguments: str) -> None:
        """Starts `python -m …` in its own session, so that Ctrl-C reaches only this process."""
        command = [*PYTHON_M, *arguments]
        self._children.append(_Child(name, command, self._spawn(command)))

    def run(self, *arguments: str) -> None:
        """Runs `python -m …` to its end and logs the few lines that it prints. Raises
        `CommandError` if it fails."""
        command = [*PYTHON_M, *arguments]
        child = _Child(arguments[-1], command, self._spawn(command, stdout=subprocess.PIPE))
        self._children.append(child)
        while (code := child.process.poll()) is None:
            ending.pause(PAUSE_SECONDS)
        self._children.remove(child)
        assert child.process.stdout is not None
        with child.process.stdout as printed:
            for line in printed.read().decode().splitlines():
                logger.info(line)
        if code:
            raise CommandError(f"“{' '.join(arguments)}” failed; see above.")

    def wait_for(self, url: str, *, seconds: float, name: str) -> None:
        """Waits until an address answers. Fails when the process ends or the time is up."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self._fail_if_ended(name)
            try:
                with urllib.request.urlopen(url, timeout=2):  # noqa: S310 - our own address
                    return
            except (urllib.error.URLError, OSError):
                ending.pause(PAUSE_SECONDS)
        raise CommandError(f"The {name} did not answer within {seconds:.0f} seconds.")

    def watch(self) -> None:
        """Restarts whatever dies, until a signal stops this process (`ending.Stopped`)."""
        while True:
            ending.pause(0.5)
            for child in self._children:
                if (code := child.process.poll()) is not None:
                    logger.warning(f"The {child.name} ended and is started again", exit_code=code)
                    ending.pause(0.5)
                    child.process = self._spawn(child.command)

    def stop(self) -> None:
        """Stops every process that was started here; kills those that do not react."""
        for child in self._children:
            if child.process.poll() is None:
                child.process.terminate()
        end = time.monotonic() + STOP_SECONDS
        for child in self._children:
            try:
                child.process.wait(max(0.1, end - time.monotonic()))
            except subprocess.TimeoutExpired:
                child.process.kill()
                child.process.wait()
        self._children.clear()
        os.close(self._ours)
        os.close(self._lifeline)

    def _spawn(self, command: list[str], stdout: int | None = None) -> subprocess.Popen[bytes]:
        return subprocess.Popen(  # noqa: S603 - our own programs
            command,
            env=self._variables,
            pass_fds=[self._lifeline],
            start_new_session=True,
            stdin=subprocess.DEVNULL,
            stdout=stdout,
        )

    def _fail_if_ended(self, name: str) -> None:
        for child in self._children:
            if child.name == name and child.process.poll() is not None:
                raise CommandError(f"The {name} could not be started; see above.")
