"""Starting on what a crash, a kill -9 or a copy left behind."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from sophiie.database import server as server_module


def wait_until(condition: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain: {what}"
        time.sleep(0.005)


def is_zombie(pid: int) -> bool:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"


@pytest.fixture
def stranger(place) -> Iterator[subprocess.Popen[bytes]]:
    """A process of the server's own user: the one case that PostgreSQL alone does not heal."""
    change = {"user": place.server_uid} if os.geteuid() == 0 else {}
    process = subprocess.Popen(["sleep", "60"], **change)
    yield process
    process.kill()
    process.wait()


def leave_pid_file(place, pid: int | str) -> None:
    """As a server that was killed would have, its socket's lock included."""
    text = f"{pid}\n{place.cluster}\n1700000000\n5432\n.\n\n  999999  99\nready   \n"
    for path in (place.pid_file, place.cluster / ".s.PGSQL.5432.lock"):
        path.write_text(text)
        os.chown(path, place.server_uid, -1)
    (place.cluster / ".s.PGSQL.5432").write_text("")


def assert_starts(place, query) -> None:
    with place.postgres(start_timeout=60) as url:
        assert query(url, "SELECT 1") == 1
    assert not place.server_processes()


def test_pid_file_of_a_process_that_is_gone(place, query):
    gone = subprocess.Popen(["true"])
    gone.wait()
    leave_pid_file(place, gone.pid)
    assert_starts(place, query)


def test_pid_file_with_the_number_of_a_stranger(place, query, stranger):
    leave_pid_file(place, stranger.pid)
    assert_starts(place, query)
    assert stranger.poll() is None  # nobody harmed it


def test_pid_file_of_a_zombie(place, query, stranger):
    leave_pid_file(place, stranger.pid)
    stranger.kill()
    wait_until(lambda: is_zombie(stranger.pid), "the zombie")
    assert_starts(place, query)


@pytest.mark.parametrize("text", ["", "not a number", "-1", "0"])
def test_pid_file_with_nonsense(place, query, text):
    leave_pid_file(place, text)
    assert_starts(place, query)


def test_a_killed_postmaster(place, query):
    first = place.postgres(durable=True)
    with psycopg.connect(first.start()) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS committed (at timestamptz)")
        connection.execute("INSERT INTO committed VALUES (now())")
    os.kill(place.postmaster(), signal.SIGKILL)
    with place.postgres() as url:
        assert query(url, "SELECT count(*) FROM committed") > 0
        assert query(first.url, "SELECT 1") == 1  # those inside find the new one at the same URL
    first.stop()
    assert not place.server_processes()


def test_an_orphan_of_a_killed_postmaster_is_ended_before_a_new_one_writes(
    place, query, monkeypatch
):
    monkeypatch.setattr(server_module, "_ORPHAN_SECONDS", 0.3)
    first = place.postgres()
    connection = psycopg.connect(first.start())
    orphan = connection.info.backend_pid
    os.kill(orphan, signal.SIGSTOP)  # cannot notice that its postmaster dies
    os.kill(place.postmaster(), signal.SIGKILL)
    with place.postgres() as url:
        assert orphan not in place.server_processes()
        assert query(url, "SELECT 1") == 1
    connection.close()
    first.stop()


def test_a_starter_killed_during_initdb(fresh, user_process, query):
    starter = user_process(fresh.path)
    wait_until(lambda: list(fresh.path.glob("postgres/initdb-*/base")), "initdb at work")
    starter.kill()
    assert not fresh.cluster.exists()
    assert_starts(fresh, query)
    assert not list(fresh.path.glob("postgres/initdb-*"))


def test_a_starter_killed_while_the_server_starts(fresh, user_process, query):
    starter = user_process(fresh.path)
    wait_until(fresh.pid_file.exists, "the server's start")
    starter.kill()
    assert_starts(fresh, query)


def test_a_copy_of_a_running_data_folder_does_not_take_the_original_for_its_own(
    place, places, tmp_path, query
):
    copy = places(tmp_path / "copy")
    with place.postgres() as url:
        subprocess.run(["cp", "-a", place.path, copy.path], check=True)
        with copy.postgres() as other:
            assert copy.postmaster() != place.postmaster()
            assert query(other, "SELECT 1") == 1
        assert query(url, "SELECT 1") == 1


def test_a_pid_file_that_somebody_deleted(place, query):
    first = place.postgres()
    first.start()
    running = place.server_processes()
    place.pid_file.unlink()
    with place.postgres() as url:
        assert place.server_processes()[0] == running[0]
        assert query(url, "SELECT 1") == 1
    first.stop()
    assert not place.server_processes()


def test_a_folder_of_no_database_is_left_alone(place, places, tmp_path):
    other = places(tmp_path / "other")
    shutil.copytree(place.path / "postgres" / "cluster" / "global", other.cluster)
    with pytest.raises(server_module.DatabaseError, match="does not hold a PostgreSQL database"):
        other.postgres().start()
