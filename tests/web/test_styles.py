"""Each page loads the style sheets of the classes that it uses."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

import sophiie.web
from sophiie.web.serving.bundles import BUNDLES, sheets_of

WEB = Path(sophiie.web.__file__).parent
TEMPLATES, SHEETS = WEB / "templates", WEB / "static" / "sophiie"
# Pages that others extend; what they load and use counts for those.
FRAMES = {"shared/base.html", "settings/base.html", "account/base_entrance.html"}
PAGES = sorted(
    name
    for path in TEMPLATES.rglob("*.html")
    if (name := str(path.relative_to(TEMPLATES))) not in FRAMES and "{% extends" in path.read_text()
)


@cache
def styled(sheet: Path) -> frozenset[str]:
    """The classes that a style sheet names."""
    text = re.sub(r"/\*.*?\*/", "", sheet.read_text(), flags=re.DOTALL)
    selectors = " ".join(re.findall(r"([^{};]+)\{", text))
    return frozenset(re.findall(r"\.([a-zA-Z][\w-]*)", selectors))


def parts_of(page: str) -> dict[str, str]:
    """The texts of a page's template, of what it extends and of what it includes."""
    found: dict[str, str] = {}
    waiting = [page]
    while waiting:
        name = waiting.pop()
        if name in found or not (TEMPLATES / name).is_file():
            continue
        found[name] = (TEMPLATES / name).read_text()
        waiting += re.findall(r"{% (?:include|extends) ['\"]([^'\"]+)['\"]", found[name])
    return found


@pytest.mark.parametrize("page", PAGES)
def test_no_class_of_a_page_is_left_without_its_style_sheet(page: str) -> None:
    text = "\n".join(parts_of(page).values())
    named = set(re.findall(r"sophiie/[a-z_/]+\.css", text))
    loaded = {sheet for name in named for sheet in (sheets_of(name) if name in BUNDLES else [name])}
    has = set().union(*(styled(SHEETS.parent / sheet) for sheet in loaded))
    elsewhere = set().union(*(styled(sheet) for sheet in SHEETS.rglob("*.css"))) - has
    written = " ".join(re.findall(r'class="([^"]*)"', text))
    used = set(re.findall(r"[a-zA-Z][\w-]*", re.sub(r"{[{%].*?[%}]}", " ", written)))
    assert used & elsewhere == set()


@pytest.mark.parametrize("bundle", BUNDLES)
def test_a_bundle_is_all_of_its_folder_and_each_sheet_once(bundle: str) -> None:
    folder = SHEETS.parent / bundle.removesuffix(".css")
    sheets = sheets_of(bundle)
    assert sorted(sheets) == sorted(str(p.relative_to(SHEETS.parent)) for p in folder.glob("*.css"))
