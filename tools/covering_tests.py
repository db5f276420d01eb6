"""Which tests run a line, and how long each takes, measured under coverage: for mutants.py."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import coverage

PACKAGE = Path("src/sophiie")
# More than these, and something else is wrong.
MOST_FAILED = 5
# The fast tests of each area; those that start processes are left out.
AREAS = {
    "appointments": [
        *("tests/appointments", "tests/api/test_conflicts.py"),
        *("tests/customers/test_matching.py", "tests/customers/test_merging.py"),
    ],
    "availability": ["tests/availability"],
    "busy_time": [
        *("tests/busy_time", "tests/appointments/test_conflicts.py"),
        "tests/sync/test_busy_store.py",
    ],
    "calendar_link": ["tests/calendar_link", "tests/sync/test_life_of_a_link.py"],
    "sync": ["tests/sync"],
    "series": ["tests/series", "tests/api/series", "tests/sync/test_series.py"],
    "services": ["tests/services", "tests/api/test_services.py", "tests/web/services"],
    "resources": ["tests/resources"],
    "waiting_list": ["tests/waiting_list"],
    "customers": ["tests/customers"],
    "google": [
        *("tests/google", "tests/calendar_link/test_tokens.py"),
        "tests/sync/test_google_answers.py",
    ],
    "common": [
        *("tests/common", "tests/calendar_link/test_clock_set_back.py"),
        *("tests/appointments/test_holds.py", "tests/appointments/test_clock_set_back.py"),
    ],
}


@dataclass
class Area:
    """The tests of an area: their state, how long each takes, and which lines it runs."""

    name: str
    digest: str
    seconds: dict[str, float]
    lines: dict[str, dict[int, set[str]]] = field(repr=False)
    _known_telling: dict[str, dict[str, float]] = field(default_factory=dict, repr=False)

    @classmethod
    def measured(cls, name: str, *, tree: Path, home: Path) -> Area:
        """Measures what is not known of the project in `tree`; what is known lies in `home`."""
        data, times = home / f"{name}.coverage", home / f"{name}.times.json"
        files = {
            str(test.relative_to(tree)): digest_of(tree, [str(test)]) for test in _tests(name, tree)
        }
        # What all tests share: the product, and the helpers beside them.
        helpers = [helper for place in AREAS[name] for helper in _helpers(place, tree)]
        shared = digest_of(tree, [*helpers, "tests/conftest.py", str(PACKAGE)])
        known = json.loads(times.read_text()) if times.exists() and data.exists() else {}
        if known.get("shared") != shared:
            known = {"shared": shared, "files": {}, "seconds": {}}
            data.unlink(missing_ok=True)
        changed = [file for file, digest in files.items() if known["files"].get(file) != digest]
        seconds = {
            test: took
            for test, took in known["seconds"].items()
            if test.partition("::")[0] in files and test.partition("::")[0] not in changed
        }
        if changed:
            seconds |= _measure(name, data, changed)
            times.write_text(json.dumps({"shared": shared, "files": files, "seconds": seconds}))
        return cls(name, digest_of(tree, AREAS[name]), seconds, _lines_of(data, tree))

    def tests_of(self, module: Path, lines: Iterable[int]) -> list[str]:
        """Those that run one of the lines, the most telling for their time first. Where a line is
        run when the module is loaded, all that run any line of the module."""
        known = self.lines.get(str(module), {})
        found = set().union(*(known.get(line, set()) for line in lines))
        if "" in found:
            found = set().union(*known.values())
        telling = self._telling(str(module))
        return sorted(
            found & self.seconds.keys(),
            key=lambda test: -telling[test] / (self.seconds[test] + 0.05),
        )

    def _telling(self, module: str) -> dict[str, float]:
        """How much each test says about a module: most where it runs lines that few others run, and
        more if it is named after the module."""
        if module not in self._known_telling:
            found: dict[str, float] = defaultdict(float)
            for tests in self.lines.get(module, {}).values():
                for test in tests:
                    named = f"/test_{Path(module).stem}.py" in test
                    found[test] += (3 if named else 1) / len(tests)
            self._known_telling[module] = found
        return self._known_telling[module]


def _tests(name: str, tree: Path) -> Iterator[Path]:
    for place in AREAS[name]:
        path = tree / place
        yield from [path] if path.is_file() else sorted(path.rglob("test_*.py"))


def _helpers(place: str, tree: Path) -> list[str]:
    found = sorted((tree / place).rglob("*.py"))
    return [str(f.relative_to(tree)) for f in found if not f.name.startswith("test_")]


def _measure(name: str, data: Path, files: list[str]) -> dict[str, float]:
    print(f"{name}: running {len(files)} files of tests, to see what they run …", flush=True)
    command = (
        f"{sys.executable} -m coverage run --append --data-file={data} --source={PACKAGE} "
        f"-m pytest -q -p no:cacheprovider -p tools.coverage_contexts --create-db "
        f"--durations=0 -vv {' '.join(files)}"
    )
    run = subprocess.run(command.split(), capture_output=True, text=True, check=False)
    # A test that fails by itself finds nothing; the others count all the same.
    failed = set(re.findall(r"^(?:FAILED|ERROR) (\S+::.+?)(?: - .*)?$", run.stdout, re.MULTILINE))
    for test in sorted(failed):
        print(f"{name}: left out, as it fails without any defect: {test}", flush=True)
    if run.returncode and (not failed or len(failed) > MOST_FAILED):
        print(run.stdout[-3000:], run.stderr[-3000:])
        raise SystemExit(f"The tests of {name} fail without any defect.")
    seconds: dict[str, float] = defaultdict(float)
    for line in run.stdout.splitlines():
        time_taken, _, rest = line.strip().partition("s ")
        kind, _, test = rest.strip().partition(" ")
        if kind in ("setup", "call", "teardown") and "::" in test:
            seconds[test.strip()] += float(time_taken)
    for test in _contexts(data):
        if test.partition("::")[0] in files:
            seconds.setdefault(test, 0.0)
    return {test: took for test, took in seconds.items() if test not in failed}


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
