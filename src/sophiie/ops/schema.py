"""The database schema."""

from __future__ import annotations

from collections.abc import Iterator

from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from sophiie.sync import restored

# Two processes that start together must not migrate together.
MIGRATION_LOCK = 7_203_911


def migrate() -> Iterator[str]:
    """Applies missing migrations and says which; waits for another process that migrates."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [MIGRATION_LOCK])
    try:
        executor = MigrationExecutor(connection)
        plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
        if plan:
            call_command("migrate", interactive=False, verbosity=0)
        restored.settle()
        yield f"{len(plan)} migrations applied." if plan else "The schema is up to date."
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [MIGRATION_LOCK])
