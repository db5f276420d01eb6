"""The packages as other people get them: wheels, and virtual environments that hold nothing else.

What a wheel asks for is linked from the tests' own environment, exactly what it declares and
nothing more, so that no test asks the network.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from importlib.metadata import Distribution, PathDistribution, distribution
from pathlib import Path
from typing import Any
from zipfile import Path as InZip

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from sophiie.database.users import ServerUser
from tests.environment import FOLDER
from tests.processes import ROOT

NOBODY = pwd.getpwnam("nobody")
ORDINARY = ServerUser(NOBODY.pw_uid, NOBODY.pw_gid, differs=os.geteuid() == 0)
SOPHIIE, SIMULATOR = "sophiie", "google-calendar-simulator"
CLOCK = ("LD_PRELOAD", "FAKETIME", "NO_FAKE_STAT")  # of `make test DATE=…`


@cache
def wheels() -> dict[str, Path]:
    """Both wheels by the name of their package, built once in a process of tests."""
    dist = FOLDER / "wheels"
    subprocess.run(
        [sys.executable, ROOT / "tools" / "build_wheels.py", dist], check=True, timeout=300
    )
    return {name_of(path): path for path in dist.glob("*.whl")}


def name_of(wheel: Path) -> str:
    return canonicalize_name(wheel.name.partition("-")[0])


class Installed:
    """A virtual environment with one of our packages and what that declares, and an ordinary
    person's home beside it.

    Where the tests run as root, that person is `nobody`; else it is whoever runs them.
    """

    def __init__(self, folder: Path, package: str) -> None:
        folder.chmod(0o755)
        self.bin = folder / "venv" / "bin"
        self.home, self.tmp, self.elsewhere = (folder / n for n in ("home", "tmp", "elsewhere"))
        self._python = python_for_everybody(folder / "python")
        libraries = self._python.parents[1] / "lib"
        self._libraries = (
            {"LD_LIBRARY_PATH": str(libraries)} if libraries != Path("/usr/lib") else {}
        )
        self._make_environment(folder / "venv", with_ours_that_it_declares(package))
        self._becomes = becoming_nobody() if os.geteuid() == 0 else []
        for place in (self.home, self.tmp, self.elsewhere):
            place.mkdir()
            if self._becomes:
                os.chown(place, NOBODY.pw_uid, NOBODY.pw_gid)

    def command(self, name: str, *arguments: str) -> list[str]:
        return [*self._becomes, str(self.bin / name), *arguments]

    def as_a_person(self, **variables: str) -> dict[str, Any]:
        """Arguments for subprocess: who, where, and in which surroundings. No Node, no checkout."""
        environment = {
            "PATH": str(self.bin),
            "HOME": str(self.home),
            "TMPDIR": str(self.tmp),
            "LANG": "C.UTF-8",
            **self._libraries,
            **{name: value for name, value in os.environ.items() if name.startswith(CLOCK)},
            **variables,
        }
        return {"cwd": self.elsewhere, "env": environment, "text": True}

    def written(self) -> set[str]:
        """Every file that the person has, in their home, the temporary folder and elsewhere."""
        places = (self.home, self.tmp, self.elsewhere)
        return {
            str(path.relative_to(self.home.parent))
            for place in places
            for path in place.rglob("*")
            if not path.is_dir()
        }

    def _make_environment(self, venv: Path, chosen: list[Path]) -> None:
        def run(python: Path, *arguments: str) -> None:
            words = [python, "-I", "-m", *arguments]
            subprocess.run(words, check=True, umask=0o022, env={**os.environ, **self._libraries})

        run(self._python, "venv", "--without-pip", str(venv))
        run(
            Path(sys.executable),
            *("pip", "--python", str(venv), "install", "--quiet", "--disable-pip-version-check"),
            *("--no-index", "--no-deps", *map(str, chosen)),
        )
        (site,) = venv.glob("lib/*/site-packages")
        for found in needed_by(chosen):
            _link(found, site)


def becoming_nobody() -> list[str]:
    """The words before a command of root's that make it one of an ordinary user's."""
    words = [str(shutil.which("setpriv")), f"--reuid={NOBODY.pw_uid}", f"--regid={NOBODY.pw_gid}"]
    return [*words, "--clear-groups", "--no-new-privs"]


def python_for_everybody(folder: Path) -> Path:
    """This Python, or where it lies in root's home, as with pyenv, the same one in the folder."""
    names = f"python3.{sys.version_info.minor}"
    python = Path(sys.base_prefix, "bin", names).resolve()
    if ORDINARY.can_read(python, execute=True):
        return python
    home = python.parents[1]
    unneeded = shutil.ignore_patterns("site-packages", "test", "idlelib", "config-3.*")
    shutil.copytree(
        home / "lib" / names, folder / "lib" / names, ignore=unneeded, copy_function=_link_file
    )
    (folder / "bin").mkdir()
    for program in (python, *home.glob("lib/libpython3*.so*")):
        _link_file(program, folder / program.relative_to(home))
    return folder / python.relative_to(home)


def needed_by(chosen: list[Path]) -> Iterator[Distribution]:
    """What is installed here of all that these wheels declare, and of what that declares."""
    ours = {name_of(wheel) for wheel in chosen}
    queue = [(line, "") for wheel in chosen for line in requirements_of(wheel)]
    seen: set[tuple[str, str]] = set()
    for line, extra in queue:  # which grows meanwhile
        wanted = Requirement(line)
        if wanted.marker and not wanted.marker.evaluate({"extra": extra}):
            continue
        if canonicalize_name(wanted.name) in ours:
            continue
        found = distribution(wanted.name)
        for inner in {"", *wanted.extras}:
            if (found.name, inner) not in seen:
                seen.add((found.name, inner))
                queue += [(line, inner) for line in found.requires or []]
    yield from (distribution(name) for name in sorted({name for name, _ in seen}))


def with_ours_that_it_declares(package: str) -> list[Path]:
    lines = requirements_of(wheels()[package])
    declared = {canonicalize_name(Requirement(line).name) for line in lines}
    return [wheel for name, wheel in wheels().items() if name in {package, *declared}]


def requirements_of(wheel: Path) -> list[str]:
    (folder,) = (p for p in InZip(wheel).iterdir() if p.name.endswith(".dist-info"))
    return PathDistribution(folder).requires or []


def _link(found: Distribution, site: Path) -> None:
    for name in {file.parts[0] for file in found.files or []} - {"..", "__pycache__"}:
        source, target = Path(str(found.locate_file(name))), site / name
        if ORDINARY.can_reach(source):
            target.symlink_to(source)
        elif source.is_dir():
            shutil.copytree(source, target, copy_function=_link_file)
        else:
            _link_file(source, target)


def _link_file(source: str | Path, target: str | Path) -> None:
    try:
        os.link(source, target, follow_symlinks=True)
    except OSError:  # on another disk
        shutil.copy2(source, target)
