"""Which tests run a line, and how long each takes, measured under coverage: for mutants.py."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import coverage

PACKAGE = Path("src/sophiie")
# The fast tests of each area; those that start processes are left out.
AREAS = {
    "appointments": ["tests/appointments", "tests/api/test_conflicts.py"],
    "availability": ["tests/availability"],
    "busy_time": [
        *("tests/appointments/test_conflicts.py", "tests/sync/test_busy_store.py"),
        *("tests/sync/test_busy_series.py", "tests/sync/test_mass_deletion.py"),
        *("tests/sync/test_busy_calendars.py", "tests/sync/test_refresh.py"),
    ],
    "calendar_link": ["tests/calendar_link", "tests/sync/test_life_of_a_link.py"],
    "sync": ["tests/sync"],
    "google": ["tests/google", "tests/calendar_link", "tests/sync/test_google_answers.py"],
}


@dataclass
class Area:
    """The tests of an area: their state, how long each takes, and which lines it runs."""

    name: str
    digest: str
    seconds: dict[str, float]
    lines: dict[str, dict[int, set[str]]] = field(repr=False)
    is_dirty: bool = True

    @classmethod
    def measured(cls, name: str, *, tree: Path, home: Path) -> Area:
        """Measures what is not known of the project in `tree`; what is known lies in `home`."""
        digest = digest_of(tree, [*AREAS[name], "tests/conftest.py", str(PACKAGE)])
        data, times = home / f"{name}.coverage", home / f"{name}.times.json"
        known = json.loads(times.read_text()) if times.exists() and data.exists() else {}
        if known.get("digest") != digest:
            known = {"digest": digest, "seconds": _measure(name, data)}
            times.write_text(json.dumps(known))
        return cls(name, digest_of(tree, AREAS[name]), known["seconds"], _lines_of(data, tree))

    def tests_of(self, module: Path, line: int) -> list[str]:
        """Those that run the line, the quickest first; all of them, where the line is run when
        the module is loaded."""
        found = self.lines.get(str(module), {}).get(line, set())
        everything = set(self.seconds)
        tests = everything if "" in found else found & everything
        return sorted(tests, key=lambda test: self.seconds[test])


def _measure(name: str, data: Path) -> dict[str, float]:
    print(f"{name}: running its tests once, to see what they run …", flush=True)
    command = (
        f"{sys.executable} -m coverage run --data-file={data} --source={PACKAGE} "
        f"-m pytest -q -p no:cacheprovider -p tools.coverage_contexts --create-db "
        f"--durations=0 -vv {' '.join(AREAS[name])}"
    )
    run = subprocess.run(command.split(), capture_output=True, text=True, check=False)
    if run.returncode:
        print(run.stdout[-3000:], run.stderr[-3000:])
        raise SystemExit(f"The tests of {name} fail without any defect.")
    seconds: dict[str, float] = defaultdict(float)
    for line in run.stdout.splitlines():
        time_taken, _, rest = line.strip().partition("s ")
        kind, _, test = rest.strip().partition(" ")
        if kind in ("setup", "call", "teardown") and "::" in test:
            seconds[test.strip()] += float(time_taken)
    for test in _contexts(data):
        seconds.setdefault(test, 0.0)
    return dict(seconds)


def _contexts(data: Path) -> set[str]:
    measured = coverage.CoverageData(str(data))
    measured.read()
    return {context for context in measured.measured_contexts() if context}


def _lines_of(data: Path, tree: Path) -> dict[str, dict[int, set[str]]]:
    measured = coverage.CoverageData(str(data))
    measured.read()
    return {
        str(Path(name).relative_to(tree)): {
            line: set(tests) for line, tests in measured.contexts_by_lineno(name).items()
        }
        for name in measured.measured_files()
    }


def digest_of(tree: Path, names: Iterable[str]) -> str:
    digest = hashlib.sha256()
    for name in names:
        path = tree / name
        for file in [path] if path.is_file() else sorted(path.rglob("*.py")):
            digest.update(file.read_bytes())
    return digest.hexdigest()
