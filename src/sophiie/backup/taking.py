"""Takes a backup: everything that one moment of the database shows, in one file."""

from __future__ import annotations

from contextlib import closing
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from sophiie.backup.archive import Manifest, write_archive
from sophiie.common.clock import now
from sophiie.database import dumps

Connection = psycopg.Connection[tuple[Any, ...]]

_TABLES = """
    SELECT relname FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
    ORDER BY relname
"""


def take(url: str, path: Path, *, secret: bytes | None) -> Manifest:
    """Writes the backup while the product runs, and says what is in it. Raises `OSError`, also
    rather than replace a file."""
    with psycopg.connect(url, connect_timeout=5) as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        snapshot = _one(connection, "SELECT pg_export_snapshot()")
        manifest = Manifest(
            taken_at=now().isoformat(timespec="seconds"),
            release=version("sophiie"),
            rows=count_rows(connection),
        )
        dump = dumps.dump(url, snapshot=snapshot, server_major=major_of(connection))
        with closing(dump) as chunks:
            write_archive(path, manifest, chunks, secret=secret)
    return manifest


def count_rows(connection: Connection) -> dict[str, int]:
    """By table."""
    tables = [name for (name,) in connection.execute(_TABLES).fetchall()]
    return {
        name: int(
            _one(connection, sql.SQL("SELECT count(*) FROM public.{}").format(sql.Identifier(name)))
        )
        for name in tables
    }


def major_of(connection: Connection) -> int:
    return connection.info.server_version // 10_000


def _one(connection: Connection, query: Any) -> Any:
    row = connection.execute(query).fetchone()
    assert row is not None
    return row[0]
