"""Dumps a database and loads one, with PostgreSQL's own programs, in one transaction each.

Prefers the programs of the embedded wheel; a newer server needs its own ones. A password is never
an argument that others on the machine could see.
"""

import os
import re
import subprocess
import tempfile
import threading
from collections.abc import Generator, Iterable
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from sophiie.database.binaries import find_binaries
from sophiie.database.cluster import last_lines
from sophiie.database.errors import DatabaseError

CHUNK = 1024 * 1024
_PLACES = (Path("/usr/bin"), Path("/usr/local/bin"))
_HEAD = 64 * 1024
# Servers before 17 do not know it, and it only says that there is no limit.
_UNKNOWN_TO_OLDER = b"SET transaction_timeout = 0;\n"


def dump(url: str, *, snapshot: str, server_major: int) -> Generator[bytes, None, None]:
    """The database as that exported snapshot shows it, in PostgreSQL's archive format."""
    command = [
        str(_programs(server_major) / "pg_dump"),
        *("--format=custom", "--no-owner", "--no-privileges", "--no-comments"),
        *("--no-publications", "--no-subscriptions", "--no-security-labels"),
        f"--snapshot={snapshot}",
        *_to(url),
    ]
    with (
        tempfile.TemporaryFile() as complaints,
        _started(command, url, complaints, stdin=subprocess.DEVNULL) as process,
    ):
        assert process.stdout is not None
        while chunk := process.stdout.read(CHUNK):
            yield chunk
        if process.wait() != 0:
            raise DatabaseError(f"The database could not be dumped: {_said(complaints)}")


def load(url: str, chunks: Iterable[bytes], *, before: str, after: str, server_major: int) -> None:
    """Loads a dump between two pieces of SQL: all of it, or nothing.

    The transaction ends well only after the last chunk was read and both programs were content.
    """
    folder = _programs(server_major)
    reading = [str(folder / "pg_restore"), "--no-owner", "--no-privileges", "--file=-"]
    loading = [
        *(str(folder / "psql"), "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1"),
        *("--output=/dev/null", "--file=-", *_to(url)),
    ]
    with (
        tempfile.TemporaryFile() as complaints,
        _started(loading, url, complaints, stdin=subprocess.PIPE) as psql,
        _started(reading, url, complaints, stdin=subprocess.PIPE) as reader,
    ):
        assert psql.stdin is not None
        _say(psql.stdin, f"BEGIN;\n{before}\n")
        left_out = _UNKNOWN_TO_OLDER if server_major < 17 else b""
        copying = threading.Thread(target=_copy, args=(reader, psql, left_out))
        copying.start()
        _feed(reader, chunks)
        copying.join()
        if reader.wait() == 0:
            _say(psql.stdin, f"\n{after}\nCOMMIT;\n")
        with suppress(OSError):
            psql.stdin.close()
        if psql.wait() != 0 or reader.returncode != 0:
            raise DatabaseError(f"Nothing was changed: {_said(complaints)}")


class _started:
    """A program that does not outlive the block."""

    def __init__(self, command: list[str], url: str, complaints: IO[bytes], *, stdin: int) -> None:
        try:
            self._process = subprocess.Popen(  # noqa: S603 - our own words
                command,
                stdin=stdin,
                stdout=subprocess.PIPE,
                stderr=complaints,
                env=_environment(url),
                start_new_session=True,  # Ctrl-C reaches us, who end it
            )
        except OSError as error:
            raise DatabaseError(f"{command[0]} does not run: {error}.") from error

    def __enter__(self) -> "subprocess.Popen[bytes]":
        return self._process

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()
        self._process.wait()


def _feed(reader: "subprocess.Popen[bytes]", chunks: Iterable[bytes]) -> None:
    """A reader that has given up says why itself; the chunks are read to the end all the same,
    because only that proves them."""
    assert reader.stdin is not None
    listens = True
    for chunk in chunks:
        if listens:
            try:
                reader.stdin.write(chunk)
            except OSError:
                listens = False
    with suppress(OSError):
        reader.stdin.close()


def _copy(
    reader: "subprocess.Popen[bytes]", psql: "subprocess.Popen[bytes]", left_out: bytes
) -> None:
    assert reader.stdout is not None
    assert psql.stdin is not None
    with suppress(OSError, ValueError):  # psql gave up, or the block is over
        head = reader.stdout.read(_HEAD)
        psql.stdin.write(head.replace(left_out, b"", 1) if left_out else head)
        while chunk := reader.stdout.read(CHUNK):
            psql.stdin.write(chunk)
        return
    reader.kill()


def _say(pipe: IO[bytes], text: str) -> None:
    with suppress(OSError):  # why it gave up is among its complaints
        pipe.write(text.encode())
        pipe.flush()


def _said(complaints: IO[bytes]) -> str:
    complaints.seek(0)
    return last_lines(complaints.read().decode(errors="replace"))


def _to(url: str) -> list[str]:
    words: dict[str, Any] = conninfo_to_dict(url)
    words.pop("password", None)
    return ["--no-password", "--dbname", make_conninfo(**words)]


def _environment(url: str) -> dict[str, str]:
    password = conninfo_to_dict(url).get("password")
    kept = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "HOME": os.path.expanduser("~")}
    return {**kept, "PGPASSWORD": str(password)} if password else kept


def _programs(server_major: int) -> Path:
    """A folder with programs that are at least as new as the server."""
    found: list[tuple[int, Path]] = []
    with suppress(DatabaseError):
        binaries = find_binaries(None)
        found.append((binaries.major, binaries.folder))
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    found += [(_major_of(folder), folder) for folder in (*installed, *_PLACES)]
    for major, folder in found:
        if major >= server_major and all(
            (folder / program).exists() for program in ("pg_dump", "pg_restore", "psql")
        ):
            return folder
    raise DatabaseError(
        f"There are no programs of PostgreSQL {server_major} or newer on this machine: install its"
        " client package, which has pg_dump, pg_restore and psql."
    )


def _major_of(folder: Path) -> int:
    try:
        answer = subprocess.run(  # noqa: S603 - our own words
            [str(folder / "pg_dump"), "--version"],
            capture_output=True,
            text=True,
            check=True,
            timeout=30,
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return 0
    number = re.search(r"\d+", answer)
    return int(number[0]) if number else 0
