"""A pytest plugin for tools/mutants.py: collects the tests of an area once, then forks for each
defect, so that a defect costs its tests alone and not the start of Python, Django and a database.

A request names a module, a file with its defective source and the tests to run. The fork swaps the
code of the module's functions, so a defect that takes effect while a module is loaded, in a
constant or a decorator, cannot be tried here: the answer is `cannot`.
"""

from __future__ import annotations

import gc
import json
import os
import select
import signal
import threading
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from types import CodeType, FunctionType
from typing import Any

import pytest

REQUESTS, ANSWERS = "MUTANTS_REQUESTS_FD", "MUTANTS_ANSWERS_FD"


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> bool:
    _warm_up(session)
    held = _Held.now()
    items = {item.nodeid: item for item in session.items}
    requests = os.fdopen(int(os.environ[REQUESTS]))
    answers = os.fdopen(int(os.environ[ANSWERS]), "w")
    with requests, answers:
        _answer(answers, {"outcome": "ready", "tests": list(items)})
        is_dirty = True
        for line in requests:
            request = json.loads(line)
            chosen = [items[name] for name in request["tests"] if name in items]
            answer = _tried_in_a_fork(session, held, request, chosen, is_dirty=is_dirty)
            # What was ended in the middle leaves its rows behind.
            is_dirty = answer["outcome"] == "timeout"
            _answer(answers, answer)
    return True


def _answer(answers: Any, answer: dict[str, Any]) -> None:
    answers.write(json.dumps(answer) + "\n")
    answers.flush()


def _warm_up(session: pytest.Session) -> None:
    """One test brings up the database and the simulator; the forks find them ready."""
    using = {
        name: [item for item in session.items if name in getattr(item, "fixturenames", ())]
        for name in ("google", "alice")
    }
    found = using["google"] or using["alice"]
    for item in found[:1]:
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=session)
    from django.db import connections

    for connection in connections.all(initialized_only=True):
        connection.close()
        connection.close_pool()  # type: ignore[attr-defined]


def _tried_in_a_fork(
    session: pytest.Session,
    held: _Held,
    request: dict[str, Any],
    items: list[pytest.Item],
    *,
    is_dirty: bool,
) -> dict[str, Any]:
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.setpgid(0, 0)
        os.close(reading)
        answer = _tried(session, held, request, items, is_dirty=is_dirty, writing=writing)
        os.write(writing, json.dumps(answer).encode())
        os._exit(0)
    os.close(writing)
    heard = b""
    while not heard.endswith(b"}"):  # a dot before each test, and at last the answer
        is_alive, _, _ = select.select([reading], [], [], request["seconds"])
        if not is_alive:
            os.killpg(child, signal.SIGKILL)
            heard = b'{"outcome": "timeout"}'
        elif piece := os.read(reading, 65536):
            heard += piece
        else:
            heard = b'{"outcome": "killed", "by": "its process ended"}'
    os.close(reading)
    os.waitpid(child, 0)
    found: dict[str, Any] = json.loads(heard.lstrip(b"."))
    return found


def _tried(
    session: pytest.Session,
    held: _Held,
    request: dict[str, Any],
    items: list[pytest.Item],
    *,
    is_dirty: bool,
    writing: int,
) -> dict[str, Any]:
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(nowhere, stream)
    try:
        held.forget_threads()
        source = request["source"]  # "": no defect, which no test may notice
        if source and not held.swap(Path(request["module"]), Path(source).read_text()):
            return {"outcome": "cannot"}
        if is_dirty:
            _empty(session)
    except BaseException as error:
        return {"outcome": "failed", "by": repr(error)}
    try:
        for item, following in zip(items, [*items[1:], session], strict=True):
            os.write(writing, b".")
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            if session.testsfailed:
                return {"outcome": "killed", "by": item.nodeid}
    except BaseException as error:
        return {"outcome": "killed", "by": repr(error)}
    return {"outcome": "survived"}


def _empty(session: pytest.Session) -> None:
    from pytest_django.plugin import blocking_manager_key

    from tests.tables import empty_tables

    with session.config.stash[blocking_manager_key].unblock():
        empty_tables()


# -- the defect ----------------------------------------------------------------------------------


@dataclass
class _Held:
    """The product's functions, by module, and the executors, wherever they are held."""

    functions: dict[str, list[FunctionType]]
    executors: list[ThreadPoolExecutor]

    @classmethod
    def now(cls) -> _Held:
        gc.unfreeze()
        held = cls(defaultdict(list), [])
        for found in gc.get_objects():  # by `type`: `isinstance` would wake lazy objects
            if type(found) is FunctionType:
                _, is_ours, module = found.__code__.co_filename.rpartition("/src/sophiie/")
                if is_ours:
                    held.functions[f"src/sophiie/{module}"].append(found)
            elif type(found) is ThreadPoolExecutor:
                held.executors.append(found)
        gc.freeze()
        return held

    def forget_threads(self) -> None:
        """A fork has none of its parent's threads; an executor would wait for them in vain."""
        for executor in self.executors:
            executor._threads = set()
            executor._idle_semaphore = threading.Semaphore(0)
            executor._work_queue = SimpleQueue()

    def swap(self, module: Path, source: str) -> bool:
        """Gives the functions of the module the code of the other source."""
        before, after = (
            dict(_functions(compile(text, str(module), "exec", dont_inherit=True)))
            for text in (module.read_text(), source)
        )
        changed = {key: code for key, code in after.items() if before.get(key) != code}
        swapped = set()
        for found in self.functions[str(module)]:
            key = (found.__code__.co_qualname, found.__code__.co_firstlineno)
            if key in changed:
                found.__code__ = changed[key]
                swapped.add(key)
        return any("<locals>" not in name for name, _ in swapped)


def _functions(code: CodeType) -> Iterator[tuple[tuple[str, int], CodeType]]:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield (constant.co_qualname, constant.co_firstlineno), constant
            yield from _functions(constant)
