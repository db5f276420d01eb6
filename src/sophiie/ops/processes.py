"""Processes that belong together: started, watched, replaced when they die, stopped at the end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import FrameType

from sophiie.ops.errors import CommandError

STOP_SECONDS = 10.0
LIFELINE = "LIFELINE_FD"


class Stopped(Exception):
    """SIGTERM or SIGINT came."""


@dataclass
class _Child:
    name: str
    command: list[str]
    process: subprocess.Popen[bytes]


class Family:
    """The processes of one command. They end with it, also when it is killed.

    Each child holds one end of a pipe whose other end is here alone: when this process is gone,
    however it went, the pipe is at its end and the child stops itself.
    """

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._lifeline, self._ours = os.pipe()
        self._variables = {**variables, LIFELINE: str(self._lifeline)}
        self._children: list[_Child] = []
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, _stop)

    def start(self, name: str, *arguments: str) -> None:
        """Starts `python -m …`, in a session of its own so that Ctrl-C reaches only us."""
        command = [sys.executable, "-m", *arguments]
        self._children.append(_Child(name, command, self._spawn(command)))

    def run(self, *arguments: str) -> None:
        """Runs `python -m …` to its end. Raises `CommandError` when it fails."""
        process = self._spawn([sys.executable, "-m", *arguments])
        try:
            code = process.wait()
        except Stopped:
            process.terminate()
            raise
        if code:
            raise CommandError(f"“{' '.join(arguments)}” failed; see above.")

    def wait_for(self, url: str, *, seconds: float, name: str) -> None:
        """Waits until an address answers; fails when its process ends or the time is over."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self._fail_if_ended(name)
            try:
                with urllib.request.urlopen(url, timeout=2):  # noqa: S310 - our own address
                    return
            except (urllib.error.URLError, OSError):
                time.sleep(0.05)
        raise CommandError(f"The {name} did not answer within {seconds:.0f} seconds.")

    def watch(self, say: Callable[[str], None]) -> None:
        """Replaces whatever dies, until a signal stops us (`Stopped`)."""
        while True:
            time.sleep(0.5)
            for child in self._children:
                if (code := child.process.poll()) is not None:
                    say(f"The {child.name} ended (exit code {code}); starting it again.")
                    time.sleep(0.5)
                    child.process = self._spawn(child.command)

    def stop(self) -> None:
        """Stops every process that was started here; those that do not listen are killed."""
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
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
        os.close(self._ours)
        os.close(self._lifeline)

    def _spawn(self, command: list[str]) -> subprocess.Popen[bytes]:
        return subprocess.Popen(  # noqa: S603 - our own programs
            command,
            env=self._variables,
            pass_fds=[self._lifeline],
            start_new_session=True,
            stdin=subprocess.DEVNULL,
        )

    def _fail_if_ended(self, name: str) -> None:
        for child in self._children:
            if child.name == name and child.process.poll() is not None:
                raise CommandError(f"The {name} could not be started; see above.")


def _stop(_number: int, _frame: FrameType | None) -> None:
    raise Stopped
