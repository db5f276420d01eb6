"""Ending processes as badly as people and supervisors do it, and looking for what is left."""

from __future__ import annotations

import re
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil
import requests

from google_simulator.control import SimulatorControl
from sophiie.database import processes
from tests.processes import Demo, Running, until

# The contract's; measured from the first signal.
SECONDS = 15.0
# How a command ends that was to do something and did not get to its end.
BY_SIGNAL = (-signal.SIGTERM, -signal.SIGINT)
BURST = (signal.SIGTERM, signal.SIGTERM, signal.SIGINT, signal.SIGTERM, signal.SIGINT)


def cluster(folder: Path) -> list[psutil.Process]:
    """The processes of the embedded PostgreSQL of a data folder, whoever they run as."""
    home = folder / "postgres"
    found: list[psutil.Process] = []
    for place in [home / "cluster", *home.glob("initdb-*")]:
        with suppress(OSError):
            stat = place.stat()
            marker = f"sophiie-{stat.st_dev:x}-{stat.st_ino:x}"
            for number in processes.find(marker=marker, uid=stat.st_uid):
                with suppress(psutil.NoSuchProcess):
                    found.append(psutil.Process(number))
    return found


def ours(folder: Path) -> list[psutil.Process]:
    """Every process that was given this data folder, also orphans; and its database."""
    found = cluster(folder)
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.status() == psutil.STATUS_ZOMBIE:
                continue
            if process.environ().get("SOPHIIE_DATA_DIR") == str(folder):
                found.append(process)
    return found


def end_with_many_signals(
    running: Running, folder: Path, *, codes: tuple[int, ...] = (0,), pause: float = 0.1
) -> None:
    """A burst of signals, and more as long as it lives; then nothing may be left of it."""
    began, before = time.monotonic(), len(running.output)
    for number in BURST:
        running.process.send_signal(number)

    def ended() -> bool:
        if running.process.poll() is None:
            running.process.send_signal(signal.SIGTERM)
            time.sleep(pause)
        return running.process.poll() is not None

    until(ended, seconds=SECONDS, what=f"it ends:\n{running.output[-2000:]}")
    left = SECONDS - (time.monotonic() - began)
    until(lambda: not ours(folder), seconds=max(0.5, left), what=f"all ended: {ours(folder)}")
    assert running.process.returncode in codes, (running.process.returncode, running.output)
    assert "Traceback" not in running.output[before:], running.output


def sweep_up(folder: Path) -> None:
    """After a test that failed: nothing that it started goes on."""
    for process in ours(folder):
        with suppress(psutil.NoSuchProcess):
            process.kill()


def seen(demo: Demo, word: str) -> Callable[[], bool]:
    """Whether a child with this word in its command runs."""

    def look() -> bool:
        for process in demo.family()[1:]:
            with suppress(psutil.Error):
                if word in process.cmdline():
                    return True
        return False

    return look


def link_alice(demo: Demo) -> SimulatorControl:
    """Alice of the demo links her calendar in a browser; the simulator's knobs for what follows."""
    google, browser = SimulatorControl(demo.simulator_url), requests.Session()

    def post(path: str, **fields: str) -> requests.Response:
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text)
        assert token, page.text
        fields["csrfmiddlewaretoken"] = token.group(1)
        return browser.post(demo.url + path, data=fields, allow_redirects=False, timeout=60)

    page = browser.get(f"{demo.url}/login", timeout=60)
    post("/login", login="alice@example.com", password="sophiie-demo")
    page = browser.get(f"{demo.url}/settings/calendar", timeout=60)
    consent = post("/integrations/google/connect").headers["Location"]
    page = browser.get(google.authorize(consent, account="alice@example.com"), timeout=60)
    post("/settings/calendar/choose", calendar_id="alice@example.com")
    return google
