"""Many rows written in one statement.

Django's `bulk_update` builds a CASE for every field of every row, which costs a worker more time
than everything else it does for them.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.db import connection

from sophiie.sync.models import MirroredEvent

# What the outcome of an attempt may change.
OUTCOME_FIELDS = (
    "shown_revision",
    "state",
    "attempts",
    "error",
    "next_attempt_at",
    "synced_at",
    "html_link",
    "etag",
    "drift_kind",
    "drift_seen_at",
    "drift_start",
    "drift_end",
    "updated_at",
)


def update_rows(rows: Sequence[MirroredEvent], fields: Sequence[str] = OUTCOME_FIELDS) -> None:
    """Saves these fields of all the rows."""
    meta = MirroredEvent._meta
    names = ["id", *fields]
    columns = [meta.get_field(name) for name in names]
    arrays = ", ".join(f"%s::{column.db_type(connection)}[]" for column in columns)
    changes = ", ".join(f"{name} = new.{name}" for name in fields)
    values = [[getattr(row, name) for row in rows] for name in names]
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {meta.db_table} AS row SET {changes}"  # noqa: S608 - names of our own model
            f" FROM unnest({arrays}) AS new({', '.join(names)}) WHERE row.id = new.id",
            values,
        )
