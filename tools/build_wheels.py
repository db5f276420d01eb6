"""Builds the wheels of Sophiie and of its simulator, byte for byte the same from the same commit.

Takes what git tracks, and the parts that `make setup` makes, into a fresh folder: no leftover of an
earlier build, no mode and no date of this checkout gets in. Dates are that of the commit. Of an
exported tree without git it takes every file, with the date that `SOURCE_DATE_EPOCH` gives.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DIST = ROOT / "build" / "dist"
SOPHIIE = ("src/sophiie", "pyproject.toml", "setup.py", "README.md", "LICENSE")
VENDOR = "src/sophiie/web/static/vendor"
LEFT = re.compile(r"/__pycache__/|/static/vendor/|\.egg-info/|\.(pyc|mo)$|/build/")
FIRST_DATE_OF_ZIP = "315532800"  # 1980
# What pip calls, too; without pip's own environment for it, which would ask the network.
HOOK = "import sys, setuptools.build_meta as backend; backend.build_wheel(sys.argv[1])"


def build(dist: Path = DIST) -> list[Path]:
    """Puts both wheels into `dist`, which held nothing else of theirs, and returns their paths."""
    dist.mkdir(parents=True, exist_ok=True)
    for old in dist.glob("*.whl"):
        old.unlink()
    with tempfile.TemporaryDirectory(prefix="sophiie-wheel-") as folder:
        copied = Path(folder)
        _copy([*_tracked(*SOPHIIE), *_made()], copied / "sophiie")
        _copy(_tracked("simulator"), copied / "simulator", below=ROOT / "simulator")
        for project in ("sophiie", "simulator"):
            _call_backend(copied / project, dist.resolve())
    return sorted(dist.glob("*.whl"))


def _tracked(*places: str) -> list[Path]:
    names = _git("ls-files", "-z", "--", *places).split("\0")
    return [ROOT / name for name in names if name] or list(_exported(places))


def _exported(places: Iterable[str]) -> Iterator[Path]:
    """Every file below the places but what programs leave there."""
    for place in places:
        found = [ROOT / place, *(ROOT / place).rglob("*")]
        yield from (path for path in found if path.is_file() and not LEFT.search(path.as_posix()))


def _git(*words: str) -> str:
    """What git answers; "" where there is no git, or no clone."""
    try:
        done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True)
    except FileNotFoundError:
        return ""
    return done.stdout if done.returncode == 0 else ""


def _made() -> Iterator[Path]:
    """What `make setup` makes and git does not track. The build refuses to go on without it."""
    sys.path.insert(0, str(ROOT))
    from tools.vendor_frontend import PARTS

    parts = [ROOT / VENDOR / name for name in PARTS.values()]
    parts += [po.with_suffix(".mo") for po in _tracked("src/sophiie/locale") if po.suffix == ".po"]
    yield from (part for part in parts if part.is_file())


def _copy(files: Iterable[Path], target: Path, *, below: Path = ROOT) -> None:
    for file in files:
        copy = target / file.relative_to(below)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, copy)  # what a link leads to
        copy.chmod(0o644)


def _call_backend(project: Path, dist: Path) -> None:
    result = subprocess.run(
        [sys.executable, "-I", "-c", HOOK, str(dist)],
        cwd=project,
        env={**os.environ, "SOURCE_DATE_EPOCH": _date_of_the_commit(), "LC_ALL": "C.UTF-8"},
        umask=0o022,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if result.returncode:
        raise SystemExit(f"{result.stdout}\nbuild_wheels: {project.name} could not be built.")


def _date_of_the_commit() -> str:
    """As seconds; the packagers' variable wins. See reproducible-builds.org."""
    given = os.environ.get("SOURCE_DATE_EPOCH")
    return given or _git("log", "-1", "--format=%ct").strip() or FIRST_DATE_OF_ZIP


def main() -> int:
    for wheel in build(Path(sys.argv[1]) if len(sys.argv) > 1 else DIST):
        print(f"{hashlib.sha256(wheel.read_bytes()).hexdigest()}  {wheel}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
