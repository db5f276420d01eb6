"""How the tests themselves are run: their clock, their last lines, and the load beside them."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil
import pytest
from django.db import connection

from google_simulator.testing import running_simulator
from sophiie.common.clock import now
from tests.browser import browser_page
from tests.clock import DATES, beginning, must_be_real
from tests.processes import ROOT, until
from tests.summary import command_for

IMPORTED = now()
WITHIN = timedelta(minutes=10)  # however slow the machine is


def run(folder: Path, tests: str, *options: str) -> str:
    """What pytest says of some tests, with these plugins and nothing else of ours."""
    (folder / "test_it.py").write_text(f"import datetime, pytest, time\n{tests}")
    (folder / "pytest.ini").write_text("[pytest]\n")
    command = [sys.executable, "-m", "pytest", "-p", "tests.clock", "-p", "tests.summary"]
    command += ["-p", "no:django", "-p", "no:cacheprovider", "--rootdir", str(folder)]
    answer = subprocess.run(
        [*command, "-c", str(folder / "pytest.ini"), str(folder / "test_it.py"), *options],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f"{ROOT}:{os.environ.get('PYTHONPATH', '')}"},
        capture_output=True,
        text=True,
        timeout=WITHIN.total_seconds(),
    )
    return answer.stdout + answer.stderr


# -- the clock


def test_every_test_begins_at_the_same_instant(request: pytest.FixtureRequest) -> None:
    assert timedelta(0) <= now() - beginning(request.config) < WITHIN
    assert abs(IMPORTED - now()) < WITHIN


@pytest.mark.parametrize("begins_at", ["2028-02-29T23:59Z"])
def test_a_test_may_name_its_own(begins_at: str) -> None:
    assert f"{now():%Y-%m-%d}" in {"2028-02-29", "2028-03-01"}


def test_a_real_process_is_not_started_on_another_day() -> None:
    with pytest.raises(AssertionError, match="real_clock"):
        must_be_real()


@pytest.mark.real_clock
def test_who_starts_them_has_the_real_clock() -> None:
    must_be_real()
    real = subprocess.run(["date", "+%s"], capture_output=True, text=True, check=True).stdout
    assert abs(now().timestamp() - float(real)) < WITHIN.total_seconds()


@pytest.mark.real_clock
@pytest.mark.django_db
def test_every_process_has_the_same_clock(request: pytest.FixtureRequest) -> None:
    """With `make test DATE=…` that of the date, in the database, the browser and all others."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT statement_timestamp()")
        seen = {"PostgreSQL": cursor.fetchone()[0]}
    said = subprocess.run(["date", "+%s"], capture_output=True, text=True, check=True).stdout
    seen["another program"] = datetime.fromtimestamp(float(said), UTC)
    with running_simulator() as simulator:
        seen["the simulator"] = datetime.fromisoformat(simulator.now())
    with browser_page() as page:
        seen["the browser"] = datetime.fromtimestamp(page.evaluate("Date.now()") / 1000, UTC)
    for whose, moment in seen.items():
        assert abs(moment - now()) < WITHIN, whose
    if "FAKETIME" in os.environ:
        passed = now() - beginning(request.config)
        assert timedelta(0) <= passed < timedelta(hours=6)  # the run takes its time


def test_each_date_runs_what_asks_for_it_and_a_given_one_alone(tmp_path: Path) -> None:
    tests = "@pytest.mark.every_date\ndef test_it():\n assert time.gmtime()[:3] != (2027, 3, 28)\n"
    said = run(tmp_path, tests)
    assert f"1 failed, {len(DATES) - 1} passed" in said
    assert "[London before its clocks go forward]" in said
    said = run(tmp_path, "def test_it():\n assert time.gmtime()[:5] == (2027, 4, 3, 20, 0)\n")
    assert "1 failed" in said
    said = run(tmp_path, tests, "--date", "2027-03-28 10:00")
    assert "1 test in" in said
    assert "1 failed" in said


