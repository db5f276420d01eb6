"""Runs chosen tests of an area against a defect: for mutants.py.

In a fork of a process that has collected them already (`forked_tests.py`). Where that cannot be, as
the defect takes effect while its module is loaded, in a process of its own.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cosmic_ray.work_item import TestOutcome

from tools.covering_tests import AREAS, Area
from tools.forked_tests import ANSWERS, REQUESTS

PYTEST = "-q -p no:cacheprovider --no-summary"
# What one test leaves to the garbage collector must fail no other, in whose fork it is collected.
FORKED = f"{PYTEST} -s -p tools.forked_tests -p no:unraisableexception -p no:threadexception"


class Runner:
    """The process with the collected tests of one area."""

    def __init__(self, area: Area, requests: Any, answers: Any) -> None:
        self.area = area
        self._requests, self._answers = requests, answers
        self._kills: dict[Path, Counter[str]] = defaultdict(Counter)
        ready = answers.readline()
        if not ready:
            raise SystemExit(f"The tests of {area.name} cannot be collected.")
        self._tests = set(json.loads(ready)["tests"])

    @classmethod
    @contextmanager
    def of(cls, area: Area) -> Iterator[Runner]:
        theirs, ours = os.pipe()
        back, forth = os.pipe()
        command = f"{sys.executable} -m pytest {FORKED}"
        process = subprocess.Popen(
            [*command.split(), *AREAS[area.name]],
            pass_fds=(theirs, forth),
            env={**os.environ, REQUESTS: str(theirs), ANSWERS: str(forth)},
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        os.close(theirs)
        os.close(forth)
        requests, answers = os.fdopen(ours, "w"), os.fdopen(back)
        try:
            runner = cls(area, requests, answers)
            runner._check()
            yield runner
        finally:
            requests.close()
            process.wait(60)
            answers.close()

    def chosen(self, module: Path, tests: list[str], *, at_most: float) -> list[str]:
        """Those that found the most in this module come first, then in the order given, and no more
        than the time allows."""
        kills = self._kills[module]
        found: list[str] = []
        left = at_most
        for test in sorted(tests, key=lambda test: -kills[test]):
            left -= self.area.seconds[test]
            if test in self._tests and (left > 0 or not found):
                found.append(test)
        return found

    def try_(self, module: Path, source: str, tests: list[str]) -> tuple[TestOutcome, str]:
        """What became of the defect, and which test found it."""
        seconds = 30 + 5 * sum(self.area.seconds.get(test, 1.0) for test in tests)
        with tempfile.NamedTemporaryFile("w", suffix=".py") as file:
            file.write(source)
            file.flush()
            answer = self._asked(tests, module=str(module), source=file.name)
        if answer["outcome"] == "failed":
            raise RuntimeError(answer["by"])
        if answer["outcome"] == "cannot":
            return _in_a_process_of_its_own(module, source, tests, seconds)
        if answer["outcome"] == "survived":
            return TestOutcome.SURVIVED, ""
        by = answer.get("by", answer["outcome"])
        self._kills[module][by] += 1
        return TestOutcome.KILLED, by

    def _check(self) -> None:
        """Without any defect the tests pass in a fork; else every defect would seem to be found."""
        quickest = sorted(self._tests, key=lambda test: self.area.seconds.get(test, 60.0))
        answer = self._asked(quickest[:40], module="", source="")
        if answer["outcome"] != "survived":
            raise SystemExit(f"{answer.get('by')} fails in a fork without any defect.")

    def _asked(self, tests: list[str], **more: str) -> dict[str, Any]:
        request = {"tests": tests, "seconds": self._at_most(tests), **more}
        self._requests.write(json.dumps(request) + "\n")
        self._requests.flush()
        answer: dict[str, Any] = json.loads(self._answers.readline())
        return answer

    def _at_most(self, tests: list[str]) -> float:
        """How long one of these tests may take before it counts as hanging."""
        return 30 + 10 * max(self.area.seconds.get(test, 1.0) for test in tests)


def _in_a_process_of_its_own(
    module: Path, source: str, tests: list[str], seconds: float
) -> tuple[TestOutcome, str]:
    original = module.read_text()
    chosen = Path(tempfile.mkstemp(suffix=".txt")[1])
    chosen.write_text("\n".join(tests))
    command = f"{sys.executable} -m pytest -x {PYTEST} --reuse-db @{chosen}"
    module.write_text(source)
    try:
        run = subprocess.run(
            command.split(), capture_output=True, text=True, check=False, timeout=seconds + 30,
            env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return TestOutcome.KILLED, "timeout"
    finally:
        module.write_text(original)
        chosen.unlink()
    return (TestOutcome.KILLED if run.returncode else TestOutcome.SURVIVED), "at loading"
