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
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
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


def copy_of_the_checkout(folder: Path, *, bare: bool) -> Path:
    def left_out(_folder: str, names: list[str]) -> set[str]:
        made = {name for name in names if bare and name.endswith(MADE)}
        return made | {name for name in names if name.endswith((".egg-info", "__pycache__"))}

    shutil.copytree(ROOT / "src", folder / "src", ignore=left_out)
    for name in ("pyproject.toml", "setup.py", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder)
    return folder


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    checkout = copy_of_the_checkout(tmp_path_factory.mktemp("checkout"), bare=False)
    build(checkout).check_returncode()
    (built,) = (checkout / "built").glob("*.whl")
    return built


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


def test_the_wheel_holds_all_that_the_product_is_made_of(wheel: Path) -> None:
    check_that_all_is_held(wheel, ROOT / "src", "sophiie")


def test_the_wheel_of_the_simulator_holds_all_of_it(tmp_path: Path) -> None:
    ignored = shutil.ignore_patterns("*.egg-info", "__pycache__", "build")
    checkout = Path(shutil.copytree(ROOT / "simulator", tmp_path / "simulator", ignore=ignored))
    build(checkout).check_returncode()
    (built,) = (checkout / "built").glob("*.whl")
    check_that_all_is_held(built, ROOT / "simulator" / "src", "google_simulator")


def test_what_is_installed_starts_and_says_its_version(wheel: Path, tmp_path: Path) -> None:
    zipfile.ZipFile(wheel).extractall(tmp_path)
    result = subprocess.run(
        [sys.executable, "-m", "sophiie", "--version"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path), "SOPHIIE_DATA_DIR": str(tmp_path / "d")},
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    assert result.stdout == f"sophiie {PROJECT['version']}\n"


def test_every_library_that_is_imported_is_declared() -> None:
    declared = {normal(Requirement(line).name) for line in PROJECT["dependencies"]}
    known = packages_distributions()
    imported = {name for path in (ROOT / "src").rglob("*.py") for name in imports_of(path)}
    own = {"sophiie", "google_simulator"}
    for name in sorted(imported - sys.stdlib_module_names - own):
        assert declared & {normal(distribution) for distribution in known[name]}, name


def test_what_is_declared_is_what_is_locked() -> None:
    lines = (ROOT / "requirements" / "run.txt").read_text()
    locked = dict(re.findall(r"^([\w.-]+)==([\w.]+)", lines, re.MULTILINE))
    for line in PROJECT["dependencies"]:
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
