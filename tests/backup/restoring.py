"""Backups of the tests' own database, taken and restored as the commands do it."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

import psycopg
from django.db import connection, connections

from sophiie.backup import restoring, taking
from sophiie.backup.archive import Archive
from sophiie.ops.schema import migrate


def address() -> str:
    """The database that this test works in, as a URL."""
    words = connection.settings_dict
    place = f"host={quote(words['HOST'], safe='/')}&port={words['PORT']}"
    return f"postgresql://{words['USER']}@/{words['NAME']}?{place}"


def take(folder: Path, name: str = "backup") -> Path:
    file = folder / name
    taking.take(address(), file, secret=None)
    return file


def restore(file: Path) -> None:
    """Puts the backup in the place of everything that the tests' database holds."""
    _end_connections()
    archive = Archive(file)
    archive.unlock(None)
    restoring.restore(address(), archive, replace=True)
    list(migrate())


def _end_connections() -> None:
    """Ours, and those that threads of earlier tests of this process still hold."""
    for known in connections.all(initialized_only=True):
        known.close()
        known.close_pool()  # type: ignore[attr-defined]
    with psycopg.connect(address(), autocommit=True) as own:
        own.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE backend_type = 'client backend'"
            " AND datname = current_database() AND pid <> pg_backend_pid()"
        )
