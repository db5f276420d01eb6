"""As which operating system user the server runs, and which files that user can reach.

PostgreSQL refuses to run as root, so root hands it to an unprivileged user. No user is added
to the system and no folder above ours is opened for it.
"""

import os
import pwd
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sophiie.database.errors import DatabaseError

UNPRIVILEGED = "nobody"


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
    """This user; for root, whoever owns the cluster or the data folder, else `nobody`."""
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
    try:
        return _unprivileged(pwd.getpwnam(UNPRIVILEGED).pw_uid)
    except KeyError:
        raise DatabaseError(
            f"PostgreSQL does not run as root and this system has no user '{UNPRIVILEGED}';"
            " start Sophiie as an ordinary user."
        ) from None


def give_to_folder_owner(path: Path) -> None:
    """Leaves a file that root made to whoever owns the folder, for when they start alone."""
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
