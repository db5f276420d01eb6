"""What cannot work is refused in one clear sentence, and leaves nothing running."""

import importlib.util
import os
import signal
from pathlib import Path

import pytest

from sophiie.database import DatabaseError, server
from tests.processes import until


@pytest.fixture
def fake_binaries(public_folder: Path):
    """PostgreSQL 18.6 by its word, with programs that do as the test says."""

    def make(*, initdb: str = "exit 1", postgres: str = "exit 1") -> Path:
        asked = 'if [ "$1" = --version ]; then echo "postgres (PostgreSQL) 18.6"; exit; fi\n'
        for name, script in (("initdb", initdb), ("postgres", asked + postgres)):
            (public_folder / name).write_text(f"#!/bin/sh\n{script}\n")
            (public_folder / name).chmod(0o755)
        return public_folder

    return make


def refuse(place, sentence: str, **options: object) -> None:
    with pytest.raises(DatabaseError, match=sentence) as caught:
        place.postgres(**options).start()
    assert str(caught.value).count("\n") == 0


def test_no_binaries_for_the_platform(fresh, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    refuse(fresh, r"not installed.*SOPHIIE_DATABASE_URL")


def test_a_folder_without_programs(fresh, tmp_path):
    refuse(fresh, "no PostgreSQL program 'postgres' in", bin_dir=tmp_path)


def test_programs_that_do_not_run_here(fresh, fake_binaries):
    folder = fake_binaries()
    (folder / "postgres").write_bytes(b"\x7fELF of another machine")
    refuse(fresh, "does not run on this system", bin_dir=folder)


def test_initdb_without_space(fresh, fake_binaries):
    complaint = "echo 'initdb: error: could not write: No space left on device' >&2; exit 1"
    refuse(
        fresh, "could not create its files.*No space left", bin_dir=fake_binaries(initdb=complaint)
    )
    assert not fresh.cluster.exists()
    assert not list(fresh.path.glob("postgres/initdb-*"))


def test_a_server_that_ends_at_once_shows_its_log(place, fake_binaries):
    complaint = "echo 'FATAL:  could not map shared memory' >&2; exit 1"
    refuse(place, "did not start: FATAL:  could not map", bin_dir=fake_binaries(postgres=complaint))


def test_a_server_that_never_answers(place, fake_binaries):
    mute = fake_binaries(postgres="sleep 1")
    refuse(place, r"did not answer within 0 seconds", bin_dir=mute, start_timeout=0.2)
    until(lambda: not place.server_processes(), what="it ends by itself")


def test_a_frozen_server(place, monkeypatch):
    monkeypatch.setattr(server, "_CONNECT_SECONDS", 2)  # the least that libpq takes
    first = place.postgres()
    first.start()
    frozen = place.postmaster()
    os.kill(frozen, signal.SIGSTOP)
    try:
        refuse(place, f"process {frozen}.*did not answer", start_timeout=0.2)
    finally:
        os.kill(frozen, signal.SIGCONT)
    first.stop()


def test_another_major_version(place):
    version = place.cluster / "PG_VERSION"
    version.write_text("17\n")
    try:
        refuse(place, r"made by PostgreSQL 17 and cannot be used with PostgreSQL 18\.")
    finally:
        version.write_text("18\n")


def test_a_file_where_the_folder_should_be(fresh):
    fresh.path.write_text("")
    refuse(fresh, "cannot hold the database: .*File exists")
