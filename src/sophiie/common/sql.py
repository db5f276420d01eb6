"""Our own SQL statements, for what a worker does on every change and a booking at every request.

They go straight to psycopg, on Django's connection and inside its transactions. Through Django's
cursor a small statement costs the caller twice as much, and its timestamps cost more than the rest
of the row. Several sent at once (`pipeline`) cost hardly more than one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import Any, Generic, TypeVar

import psycopg
from django.db import connection
from django.db.models import Field, JSONField, Model

Rows = list[tuple[Any, ...]]
M = TypeVar("M", bound=Model)


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
        source = f"SELECT * FROM {table_of_rows}"  # noqa: S608 - types, no values
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


@dataclass(frozen=True)
class Columns(Generic[M]):
    """The columns that a statement asks of a model: all of them, so that it forgets no new one, or
    `only` those named, between spaces; then Django reads the others when somebody asks for them."""

    model: type[M]
    only: str = ""

    @cached_property
    def names(self) -> list[str]:
        """The fields, none of which may need Django to read it: psycopg reads JSON itself."""
        asked, fields = set(self.only.split()), self.model._meta.concrete_fields
        chosen = [field for field in fields if not asked or field.attname in asked]
        for field in chosen:
            assert isinstance(field, JSONField) or not hasattr(field, "from_db_value"), field
        names = [field.attname for field in chosen]
        assert asked <= set(names), asked
        return names

    def of(self, table: str) -> str:
        """Their list; `table` is the statement's name for the model's table."""
        return ", ".join(f'{table}."{name}"' for name in self.names)

    def built(self, values: Iterator[Any]) -> M:
        """The row of the model that the next values of an answer are."""
        return self.model.from_db(connection.alias, self.names, [*islice(values, len(self.names))])


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
