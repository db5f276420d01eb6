"""The files of one PostgreSQL cluster: created completely or not at all, and who may connect.

Knows nothing of running servers. The cluster folder belongs to the server's user; the folder around
it stays with the owner of the data folder.
"""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sophiie.database.binaries import CLEAN_ENVIRONMENT, Binaries
from sophiie.database.errors import DatabaseError
from sophiie.database.users import ServerUser, name_of

ADMIN = "postgres"
APPLICATION = "sophiie"  # role and database
_DRAFT = "initdb-"
_INITDB_SECONDS = 300
_ATTEMPTS_TO_REMOVE = 20
_SECONDS_BETWEEN_ATTEMPTS = 0.1


def create_cluster(cluster: Path, binaries: Binaries, user: ServerUser, *, durable: bool) -> None:
    """Runs initdb in a draft folder, then renames it: a cluster is complete or absent.

    Each attempt uses a folder with a name of its own: if a starter was killed, its initdb may still
    be writing.
    """
    _remove_drafts(cluster.parent)
    draft = Path(tempfile.mkdtemp(prefix=_DRAFT, dir=cluster.parent))
    try:
        user.give(draft)
        _run_initdb(draft, binaries, user, durable=durable)
        draft.rename(cluster)
        _flush(cluster.parent)
    finally:
        _remove_drafts(cluster.parent)


def _remove_drafts(parent: Path) -> None:
    """Removes what a killed starter left; its initdb ends once the files it needs are gone.

    Until then it may put new files into a folder that is just being emptied: hence the attempts.
    """
    for _ in range(_ATTEMPTS_TO_REMOVE):
        drafts = list(parent.glob(f"{_DRAFT}*"))
        for draft in drafts:
            shutil.rmtree(draft, ignore_errors=True)
        if not any(draft.exists() for draft in drafts):
            return
        time.sleep(_SECONDS_BETWEEN_ATTEMPTS)


def _run_initdb(draft: Path, binaries: Binaries, user: ServerUser, *, durable: bool) -> None:
    command = [
        binaries.initdb,
        "-D",
        path_for_server(draft, user, binaries),
        "-U",
        ADMIN,
        "-A",
        "peer",
    ]
    command += ["--encoding=UTF8", "--no-instructions", *_locale(binaries)]
    if not durable:
        command.append("--no-sync")
    try:
        process = subprocess.Popen(  # noqa: S603 - our own words
            command,
            cwd=draft,
            env=CLEAN_ENVIRONMENT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            umask=0o077,
            start_new_session=True,  # Ctrl-C reaches us, not a half-finished initdb
            **user.process_options(),
        )
        with process, _ended_with_all_it_started(process):
            output, _ = process.communicate(timeout=_INITDB_SECONDS)
    except (OSError, subprocess.SubprocessError) as error:
        raise DatabaseError(f"PostgreSQL's initdb could not be run: {error}.") from error
    if process.returncode != 0:
        reason = last_lines(output)
        raise DatabaseError(f"PostgreSQL could not create its files in {draft.parent}: {reason}")


@contextmanager
def _ended_with_all_it_started(process: subprocess.Popen[str]) -> Iterator[None]:
    """Leaves none of its processes behind if the caller gives up waiting, or is told to stop."""
    try:
        yield
    finally:
        if process.poll() is None:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def _locale(binaries: Binaries) -> list[str]:
    # The same order on every machine, whatever locales it has; before 17 only libc had C.UTF-8.
    if binaries.major >= 17:
        return ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    return ["--locale=C.UTF-8"]


def path_for_server(folder: Path, user: ServerUser, binaries: Binaries) -> str:
    """The name under which the server finds its own working folder.

    A folder inside a private one of root's has no path that an unprivileged user may walk. A
    process that starts inside can use it all the same: the kernel resolves this link without
    looking at the folders above. PostgreSQL 15 cannot, because it leaves its working folder.
    """
    if user.can_reach(folder):
        return str(folder)
    if not names_working_folder(binaries):
        raise DatabaseError(
            f"PostgreSQL does not run as root, and the user '{name_of(user.uid)}' cannot reach"
            f" {folder}; choose a data folder whose parents let all users through."
        )
    return "/proc/self/cwd"


def names_working_folder(binaries: Binaries) -> bool:
    """Whether these programs can work in a folder that their user cannot walk to."""
    return binaries.major >= 16 and Path("/proc/self/cwd").exists()


def check_version(cluster: Path, binaries: Binaries) -> None:
    try:
        made_by = (cluster / "PG_VERSION").read_text().strip()
    except OSError as error:
        raise DatabaseError(f"{cluster} does not hold a PostgreSQL database: {error}.") from error
    if made_by != str(binaries.major):
        raise DatabaseError(
            f"The database in {cluster} was made by PostgreSQL {made_by} and cannot be used with"
            f" PostgreSQL {binaries.version}: dump it with the old version and load it into a new"
            " data folder, or go back to the old version."
        )


def admit_users(cluster: Path, user: ServerUser) -> None:
    """Lets in root and the owner of the data folder; the kernel says who a client is.

    Written before every start, because the folder may have changed hands. The server's own user
    gets no entry for being that: other services may run as `nobody` too.
    """
    names = {name_of(uid) for uid in (0, os.geteuid(), cluster.parent.stat().st_uid)}
    rules = "# Written by Sophiie at every start.\nlocal all all peer map=sophiie\n"
    lines = [f'sophiie "{name}" {role}' for name in sorted(names) for role in (ADMIN, APPLICATION)]
    _write(cluster / "pg_hba.conf", rules, user)
    _write(cluster / "pg_ident.conf", "\n".join(lines) + "\n", user)


def _write(path: Path, text: str, user: ServerUser) -> None:
    # Never through a link that the server's user may have laid for root.
    draft = path.with_name(path.name + ".sophiie")
    draft.unlink(missing_ok=True)
    fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(fd, "w") as file:
        file.write(text)
        if user.differs:
            os.fchown(fd, user.uid, user.gid)
    draft.replace(path)


def _flush(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def last_lines(text: str, *, count: int = 4) -> str:
    lines = [line for line in text.strip().splitlines() if line.strip()]
    return " | ".join(lines[-count:]) or "it gave no reason."
