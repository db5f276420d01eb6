"""Behind a pooler: what outlasts a transaction goes around it, and nothing else needs to.

`tools/check_databases.py` runs the whole product behind a real pgbouncer.
"""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from django.db import connection

from sophiie.common.direct import direct_parameters
from sophiie.config.settings import _database
from tests.environment import FOLDER
from tests.processes import sophiie

pytestmark = pytest.mark.django_db(transaction=True)


def test_without_a_pooler_there_is_one_way(settings: Any) -> None:
    assert settings.DIRECT_DATABASE == {}
    with psycopg.connect(**direct_parameters()) as direct:
        assert direct.info.dbname == connection.settings_dict["NAME"]


def test_with_a_pooler_the_direct_way_is_another(settings: Any) -> None:
    url = "postgresql://sophiie:secret@db.example.com:5433/sophiie"
    settings.DIRECT_DATABASE = _database(url)
    direct = direct_parameters()
    found = (direct["host"], direct["port"], direct["user"], direct["password"], direct["dbname"])
    assert found == ("db.example.com", "5433", "sophiie", "secret", "sophiie")
    assert direct["connect_timeout"] == 5


def test_what_a_pooler_cannot_keep_is_not_asked_of_it() -> None:
    url = "postgresql://sophiie@db.example.com/sophiie"
    through, around = _database(url, pooled=True), _database(url)
    assert through["DISABLE_SERVER_SIDE_CURSORS"]
    assert not around["DISABLE_SERVER_SIDE_CURSORS"]
    assert "options" not in through["OPTIONS"]
    # What is prepared stays with the connection to PostgreSQL, which every transaction changes.
    assert "prepare_threshold" not in through["OPTIONS"]
    assert around["OPTIONS"]["prepare_threshold"]
    assert "idle_in_transaction_session_timeout" in around["OPTIONS"]["options"]


def test_several_servers_can_be_named() -> None:
    """One of them is written to; see docs/how-to/databases.md."""
    url = "postgresql://sophiie@/sophiie?host=a,b&port=1,2&target_session_attrs=read-write"
    found = _database(url)
    assert (found["HOST"], found["PORT"]) == ("a,b", "1,2")
    assert found["OPTIONS"]["target_session_attrs"] == "read-write"


def test_a_direct_address_that_is_none_is_said_in_one_sentence() -> None:
    done = sophiie(
        "migrate",
        SOPHIIE_DATABASE_DIRECT_URL="mysql://nowhere",
        SOPHIIE_DATA_DIR=str(FOLDER / "nothing"),
    )
    assert done.returncode == 1
    assert "SOPHIIE_DATABASE_DIRECT_URL: must begin with postgresql://" in done.stderr
    assert done.stderr.count("\n") == 1
