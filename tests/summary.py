"""The last lines of a run: a pytest plugin that says what ran, when, and what to do about failures.

How many tests on which date with which browser, what was skipped and why, and for each that failed
the command that runs it alone.
"""

from __future__ import annotations

import shlex
import subprocess
import time
from collections import Counter
from typing import Any

import pytest

from tests.browser import chromium
from tests.clock import beginning

MANY = 20  # after so many failures nobody runs them one by one
STARTED = pytest.StashKey[float]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[STARTED] = time.monotonic()


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    if config.option.collectonly:
        return
    stats = terminalreporter.stats
    terminalreporter.section("What ran")
    terminalreporter.line(_ran(stats, config))
    for reason, number in _skipped(stats).most_common():
        terminalreporter.line(f"Skipped {number}: {reason}")
    wrong = [*stats.get("failed", []), *stats.get("error", [])]
    failed = list(dict.fromkeys(report.nodeid for report in wrong))  # each once
    if failed:
        terminalreporter.line("Each that failed, alone:")
    for nodeid in failed[:MANY]:
        terminalreporter.line(f"  {command_for(nodeid, config.option.date)}")
    if len(failed) > MANY:
        terminalreporter.line(f"  and {len(failed) - MANY} more")


def command_for(nodeid: str, date: str | None = None) -> str:
    """What to type in a shell to run one test by itself, without other processes beside it."""
    word = shlex.quote(nodeid)
    if word != nodeid and not set("\"$`\\!'") & set(nodeid):
        word = f'"{nodeid}"'  # easier to read within the quotes around it
    args = shlex.quote(f"-n0 {word}".replace("$", "$$"))  # for make, a dollar is two
    return f"make test{f' DATE={shlex.quote(date)}' if date else ''} ARGS={args}"


def _ran(stats: dict[str, list[Any]], config: pytest.Config) -> str:
    counted = ("passed", "failed", "error", "skipped", "xfailed", "xpassed")
    numbers = {kind: len(stats.get(kind, [])) for kind in counted}
    results = ", ".join(f"{n:,} {kind}" for kind, n in numbers.items() if n) or "nothing"
    total = sum(numbers.values())
    minutes, seconds = divmod(round(time.monotonic() - config.stash[STARTED]), 60)
    whose = "as asked" if config.option.date else "the tests' own date"
    return (
        f"{total:,} test{'' if total == 1 else 's'} in {minutes} min {seconds} s: {results}. "
        f"They began at {beginning(config):%A, %Y-%m-%d %H:%M} UTC ({whose}); {_browser()}."
    )


def _browser() -> str:
    try:
        answer = subprocess.run(
            [chromium(), "--version"], capture_output=True, text=True, check=True, timeout=60
        )
    except (RuntimeError, OSError, subprocess.SubprocessError):
        return "there is no browser"
    return f"the browser is {' '.join(answer.stdout.split()[:2])}"


def _skipped(stats: dict[str, list[Any]]) -> Counter[str]:
    reasons = (report.longrepr for report in stats.get("skipped", []))
    return Counter(
        (reason[2] if isinstance(reason, tuple) else str(reason)).removeprefix("Skipped: ")
        for reason in reasons
    )
