"""Start or join the embedded PostgreSQL of a data folder, and leave it: the whole story.

    start lock taken -> cluster created if absent -> server answering, or dead remains cleared
    and a new one launched -> database created if absent -> counted as a user -> lock released.
    Leaving: start lock taken -> if nobody else is counted, server stopped -> lock released.

Every process inside shares a lock on one file; the kernel drops it when the process dies, so
the count is right after any kill -9.
"""

import logging
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from pathlib import Path
from types import TracebackType

import psycopg

from sophiie.database.binaries import (
    SHARED_PROGRAMS,
    Binaries,
    can_run,
    find_binaries,
    runnable_by,
)
from sophiie.database.cluster import (
    APPLICATION,
    check_version,
    create_cluster,
    names_working_folder,
)
from sophiie.database.errors import DatabaseError
from sophiie.database.locks import FileLock, held_alone
from sophiie.database.server import STOP_SECONDS, Connection, Server
from sophiie.database.users import (
    OWN,
    ServerUser,
    choose_server_user,
    give_to_folder_owner,
    handed_over,
)

# If a signal arrives while starting.
_GIVE_UP_SECONDS = 4.0

_log = logging.getLogger(__name__)


class EmbeddedPostgres:
    """`with EmbeddedPostgres(data_dir) as url:` - one server for each folder, shared by processes.

    The URL also works in child processes, as long as this process (or another) is inside. A forked
    child does not count as a user; it may enter with an object of its own. `durable=False` is for
    tests: fast, and worthless after a power cut. It takes effect if this process launches the
    server.
    """

    def __init__(
        self,
        data_dir: Path,
        *,
        bin_dir: Path | None = None,
        durable: bool = True,
        start_timeout: float = 120.0,
    ) -> None:
        self._data_dir = Path(data_dir).resolve()
        self._home = self._data_dir / "postgres"
        self._bin_dir = bin_dir
        self._durable = durable
        self._timeout = start_timeout
        self._server: Server | None = None
        self._membership: FileLock | None = None

    def __enter__(self) -> str:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def url(self) -> str:
        if self._server is None:
            raise DatabaseError("The embedded PostgreSQL has not been started.")
        return self._server.url

    def start(self) -> str:
        """Starts or joins the server and returns its URL. Harmless when already inside."""
        if self._membership is None or not self._membership.is_open:
            try:
                self._enter()
            except OSError as error:
                raise DatabaseError(
                    f"The folder {self._data_dir} cannot hold the database: {error}."
                ) from error
        return self.url

    def stop(self, *, patience: float = STOP_SECONDS) -> None:
        """Leaves, and stops the server if nobody else is inside. Harmless when not inside.

        It kills a server that has not stopped after so many seconds: the next start finds
        everything that was committed in the log.
        """
        membership, self._membership = self._membership, None
        server, self._server = self._server, None
        if membership is None or not membership.is_open or server is None:
            return
        server.abandoned.set()
        try:
            with self._start_lock_if_free(patience / 4):
                if membership.try_exclusive():
                    server.stop(patience=patience * 3 / 4)
        finally:
            membership.close()

    def heal(self) -> bool:
        """Launches the server again if it died; returns whether it had. Harmless otherwise."""
        server, membership = self._server, self._membership
        if server is None or membership is None or server.is_alive():
            return False
        with self._start_lock():
            if server.abandoned.is_set():
                return False
            # Somebody else inside may have healed it while we waited for the lock.
            healed = not server.is_alive()
            self._bring_up(server, self._prepare_home())
        return healed

    def _enter(self) -> None:
        user = self._prepare_home()
        with self._start_lock():
            membership, server = FileLock(self._home / "users.lock"), None
            try:
                membership.share()
                server, user = self._ensure_cluster(user)
                self._bring_up(server, user)
                self._server, self._membership = server, membership
            except BaseException as error:
                # A signal arrived while starting. After an error the server is left alone: one that
                # recovers from a crash for minutes must not begin again at every attempt.
                was_told_to_stop = not isinstance(error, Exception)
                if server is not None and was_told_to_stop and membership.try_exclusive():
                    server.stop(patience=_GIVE_UP_SECONDS)
                membership.close()
                raise

    def _bring_up(self, server: Server, user: ServerUser) -> None:
        try:
            with self._ensure_answer(server, user) as connection:
                _ensure_database(server, connection)
        except psycopg.Error as error:
            raise DatabaseError(f"PostgreSQL runs but could not be set up: {error}") from error

    def _prepare_home(self) -> ServerUser:
        self._data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._home.mkdir(mode=0o700, exist_ok=True)
        user = choose_server_user(self._data_dir, self._cluster)
        if user.differs:
            give_to_folder_owner(self._home)
        if not self._programs.exists():
            self._home.chmod(0o700)  # whatever the umask, or an earlier version, made of it
        return user

    def _ensure_cluster(self, user: ServerUser) -> tuple[Server, ServerUser]:
        if not self._cluster.exists():
            create_cluster(self._cluster, self._binaries(user), user, durable=self._durable)
            _log.info("created a PostgreSQL cluster in %s", self._cluster)
        server = Server(self._cluster, user)
        if server.has_ended() and (new := handed_over(self._cluster, user)) != user:
            _log.info("the database in %s belongs to the user %s now", self._cluster, OWN)
            return Server(self._cluster, new), new
        return server, user

    def _ensure_answer(self, server: Server, user: ServerUser) -> Connection:
        server.outlast_orphans()
        if server.is_alive():
            connection = server.wait_for_connection(self._timeout)
            if connection is not None:
                return connection
            server.outlast_orphans()  # it was shutting down
        binaries = self._binaries(user)
        check_version(self._cluster, binaries)
        server.remove_remains()
        launched = server.launch(binaries, durable=self._durable)
        connection = server.wait_for_connection(self._timeout, launched)
        if connection is None:
            raise DatabaseError(f"PostgreSQL did not start: {server.log_tail()}")
        return connection

    def _binaries(self, user: ServerUser) -> Binaries:
        """PostgreSQL's programs. Only the server's user may walk to what it needs inside the data
        folder."""
        found = find_binaries(self._bin_dir)
        shelf = self._programs if user.can_reach(self._data_dir) else SHARED_PROGRAMS
        inside = shelf == self._programs and not can_run(found, user)
        if inside or not names_working_folder(found):
            for folder in (self._data_dir, self._home):
                user.let_through(folder)
        return runnable_by(found, user, shelf=shelf)

    @property
    def _programs(self) -> Path:
        return self._home / "binaries"

    @property
    def _cluster(self) -> Path:
        return self._home / "cluster"

    def _start_lock(self, timeout: float | None = None) -> AbstractContextManager[None]:
        # Long enough for another process's slow start or stop.
        timeout = self._timeout + STOP_SECONDS if timeout is None else timeout
        return held_alone(self._home / "start.lock", timeout=timeout)

    @contextmanager
    def _start_lock_if_free(self, timeout: float) -> Iterator[None]:
        """The start lock. Nothing if somebody has been starting for long, or the folder was
        deleted. Whoever leaves without the lock may still stop the server when alone inside: the
        next one waits until they are out."""
        with ExitStack() as stack:
            with suppress(DatabaseError, FileNotFoundError):
                stack.enter_context(self._start_lock(timeout))
            yield


def _ensure_database(server: Server, connection: Connection) -> None:
    """Creates role, extension and database; the database last, so its presence vouches for all."""
    if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [APPLICATION]).fetchone():
        return
    with server.connect("template1") as template:
        # Into the template, so that databases made for tests have it as well.
        template.execute("CREATE EXTENSION IF NOT EXISTS btree_gist")
        if not template.execute(
            "SELECT 1 FROM pg_roles WHERE rolname = %s", [APPLICATION]
        ).fetchone():
            # Not a superuser: SQL injection must not give the machine away as well.
            template.execute(f"CREATE ROLE {APPLICATION} LOGIN CREATEDB")
        template.execute(f"CREATE DATABASE {APPLICATION} OWNER {APPLICATION}")
