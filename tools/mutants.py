"""Small defects put into the critical modules, and whether the fast tests notice: `make mutants`.

1. A copy of the project is made in `var/mutants/tree`; nothing else is ever changed.
2. The tests of an area run once under coverage, which tells which tests run which line.
3. Cosmic Ray lists the defects of each module. They are tried in a random order, each in a fork of
   a process that has collected the tests already (`forked_tests.py`), against the tests that run
   its line: first those that found the most in this module, then the quickest. A defect gets at
   most `--seconds` of tests, all of them `--minutes`, beside the measuring; the next run goes on.
4. The report: how many were killed of those tried, and every one that survived.

What changed since the last run is tried anew: a module with all its defects, tests with those that
had survived. Defects that change nothing are listed, with the reason, in
`tests/accepted_mutants.toml`.
"""

from __future__ import annotations

import argparse
import ast
import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from difflib import unified_diff
from functools import cache
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from cosmic_ray.commands.init import init
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator
from cosmic_ray.work_db import WorkDB, use_db
from cosmic_ray.work_item import MutationSpec, TestOutcome, WorkerOutcome, WorkItem, WorkResult

from tools.covering_tests import AREAS, PACKAGE, Area, digest_of
from tools.mutant_report import changed_lines, report, where
from tools.mutant_runner import Runner

ROOT = Path(__file__).resolve().parent.parent
HOME = ROOT / "var" / "mutants"
TREE = HOME / "tree"
# Of the many that Cosmic Ray knows, those whose defects people make.
OPERATORS = (
    *("AddNot", "ReplaceTrueWithFalse", "ReplaceFalseWithTrue", "ReplaceAndWithOr"),
    *("ReplaceOrWithAnd", "NumberReplacer", "ExceptionReplacer", "ZeroIterationForLoop"),
    *("ReplaceBreakWithContinue", "ReplaceContinueWithBreak", "ReplaceComparisonOperator"),
    *("ReplaceUnaryOperator_Delete", "ReplaceBinaryOperator_Add_Sub"),
    *("ReplaceBinaryOperator_Sub_Add", "ReplaceBinaryOperator_Mul_FloorDiv"),
    *("ReplaceBinaryOperator_BitOr_BitAnd", "ReplaceBinaryOperator_BitAnd_BitOr"),
)
_ORDERS = ("Lt", "LtE", "Gt", "GtE")


def main() -> int:
    options = _options()
    print(f"The order of the defects is that of --seed {options.seed}.", flush=True)
    _copy_the_project()
    modules = list(_modules(options.modules))
    with _database(), ExitStack() as stack:
        areas = {
            name: Area.measured(name, tree=TREE, home=HOME)
            for name in sorted({_area_of(module) for module in modules})
        }
        if options.afresh:
            for module in modules:
                _session_file(module).unlink(missing_ok=True)
        sessions = {module: _session(module, areas[_area_of(module)]) for module in modules}
        waiting = [(m, item) for m in modules for item in _pending(m, sessions[m])]
        random.Random(options.seed).shuffle(waiting)  # noqa: S311 - a sample, no secret
        waiting.sort(key=lambda one: _takes_effect_at_loading(*one))
        runners: dict[str, Runner] = {}
        end = time.monotonic() + options.minutes * 60
        tried = 0
        for module, item in waiting:
            if time.monotonic() > end:
                break
            name = _area_of(module)
            if name not in runners:
                runners[name] = stack.enter_context(Runner.of(areas[name]))
            _try(module, item, sessions[module], runners[name], at_most=options.seconds)
            tried += 1
    print(f"\n{tried} tried in this run, with --seed {options.seed}.")
    return report(_found(modules, sessions), tree=TREE, at_least=options.at_least)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("modules", nargs="*", help="of src/sophiie, such as sync/due.py or sync")
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--seconds", type=float, default=60.0, help="of tests for one defect")
    parser.add_argument("--at-least", type=float, default=0.0, help="percent, or exit code 1")
    seed = random.SystemRandom().randrange(10**6)
    parser.add_argument("--seed", type=int, default=seed, help="of the order of the defects")
    parser.add_argument("--afresh", action="store_true", help="try again what was killed before")
    return parser.parse_args()


