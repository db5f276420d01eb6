"""The main journey in another browser than Chromium."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from google_simulator.control import SimulatorControl
from tests.node import node
from tests.prepared import copy_of_demo
from tests.processes import running_demo

pytestmark = pytest.mark.real_clock

FIREFOX = shutil.which("firefox-esr") or shutil.which("firefox")
SCRIPT = Path(__file__).with_name("firefox.mjs")
JOBS = "jobs-alice@group.calendar.google.com"


@pytest.mark.skipif(FIREFOX is None, reason="Firefox is missing: apt-get install firefox-esr")
def test_book_in_sophiie_with_firefox(tmp_path: Path) -> None:
    assert FIREFOX
    day = datetime.now(UTC).date() + timedelta(days=20)
    with running_demo(copy_of_demo(tmp_path / "data")) as demo:
        done = subprocess.run(
            [node(), str(SCRIPT), FIREFOX, demo.url, day.isoformat()],
            capture_output=True,
            text=True,
            timeout=400,
        )
        assert done.returncode == 0, done.stderr
        seen = json.loads(done.stdout)
        assert seen["errors"] == []
        assert "14:00" in seen["entry"]
        assert abs(seen["clock"] / 1000 - time.time()) < 600  # also where `--date` set all clocks
        events = SimulatorControl(demo.simulator_url).events("alice@example.com", JOBS)
        (event,) = [event for event in events if event["summary"] == "Install boiler"]
        assert event["start"]["dateTime"].startswith(f"{day}T14:00")
