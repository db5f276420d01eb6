"""The state file: one SQLite row per record, written through after each call.

WAL with `synchronous=NORMAL`: what was answered survives `kill -9` of the process. All reading
is done from memory; the file is read once, at the start.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path

from google_simulator.model import RECORDS, Record


class StateFileError(Exception):
    """The state file cannot be used; the message says why."""


class StateFile:
    """Keeps rows of `(kind, key, body)`. One process at a time may hold it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self.connection = sqlite3.connect(path, isolation_level=None, timeout=1)
            # Exclusive: a second simulator on the same file would silently overwrite the first.
            self.connection.execute("PRAGMA locking_mode=EXCLUSIVE")
            self.connection.execute("PRAGMA journal_mode=WAL")
            self.connection.execute("PRAGMA synchronous=NORMAL")
            self.connection.execute(
                "CREATE TABLE IF NOT EXISTS record (kind TEXT, key TEXT, body TEXT NOT NULL,"
                " PRIMARY KEY (kind, key)) WITHOUT ROWID"
            )
        except (sqlite3.Error, OSError) as error:
            raise StateFileError(f"The state file {path} cannot be used: {error}.") from error

    def load(self) -> Iterator[Record]:
        """Every record in the file."""
        for kind, body in self.connection.execute("SELECT kind, body FROM record"):
            try:
                yield RECORDS[kind](**json.loads(body))
            except (KeyError, TypeError, ValueError) as error:
                raise StateFileError(
                    f"The state file {self.path} was written by another version of the simulator;"
                    " remove it to begin anew."
                ) from error

    def write(self, saved: Iterable[Record], dropped: Iterable[tuple[str, str]]) -> None:
        """Save and drop records in one transaction."""
        execute = self.connection.execute
        try:
            execute("BEGIN")
            for record in saved:
                execute(
                    "INSERT OR REPLACE INTO record VALUES (?, ?, ?)",
                    (record.KIND, record.key, json.dumps(record.row())),
                )
            for kind, key in dropped:
                execute("DELETE FROM record WHERE kind = ? AND key = ?", (kind, key))
            execute("COMMIT")
        except sqlite3.Error as error:  # a full disk
            if self.connection.in_transaction:
                execute("ROLLBACK")
            raise StateFileError(f"{self.path} cannot be written: {error}.") from error

    def clear(self) -> None:
        """Empty the file."""
        self.connection.execute("DELETE FROM record")

    def close(self) -> None:
        """Let another process have the file."""
        self.connection.close()
