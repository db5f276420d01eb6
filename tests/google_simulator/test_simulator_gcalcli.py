"""gcalcli, a calendar for the command line, against the simulator.

It has no setting for Google's address, so a proxy brings it here.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from google_simulator.testing import RunningSimulator
from tests.google_simulator.https_proxy import https_proxy

ALICE = "alice@example.com"
PROGRAM = str(Path(sys.executable).with_name("gcalcli"))
LIMIT_SECONDS = 120

Gcalcli = Callable[..., str]


@pytest.fixture(scope="module")
def environment(
    one_simulator: RunningSimulator, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, str]]:
    """Of somebody in Sydney who never used it before."""
    home = tmp_path_factory.mktemp("home")
    own = {"HOME": str(home), "TZ": "Australia/Sydney", "PYTHONUNBUFFERED": "1"}
    kept = {name: value for name, value in os.environ.items() if not _leads_elsewhere(name)}
    with https_proxy(one_simulator.base_url, home) as proxied:
        yield kept | own | proxied


def _leads_elsewhere(name: str) -> bool:
    name = name.upper()
    return name.startswith(("GOOGLE_", "GCALCLI_", "XDG_")) or name.endswith("_PROXY")


@pytest.fixture(scope="module")
def gcalcli(one_simulator: RunningSimulator, environment: dict[str, str]) -> Gcalcli:
    """What a command prints, for somebody who has signed in."""
    one_simulator.quotas(enabled=True, per_user=600, per_project=10_000)
    one_simulator.reset("calendars")
    _sign_in(one_simulator, environment)

    def run(*words: str) -> str:
        command = [PROGRAM, "--nocolor", *words]
        ran = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=LIMIT_SECONDS
        )
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return ran.stdout

    return run


def _sign_in(simulator: RunningSimulator, environment: dict[str, str]) -> None:
    """`init` shows an address, waits for the browser to come back, and stores the tokens."""
    client = [f"--client-id={simulator.client_id}", f"--client-secret={simulator.client_secret}"]
    with subprocess.Popen(
        [PROGRAM, "--nocolor", *client, "init"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as init:
        assert init.stdout
        limit = threading.Timer(LIMIT_SECONDS, init.kill)
        limit.start()
        said = ""
        for line in init.stdout:
            said += line
            if shown := re.search(r"https://accounts\.google\.com(/o/oauth2/auth\?\S+)", line):
                back = simulator.authorize(simulator.base_url + shown.group(1), account=ALICE)
                urllib.request.urlopen(back, timeout=LIMIT_SECONDS).close()
        limit.cancel()
    assert init.returncode == 0, said


def _titles(simulator: RunningSimulator) -> list[str]:
    return [event["summary"] for event in simulator.events(ALICE)]


def test_gcalcli_lists_calendars(gcalcli: Gcalcli) -> None:
    listed = [line.split(maxsplit=1) for line in gcalcli("list").splitlines()]
    assert ["owner", ALICE] in listed
    assert ["owner", "Jobs"] in listed
    assert ["freeBusyReader", "Clinic rooms"] in listed


def test_gcalcli_adds_shows_finds_and_deletes(
    gcalcli: Gcalcli, one_simulator: RunningSimulator
) -> None:
    where = ("--calendar", ALICE)
    event = ("--title=Dripping tap", "--where=5 Rose St", "--who=guest@example.org")
    gcalcli("add", *where, *event, "--when=2027-03-01 10:00", "--duration=45", "--noprompt")
    (made,) = [one for one in one_simulator.events(ALICE) if one["summary"] == "Dripping tap"]
    assert made["start"] == {
        "dateTime": "2027-03-01T10:00:00+11:00",
        "timeZone": "Australia/Sydney",
    }
    assert [guest["email"] for guest in made["attendees"]] == ["guest@example.org"]
    shown = gcalcli("agenda", *where, "--tsv", "2027-03-01", "2027-03-02").splitlines()
    assert "2027-03-01\t10:00\t2027-03-01\t10:45\tDripping tap" in shown
    assert "Dripping tap" in gcalcli("search", *where, "dripping", "2027-01-01")
    gcalcli("delete", *where, "--iamaexpert", "dripping", "2027-01-01")
    assert "Dripping tap" not in _titles(one_simulator)


def test_gcalcli_refreshes_its_stored_token(
    gcalcli: Gcalcli, one_simulator: RunningSimulator
) -> None:
    one_simulator.expire_access_tokens(ALICE)
    one_simulator.clear_calls()
    gcalcli("quick", "--calendar", ALICE, "Dentist 2027-03-02 10:30")
    assert len(one_simulator.calls(method="oauth.refresh")) == 1
    assert "Dentist" in _titles(one_simulator)