# -- what there is -------------------------------------------------------------------------------


def _modules(wanted: list[str]) -> Iterator[Path]:
    for name in wanted or AREAS:
        path = PACKAGE / name
        found = [path] if path.suffix == ".py" else sorted((ROOT / path).rglob("*.py"))
        for module in found:
            relative = module.relative_to(ROOT) if module.is_absolute() else module
            if "migrations" not in relative.parts and relative.name != "__init__.py":
                yield relative


def _area_of(module: Path) -> str:
    return module.relative_to(PACKAGE).parts[0]


def _copy_the_project() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    shutil.rmtree(TREE, ignore_errors=True)
    compiled = (str(path.relative_to(ROOT)) for path in (ROOT / PACKAGE).rglob("*.mo"))
    for name in {*filter(None, listed.split("\0")), *compiled}:
        if (ROOT / name).is_file():
            (TREE / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, TREE / name)


@contextmanager
def _database() -> Iterator[None]:
    """One server for all the runs, so that none waits for its own."""
    sys.path.insert(0, str(ROOT / "src"))
    from sophiie.database import EmbeddedPostgres

    server = EmbeddedPostgres(HOME / "database", durable=False)
    os.environ["TESTS_DATABASE_URL"] = server.start()
    os.environ["PYTHONPATH"] = os.pathsep.join([str(TREE / "src"), str(TREE / "simulator" / "src")])
    os.chdir(TREE)
    try:
        yield
    finally:
        server.stop()


# -- defects -------------------------------------------------------------------------------------


def _session(module: Path, area: Area) -> Path:
    """The file with a module's defects and what became of them, as far as that still counts."""
    path = _session_file(module)
    stamp = path.with_suffix(".stamp")
    source = digest_of(TREE, [str(module)])
    before = stamp.read_text().split() if stamp.exists() and path.exists() else ["", ""]
    if before == [source, area.digest]:
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    killed = _killed(path) if before[0] == source else {}
    path.unlink(missing_ok=True)
    with use_db(str(path)) as session:
        init([module], session, {})
        for item in session.work_items:
            if result := killed.get(_key(item)):
                session.set_result(item.job_id, result)
    stamp.write_text(f"{source} {area.digest}")
    return path


def _session_file(module: Path) -> Path:
    return HOME / "sessions" / f"{str(module.with_suffix('')).replace('/', '.')}.sqlite"


def _killed(path: Path) -> dict[Any, Any]:
    with use_db(str(path), WorkDB.Mode.open) as session:
        items = {item.job_id: _key(item) for item in session.work_items}
        return {
            items[job]: result
            for job, result in session.results
            if result.test_outcome == TestOutcome.KILLED
        }


def _key(item: WorkItem) -> tuple[str, int]:
    (mutation,) = item.mutations
    return mutation.operator_name, mutation.occurrence


def _pending(module: Path, session: Path) -> list[WorkItem]:
    with use_db(str(session), WorkDB.Mode.open) as opened:
        return [item for item in opened.pending_work_items if _is_of_use(module, item)]


def _is_of_use(module: Path, item: WorkItem) -> bool:
    (mutation,) = item.mutations
    name = mutation.operator_name.removeprefix("core/")
    # Nobody writes `is` for `==`, and of small values it is the same; nor `<` for `==` of names.
    # `==` for `is` is the same as well, of all that is compared by `is`.
    is_noise = (name.endswith(("_Is", "_IsNot")) and "Operator_Is" not in name) or name.endswith(
        tuple(f"_{equal}_{order}" for equal in ("Eq", "NotEq", "Is", "IsNot") for order in _ORDERS)
    )
    is_noise = is_noise or name.endswith(("Operator_Is_Eq", "Operator_IsNot_NotEq"))
    place = mutation.start_pos
    in_annotation = any(first <= place < last for first, last in _never_run(module))
    return name.startswith(OPERATORS) and not is_noise and not in_annotation


