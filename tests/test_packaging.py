"""What is installed is the whole product: its dependencies, its pages, its translations."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from datetime import UTC, datetime
from email import message_from_bytes
from importlib.metadata import packages_distributions
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement

from tests.installed import SIMULATOR, SOPHIIE, wheels

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
THE_SIMULATOR = tomllib.loads((ROOT / "simulator" / "pyproject.toml").read_text())["project"]
PACKAGE = ROOT / "src" / "sophiie"
AT_THE_ROOT = ("pyproject.toml", "setup.py", "README.md", "LICENSE")
MADE = ("vendor", ".mo")  # by `make setup`, never committed


def build(checkout: Path) -> subprocess.CompletedProcess[str]:
    """Builds a wheel by the hook that pip calls, without asking the network for anything."""
    hook = "import setuptools.build_meta as backend; backend.build_wheel('built')"
    return subprocess.run(
        [sys.executable, "-c", hook],
        cwd=checkout,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def run(*command: str, cwd: Path, umask: int = -1, **variables: str) -> str:
    usual = {name: value for name, value in os.environ.items() if name != "SOURCE_DATE_EPOCH"}
    return subprocess.run(
        command,
        cwd=cwd,
        env={**usual, **variables},
        umask=umask,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=300,
    ).stdout


def copy_of_the_checkout(folder: Path, *, bare: bool) -> Path:
    def left_out(_folder: str, names: list[str]) -> set[str]:
        made = {name for name in names if bare and name.endswith(MADE)}
        return made | {name for name in names if name.endswith((".egg-info", "__pycache__"))}

    shutil.copytree(ROOT / "src", folder / "src", ignore=left_out)
    for name in AT_THE_ROOT:
        shutil.copy(ROOT / name, folder)
    return folder


def test_a_bare_clone_is_not_built(tmp_path: Path) -> None:
    result = build(copy_of_the_checkout(tmp_path, bare=True))
    assert result.returncode != 0
    assert "parts are missing" in result.stderr
    assert "htmx.min.js" in result.stderr
    assert "django.mo" in result.stderr
    assert "make setup" in result.stderr
    assert not list(tmp_path.glob("built/*.whl"))


def check_that_all_is_held(wheel: Path, sources: Path, package: str) -> None:
    held = set(zipfile.ZipFile(wheel).namelist())
    needed = {
        path.relative_to(sources).as_posix()
        for path in (sources / package).rglob("*")
        if path.is_file()
        and path.suffix not in {".pyc", ".po", ".md", ".toml"}
        and not path.name.startswith(".")
    }
    assert needed - held == set()
    assert [name for name in needed if name.endswith(".py")]


@pytest.mark.parametrize(
    ("package", "sources"),
    [(SOPHIIE, "src/sophiie"), (SIMULATOR, "simulator/src/google_simulator")],
)
def test_a_wheel_holds_all_of_its_package(package: str, sources: str) -> None:
    folder = ROOT / sources
    check_that_all_is_held(wheels()[package], folder.parent, folder.name)


@pytest.mark.parametrize("project", [PROJECT, THE_SIMULATOR], ids=[SOPHIIE, SIMULATOR])
def test_a_wheel_says_what_it_is(project: dict[str, Any]) -> None:
    wheel = zipfile.ZipFile(wheels()[project["name"]])
    names = {name.partition(".dist-info/")[2]: name for name in wheel.namelist()}
    said = message_from_bytes(wheel.read(names["METADATA"]))
    assert (said["Name"], said["Version"]) == (project["name"], project["version"])
    assert (said["License-Expression"], said["Requires-Python"]) == ("Apache-2.0", ">=3.11")
    assert said["Summary"] == project["description"]
    assert "Typing :: Typed" in said.get_all("Classifier", [])
    assert len(str(said.get_payload())) > 1000
    assert wheel.read(names["licenses/LICENSE"]) == (ROOT / "LICENSE").read_bytes()
    assert f"\n{project['name']} = " in wheel.read(names["entry_points.txt"]).decode()


def test_the_same_source_gives_the_same_bytes_anywhere(tmp_path: Path) -> None:
    """As an exported tree in another folder, by somebody with other habits, after other work."""
    copied = tmp_path / "copied"
    leftovers = shutil.ignore_patterns("__pycache__", "*.egg-info", "build")
    for name in ("src", "simulator", "tools"):
        shutil.copytree(ROOT / name, copied / name, symlinks=True, ignore=leftovers)
    for name in AT_THE_ROOT:
        shutil.copy(ROOT / name, copied / name)
    for path in copied.rglob("*"):
        if not path.is_symlink():
            path.chmod(0o700)
    for leftover in ("build/lib/sophiie/old.py", "src/sophiie/__pycache__/old.pyc"):
        (copied / leftover).parent.mkdir(parents=True, exist_ok=True)
        (copied / leftover).write_text("")
    run(
        *(sys.executable, "tools/build_wheels.py", "here"),
        cwd=copied,
        umask=0o077,
        TZ="Asia/Tokyo",
        LANG="C",
        PYTHONHASHSEED="7",
        SOURCE_DATE_EPOCH=date_of(next(iter(wheels().values()))),
        GIT_CEILING_DIRECTORIES=str(tmp_path),
    )
    for name, wheel in wheels().items():
        (other,) = (copied / "here").glob(f"{wheel.name.partition('-')[0]}-*.whl")
        assert other.read_bytes() == wheel.read_bytes(), name


def date_of(wheel: Path) -> str:
    """Of its files, as seconds; a zip file counts in steps of two, in UTC."""
    moment = datetime(*zipfile.ZipFile(wheel).infolist()[0].date_time, tzinfo=UTC)
    return str(int(moment.timestamp()))


def test_every_library_that_is_imported_is_declared() -> None:
    lines = [*PROJECT["dependencies"], *chain(*PROJECT["optional-dependencies"].values())]
    declared = {normal(Requirement(line).name) for line in lines}
    known = packages_distributions()
    imported = {name for path in (ROOT / "src").rglob("*.py") for name in imports_of(path)}
    own = {"sophiie", "google_simulator"}
    for name in sorted(imported - sys.stdlib_module_names - own):
        assert declared & {normal(distribution) for distribution in known[name]}, name


def test_what_is_declared_is_what_is_locked() -> None:
    lines = (ROOT / "requirements" / "run.txt").read_text()
    locked = dict(re.findall(r"^([\w.-]+)==([\w.]+)", lines, re.MULTILINE))
    locked[SIMULATOR] = THE_SIMULATOR["version"]  # in this repository, and so never locked
    for line in [*PROJECT["dependencies"], *THE_SIMULATOR["dependencies"]]:
        requirement = Requirement(line)
        assert requirement.specifier.contains(locked[normal(requirement.name)]), line


def imports_of(path: Path) -> set[str]:
    found = re.findall(
        r"^ *(?:from (\w+)[\w.]* import |import (\w+))", path.read_text(), re.MULTILINE
    )
    return {"".join(pair) for pair in found}


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_the_release_has_one_version_wherever_it_stands() -> None:
    newest = re.search(r"^## (\d+\.\d+\.\d+) ", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    front_end = json.loads((ROOT / "package.json").read_text())
    locked = json.loads((ROOT / "package-lock.json").read_text())
    assert newest
    stated = [newest[1], front_end["version"], locked["version"], locked["packages"][""]["version"]]
    assert stated == [PROJECT["version"]] * 4