def test_a_date_that_is_none_is_said_in_one_line(tmp_path: Path) -> None:
    said = run(tmp_path, "def test_it(): pass", "--date", "tomorrow")
    assert "ERROR: Write the date as '2027-04-03 20:00', in UTC." in said
    assert "Traceback" not in said


# -- the last lines

MIXED = """
@pytest.mark.parametrize("x", ["a b", "it's $5"])
def test_fails(x): assert not x
@pytest.fixture
def broken(): raise OSError
def test_stumbles(broken): pass
def test_passes(): pass
@pytest.mark.skip(reason="needs a printer")
def test_prints(): pass
"""


@pytest.mark.parametrize("processes", [[], ["-n2"]], ids=["in one process", "in two"])
def test_the_last_lines_say_what_ran_and_how_to_run_each_failure(
    tmp_path: Path, processes: list[str]
) -> None:
    said = run(tmp_path, MIXED, *processes, "--date", "2027-04-03 20:00")
    last = said[said.index("What ran") :]
    assert re.search(r"^5 tests in \d+ min \d+ s: ", last, re.MULTILINE)
    assert "1 passed, 2 failed, 1 error, 1 skipped" in last
    assert "Saturday, 2027-04-03 20:00 UTC (as asked); the browser is" in last
    assert "Skipped 1: needs a printer" in last
    for test in ("test_fails[a b]", "test_fails[it's $5]", "test_stumbles"):
        assert command_for(f"test_it.py::{test}", "2027-04-03 20:00") in last
    assert last.count("make test") == 3


@pytest.mark.parametrize(
    "nodeid",
    ["tests/a.py::test_b", "tests/a.py::test_b[x y]", 'tests/a.py::test_b[it\'s "$5" \\ #`x`]'],
)
def test_the_command_reaches_pytest_as_it_was_meant(nodeid: str) -> None:
    command = command_for(nodeid, "2027-04-03 20:00")
    shown = command.replace("make test", "make --dry-run --no-print-directory test")
    answer = subprocess.run(
        ["/bin/sh", "-c", shown], cwd=ROOT, capture_output=True, text=True, check=True
    )
    words = shlex.split(answer.stdout.replace("\\\n", " "), comments=False)
    assert words[-2:] == ["-n0", nodeid]
    assert words[words.index("tools/at_date.sh") + 1] == "2027-04-03 20:00"


# -- under load


@pytest.fixture
def loaded() -> Iterator[subprocess.Popen[str]]:
    """`under_load.sh` with a command that waits, in a session of its own."""
    process = subprocess.Popen(
        [ROOT / "tools" / "under_load.sh", "sh", "-c", "echo ready; read never"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    assert process.stdin is not None
    assert process.stdout.readline() == "ready\n"
    yield process
    process.stdin.close()
    process.stdout.close()
    process.wait()


@pytest.mark.parametrize("how", ["Ctrl-C", "killed", "at its end"])
def test_the_loops_end_with_the_command(loaded: subprocess.Popen[str], how: str) -> None:
    family = psutil.Process(loaded.pid).children()
    assert len(family) == 3
    if how == "Ctrl-C":
        os.killpg(loaded.pid, signal.SIGINT)
    elif how == "killed":
        loaded.kill()
        loaded.wait()
    assert loaded.stdin is not None
    loaded.stdin.close()
    if how == "at its end":
        assert loaded.wait(60) == 1  # that of the command
    gone = lambda: not any(p.is_running() and p.status() != "zombie" for p in family)  # noqa: E731
    until(gone, what="the loops have ended")


@pytest.mark.parametrize("how", ["test", "test-under-load"])
def test_make_runs_them(how: str) -> None:
    one = "tests/test_runs.py::test_a_real_process_is_not_started_on_another_day"
    outer = ("MAKE", "MFLAGS", "PYTEST_")  # of the run that this test is part of
    answer = subprocess.run(
        ["make", "--old-file=setup-dev", how, f"ARGS=-n0 {one}"],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if not name.startswith(outer)},
        capture_output=True,
        text=True,
        timeout=WITHIN.total_seconds(),
    )
    assert answer.returncode == 0, answer.stderr
    assert "1 passed" in answer.stdout
