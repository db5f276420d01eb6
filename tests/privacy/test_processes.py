"""The commands as a person runs them, and a worker that carries out what was asked for."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from sophiie.common.ids import new_id
from sophiie.database import EmbeddedPostgres
from tests.ops.conftest import refusal, sophiie
from tests.prepared import copy_of_schema
from tests.processes import Running, until

pytestmark = pytest.mark.real_clock
OWNER = ("--owner-email", "dora@example.com", "--owner-name", "Dora")


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A database of its own, with the schema and two businesses."""
    data = copy_of_schema(tmp_path_factory.mktemp("erasures") / "data")
    with EmbeddedPostgres(data, durable=False) as url:
        yield url


@pytest.fixture(scope="module")
def doomed(database: str) -> str:
    made = sophiie(
        *("create-business", "Doomed", "--timezone", "Europe/Berlin"),
        *OWNER,
        SOPHIIE_DATABASE_URL=database,
    )
    return str(json.loads(made.stdout)["business_id"])


def test_export_and_erase_by_command(doomed: str, database: str, tmp_path: Path) -> None:
    def run(*words: str) -> Any:
        return sophiie(*words, SOPHIIE_DATABASE_URL=database)

    folder = tmp_path / "out"
    assert run("export", "--business", "Doomed", str(folder)).returncode == 0
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert "not empty" in refusal(run("export", "--business", "Doomed", str(folder)))
    assert "Name one of" in refusal(run("erase", "--yes"))
    assert "only owner" in refusal(run("erase", "--member", "dora@example.com", "--yes"))
    shown = run("erase", "--business", "Doomed")
    assert shown.returncode == 0
    assert "Nothing was erased" in shown.stdout
    assert count(database, doomed) == 1


def test_a_worker_deletes_a_business_whose_day_has_come(
    doomed: str, database: str, tmp_path: Path
) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO privacy_erasure (id, business_id, subject, about, keep_upcoming,"
            " remove_events, language, asked_at, due_at, next_attempt_at)"
            " VALUES (%s, %s, 'business', '{}', false, false, 'en', now(), now(), now())",
            [new_id(), doomed],
        )
    worker = Running(
        "worker",
        log=tmp_path / "worker.log",
        SOPHIIE_DATABASE_URL=database,
        SOPHIIE_DATA_DIR=str(tmp_path),
        **secrets(),
    )
    try:
        until(lambda: count(database, doomed) == 0, what="the business is gone")
    finally:
        worker.stop()
    assert "Traceback" not in worker.output


def secrets() -> dict[str, str]:

    names = ("SOPHIIE_SECRET_KEY", "SOPHIIE_ENCRYPTION_KEYS")
    return {name: os.environ[name] for name in names}


def count(database: str, business_id: str) -> int:
    with psycopg.connect(database) as connection:
        asked = "SELECT count(*) FROM accounts_business WHERE id = %s"
        row = connection.execute(asked, [business_id]).fetchone()
        assert row is not None
        return int(row[0])
