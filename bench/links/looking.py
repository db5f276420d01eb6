"""What an act asks of the database: its statements, and how many pages each of them touches.

Times depend on who else uses the machine; pages do not.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from statistics import median
from typing import Any

from django.db import connection, transaction

from sophiie.common import sql

EXPLAINED = ("SELECT", "WITH", "UPDATE", "INSERT", "DELETE")


@dataclass(frozen=True)
class Cost:
    """`ms` is the median of some rounds, `least` the quickest; `pages` are touched by all of the
    statements together, and `worst` is the plan of the one that touches most."""

    ms: float
    least: float
    statements: int
    pages: int
    worst: str


class _Undone(Exception):
    """Ends a transaction whose changes are to be forgotten."""


def cost_of(act: Callable[[], object], *, rounds: int, undo: bool = False) -> Cost:
    """Of an act that may change things; with `undo` nothing of that stays."""

    def once() -> None:
        with ExitStack() as stack:
            if undo:
                stack.enter_context(_undone())
            started = time.perf_counter()
            act()
            times.append((time.perf_counter() - started) * 1000)

    times: list[float] = []
    once()
    sent: list[tuple[str, Any]] = []
    with _undone(), _recorded(sent):
        act()
    plans = [plan for statement, values in sent if (plan := _plan(statement, values))]
    times.clear()
    for _ in range(rounds):
        once()
    worst = max(plans, key=lambda plan: plan[0], default=(0, ""))
    return Cost(median(times), min(times), len(sent), sum(plan[0] for plan in plans), worst[1])


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


def _plan(statement: str, values: Any) -> tuple[int, str] | None:
    """The pages that a statement touches, and its plan."""
    if not statement.lstrip().upper().startswith(EXPLAINED):
        return None
    with _undone(), connection.cursor() as cursor:
        cursor.execute("SAVEPOINT before")
        try:
            cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {statement}", values)
            (answer,) = cursor.fetchone()
        except Exception:  # repeated it may collide with what it did
            cursor.execute("ROLLBACK TO SAVEPOINT before")
            return None
        plan = (json.loads(answer) if isinstance(answer, str) else answer)[0]["Plan"]
        pages = plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]
        return pages, f"{' '.join(statement.split())}\n{_tree(plan)}"


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
