"""One running PostgreSQL server: launch, connect, stop, and clear away a dead one.

Assumes that the caller holds the start lock. A server counts as alive by what the kernel
says (its processes, an open socket) and by a real connection, never by its pid file alone.
"""

import logging
import os
import shutil
import signal
import socket
import stat
import subprocess
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import quote

import psycopg

from sophiie.database.binaries import CLEAN_ENVIRONMENT, Binaries
from sophiie.database.cluster import ADMIN, APPLICATION, admit_users, last_lines, path_for_server
from sophiie.database.errors import DatabaseError
from sophiie.database.processes import belongs, find
from sophiie.database.users import ServerUser, give_to_folder_owner

PORT = 5432  # only the number in the socket's file name: nothing listens on TCP
STOP_SECONDS = 60.0
_PAUSE = 0.005
_CONNECT_SECONDS = 5
_ORPHAN_SECONDS = 5.0
_KILL_SECONDS = 5.0
_REFUSED = "FATAL:  the database system is"  # starting up, shutting down: our own attempts
_LOG_BYTES = 1_000_000
# A socket path has 108 bytes on Linux, 104 on macOS, with "/.s.PGSQL.5432" and an end byte.
_MAX_FOLDER_LENGTH = 104 - len(f"/.s.PGSQL.{PORT}") - 1

_SETTINGS = {
    "listen_addresses": "",
    "port": str(PORT),
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "shared_buffers": "128MB",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # Errors of statements reach the program that sent them. In this file they would only take room
    # and hold personal data.
    "log_min_messages": "log",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_checkpoints": "off",
    "logging_collector": "off",
    "log_destination": "stderr",
}
_FORGETFUL = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}

_log = logging.getLogger(__name__)

Connection = psycopg.Connection[tuple[Any, ...]]


