"""Our own SQL statements, for what a worker does on every change.

They go straight to psycopg, on Django's connection and inside its transactions. Through Django's
cursor a small statement costs the caller twice as much, and its timestamps cost more than the rest
of the row. Several sent at once (`pipeline`) cost hardly more than one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
from django.db import connection
from django.db.models import Field, Model

Rows = list[tuple[Any, ...]]


class _Cursor(psycopg.Cursor[tuple[Any, ...]]):
    """Reads values as psycopg does, not as Django does."""

    @property
    def adapters(self) -> psycopg.adapt.AdaptersMap:
        return psycopg.adapters


def execute(statement: str, /, **values: Any) -> Rows:
    """Runs a statement with `%(name)s` for its values and returns the rows.

    In a `pipeline` it waits for this answer and all earlier ones. Raises Django's database errors,
    like every query.
    """
    with connection.wrap_database_errors:
        return send(statement, **values).fetchall()


def send(statement: str, /, **values: Any) -> psycopg.Cursor[tuple[Any, ...]]:
    """Sends a statement in a `pipeline`; `fetchall()` fetches its rows, later or never."""
    connection.ensure_connection()
    with connection.wrap_database_errors:
        return _Cursor(connection.connection).execute(statement, values)


# From so many rows on, an array for each column costs less than a place for each value.
MANY_ROWS = 8


def insert(rows: Sequence[Model]) -> None:
    """Inserts new rows of one model that makes its own ids, in one statement."""
    if not rows:
        return
    fields = rows[0]._meta.concrete_fields
    columns = ", ".join(f'"{field.column}"' for field in fields)
    if len(rows) >= MANY_ROWS:
        table_of_rows, values = _arrays(rows, fields, add=True)
        source = f"SELECT * FROM {table_of_rows}"  # noqa: S608
    else:
        values, places = {}, []
        for row in rows:
            names = [f"v{len(values) + n}" for n in range(len(fields))]
            places.append("(" + ", ".join(f"%({name})s" for name in names) + ")")
            for name, field in zip(names, fields, strict=True):
                values[name] = _stored(field, row, add=True)
        source = f"VALUES {', '.join(places)}"
    # Table and columns are the model's names; what people typed is in the values.
    table = rows[0]._meta.db_table
    send(f'INSERT INTO "{table}" ({columns}) {source}', **values)
    for row in rows:
        row._state.adding, row._state.db = False, connection.alias


def update(rows: Sequence[Model], names: Collection[str] | None = None) -> None:
    """Saves these columns, or all, of known rows of one model, in one statement."""
    if not rows:
        return
    meta = rows[0]._meta
    fields = [field for field in meta.concrete_fields if field.primary_key]
    fields += [
        field
        for field in meta.concrete_fields
        if not field.primary_key and (names is None or field.name in names)
    ]
    key, *columns = [f'"{field.column}"' for field in fields]
    changes = ", ".join(f"{column} = new.{column}" for column in columns)
    source, values = _arrays(rows, fields, add=False)
    send(
        f'UPDATE "{meta.db_table}" AS old SET {changes}'  # noqa: S608 - the model's own names
        f" FROM {source} AS new ({key}, {', '.join(columns)}) WHERE old.{key} = new.{key}",
        **values,
    )


def _arrays(
    rows: Sequence[Model], fields: Sequence[Field[Any, Any]], *, add: bool
) -> tuple[str, dict[str, Any]]:
    """The rows as a table made of one array for each column, and the arrays."""
    kinds = enumerate(field.db_type(connection) for field in fields)
    arrays = ", ".join(f"%(v{n})s::{kind}[]" for n, kind in kinds)
    values = {
        f"v{n}": [_stored(field, row, add=add) for row in rows] for n, field in enumerate(fields)
    }
    return f"unnest({arrays})", values


def _stored(field: Field[Any, Any], row: Model, *, add: bool) -> Any:
    return field.get_db_prep_save(field.pre_save(row, add), connection)


@contextmanager
def pipeline() -> Iterator[None]:
    """Inside, `send` does not wait for the answers to earlier statements.

    The statements run in the order in which they were sent. If the database refuses one, the next
    `fetchall()`, or the end, raises it. Not for Django's own queries: they need to know at once how
    many rows they changed.
    """
    connection.ensure_connection()
    with connection.wrap_database_errors, connection.connection.pipeline():
        yield
