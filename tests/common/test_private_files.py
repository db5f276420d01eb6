"""The data folder is its owner's alone."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from sophiie.common.private_files import make_private, open_to_others


def mode(path: Path) -> str:
    return oct(stat.S_IMODE(path.lstat().st_mode))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """As an earlier version left it, with a generous umask."""
    data = tmp_path / "data"
    for name in ("mail", "packed", "postgres/cluster"):
        (data / name).mkdir(parents=True)
    for name in (
        *("mail/1.log", "packed/a.gz", "secrets.json", "postgres/server.log"),
        *("simulator.sqlite3", "simulator.sqlite3-wal", "postgres/cluster/PG_VERSION"),
    ):
        (data / name).write_text("x")
    for path in (data, *data.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    return data


def test_all_that_is_ours_is_closed_for_others(folder: Path) -> None:
    found = {str(path.relative_to(folder)) for path in open_to_others(folder)}
    assert {".", "mail", "mail/1.log", "simulator.sqlite3-wal", "postgres/server.log"} <= found
    make_private(folder)
    assert open_to_others(folder) == []
    assert mode(folder) == mode(folder / "mail") == "0o700"
    assert mode(folder / "mail" / "1.log") == mode(folder / "secrets.json") == "0o600"


def test_postgresql_looks_after_its_own_files(folder: Path) -> None:
    make_private(folder)
    assert mode(folder / "postgres" / "cluster" / "PG_VERSION") == "0o644"


def test_a_folder_that_is_shared_stays_open(folder: Path) -> None:
    """Nobody loses their way to what is not ours; ours is closed all the same."""
    (folder / "photos").mkdir()
    (folder / "photos").chmod(0o755)
    make_private(folder)
    assert mode(folder) == mode(folder / "photos") == "0o755"
    assert mode(folder / "mail") == "0o700"
    assert open_to_others(folder) == [folder]  # the doctor goes on telling of it


def test_links_are_not_followed(folder: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "page.html").write_text("public")
    for path in (elsewhere, elsewhere / "page.html"):
        path.chmod(0o755)
    (folder / "mail" / "linked").symlink_to(elsewhere)
    os.link(elsewhere / "page.html", folder / "mail" / "hard")
    make_private(folder)
    assert mode(elsewhere) == mode(elsewhere / "page.html") == "0o755"


def test_the_database_user_keeps_the_way_to_its_programs(folder: Path) -> None:
    (folder / "postgres" / "binaries").mkdir()
    make_private(folder)
    assert mode(folder) == mode(folder / "postgres") == "0o711"
    assert open_to_others(folder) == []


def test_no_folder_is_no_trouble(tmp_path: Path) -> None:
    make_private(tmp_path / "none")
    assert open_to_others(tmp_path / "none") == []
