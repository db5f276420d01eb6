"""The command `sophiie` as a person runs it: a process, on a database of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit
from uuid import UUID

import psycopg
import pytest

from sophiie.database import EmbeddedPostgres
from tests.conftest import PASSWORD
from tests.prepared import copy_of_schema

Run = Callable[..., "subprocess.CompletedProcess[str]"]
TIMEOUT_SECONDS = 300
CLINIC = ("create-business", "Hill Clinic", "--timezone", "Europe/Berlin", "--password-stdin")
DORA = ("--owner-email", "dora@example.com", "--owner-name", "Dora")


def sophiie(
    *words: str, stdin: str = "", **changes: str | None
) -> subprocess.CompletedProcess[str]:
    """Runs a command to its end. A variable that is None is not set."""
    variables = {**os.environ, **{name: value for name, value in changes.items() if value}}
    for name in [name for name, value in changes.items() if value is None]:
        variables.pop(name, None)
    return subprocess.run(
        [sys.executable, "-m", "sophiie", *words],
        input=stdin,
        env=variables,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
        check=False,
    )


def refusal(done: subprocess.CompletedProcess[str]) -> str:
    """The one sentence of a command that failed."""
    assert done.returncode == 1, (done.returncode, done.stdout, done.stderr)
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("sophiie: ")
    return lines[0].removeprefix("sophiie: ")


@pytest.fixture(scope="session")
def empty_database() -> Iterator[str]:
    """The address of a database without any table."""
    server = urlsplit(os.environ["SOPHIIE_DATABASE_URL"])
    with psycopg.connect(os.environ["SOPHIIE_DATABASE_URL"], autocommit=True) as connection:
        connection.execute("CREATE DATABASE commands")
        yield urlunsplit(server._replace(path="/commands"))
        connection.execute("DROP DATABASE commands WITH (FORCE)")


@pytest.fixture(scope="session")
def told_to_migrate(empty_database: str) -> str:
    """What a command says before the first `sophiie migrate`."""
    return refusal(sophiie("status", SOPHIIE_DATABASE_URL=empty_database))


@pytest.fixture(scope="session")
def unmigrated(empty_database: str, told_to_migrate: str) -> subprocess.CompletedProcess[str]:
    """`sophiie migrate --check` before the first migration."""
    return sophiie("migrate", "--check", SOPHIIE_DATABASE_URL=empty_database)


@pytest.fixture(scope="session")
def migrations(
    empty_database: str, unmigrated: object
) -> tuple[subprocess.CompletedProcess[str], ...]:
    """`sophiie migrate`, twice."""
    first = sophiie("migrate", SOPHIIE_DATABASE_URL=empty_database)
    return first, sophiie("migrate", SOPHIIE_DATABASE_URL=empty_database)


@dataclass(frozen=True)
class Clinic:
    business_id: str
    key: str


@pytest.fixture(scope="session")
def clinic(empty_database: str, migrations: object) -> Clinic:
    """A business with its owner Dora, made by command, and her API key."""
    made = sophiie(*CLINIC, *DORA, stdin=PASSWORD + "\n", SOPHIIE_DATABASE_URL=empty_database)
    assert made.returncode == 0, made.stderr
    body = json.loads(made.stdout)
    assert body.keys() >= {"business_id", "member_id"}
    assert UUID(body["business_id"]) != UUID(body["member_id"])
    assert (body["email"], body["role"]) == ("dora@example.com", "owner")
    key = sophiie(
        "create-api-key", "--member", "Dora@Example.com", SOPHIIE_DATABASE_URL=empty_database
    )
    assert key.returncode == 0, key.stderr
    assert len(key.stdout.splitlines()) == 1
    return Clinic(body["business_id"], key.stdout.strip())


@pytest.fixture(scope="session")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a database with the schema and whatever earlier tests made in it."""
    data = copy_of_schema(tmp_path_factory.mktemp("commands") / "data")
    with EmbeddedPostgres(data, durable=False) as url:
        yield url


@pytest.fixture
def run(database: str) -> Run:
    """Runs a command on that database."""

    def on_database(*words: str, **more: str | None) -> subprocess.CompletedProcess[str]:
        stdin = more.pop("stdin", None) or ""
        return sophiie(*words, stdin=stdin, SOPHIIE_DATABASE_URL=database, **more)

    return on_database
