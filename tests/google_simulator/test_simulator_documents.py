"""The documents say what the code does, and the code imports nothing of any client."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import google_simulator
from google_simulator.switches import SWITCHES

PACKAGE = Path(google_simulator.__file__).parent
DOCS = Path(__file__).parents[2] / "docs"
SOURCE = "\n".join(path.read_text() for path in sorted(PACKAGE.rglob("*.py")))


def test_every_switch_is_used_and_documented() -> None:
    facts = (DOCS / "reference" / "simulator-facts.md").read_text()
    used = set(re.findall(r'switches\[\s*"(\w+)"', SOURCE))
    assert used == set(SWITCHES)
    assert [name for name in SWITCHES if f"`{name}`" not in facts] == []
    numbers = set(re.findall(r"^\| ([\d.]+) \|", facts, re.MULTILINE))
    assert {switch.fact for switch in SWITCHES.values()} <= numbers


def test_every_fact_names_its_source() -> None:
    """Where it disagrees with another list of facts, the one that names its source is right."""
    lines = (DOCS / "reference" / "simulator-facts.md").read_text().splitlines()
    facts = [line.strip("| ").split(" | ") for line in lines if re.match(r"\| \d", line)]
    assert len(facts) > 100
    assert [fact for fact in facts if len(fact) != 4 or not fact[3]] == []


def test_every_switch_is_tested_under_another_setting() -> None:
    tests = "\n".join(path.read_text() for path in Path(__file__).parents[1].glob("*/test_*.py"))
    assert [name for name in SWITCHES if f"{name}=" not in tests] == []


def test_every_knob_is_documented() -> None:
    text = (DOCS / "how-to" / "simulator.md").read_text()
    addresses = set(re.findall(r'yield "\w+", f?"([^"]+)"', SOURCE))
    assert len(addresses) > 20
    tails = {address.rpartition("/")[2].strip("{}") for address in addresses}
    assert [tail for tail in sorted(tails) if tail not in text] == []


def test_the_package_stands_alone() -> None:
    imported = set(re.findall(r"^\s*(?:from|import) (\w+)", SOURCE, re.MULTILINE))
    assert "sophiie" not in imported
    assert "django" not in imported


def test_the_package_names_no_client() -> None:
    assert re.findall(r"(?i)sophiie", SOURCE) == []


def test_everything_public_says_what_it_does() -> None:
    silent = [
        f"{path.relative_to(PACKAGE)}:{node.lineno}"
        for path in sorted(PACKAGE.rglob("*.py"))
        for node in _public(ast.parse(path.read_text()))
        if ast.get_docstring(node) is None
    ]
    assert silent == []


def _public(tree: ast.Module | ast.ClassDef) -> Iterator[ast.FunctionDef | ast.ClassDef]:
    for node in tree.body:
        named = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        if named and not node.name.startswith("_"):
            yield node
            if isinstance(node, ast.ClassDef):
                yield from _public(node)
