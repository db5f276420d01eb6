"""`sophiie serve` for people at a terminal and for programs that gather its log."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread
from urllib.parse import urlsplit, urlunsplit

import psutil
import pytest
from django.db import connection

from tests.processes import answers, free_port, until

COLOUR = re.compile(r"\x1b\[[0-9;]*m")
pytestmark = pytest.mark.django_db(transaction=True)
ENTRY = re.compile(r"\d\d:\d\d:\d\d \[(info|warning)\] \S.*")


class Served:
    """A running `sophiie serve`, and what it has written so far to a terminal or a pipe."""

    def __init__(self, *, terminal: bool, **variables: str) -> None:
        server = urlsplit(os.environ["SOPHIIE_DATABASE_URL"])
        database = urlunsplit(server._replace(path=f"/{connection.settings_dict['NAME']}"))
        self._read, write = pty.openpty() if terminal else os.pipe()
        port = free_port()
        self.url, self._written = f"http://localhost:{port}", b""
        self.process = subprocess.Popen(
            [sys.executable, "-m", "sophiie", "serve", "--port", str(port)],
            stdin=subprocess.DEVNULL,
            stdout=write,
            stderr=write,
            env={
                **os.environ,
                "SOPHIIE_DATABASE_URL": database,
                "SOPHIIE_PUBLIC_URL": self.url,
                **variables,
            },
            start_new_session=True,
        )
        os.close(write)
        self._reader = Thread(target=self._gather, daemon=True)
        self._reader.start()

    @property
    def lines(self) -> list[str]:
        return self._written.decode().replace("\r", "").splitlines()

    def lose(self, word: str) -> None:
        """Kills one of its processes, which it replaces."""
        children = psutil.Process(self.process.pid).children()
        (found,) = (child for child in children if word in child.cmdline())
        found.kill()

    def end(self) -> None:
        self.process.send_signal(signal.SIGINT)
        assert self.process.wait(30) == 0
        self._reader.join(30)
        os.close(self._read)

    def _gather(self) -> None:
        try:
            while piece := os.read(self._read, 65536):
                self._written += piece
        except OSError:  # how a terminal ends
            pass


@contextmanager
def serving(*, terminal: bool, **variables: str) -> Iterator[Served]:
    served = Served(terminal=terminal, **variables)
    try:
        until(lambda: answers(f"{served.url}/healthz"), what="it serves")
        until(
            lambda: any("Sophiie answers" in line for line in served.lines),
            seconds=60,
            what="it says where",
        )
        served.lose("worker")
        until(
            lambda: any("started again" in line for line in served.lines),
            seconds=60,
            what="it says that a process is started again",
        )
        answers(f"{served.url}/login?next=%1b%5b2J")
        yield served
    finally:
        served.end()


def test_people_at_a_terminal_read_short_lines_in_colour() -> None:
    colours = {"TERM": "xterm-256color", "NO_COLOR": ""}
    with serving(terminal=True, **colours) as served:
        pass
    assert any(COLOUR.search(line) for line in served.lines)
    plain = [COLOUR.sub("", line) for line in served.lines]
    assert [line for line in plain if line and not ENTRY.fullmatch(line)] == []
    for said in (f"address={served.url}", "The schema is up to date.", "path=/login status=200"):
        assert any(said in line for line in plain), said
    assert len(max((line for line in plain if "[info]" in line), key=len)) <= 120


def test_programs_read_json_and_nothing_else() -> None:
    with serving(terminal=False) as served:
        pass
    entries = [json.loads(line) for line in served.lines]
    assert all({"event", "level", "timestamp"} <= entry.keys() for entry in entries)
    (told,) = (entry for entry in entries if entry["event"] == "Sophiie answers")
    assert told["address"] == served.url
    (lost,) = (entry for entry in entries if "started again" in entry["event"])
    assert (lost["level"], lost["exit_code"]) == ("warning", -signal.SIGKILL)
