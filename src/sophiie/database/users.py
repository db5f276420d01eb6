"""The operating system user that the server runs as, and which files that user can reach.

PostgreSQL refuses to run as root, so root hands it to a system user that is made for it. Other
services run as `nobody` too and would reach its files; it is used only if no user can be made. No
folder above ours is opened for the server.
"""

import fcntl
import os
import pwd
import stat
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sophiie.database.errors import DatabaseError

OWN = "sophiie-postgres"
UNPRIVILEGED = "nobody"
_NO_SHELL = "/usr/sbin/nologin"
_ADD_OWN = (
    (
        "useradd",
        "--system",
        "--user-group",
        "--no-create-home",
        "--home-dir",
        "/nonexistent",
        "--shell",
        _NO_SHELL,
    ),
    (
        "adduser",
        "--system",
        "--group",
        "--no-create-home",
        "--home",
        "/nonexistent",
        "--shell",
        _NO_SHELL,
    ),
    ("adduser", "-S", "-D", "-H", "-h", "/nonexistent", "-s", _NO_SHELL),  # BusyBox
)
_ADD_PATH = "/usr/sbin:/sbin:/usr/bin:/bin"
_ADD_SECONDS = 5.0


@dataclass(frozen=True)
class ServerUser:
    uid: int
    gid: int
    differs: bool  # from the user of this process

    def process_options(self) -> dict[str, Any]:
        """Arguments for subprocess that make a child run as this user."""
        if not self.differs:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def give(self, path: Path) -> None:
        if self.differs:
            os.chown(path, self.uid, self.gid, follow_symlinks=False)

    def let_through(self, folder: Path) -> None:
        """Lets this user, and nobody else but the owner, walk through one of our folders."""
        if self.differs and not self._may(folder, 0o1):
            os.chown(folder, -1, self.gid)
            folder.chmod(0o710)

    def can_reach(self, path: Path) -> bool:
        """Whether every folder above this absolute path lets the user through."""
        return not self.differs or all(self._may(folder, 0o1) for folder in path.parents)

    def can_read(self, path: Path, *, execute: bool = False) -> bool:
        needed = 0o5 if execute else 0o4
        return not self.differs or (self.can_reach(path) and self._may(path, needed))

    def _may(self, path: Path, bits: int) -> bool:
        try:
            found = path.stat()
        except OSError:
            return False
        if found.st_uid == self.uid:
            granted = found.st_mode >> 6
        elif found.st_gid == self.gid:
            granted = found.st_mode >> 3
        else:
            granted = found.st_mode
        return granted & bits == bits


def choose_server_user(data_dir: Path, cluster: Path) -> ServerUser:
    """This user; for root the owner of the cluster or data folder, else a user made for it."""
    me = os.geteuid()
    owner_of_cluster = _owner(cluster)
    if me != 0:
        if owner_of_cluster not in (None, me):
            raise DatabaseError(
                f"The database in {data_dir} belongs to the user {name_of(owner_of_cluster)};"
                " start as the user who created it, or choose another folder."
            )
        if not _has_name(me):
            raise DatabaseError(
                f"PostgreSQL runs only for users with a name, and user number {me} has none here:"
                " give it one in /etc/passwd, or give the address of a PostgreSQL server in"
                " SOPHIIE_DATABASE_URL."
            )
        return ServerUser(me, os.getegid(), differs=False)
    if owner_of_cluster:
        return _unprivileged(owner_of_cluster)
    owner_of_folder = _owner(data_dir)
    # initdb refuses a user without a name; for root a server that exists runs without one.
    if owner_of_folder and _has_name(owner_of_folder):
        return _unprivileged(owner_of_folder)
    found = own_user() or _named(UNPRIVILEGED)
    if found is None:
        raise DatabaseError(
            f"PostgreSQL does not run as root, this system has no user '{UNPRIVILEGED}', and none"
            " can be made; start Sophiie as an ordinary user."
        )
    return _unprivileged(found.pw_uid)


def own_user() -> pwd.struct_passwd | None:
    """The system user of the embedded database; creates it if it is missing and can be created."""
    found = _named(OWN)
    if found is None:
        with _one_at_a_time():
            end = time.monotonic() + _ADD_SECONDS
            while (found := _named(OWN)) is None and any(map(_add_own, _ADD_OWN)):
                if time.monotonic() > end:
                    return None
                time.sleep(0.1)
    return found if found is not None and found.pw_uid != 0 else None


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    """One at a time: if two run at once, `useradd` lets both succeed and one loses its number."""
    descriptor = os.open("/etc", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _add_own(words: tuple[str, ...]) -> bool:
    """Whether another look is worth it: `useradd` succeeded, or had to wait for somebody."""
    try:
        done = subprocess.run(  # noqa: S603 - our own words
            [*words, OWN],
            env={"PATH": _ADD_PATH, "LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_ADD_SECONDS,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return False
    return done.returncode == 0 or any(word in done.stderr for word in ("lock", "exist"))


def handed_over(cluster: Path, user: ServerUser) -> ServerUser:
    """The user of a cluster that nobody uses right now. A cluster of `nobody`'s, as root used to
    make them, goes to the user made for it. If interrupted, it continues next time."""
    nobody = _named(UNPRIVILEGED)
    if not user.differs or nobody is None or user.uid != nobody.pw_uid:
        return user
    if _owner(cluster.parent) == user.uid or any((cluster / "pg_tblspc").iterdir()):
        return user  # made for that user, or with parts elsewhere
    own = own_user()
    if own is None:
        return user
    new = _unprivileged(own.pw_uid)
    for _, folders, files, place in os.fwalk(cluster, topdown=False):
        for name in (*folders, *files):
            if os.stat(name, dir_fd=place, follow_symlinks=False).st_uid == user.uid:
                os.chown(name, new.uid, new.gid, dir_fd=place, follow_symlinks=False)
    new.give(cluster)
    return new


def give_to_folder_owner(path: Path) -> None:
    """Gives a file that root made to the folder's owner, for when they start alone."""
    if os.geteuid() == 0:
        os.chown(path, path.parent.stat().st_uid, -1, follow_symlinks=False)


def name_of(uid: int | None) -> str:
    try:
        return pwd.getpwuid(uid or 0).pw_name
    except KeyError:
        return str(uid)


def _unprivileged(uid: int) -> ServerUser:
    gid = pwd.getpwuid(uid).pw_gid if _has_name(uid) else uid
    return ServerUser(uid, gid, differs=True)


def _named(name: str) -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(name)
    except KeyError:
        return None


def _has_name(uid: int) -> bool:
    try:
        pwd.getpwuid(uid)
    except KeyError:
        return False
    return True


def _owner(path: Path) -> int | None:
    try:
        found = path.lstat()
    except FileNotFoundError:
        return None
    return found.st_uid if stat.S_ISDIR(found.st_mode) else None
