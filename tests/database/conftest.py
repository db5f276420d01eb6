"""Places for clusters, processes that use them, and the assurance that no server is left over."""

import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, LiteralString

import psycopg
import pytest

import sophiie.database
from sophiie.database import EmbeddedPostgres, processes
from sophiie.database.binaries import find_binaries, runnable_by
from sophiie.database.users import ServerUser

SOURCES = Path(sophiie.database.__file__).parents[2]
USER_PROGRAM = """
import os, subprocess, sys, time
from pathlib import Path
from subprocess import DEVNULL
from sophiie.database import EmbeddedPostgres
with EmbeddedPostgres(Path(sys.argv[1]), durable=False) as url:
    print(url, flush=True)
    if sys.argv[2] == "started":
        options = dict(close_fds=False, stdin=DEVNULL, stdout=DEVNULL, stderr=DEVNULL)
        print(subprocess.Popen(["sleep", "60"], **options).pid, flush=True)
    if sys.argv[2] == "forked":
        child = os.fork()
        if child == 0:
            os.closerange(0, 3)
            time.sleep(60)
            os._exit(0)
        print(child, flush=True)
    sys.stdin.read()
"""


class UserProcess:
    """A process of its own that enters at once and leaves when told to.

    It may have a child: `started` (another program) or `forked`.
    """

    def __init__(self, data_dir: Path, child: str = "") -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", USER_PROGRAM, str(data_dir), child],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={"PYTHONPATH": str(SOURCES), "PATH": "/usr/bin:/bin"},
        )

    @property
    def pid(self) -> int:
        return self._process.pid

    def url(self) -> str:
        assert self._process.stdout is not None
        url = self._process.stdout.readline().strip()
        return url or pytest.fail(f"no URL: {self._process.communicate()[1]}")

    def child(self) -> int:
        assert self._process.stdout is not None
        return int(self._process.stdout.readline())

    def leave(self) -> None:
        _, errors = self._process.communicate(timeout=60)
        assert self._process.returncode == 0, errors

    def kill(self) -> None:
        self._process.kill()
        self._process.communicate()


class Place:
    """A data folder, with a look from outside at what runs there."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.entered: list[EmbeddedPostgres] = []
        self.cluster = path / "postgres" / "cluster"
        self.pid_file = self.cluster / "postmaster.pid"

    def postgres(self, **options: Any) -> EmbeddedPostgres:
        self.entered.append(EmbeddedPostgres(self.path, **{"durable": False, **options}))
        return self.entered[-1]

    @property
    def server_uid(self) -> int:
        return self.cluster.stat().st_uid

    def postmaster(self) -> int:
        return int(self.pid_file.read_text().split()[0])

    def server_processes(self) -> list[int]:
        if not self.cluster.exists():
            return []
        found = self.cluster.stat()
        marker = f"sophiie-{found.st_dev:x}-{found.st_ino:x}"
        return processes.find(marker=marker, uid=found.st_uid)


@pytest.fixture
def query() -> Callable[[str, LiteralString], object]:
    """One value, read over a connection of its own."""

    def run(url: str, sql: LiteralString) -> object:
        with psycopg.connect(url) as connection:
            row = connection.execute(sql).fetchone()
        assert row is not None
        return row[0]

    return run


@pytest.fixture
def places() -> Iterator[Callable[[Path], Place]]:
    """Makes places; afterwards fails if a server is left in one of them, and ends it."""
    made: list[Place] = []

    def make(path: Path) -> Place:
        made.append(Place(path))
        return made[-1]

    yield make
    for place in made:
        for postgres in place.entered:
            postgres.stop()
    left = [pid for place in made for pid in place.server_processes()]
    for pid in left:
        os.kill(pid, signal.SIGKILL)
    assert not left, f"servers left over: {left}"


@pytest.fixture(scope="session")
def used_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cluster")
    with EmbeddedPostgres(folder, durable=False):
        pass
    return folder


@pytest.fixture
def place(places: Callable[[Path], Place], used_folder: Path) -> Place:
    """A data folder whose cluster exists (creating one takes most of a second) and is stopped."""
    return places(used_folder)


@pytest.fixture
def place_at(place: Place, places: Callable[[Path], Place]) -> Callable[[Path], Place]:
    """Makes a data folder elsewhere that has a cluster already, copied."""

    def make(path: Path) -> Place:
        made = places(path)
        made.cluster.parent.mkdir(parents=True)
        subprocess.run(["cp", "-a", place.cluster, made.cluster], check=True)
        return made

    return make


@pytest.fixture
def fresh(places: Callable[[Path], Place], tmp_path: Path) -> Place:
    """A data folder that does not exist yet."""
    return places(tmp_path / "data")


@pytest.fixture
def public_folder() -> Iterator[Path]:
    """A folder that every user may pass, unlike pytest's own."""
    folder = Path(tempfile.mkdtemp(prefix="sophiie-test-"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def user_process(places: object) -> Iterator[Callable[..., UserProcess]]:
    started: list[UserProcess] = []

    def start(data_dir: Path, child: str = "") -> UserProcess:
        started.append(UserProcess(data_dir, child))
        return started[-1]

    yield start
    for process in started:
        process.kill()


@pytest.fixture(scope="session")
def public_binaries(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A `bin` folder that every user may run, wherever this Python is installed."""
    stranger = ServerUser(pwd.getpwnam("daemon").pw_uid, 1, differs=os.geteuid() == 0)
    shelf = Path(tempfile.mkdtemp(prefix="sophiie-test-"))
    shelf.chmod(0o755)
    yield runnable_by(find_binaries(None), stranger, shelf=shelf).folder
    shutil.rmtree(shelf)
