"""Restoring: all of the backup, or nothing changes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest

from sophiie.accounts.models import Business, Member
from sophiie.backup import restoring, taking
from sophiie.backup.archive import Archive, ArchiveError, Manifest, write_archive
from sophiie.database import DatabaseError
from tests.backup.restoring import address, restore, take

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def empty(alice: Member) -> Iterator[str]:
    """The address of another database, without any table."""
    server = urlsplit(os.environ["SOPHIIE_DATABASE_URL"])
    name = f"restored_{os.getpid()}"
    with psycopg.connect(os.environ["SOPHIIE_DATABASE_URL"], autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        yield urlunsplit(server._replace(path=f"/{name}"))
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def opened(file: Path) -> Archive:
    archive = Archive(file)
    archive.unlock(None)
    return archive


def rows_in(url: str) -> dict[str, int]:
    with psycopg.connect(url) as connection:
        return taking.count_rows(connection)


def with_rows(file: Path, **rows: int) -> Path:
    """The same backup, which says that it has other rows."""
    archive, other = opened(file), file.with_name("other")
    manifest = archive.manifest()
    changed = replace(manifest, rows={**manifest.rows, **rows})
    write_archive(other, changed, archive.chunks(), secret=None)
    return other


def test_an_empty_database_gets_everything(empty: str, tmp_path: Path) -> None:
    file = take(tmp_path)
    manifest = restoring.restore(empty, opened(file), replace=False)
    assert manifest.rows["accounts_member"] == 1
    there = rows_in(empty)
    assert there.pop("sync_restoredbackup") == manifest.rows.pop("sync_restoredbackup") + 1
    assert there == manifest.rows


def test_rules_and_the_append_only_log_come_along(empty: str, tmp_path: Path) -> None:
    restoring.restore(empty, opened(take(tmp_path)), replace=False)
    with psycopg.connect(empty) as connection, pytest.raises(psycopg.Error):
        connection.execute("DELETE FROM audit_entry")


def test_a_database_with_a_business_is_replaced_only_if_asked(
    empty: str, alice: Member, tmp_path: Path
) -> None:
    first = take(tmp_path, "first")
    Business.objects.update(name="Later")
    second = take(tmp_path, "second")
    restoring.restore(empty, opened(first), replace=False)
    with pytest.raises(restoring.NotEmpty):
        restoring.restore(empty, opened(second), replace=False)
    restoring.restore(empty, opened(second), replace=True)
    with psycopg.connect(empty) as connection:
        (name,) = connection.execute("SELECT name FROM accounts_business").fetchone() or ("",)
    assert name == "Later"


def test_a_schema_without_a_business_counts_as_empty(empty: str, tmp_path: Path) -> None:
    """Somebody started Sophiie before they restored."""
    file = take(tmp_path)
    restoring.restore(empty, opened(file), replace=False)
    with psycopg.connect(empty) as connection:
        connection.execute("TRUNCATE accounts_business CASCADE")
    restoring.restore(empty, opened(file), replace=False)


def test_after_a_load_that_fails_at_the_end_all_is_as_it_was(alice: Member, tmp_path: Path) -> None:
    file = with_rows(take(tmp_path), accounts_member=3)
    Business.objects.update(name="Later")
    before = rows_in(address())
    with pytest.raises(DatabaseError, match=r"Nothing was changed.*accounts_member"):
        restore(file)
    assert rows_in(address()) == before
    assert Business.objects.get().name == "Later"


def test_a_cut_off_file_is_refused_before_anything_is_touched(
    alice: Member, tmp_path: Path
) -> None:
    file = take(tmp_path)
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(ArchiveError, match="not whole"):
        restore(file)
    assert Business.objects.exists()


def test_no_database_is_replaced_under_running_processes(empty: str, tmp_path: Path) -> None:
    file = take(tmp_path)
    with psycopg.connect(empty), pytest.raises(restoring.InUse):
        restoring.restore(empty, opened(file), replace=True)


def test_a_backup_is_checked_by_restoring_it(alice: Member, tmp_path: Path) -> None:
    file = take(tmp_path)
    folder = tmp_path / "data"
    assert isinstance(restoring.check(opened(file), folder=folder), Manifest)
    assert list(folder.iterdir()) == []
    with pytest.raises(DatabaseError, match="accounts_member"):
        restoring.check(opened(with_rows(file, accounts_member=3)), folder=folder)
    assert list(folder.iterdir()) == []


def test_a_backup_shows_one_moment_however_long_it_takes(
    empty: str, alice: Member, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = taking.count_rows

    def and_then_somebody_comes(connection: taking.Connection) -> dict[str, int]:
        rows = real(connection)
        Business.objects.create(name="Later", timezone="Europe/London")
        return rows

    monkeypatch.setattr(taking, "count_rows", and_then_somebody_comes)
    file = take(tmp_path)
    monkeypatch.undo()
    restoring.restore(empty, opened(file), replace=False)
    assert Business.objects.count() == 2
    assert rows_in(empty)["accounts_business"] == 1