@cache
def _never_run(module: Path) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    """Where annotations are: with `from __future__ import annotations` nothing looks at them."""
    notes = []
    for node in ast.walk(ast.parse((TREE / module).read_text())):
        for name in ("annotation", "returns"):
            note = getattr(node, name, None)
            if isinstance(note, ast.expr):
                notes.append(note)
    return [
        ((n.lineno, n.col_offset), (n.end_lineno or n.lineno, n.end_col_offset or 0)) for n in notes
    ]


def _try(module: Path, item: WorkItem, session: Path, runner: Runner, *, at_most: float) -> None:
    (mutation,) = item.mutations
    lines = _statement_at(module, mutation.start_pos[0])
    tests = runner.chosen(module, runner.area.tests_of(module, lines), at_most=at_most)
    original, source = _defective(mutation)
    outcome, output = TestOutcome.SURVIVED, "no test runs the line"
    if not _is_python(source):
        outcome, output = TestOutcome.INCOMPETENT, "no Python any more"
    elif tests:
        outcome, output = runner.try_(module, source, tests)
    diff = "\n".join(unified_diff(original.splitlines(), source.splitlines(), lineterm=""))
    result = WorkResult(WorkerOutcome.NORMAL, output, outcome, diff)
    with use_db(str(session), WorkDB.Mode.open) as opened:
        opened.set_result(item.job_id, result)
    print(f"{outcome.value:9} {where(module, mutation)}  {output[-110:]}", flush=True)
    if outcome == TestOutcome.SURVIVED:
        print(changed_lines(diff), flush=True)


def _defective(mutation: MutationSpec) -> tuple[str, str]:
    """The source of the module as it is, and with the defect."""
    source = (TREE / mutation.module_path).read_text()
    operator = get_operator(mutation.operator_name)(**(mutation.operator_args or {}))
    changed: str | None = mutate_code(source, operator, mutation.occurrence)
    return source, changed if changed is not None else source


def _is_python(source: str) -> bool:
    try:
        compile(source, "defective", "exec", dont_inherit=True)
    except SyntaxError:
        return False
    return True


def _takes_effect_at_loading(module: Path, item: WorkItem) -> bool:
    """Such a defect costs ten times as much as another, so it comes last."""
    line = item.mutations[0].start_pos[0]
    return not any(line in body for body in _bodies(module))


@cache
def _bodies(module: Path) -> list[range]:
    """The lines of the bodies of functions."""
    return [
        range(node.body[0].lineno, (node.end_lineno or node.lineno) + 1)
        for node in ast.walk(ast.parse((TREE / module).read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]


@cache
def _statements(module: Path) -> dict[int, range]:
    """For each line, those of the smallest statement, or head of one, that it belongs to."""
    found: dict[int, range] = {}
    for node in ast.walk(ast.parse((TREE / module).read_text())):
        if isinstance(node, ast.stmt | ast.ExceptHandler | ast.match_case):
            first = node.pattern.lineno if isinstance(node, ast.match_case) else node.lineno
            body = getattr(node, "body", None)
            last = body[0].lineno - 1 if body else getattr(node, "end_lineno", None) or first
            lines = range(first, max(first, last) + 1)
            for line in lines:
                if line not in found or len(lines) < len(found[line]):
                    found[line] = lines
    return found


def _statement_at(module: Path, line: int) -> Iterable[int]:
    return _statements(module).get(line, (line,))


def _found(
    modules: list[Path], sessions: dict[Path, Path]
) -> Iterator[tuple[Path, MutationSpec, WorkResult | None]]:
    """Every defect that is of use, with what became of it so far."""
    for module in modules:
        with use_db(str(sessions[module]), WorkDB.Mode.open) as session:
            results = dict(session.results)
            items = [item for item in session.work_items if _is_of_use(module, item)]
        for item in items:
            yield module, item.mutations[0], results.get(item.job_id)


if __name__ == "__main__":
    sys.exit(main())
