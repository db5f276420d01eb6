"""What the documents name is there: linked pages, headings, pictures, files of the code."""

from __future__ import annotations

import re
from collections import defaultdict
from functools import cache
from pathlib import Path

import pytest
from pydantic import AliasChoices

from sophiie.config.environment import Environment

ROOT = Path(__file__).parents[1]
READMES = [*ROOT.glob("*.md"), ROOT / "simulator" / "README.md"]
DOCUMENTS = sorted([*READMES, *(ROOT / "docs").rglob("*.md")])
# A changelog tells of the past, a decision of the day on which it was made.
OF_THE_DAY = [page for page in DOCUMENTS if page.name != "CHANGELOG.md" and "adr" not in page.parts]
PACKAGE = ROOT / "src" / "sophiie"
FOLDERS = [ROOT, ROOT / "src", PACKAGE, PACKAGE / "web" / "templates"]

_CODE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\((?!\w+:)([^)\s]*)\)")
_FILE = re.compile(r"`((?:[\w.-]+/)+[\w.-]+\.(?:py|sh|md|html))\b")
_TEST = re.compile(r"`(?=[\w/]*test_|…)([\w/]*test_\w+\.py)?(?:: )?((?:test_|…)[\w…]+)?`")
_DOCS_PAGE = re.compile(r"docs/[\w./-]+\.md")


def named(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


@cache
def headings_of(page: Path) -> set[str]:
    """Each heading as the address that GitHub and the site give it."""
    lines = re.findall(r"^#+ +(.*)$", _CODE.sub("", page.read_text()), re.MULTILINE)
    plain = [re.sub(r"[^\w\- ]", "", line.lower()) for line in lines]
    return {line.replace(" ", "-") for line in plain}


@pytest.mark.parametrize("page", DOCUMENTS, ids=named)
def test_every_link_leads_somewhere(page: Path) -> None:
    for link in _LINK.findall(_CODE.sub("", page.read_text())):
        name, _, heading = link.partition("#")
        there = (page.parent / name).resolve() if name else page
        assert there.exists(), link
        if heading:
            assert heading in headings_of(there), link


@pytest.mark.parametrize("page", OF_THE_DAY, ids=named)
def test_every_file_that_a_document_names_is_there(page: Path) -> None:
    for name in set(_FILE.findall(page.read_text())):
        assert any((folder / name).exists() for folder in FOLDERS), name


def test_every_page_that_the_code_names_is_there() -> None:
    for folder, ending in (("src", "py"), ("src", "css"), ("src", "js"), ("tests", "py")):
        for path in (ROOT / folder).rglob(f"*.{ending}"):
            for name in _DOCS_PAGE.findall(path.read_text()):
                assert (ROOT / name).exists(), f"{named(path)}: {name}"


def test_every_page_is_in_the_index() -> None:
    index = (ROOT / "docs" / "index.md").read_text()
    pages = {
        page.relative_to(ROOT / "docs").with_suffix("").as_posix()
        for page in (ROOT / "docs").rglob("*.md")
        if "adr" not in page.parts
    }
    listed = set(re.findall(r"^(?:[\w ]+ <)?([\w/-]+)>?$", index, re.MULTILINE))
    assert pages - listed == {"index"}


def test_every_setting_is_in_the_readme() -> None:
    """Under its whole name, or as the ending of one that stands before it."""
    text = (ROOT / "README.md").read_text()
    aliases = [field.validation_alias for field in Environment.model_fields.values()]
    names = {str(alias.choices[0]) for alias in aliases if isinstance(alias, AliasChoices)}
    names -= {"SOPHIIE_DEMO"}  # set by `demo` alone
    assert len(names) > 20
    told = set(re.findall(r"`(\w+)`", text))
    assert [n for n in names if not {n, n.removeprefix("SOPHIIE_GOOGLE")} & told] == []


def test_a_commit_is_checked_by_what_make_check_runs() -> None:
    makefile = (ROOT / "Makefile").read_text()
    (checks,) = re.findall(r"^CHECKS = (.*)$", makefile, re.MULTILINE)
    hooks = re.findall(
        r"entry: make --silent (\S+)", (ROOT / ".pre-commit-config.yaml").read_text()
    )
    assert hooks == checks.split()


def test_every_test_that_a_document_names_is_there() -> None:
    """`file.py: test_name`, `test_beginning_…` and `…_ending`; a file counts until the next one."""
    known: dict[str, set[str]] = defaultdict(set)
    for path in (ROOT / "tests").rglob("test_*.py"):
        found = re.findall(r"^ *(?:async )?def (test_\w+)", path.read_text(), re.MULTILINE)
        known[path.name].update(found)
    wrong = []
    for page in OF_THE_DAY:
        for row in page.read_text().splitlines():
            names: set[str] = set()
            for file, name in _TEST.findall(row):
                names = known[file.rpartition("/")[2]] if file else names
                pattern = re.compile(re.escape(name).replace("…", ".*"))
                if not names or (name and not any(map(pattern.fullmatch, names))):
                    wrong.append(f"{named(page)}: {file} {name}")
    assert wrong == []
