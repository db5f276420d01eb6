"""Static files: kept for ever under the address of their release, packed, whole."""

from __future__ import annotations

import gzip
import os
import re
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.staticfiles import finders
from django.http import HttpResponse
from django.test import Client

from sophiie.web.calendar.views import MODULES
from sophiie.web.serving import assets
from sophiie.web.serving.bundles import BUNDLES, sheets_of


def content(response: Any) -> bytes:
    return b"".join(response.streaming_content)


def test_a_page_names_files_that_may_be_kept_for_ever(page: Client) -> None:
    shown = page.get("/calendar").content.decode()
    named = set(re.findall(r'(?:src|href)="(/static/[^"#]+)', shown))
    assert len(named) > 10
    assert {name.split("/", 3)[3] for name in named} >= BUNDLES.keys()
    for address in named:
        response = page.get(address, headers={"Accept-Encoding": "gzip"})
        served = content(response)
        assert response.status_code == 200, address
        assert "immutable" in response["Cache-Control"], address
        if address.endswith((".js", ".css", ".svg")):
            assert response["Content-Encoding"] == "gzip", address
            assert response["Vary"] == "Accept-Encoding"
            name = address.split("/", 3)[3]
            assert gzip.decompress(served) == source_of(name)


def source_of(name: str) -> bytes:
    paths = [finders.find(part) for part in (sheets_of(name) if name in BUNDLES else [name])]
    return b"\n".join(Path(str(path)).read_bytes() for path in paths)


def test_sheets_in_another_order_are_another_release(monkeypatch: pytest.MonkeyPatch) -> None:
    """Browsers keep a bundle for ever, and its order counts as much as its content."""
    turned = {name: sheets[::-1] for name, sheets in BUNDLES.items()}
    monkeypatch.setattr(assets, "BUNDLES", turned)
    assert assets.release.__wrapped__() != assets.release()


def test_the_plain_name_still_works_and_is_asked_about_again(client: Client) -> None:
    response = client.get("/static/sophiie/shared/tokens.css")
    assert response.status_code == 200
    assert response["Cache-Control"] == f"max-age={settings.WHITENOISE_MAX_AGE}, public"
    assert "Content-Encoding" not in response
    assert b":root" in content(response)
    assert client.get("/static/000000000000/sophiie/shared/tokens.css").status_code == 404


def test_all_that_the_calendars_script_imports_is_asked_for_at_once() -> None:
    assert sorted(MODULES) == sorted(_imported(r'from "(\.[^"]+)"'))
    # Besides that there is only what comes after the first view is drawn.
    folder = Path(str(finders.find("sophiie/calendar/page.js"))).parent
    reached = _imported(r'(?:from |import\()"(\.[^"]+)"') | {"sophiie/calendar/page.js"}
    assert {f"sophiie/calendar/{script.name}" for script in folder.glob("*.js")} <= reached


def _imported(how: str) -> set[str]:
    """The scripts that the calendar's script and those that it imports in this way lead to."""
    found, waiting = set(), ["sophiie/calendar/page.js"]
    while waiting:
        name = waiting.pop()
        for imported in re.findall(how, Path(str(finders.find(name))).read_text()):
            address = os.path.normpath(f"{Path(name).parent}/{imported}")
            if address not in found:
                found.add(address)
                waiting.append(address)
    return found


def test_the_folder_of_packed_files_is_nobody_elses(settings: Any, tmp_path: Path) -> None:
    """Whatever the umask: `doctor` would find fault with it."""
    settings.DATA_DIR, before = tmp_path, os.umask(0o022)
    try:
        assets.Assets(lambda request: HttpResponse())
    finally:
        os.umask(before)
    assert (tmp_path / "packed").stat().st_mode & 0o077 == 0
    assert all(path.stat().st_mode & 0o077 == 0 for path in (tmp_path / "packed").iterdir())


def test_where_nothing_can_be_written_files_go_unpacked(
    settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    settings.DATA_DIR = tmp_path / "file"  # a folder cannot be made in a file
    served = assets.Assets(lambda request: HttpResponse())
    assert "/static/sophiie/shared/tokens.css" in served.files
    assert "/static/sophiie/shared.css" in served.files
