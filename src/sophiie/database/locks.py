"""File locks that the kernel drops when their process dies, however it dies.

Knows only files. A lock belongs to the process that took it: programs that it starts do not inherit
it (close-on-exec), and children that it forks let go of their copy at once.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sophiie.database.errors import DatabaseError
from sophiie.database.users import give_to_folder_owner

_PAUSE = 0.01


class FileLock:
    """One open lock file. Closing it gives up every lock on it."""

    def __init__(self, path: Path) -> None:
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        self._fd: int | None = os.open(path, flags, 0o600)
        give_to_folder_owner(path)
        _open_locks.add(self)

    @property
    def is_open(self) -> bool:
        return self._fd is not None

    def share(self) -> None:
        """Holds the lock together with others. Waits only while somebody is leaving."""
        assert self._fd is not None
        fcntl.flock(self._fd, fcntl.LOCK_SH)

    def try_exclusive(self) -> bool:
        """Holds the lock alone, or says at once that it cannot.

        A share held before is lost either way, because flock converts by releasing first.
        """
        assert self._fd is not None
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def close(self) -> None:
        if self._fd is not None:
            # Unlocks explicitly: a child between fork and exec keeps a copy.
            fcntl.flock(self._fd, fcntl.LOCK_UN)
            self.drop_copy()

    def drop_copy(self) -> None:
        """Forgets the file in a forked child: its parent still holds the lock."""
        if self._fd is not None:
            fd, self._fd = self._fd, None
            _open_locks.discard(self)
            os.close(fd)


_open_locks: set[FileLock] = set()


def _let_go_after_fork() -> None:
    # A copy that is kept would make the lock outlive a killed parent.
    for lock in list(_open_locks):
        lock.drop_copy()


os.register_at_fork(after_in_child=_let_go_after_fork)


@contextmanager
def held_alone(path: Path, *, timeout: float) -> Iterator[None]:
    """Runs the block while no other process is in a block with this file."""
    lock = FileLock(path)
    try:
        deadline = time.monotonic() + timeout
        while not lock.try_exclusive():
            if time.monotonic() > deadline:
                raise DatabaseError(
                    f"Another process has been starting or stopping the embedded PostgreSQL"
                    f" for {timeout:.0f} seconds (it holds {path})."
                )
            time.sleep(_PAUSE)
        yield
    finally:
        lock.close()
