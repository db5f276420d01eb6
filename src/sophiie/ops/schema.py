"""The database schema: brought to this version while an earlier one goes on serving.

A migration takes locks in another order than a booking, and whoever waits for it is waited for as
well. So it waits for a moment only, lets everybody through and tries again: it gives way in a
deadlock, and bookings never stand in line for long.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from typing import Any

import psycopg
from django.core.management import call_command
from django.db import OperationalError, connection
from django.db.migrations.executor import MigrationExecutor
from psycopg.errors import DeadlockDetected, LockNotAvailable

from sophiie.common.direct import direct_parameters, going_around_the_pooler
from sophiie.common.logs import log
from sophiie.ops.errors import CommandError
from sophiie.sync import restored

logger = log(__name__)

# Well below a second, after which PostgreSQL may end somebody else's transaction in a deadlock.
MAX_WAIT = "200ms"
PAUSE_SECONDS = (0.2, 0.6)
PATIENCE_SECONDS = 120.0
# Two processes that start together must not migrate together.
MIGRATION_LOCK = 7_203_911


def pending() -> list[str]:
    """The migrations that `migrate` would apply, in order."""
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return [f"{migration.app_label}.{migration.name}" for migration, _ in plan]


def migrate() -> Iterator[str]:
    """Applies missing migrations and says which; waits for another process that migrates."""
    with psycopg.connect(**direct_parameters(), autocommit=True) as keeper:
        keeper.execute("SELECT pg_advisory_lock(%s)", [MIGRATION_LOCK])
        executor = MigrationExecutor(connection)
        plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
        if plan:
            with going_around_the_pooler():  # it would give the limit for locks to others
                _apply()
        restored.settle()
        yield f"{len(plan)} migrations applied." if plan else "The schema is up to date."


def _apply() -> None:
    """Each migration is a transaction of its own, so another try goes on where one gave up."""
    end = time.monotonic() + PATIENCE_SECONDS
    try:
        while not _got_through():
            if time.monotonic() > end:
                raise CommandError(
                    "The database is too busy to change its schema: try again at a quieter time."
                    " What was applied so far stays."
                )
            logger.info("migration gives way")
            time.sleep(random.uniform(*PAUSE_SECONDS))  # noqa: S311 - no secret
    finally:
        _wait_for_locks("0")
    # Nothing is left to apply: what Django does after migrating, types and permissions.
    call_command("migrate", interactive=False, verbosity=0)


def _got_through() -> bool:
    """False if somebody else held a lock for too long."""

    def progress(act: str, *about: Any) -> None:
        if act == "apply_start":
            # An index that is built beside others' work waits for them, and blocks nobody.
            _wait_for_locks(MAX_WAIT if about[0].atomic else "0")

    executor = MigrationExecutor(connection, progress)
    try:
        executor.migrate(executor.loader.graph.leaf_nodes())
    except OperationalError as error:
        if isinstance(error.__cause__, LockNotAvailable | DeadlockDetected):
            return False
        raise
    return True


def _wait_for_locks(at_most: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('lock_timeout', %s, false)", [at_most])
