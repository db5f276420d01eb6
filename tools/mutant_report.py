"""The report on small defects: how many of those tried were killed, and every one that survived.

For mutants.py. Defects that change nothing are listed, with the reason, in
`tests/accepted_mutants.toml`; they count neither as killed nor as survived.
"""

from __future__ import annotations

import tomllib
from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path

from cosmic_ray.mutating import MutationSpec
from cosmic_ray.work_item import TestOutcome, WorkResult

ACCEPTED = Path(__file__).resolve().parent.parent / "tests" / "accepted_mutants.toml"
# What becomes of a defect.
KILLED, SURVIVED, EQUAL, LEFT = "killed", "survived", "equal", "left"


def report(
    found: Iterable[tuple[Path, MutationSpec, WorkResult | None]], *, tree: Path, at_least: float
) -> int:
    """Prints it; 1 if less than `at_least` percent were killed, else 0."""
    known = tomllib.loads(ACCEPTED.read_text()).get("mutant", [])
    counts: dict[Path, Counter[str]] = defaultdict(Counter)
    survivors = []
    for module, mutation, result in found:
        became = _became(tree / module, module, mutation, result, known)
        counts[module][became] += 1
        if became == SURVIVED and result is not None:
            survivors.append(f"{where(module, mutation)}\n{changed_lines(result.diff)}")
    print("\n" + "\n\n".join(survivors) + "\n")
    for module, here in counts.items():
        if here[KILLED] + here[SURVIVED]:
            print(f"{module}: {_share(here)}")
    total = sum(counts.values(), Counter[str]())
    print(
        f"\n{_share(total)}, {total[SURVIVED]} survived; "
        f"{total[EQUAL]} change nothing and are accepted, {total[LEFT]} not tried yet."
    )
    tried = total[KILLED] + total[SURVIVED]
    return int(tried > 0 and 100 * total[KILLED] / tried < at_least)


def where(module: Path, mutation: MutationSpec) -> str:
    return f"{module}:{mutation.start_pos[0]} {mutation.operator_name.removeprefix('core/')}"


def changed_lines(diff: str | None) -> str:
    lines = (diff or "").splitlines()
    return "\n".join(
        f"    {line}"
        for line in lines
        if line.startswith(("+", "-")) and not line.startswith(("+++", "---"))
    )


def _became(
    path: Path,
    module: Path,
    mutation: MutationSpec,
    result: WorkResult | None,
    known: list[dict[str, str]],
) -> str:
    if result is None:
        return LEFT
    if result.test_outcome == TestOutcome.INCOMPETENT:
        return "no Python any more"
    if result.is_killed:
        return KILLED
    return EQUAL if _is_accepted(path, module, mutation, known) else SURVIVED


def _share(counts: Counter[str]) -> str:
    tried = counts[KILLED] + counts[SURVIVED]
    share = 100 * counts[KILLED] / tried if tried else 100.0
    return f"{counts[KILLED]} of {tried} killed ({share:.1f} %)"


def _is_accepted(
    path: Path, module: Path, mutation: MutationSpec, known: list[dict[str, str]]
) -> bool:
    row, column = mutation.start_pos
    line = path.read_text().splitlines()[row - 1]
    found = {"module": str(module), "operator": mutation.operator_name, "line": line.strip()}
    return any(
        line[:column].endswith(one.get("before", ""))
        and all(found[name] == one[name] for name in found.keys() & one.keys())
        for one in known
    )
