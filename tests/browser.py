"""A real browser: headless Chromium from the machine, driven by Playwright."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Page, sync_playwright
from time_machine import escape_hatch

from sophiie.common.clock import now

FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


DESK = {"viewport": {"width": 1280, "height": 900}}
PHONE = {"viewport": {"width": 360, "height": 740}, "has_touch": True}
# Each journey is made at both sizes, in light and in dark, the one by keyboard at a desk; axe looks
# at all four.
LOOKS: dict[str, dict[str, Any]] = {
    "desk in light": {**DESK, "color_scheme": "light"},
    "phone in dark": {**PHONE, "color_scheme": "dark"},
}


def chromium() -> str:
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if path := shutil.which(name):
            return path
    raise RuntimeError("Chromium is missing; on Debian and Ubuntu: apt-get install chromium")


@contextmanager
def browser_page(**options: Any) -> Iterator[Page]:
    """A page in a fresh profile. Errors in its console are collected in `page.problems`."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 850}, **options})
        if escape_hatch.is_travelling():  # the page's clock is that of the test and its site
            context.clock.install(time=now())
        page = context.new_page()
        problems: list[str] = []
        page.problems = problems  # type: ignore[attr-defined]
        page.on("console", lambda m: problems.append(m.text) if m.type == "error" else None)
        page.on("pageerror", lambda error: problems.append(str(error)))
        try:
            yield page
        finally:
            browser.close()
