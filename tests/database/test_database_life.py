"""Starting, joining, leaving, and what survives the death of whom."""

import fcntl
import os
import shutil
import signal
import threading
from pathlib import Path

import psycopg
import pytest

from sophiie.database import DatabaseError, embedded, processes


def test_nothing_becomes_a_database_and_leaving_stops_the_server(fresh, query):
    with fresh.postgres(durable=True) as url:
        assert url.startswith("postgresql://sophiie@/sophiie?host=/")
        assert query(url, "SELECT current_user || current_database()") == "sophiiesophiie"
        assert query(url, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user") is False
        assert query(url, "SELECT count(*) FROM pg_extension WHERE extname = 'btree_gist'") == 1
        assert fresh.server_processes()
    assert not fresh.server_processes()
    assert not list(fresh.path.glob("postgres/initdb-*"))


def test_settings(place, query):
    with place.postgres(durable=True) as url:
        assert query(url, "SHOW server_encoding") == "UTF8"
        assert query(url, "SHOW listen_addresses") == ""
        assert query(url, "SHOW fsync") == "on"
        assert query(url, "SHOW synchronous_commit") == "on"
        assert query(url, "SHOW jit") == "off"
        assert query(url, "SHOW TimeZone") == "UTC"
        assert query(url, "SHOW shared_buffers") == "128MB"
        assert query(url, "SHOW max_connections") == "100"
    with place.postgres(durable=False) as url:
        assert query(url, "SHOW fsync") == "off"


def test_strings_are_ordered_alike_on_every_machine(place, query):
    with place.postgres() as url:
        letters = "(VALUES ('é'), ('a'), ('Z')) AS letters (x)"
        ordered = query(url, f"SELECT string_agg(x, '' ORDER BY x) FROM {letters}")
        assert ordered == "Zaé"
        assert query(url, "SELECT upper('é')") == "É"
        provider = "SELECT datlocprovider::text FROM pg_database WHERE datname = 'sophiie'"
        assert query(url, provider) == "b"  # PostgreSQL's own rules, not the system's


def test_data_outlives_the_server(place, query):
    with place.postgres() as url, psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS kept AS SELECT 42 AS answer")
    with place.postgres() as url:
        assert query(url, "SELECT answer FROM kept") == 42


def test_the_application_can_create_databases_with_the_extension(place):
    with place.postgres() as url, psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE DATABASE for_tests")
        connection.execute("DROP DATABASE for_tests")


def test_starting_and_stopping_twice_is_harmless(place):
    postgres = place.postgres()
    assert postgres.start() == postgres.start() == postgres.url
    postgres.stop()
    postgres.stop()
    with pytest.raises(DatabaseError, match="not been started"):
        _ = postgres.url


def test_the_last_of_two_processes_stops_the_server(place, user_process, query):
    first, second = user_process(place.path), user_process(place.path)
    assert first.url() == (url := second.url())
    server = place.postmaster()
    first.leave()
    assert query(url, "SELECT 1") == 1
    assert place.postmaster() == server
    second.leave()
    assert not place.server_processes()


def test_the_server_outlives_a_killed_starter_and_the_next_one_joins_it(place, user_process, query):
    starter = user_process(place.path)
    starter.url()
    server = place.postmaster()
    starter.kill()
    with open(place.path / "postgres" / "users.lock") as users:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)  # neither the dead nor the server has it
    with place.postgres() as url:
        assert place.postmaster() == server
        assert query(url, "SELECT 1") == 1
    assert not place.server_processes()


def test_the_server_is_out_of_reach_of_our_terminal_and_our_children(place):
    with place.postgres():
        server = place.postmaster()
        assert os.getsid(server) != os.getsid(0)
        status = Path(f"/proc/{server}/status").read_text()
        assert f"PPid:\t{os.getpid()}\n" not in status


def test_the_server_inherits_none_of_our_files(place):
    with open(place.path / "witness", "w") as witness:
        os.set_inheritable(witness.fileno(), True)
        with place.postgres():
            files = Path(f"/proc/{place.postmaster()}/fd")
            try:
                links = {os.readlink(file) for file in files.iterdir()}
            except PermissionError:
                pytest.skip("this container hides another user's open files")
    assert any(link.endswith("server.log") for link in links)
    assert not {link for link in links if link.endswith((".lock", "witness"))}


@pytest.mark.parametrize("child", ["started", "forked"])
def test_the_child_of_a_killed_process_does_not_count_as_a_user(place, user_process, child):
    starter = user_process(place.path, child)
    starter.url()
    sleeper = starter.child()
    starter.kill()
    try:
        with open(place.path / "postgres" / "users.lock") as users:
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        with place.postgres():
            pass
        assert not place.server_processes()
    finally:
        os.kill(sleeper, signal.SIGKILL)


def test_a_forked_child_uses_the_url_and_cannot_stop_the_server(place, query):
    postgres = place.postgres()
    url = postgres.start()
    child = os.fork()
    if child == 0:
        answer = query(url, "SELECT 1")
        postgres.stop()  # its parent's to leave
        os._exit(0 if answer == 1 else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert query(url, "SELECT 1") == 1
    postgres.stop()
    assert not place.server_processes()


def test_two_starts_at_once_from_nothing(fresh, user_process, query):
    both = [user_process(fresh.path) for _ in range(2)]
    urls = {process.url() for process in both}
    assert len(urls) == 1
    assert query(urls.pop(), "SELECT 1") == 1
    for process in both:
        process.leave()
    assert not fresh.server_processes()


def test_five_starts_at_once(place, user_process, query):
    five = [user_process(place.path) for _ in range(5)]
    urls = {process.url() for process in five}
    assert len(urls) == 1
    for process in five[1:]:
        process.leave()
    assert query(urls.pop(), "SELECT 1") == 1
    five[0].leave()
    assert not place.server_processes()


def test_no_newcomer_is_left_without_a_server_while_others_leave(place, query):
    """Each finds the server there for as long as it is inside, however the others come and go."""
    failures: list[Exception] = []

    def come_and_go() -> None:
        try:
            for _ in range(6):
                with place.postgres() as url:
                    assert query(url, "SELECT 1") == 1
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=come_and_go) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert not place.server_processes()


def test_a_starter_told_to_stop_takes_the_server_along(place, monkeypatch):
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(embedded, "_ensure_database", interrupted)
    with pytest.raises(KeyboardInterrupt):
        place.postgres().start()
    assert not place.server_processes()


def test_a_start_joins_a_server_that_is_shutting_down_by_starting_it_again(place, query):
    first = place.postgres()
    first.start()
    os.kill(place.postmaster(), signal.SIGINT)
    with place.postgres() as url:
        assert query(url, "SELECT 1") == 1
    first.stop()
    assert not place.server_processes()


def test_leaving_after_the_folder_was_deleted(place_at, tmp_path):
    place = place_at(tmp_path / "data")
    postgres = place.postgres()
    postgres.start()
    found = place.cluster.stat()
    shutil.rmtree(place.path)
    postgres.stop()
    marker = f"sophiie-{found.st_dev:x}-{found.st_ino:x}"
    assert not processes.find(marker=marker, uid=found.st_uid)


def test_a_start_that_waits_too_long_for_another_says_so(place, monkeypatch):
    monkeypatch.setattr(embedded, "STOP_SECONDS", 0.1)
    with open(place.path / "postgres" / "start.lock") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(DatabaseError, match="Another process has been starting or stopping"):
            place.postgres(start_timeout=0.1).start()