class Server:
    def __init__(self, cluster: Path, user: ServerUser) -> None:
        self._cluster = cluster
        self._user = user
        self._log_file = cluster.parent / "server.log"
        self._log_start = 0
        # Set when nobody waits for it to come up any longer.
        self.abandoned = threading.Event()
        found = cluster.stat()
        # Every process's command line says which cluster it serves. A copy of the folder has
        # another inode, so it never takes the original's server for its own.
        self._marker = f"sophiie-{found.st_dev:x}-{found.st_ino:x}"
        self._socket_folder = _socket_folder(cluster, user)

    @property
    def url(self) -> str:
        folder = quote(str(self._socket_folder), safe="/")
        return f"postgresql://{APPLICATION}@/{APPLICATION}?host={folder}&port={PORT}"

    def connect(self, dbname: str = ADMIN) -> Connection:
        return psycopg.connect(
            host=str(self._socket_folder),
            port=PORT,
            user=ADMIN,
            dbname=dbname,
            connect_timeout=_CONNECT_SECONDS,
            autocommit=True,
        )

    def pid(self) -> int | None:
        """The postmaster's number, if that process is alive and really is ours."""
        try:
            pid = int((self._cluster / "postmaster.pid").read_text().split("\n", 1)[0])
        except (OSError, ValueError):
            return None
        mine = belongs(pid, marker=self._marker, uid=self._user.uid)
        return pid if mine else None

    def is_listening(self) -> bool:
        """Whether some process has the socket open: true across containers, unlike numbers."""
        with socket.socket(socket.AF_UNIX) as probe:
            try:
                probe.connect(str(self._socket_folder / f".s.PGSQL.{PORT}"))
            except OSError:
                return False
        return True

    def is_alive(self) -> bool:
        return self.pid() is not None or self.is_listening()

    def has_ended(self) -> bool:
        """Whether no process of it runs any more, not even a child without its postmaster."""
        return not self.is_alive() and not self._find()

    def wait_for_connection(self, seconds: float, launched: int = 0) -> Connection | None:
        """A connection, or None if there is no server (any more) that could answer."""
        start = time.monotonic()
        while True:
            try:
                return self.connect()
            except psycopg.OperationalError as error:
                problem = error
            if not self._runs(launched) and not self.is_alive():
                return None
            self._go_on_unless_abandoned()
            waited = time.monotonic() - start
            if waited > seconds:
                raise DatabaseError(
                    f"PostgreSQL (process {self.pid()}) runs but did not answer within"
                    f" {seconds:.0f} seconds; try again later. {last_lines(str(problem))}"
                    f" {self.log_tail()}"
                )
            time.sleep(min(_PAUSE + waited / 10, 0.2))  # each refused attempt is a line in the log

    def launch(self, binaries: Binaries, *, durable: bool) -> int:
        """Starts a server that outlives us and returns its process number."""
        self._go_on_unless_abandoned()
        admit_users(self._cluster, self._user)
        settings = _SETTINGS if durable else _SETTINGS | _FORGETFUL
        settings = settings | {
            "cluster_name": self._marker,
            "unix_socket_directories": self._socket_folder_for_server(),
        }
        folder = path_for_server(self._cluster, self._user, binaries)
        if folder != str(self._cluster):
            _log.info("the server's user reaches %s by no path but %s", self._cluster, folder)
        command = [binaries.postgres, "-D", folder]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        # The shell ends at once, so the server is nobody's child: it does not die with us, gets no
        # signal from our terminal, and never becomes a zombie that we would have to reap.
        shell = ["/bin/sh", "-c", 'exec "$@" >&2 & echo $!', "sh", *command]
        with self._open_log() as log:
            try:
                answer = subprocess.run(  # noqa: S603 - our own words
                    shell,
                    cwd=self._cluster,
                    env=CLEAN_ENVIRONMENT,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=log,
                    check=True,
                    umask=0o077,
                    start_new_session=True,
                    **self._user.process_options(),
                ).stdout
            except (OSError, subprocess.SubprocessError) as error:
                raise DatabaseError(f"PostgreSQL could not be started: {error}.") from error
        return int(answer)

    def outlast_orphans(self) -> None:
        """Returns when the server is alive, or when none of its processes is left.

        A server in between was launched a moment ago by a starter that was killed, or has lost its
        postmaster. The latter mostly end by themselves; this kills the rest.
        """
        start = time.monotonic()
        while not self.is_alive() and (orphans := self._find()):
            self._go_on_unless_abandoned()
            waited = time.monotonic() - start
            if waited > 2 * _ORPHAN_SECONDS:
                raise DatabaseError(f"Old PostgreSQL processes cannot be ended: {orphans}.")
            if waited > _ORPHAN_SECONDS:
                for pid in orphans:
                    _send(pid, signal.SIGKILL)
            time.sleep(_PAUSE)

    def remove_remains(self) -> None:
        """Removes the pid file, the socket and its lock, which a dead server left.

        PostgreSQL would do so itself, except when a zombie or a stranger has the number in the pid
        file. Call this only when no process of the server is left: without its pid file PostgreSQL
        would not notice them, and two servers would write the same data.
        """
        name = f".s.PGSQL.{PORT}"
        for folder, leftover in (
            (self._socket_folder, name),
            (self._socket_folder, f"{name}.lock"),
            (self._cluster, "postmaster.pid"),
        ):
            (folder / leftover).unlink(missing_ok=True)

    def stop(self, *, patience: float = STOP_SECONDS) -> None:
        """Fast shutdown: rolls open transactions back; committed ones are on disk.

        It kills a server that does not listen, even a halted one: its log has what was committed,
        and the next start replays it.
        """
        pid = self.pid()
        # Without a pid file (somebody deleted it): SIGINT harms no process but the postmaster.
        for target in [pid] if pid else self._find():
            _send(target, signal.SIGINT)
        if not self._is_gone_within(patience, pid):
            _log.warning("PostgreSQL (process %s) did not stop in time and is ended", pid)
            for target in self._find():
                _send(target, signal.SIGKILL)
            if not self._is_gone_within(_KILL_SECONDS, None):
                raise DatabaseError(f"PostgreSQL (process {pid}) cannot be ended.")
            self.remove_remains()
        if self.is_listening():
            _log.warning("PostgreSQL runs where it cannot be stopped from, in another container")
        elif self._socket_folder != self._cluster:
            shutil.rmtree(self._socket_folder, ignore_errors=True)

    def _is_gone_within(self, seconds: float, pid: int | None) -> bool:
        """Whether the postmaster, or every process if it is not known, ends in time."""
        deadline = time.monotonic() + seconds
        while self._runs(pid) if pid else self._find():
            if time.monotonic() > deadline:
                return False
            time.sleep(_PAUSE)
        return True

    def _go_on_unless_abandoned(self) -> None:
        if self.abandoned.is_set():
            raise DatabaseError("Nobody waits for PostgreSQL any longer.")

    def _find(self) -> list[int]:
        return find(marker=self._marker, uid=self._user.uid)

    def _runs(self, pid: int) -> bool:
        return belongs(pid, marker=self._marker, uid=self._user.uid)

    def _socket_folder_for_server(self) -> str:
        return "." if self._socket_folder == self._cluster else str(self._socket_folder)

    def _open_log(self) -> BinaryIO:
        with suppress(FileNotFoundError):
            if self._log_file.stat().st_size > _LOG_BYTES:
                self._log_file.replace(self._log_file.with_suffix(".log.1"))
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
        file = os.fdopen(os.open(self._log_file, flags, 0o600), "ab")
        give_to_folder_owner(self._log_file)
        self._log_start = file.tell()
        return file

    def log_tail(self) -> str:
        try:
            text = self._log_file.read_bytes()[self._log_start :].decode(errors="replace")
        except OSError:
            return ""
        lines = text.splitlines()
        return last_lines("\n".join(line for line in lines if _REFUSED not in line))


def _send(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)


def _socket_folder(cluster: Path, user: ServerUser) -> Path:
    """The cluster folder itself (0700, the server's user's), or a short private one.

    The short one has a random name that is kept beside the cluster, so nobody else can create it
    first. One that is gone, or no longer private, is replaced. It also serves if the path has a
    comma, because a comma separates hosts for PostgreSQL's clients.
    """
    if len(os.fsencode(cluster)) <= _MAX_FOLDER_LENGTH and "," not in str(cluster):
        return cluster
    note = cluster.parent / "socket-folder"
    with suppress(OSError, ValueError):
        known = Path(note.read_text())
        found = known.lstat()
        if (
            stat.S_IMODE(found.st_mode) == 0o700
            and found.st_uid == user.uid
            and stat.S_ISDIR(found.st_mode)
        ):
            return known
    base = "/run" if os.access("/run", os.W_OK) else "/tmp"  # noqa: S108 - mkdtemp is private
    folder = Path(tempfile.mkdtemp(prefix="sophiie-", dir=base))
    user.give(folder)
    note.touch(mode=0o600)
    note.write_text(str(folder))
    give_to_folder_owner(note)
    _log.info("the path of %s does not do for a socket, which lies in %s", cluster, folder)
    return folder
