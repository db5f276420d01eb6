"""The data folder belongs to its owner alone: folders 0700, files 0600, whatever they were before.

The umask of our processes makes new files private. Every start corrects older ones. It never
follows links and never touches what others put there.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from fnmatch import fnmatchcase
from pathlib import Path

PRIVATE_UMASK = 0o077
OTHERS = 0o077
# Others may only walk through: PostgreSQL's programs lie inside, for a user of its own.
PASSABLE = 0o011
POSTGRES, PROGRAMS = "postgres", "binaries"
# PostgreSQL looks after the first itself; everybody may have a copy of the second.
NOT_OURS_TO_CHANGE = ("cluster", "initdb-*", PROGRAMS)
OURS = (
    *(POSTGRES, "mail", "packed", "secrets.json", "simulator.sqlite3*"),
    *(".secrets.json.*", ".write-test-*"),
)


def open_to_others(data_dir: Path) -> list[Path]:
    """What others could read or change in a data folder; [] if all is well."""
    return [path for path, _, surplus in _ours(data_dir) if surplus]


def make_private(data_dir: Path) -> None:
    """Takes every right from everybody but the owner. Another user's files stay as they are."""
    for path, mode, surplus in _ours(data_dir):
        if surplus and (path != data_dir or _is_ours_alone(data_dir)):
            with suppress(OSError):
                _set_mode(path, mode & ~surplus)


def _ours(data_dir: Path) -> Iterator[tuple[Path, int, int]]:
    """Everything that we made: its mode, and the bits that should not be set."""
    for path in (data_dir, *_within(data_dir)):
        with suppress(OSError):
            mode = path.lstat().st_mode
            if not stat.S_ISLNK(mode):
                allowed = PASSABLE if _is_on_the_way(path, data_dir) else 0
                yield path, stat.S_IMODE(mode), stat.S_IMODE(mode) & OTHERS & ~allowed


def _within(data_dir: Path) -> Iterator[Path]:
    for entry in _entries(data_dir):
        if any(fnmatchcase(entry.name, name) for name in OURS):
            yield from _all(entry)


def _all(entry: os.DirEntry[str]) -> Iterator[Path]:
    path = Path(entry.path)
    yield path
    if entry.is_dir(follow_symlinks=False):
        for inner in _entries(path):
            is_foreign = any(fnmatchcase(inner.name, name) for name in NOT_OURS_TO_CHANGE)
            if not (path.name == POSTGRES and is_foreign):
                yield from _all(inner)


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError:  # not there, or another user's
        return []


def _is_on_the_way(path: Path, data_dir: Path) -> bool:
    home = data_dir / POSTGRES
    return path in (data_dir, home) and (home / PROGRAMS).is_dir()


def _is_ours_alone(data_dir: Path) -> bool:
    """Whether nothing else is in the folder: a shared folder must stay open for others."""
    names = [entry.name for entry in _entries(data_dir)]
    return all(any(fnmatchcase(name, ours) for ours in OURS) for name in names)


def _set_mode(path: Path, mode: int) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        if os.fstat(descriptor).st_nlink == 1 or stat.S_ISDIR(os.fstat(descriptor).st_mode):
            os.fchmod(descriptor, mode)
    finally:
        os.close(descriptor)
