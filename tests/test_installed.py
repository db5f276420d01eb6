"""`pip install sophiie` on a stranger's machine: no checkout, no Node, no rights, one command."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
import requests

from tests.installed import SIMULATOR, SOPHIIE, Installed
from tests.processes import PATIENCE_SECONDS, START_SECONDS, answers, free_port, until

pytestmark = pytest.mark.real_clock
DATA = "home/.local/share/sophiie/"


@contextmanager
def installed(package: str) -> Iterator[Installed]:
    """In a folder that every user may enter, unlike pytest's own, with a short path."""
    folder = Path(tempfile.mkdtemp(prefix="sophiie-installed-"))
    try:
        yield Installed(folder, package)
    finally:
        subprocess.run(["rm", "-rf", folder], check=True)  # many files, quicker than by Python


@pytest.fixture(scope="module")
def sophiie() -> Iterator[Installed]:
    with installed(SOPHIIE) as found:
        yield found


@contextmanager
def running(where: Installed, log: Path, *command: str) -> Iterator[subprocess.Popen[str]]:
    with log.open("w") as output:
        process = subprocess.Popen(
            where.command(*command),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            **where.as_a_person(),
        )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def signed_in(address: str, *, language: str) -> tuple[requests.Session, str]:
    """Alice's browser and her calendar page."""
    browser = requests.Session()
    browser.headers["Accept-Language"] = language
    page = browser.get(f"{address}/login", timeout=PATIENCE_SECONDS).text
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page)
    assert token, page
    form = {"login": "alice@example.com", "password": "sophiie-demo"}
    answer = browser.post(
        f"{address}/login", {**form, "csrfmiddlewaretoken": token[1]}, timeout=PATIENCE_SECONDS
    )
    assert answer.url == f"{address}/calendar"
    return browser, answer.text


def test_the_demo_of_an_ordinary_person_without_checkout_or_node(
    sophiie: Installed, tmp_path: Path
) -> None:
    port, simulator_port = free_port(), free_port()
    address, log = f"http://localhost:{port}", tmp_path / "demo.log"
    assert sophiie.written() == set()
    # It is not disturbed by files of other people's programs where it is started.
    for name in ("click.py", "calendar.py", "secrets.py", "sophiie.py"):
        (sophiie.elsewhere / name).write_text("raise SystemExit('not yours')")
    found = sophiie.written()
    words = ("demo", "--port", str(port), "--simulator-port", str(simulator_port))
    with running(sophiie, log, "sophiie", *words) as demo:
        until(
            lambda: demo.poll() is not None or answers(f"{address}/readyz"),
            seconds=START_SECONDS,
            what="the demo is ready",
        )
        assert demo.poll() is None, log.read_text()
        family = [psutil.Process(demo.pid), *psutil.Process(demo.pid).children(recursive=True)]
        if os.geteuid() == 0:
            assert 0 not in {process.uids().real for process in family}

        browser, page = signed_in(address, language="de")
        assert "Termin" in page
        assert '<html lang="de"' in page
        for name in set(re.findall(r'"(/static/[^"]+\.(?:css|js|svg))', page)):
            part = browser.get(address + name, timeout=PATIENCE_SECONDS)
            assert part.status_code == 200, name
            assert part.content, name
        assert re.search(r'"/static/[^"]*vendor/event-calendar[^"]*\.js"', page)
        help_page = browser.get(f"{address}/help/google-calendar", timeout=PATIENCE_SECONDS).text
        pictures = re.findall(r'"(/static/[^"]+\.png)', help_page)
        assert pictures
        for name in pictures:
            assert browser.get(address + name, timeout=PATIENCE_SECONDS).content.startswith(
                b"\x89PNG"
            ), name
        google = requests.get(
            f"http://localhost:{simulator_port}/simulator/", timeout=PATIENCE_SECONDS
        )
        assert "Alice" in google.text
        assert {name for name in sophiie.written() - found if not name.startswith(DATA)} == set()
    assert demo.returncode == 0, log.read_text()
    assert {name for name in sophiie.written() - found if not name.startswith(DATA)} == set()
    assert f"{DATA}simulator.sqlite3" in sophiie.written()
    assert [process for process in family if process.is_running()] == []


def test_the_simulator_is_a_program_of_its_own(tmp_path: Path) -> None:
    with installed(SIMULATOR) as where:
        said = subprocess.run(
            where.command(SIMULATOR, "--version"),
            capture_output=True,
            check=True,
            timeout=PATIENCE_SECONDS,
            **where.as_a_person(),
        )
        assert re.fullmatch(rf"{SIMULATOR} \d+\.\d+\.\d+\n", said.stdout)
        log = tmp_path / "simulator.log"
        with running(where, log, SIMULATOR, "--port", "0") as process:
            address = until(
                lambda: re.search(r"http://127.0.0.1:\d+/", log.read_text()),
                seconds=START_SECONDS,
                what="the simulator listens",
            )
            assert answers(f"{address[0]}$discovery/rest?version=v3")
        assert process.returncode == 0
        assert where.written() == set()


@pytest.mark.parametrize(
    ("variables", "place"),
    [
        ({}, DATA),
        ({"XDG_DATA_HOME": "{home}/share"}, "home/share/sophiie/"),
        ({"XDG_DATA_HOME": "not/absolute"}, DATA),  # which the standard says to ignore
        ({"SOPHIIE_DATA_DIR": "here"}, "elsewhere/here/"),
    ],
)
def test_where_the_data_are_kept(sophiie: Installed, variables: dict[str, str], place: str) -> None:
    chosen = {name: value.format(home=sophiie.home) for name, value in variables.items()}
    program = "from sophiie.config.environment import read_environment as r; print(r().data_dir)"
    said = subprocess.run(
        sophiie.command("python", "-P", "-c", program),
        capture_output=True,
        check=True,
        timeout=PATIENCE_SECONDS,
        **sophiie.as_a_person(**chosen),
    )
    assert said.stdout == f"{sophiie.home.parent}/{place.rstrip('/')}\n"
