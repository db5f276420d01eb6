"""Builds the wheels of Sophiie and of its simulator, byte for byte the same from the same commit.

Takes what git tracks, and the parts that `make setup` makes, into a fresh folder: no leftover of an
earlier build, no mode and no date of this checkout gets in. Dates are that of the commit.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DIST = ROOT / "build" / "dist"
SOPHIIE = ("src/sophiie", "pyproject.toml", "setup.py", "README.md", "LICENSE")
VENDOR = "src/sophiie/web/static/vendor"
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


def _tracked(*places: str) -> Iterator[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--", *places],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    yield from (ROOT / name for name in listed.stdout.split("\0") if name)


def _made() -> Iterator[Path]:
    """What `make setup` makes and git does not track. The build refuses to go on without it."""
    sys.path.insert(0, str(ROOT))
    from tools.vendor_frontend import PARTS

    parts = [ROOT / VENDOR / name for name in PARTS.values()]
    parts += [po.with_suffix(".mo") for po in _tracked("src/sophiie/locale") if po.suffix == ".po"]
    yield from (part for part in parts if part.is_file())


def _copy(files: list[Path] | Iterator[Path], target: Path, *, below: Path = ROOT) -> None:
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
    if given := os.environ.get("SOURCE_DATE_EPOCH"):
        return given
    command = ["git", "log", "-1", "--format=%ct"]
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.strip()


def main() -> int:
    dist = Path(sys.argv[1]) if len(sys.argv) > 1 else DIST
    try:
        wheels = build(dist)
    except (FileNotFoundError, subprocess.CalledProcessError) as error:
        print(f"build_wheels: needs git and a clone ({error}).", file=sys.stderr)
        return 1
    for wheel in wheels:
        print(f"{hashlib.sha256(wheel.read_bytes()).hexdigest()}  {wheel}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
