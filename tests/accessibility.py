"""WCAG 2.2 AA and axe's good practice, asked of the page that a real browser shows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

AXE = Path(__file__).resolve().parent / "vendor" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
_RUN = """
    axe.run({within}, {{ runOnly: {rules}, resultTypes: ["violations"] }}).then((found) =>
        found.violations.flatMap((rule) => rule.nodes.map((node) =>
            `${{rule.id}}: ${{node.target.join(" ")}}: ${{node.failureSummary}}`)))
"""


def violations(page: Page, *, within: str = "", only: Sequence[str] = ()) -> list[str]:
    """What axe has against the page, one line for each element; [] when all is well.

    `within` is a CSS selector, for a part of the page; `only` names single rules.
    """
    inside = f"document.querySelector({within!r})" if within else "document"
    if not page.evaluate("() => 'axe' in window"):
        _evaluate(page, AXE.read_text() + "; undefined")
    rules = list(only) or RULES
    found: list[str] = _evaluate(page, _RUN.format(within=inside, rules=rules))
    return found


def _evaluate(page: Page, script: str) -> Any:
    """Runs a script as the browser's own console would: the page's policy allows it nothing."""
    console = page.context.new_cdp_session(page)
    try:
        answer = console.send(
            "Runtime.evaluate",
            {"expression": script, "awaitPromise": True, "returnByValue": True},
        )
    finally:
        console.detach()
    assert "exceptionDetails" not in answer, answer["exceptionDetails"]
    return answer["result"].get("value")
