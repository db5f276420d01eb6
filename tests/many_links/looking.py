"""What an act costs: processor time here, time in the database, and the pages that it touches.

Who else uses the machine shows in the time of a clock, hardly in these.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction

from sophiie.common import sql

EXPLAINED_TIMES = 5
EXPLAINED = ("SELECT", "WITH", "UPDATE", "INSERT", "DELETE")


@dataclass(frozen=True)
class Cost:
    """`cpu` and `database` are milliseconds, the least of some rounds; `pages` are touched by all
    of the statements together, and `worst` is the plan of the one that touches most."""

    cpu: float
    database: float
    pages: int
    worst: str

    @property
    def ms(self) -> float:
        return self.cpu + self.database


class _Undone(Exception):
    """Ends a transaction whose changes are to be forgotten."""


def cost_of(act: Callable[[], object], *, rounds: int, undo: bool = False) -> Cost:
    """Of an act that may change things; with `undo` nothing of that stays."""

    def once() -> None:
        with ExitStack() as stack:
            if undo:
                stack.enter_context(_undone())
            started = time.process_time()
            act()
            times.append((time.process_time() - started) * 1000)

    times: list[float] = []
    once()
    sent: list[tuple[str, Any]] = []
    with _undone(), _recorded(sent):
        act()
    plans = [plan for statement, values in sent if (plan := _plan(statement, values))]
    times.clear()
    for _ in range(rounds):
        once()
    worst = max(plans, key=lambda plan: plan.pages, default=_Plan(0, 0, ""))
    database = sum(plan.ms for plan in plans)
    return Cost(min(times), database, sum(plan.pages for plan in plans), worst.words)


@dataclass(frozen=True)
class _Plan:
    ms: float
    pages: int
    words: str


@contextmanager
def _undone() -> Iterator[None]:
    try:
        with transaction.atomic():
            yield
            raise _Undone
    except _Undone:
        pass


@contextmanager
def _recorded(sent: list[tuple[str, Any]]) -> Iterator[None]:
    """Notes every statement, Django's and those that go around it."""
    whole = sql._Cursor.execute

    def execute(self: Any, query: Any, params: Any = None, **more: Any) -> Any:
        sent.append((str(query), params))
        return whole(self, query, params, **more)

    def note(execute: Any, query: str, params: Any, many: bool, context: Any) -> Any:
        sent.append((query, params))
        return execute(query, params, many, context)

    sql._Cursor.execute = execute  # type: ignore[method-assign]
    try:
        with connection.execute_wrapper(note):
            yield
    finally:
        sql._Cursor.execute = whole  # type: ignore[method-assign]


def _plan(statement: str, values: Any) -> _Plan | None:
    """A statement's plan, as it was the quickest of some times."""
    if not statement.lstrip().upper().startswith(EXPLAINED):
        return None
    plans = [plan for _ in range(EXPLAINED_TIMES) if (plan := _explain(statement, values))]
    return min(plans, key=lambda plan: plan.ms, default=None)


def _explain(statement: str, values: Any) -> _Plan | None:
    with _undone(), connection.cursor() as cursor:
        cursor.execute("SAVEPOINT before")
        try:
            cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {statement}", values)
            (answer,) = cursor.fetchone()
        except Exception:  # repeated it may collide with what it did
            cursor.execute("ROLLBACK TO SAVEPOINT before")
            return None
        found = (json.loads(answer) if isinstance(answer, str) else answer)[0]
        plan = found["Plan"]
        pages = plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]
        words = f"{' '.join(statement.split())}\n{_tree(plan)}"
        return _Plan(found["Execution Time"], pages, words)
    return None


def _tree(plan: dict[str, Any], depth: int = 0) -> str:
    """The steps of a plan, one a line."""
    where = plan.get("Index Name") or plan.get("Relation Name") or ""
    condition = plan.get("Index Cond") or plan.get("Filter") or ""
    pages = plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]
    line = (
        f"{'  ' * depth}{plan['Node Type']} {where} {condition[:200]} rows={plan['Actual Rows']}"
        f" loops={plan['Actual Loops']} pages={pages} ms={plan.get('Actual Total Time', 0):.1f}"
    )
    return "\n".join([line, *(_tree(part, depth + 1) for part in plan.get("Plans", []))])
