"""Writes many rows in one statement.

Django's `bulk_update` and `bulk_create` cost a worker more than everything else it does for the
rows (the figures stand in `claim.py`). One JSON document is also cheaper to send than one array for
each column.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from django.db import connection, models

from sophiie.common.sql import send
from sophiie.sync.models import MirroredEvent

# What a failed attempt may change, and what one that succeeded does.
FAILURE_FIELDS = (
    "state",
    "attempts",
    "error",
    "error_reason",
    "next_attempt_at",
    "updated_at",
)
OUTCOME_FIELDS = (
    *FAILURE_FIELDS,
    "shown_revision",
    "synced_at",
    "html_link",
    "etag",
    "shown_guests",
    "sent_guests",
    "drift_kind",
    "drift_seen_at",
    "drift_start",
    "drift_end",
    "drift_fields",
    "shown_fields",
    "left_out",
    "left_out_next_at",
    "restored_revision",
)


def update_rows(rows: Sequence[MirroredEvent], columns: tuple[str, ...] = OUTCOME_FIELDS) -> None:
    """Saves these columns of all the rows but those that another link has taken over meanwhile."""
    if rows:
        names = ("id", *columns)
        entries = [{name: getattr(row, name) for name in names} for row in rows]
        send(_update_statement(columns), rows=_document(entries))


def insert_rows(model: type[models.Model], entries: Sequence[Mapping[str, Any]]) -> None:
    """Adds rows, given by their columns, all the same ones."""
    if entries:
        send(_insert_statement(model, tuple(entries[0])), rows=_document(entries))


@cache
def _update_statement(columns: tuple[str, ...]) -> str:
    changes = ", ".join(f"{column} = new.{column}" for column in columns)
    return (
        f"UPDATE {MirroredEvent._meta.db_table} AS row SET {changes}"  # noqa: S608 - our own names
        f" FROM {_table(MirroredEvent, ('id', *columns))}"
        " WHERE row.id = new.id AND NOT row.hosted_elsewhere"
    )


@cache
def _insert_statement(model: type[models.Model], columns: tuple[str, ...]) -> str:
    return (
        f"INSERT INTO {model._meta.db_table} ({', '.join(columns)})"  # noqa: S608 - our own names
        f" SELECT * FROM {_table(model, columns)}"
    )


def _table(model: type[models.Model], columns: Sequence[str]) -> str:
    fields = {column: model._meta.get_field(column) for column in columns}
    types = (f"{column} {field.db_type(connection)}" for column, field in fields.items())
    return f"json_to_recordset(%(rows)s::json) AS new({', '.join(types)})"


def _document(entries: Sequence[Mapping[str, Any]]) -> str:
    return json.dumps(entries, default=str)  # ids and instants, as PostgreSQL reads them
