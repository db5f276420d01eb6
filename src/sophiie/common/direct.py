"""Connections outside of the pool, for what outlasts a transaction: listening, and session locks.

Where a pooler stands between Sophiie and PostgreSQL they go around it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connections


def direct_parameters() -> dict[str, Any]:
    """What psycopg needs to connect. Such a connection notices soon when the server is gone."""
    pooled = connections[DEFAULT_DB_ALIAS]
    database = {**pooled.settings_dict, **settings.DIRECT_DATABASE}
    parameters = type(pooled)(database).get_connection_params()
    del parameters["cursor_factory"], parameters["context"]
    return parameters | {"keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3}


@contextmanager
def going_around_the_pooler() -> Iterator[None]:
    """Within the block this thread's connection of Django is a direct one, so that what it sets for
    its session stays with it."""
    if not settings.DIRECT_DATABASE:
        yield
        return
    connection = connections[DEFAULT_DB_ALIAS]
    pooled = connection.settings_dict
    options = {**settings.DIRECT_DATABASE["OPTIONS"], "pool": False}
    connection.close()
    connection.settings_dict = {**pooled, **settings.DIRECT_DATABASE, "OPTIONS": options}
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict = pooled
