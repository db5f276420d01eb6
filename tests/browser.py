"""A real browser: headless Chromium from the machine, driven by Playwright.

It starts once in a process and lives as long as that; each page has a fresh profile.
"""

from __future__ import annotations

import asyncio
import atexit
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any
from weakref import WeakKeyDictionary

from playwright.sync_api import Browser, Page, expect, sync_playwright
from time_machine import escape_hatch

from sophiie.common.clock import now

# This list takes the place of Playwright's: first the part of it that decides what pages do, then
# what Chromium starts for each window beside its page. Three renderers, two of them for menus of
# the address bar, cost more than most pages of these tests.
OFF = [
    *("AvoidUnnecessaryBeforeUnloadCheckSync", "AvoidCorsURLLoaderRestartOnRedirect"),
    *("DestroyProfileOnBrowserClose", "HttpsUpgrades", "HttpsFirstBalancedModeAutoEnable"),
    *("PaintHolding", "ThirdPartyStoragePartitioning", "OptimizationHints", "AimEnabled"),
    *("NetworkTimeServiceQuerying", "PreconnectToSearch"),
    *("WebUIOmniboxPopup", "WebUIOmniboxAimPopup", "WebUIOmniboxFullPopup"),
    "SpareRendererForSitePerProcess",
]
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    f"--disable-features={','.join(OFF)}",
    "--js-flags=--no-opt",  # a page lives too short for its scripts to be worth optimizing
]

# What is expected comes at once, or late on a machine that does other things as well.
PATIENCE_MS = 60_000
expect.set_options(timeout=PATIENCE_MS)

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


@cache
def _chromium() -> tuple[Browser, asyncio.AbstractEventLoop]:
    """The browser, and the event loop by which Playwright talks to it in this thread."""
    playwright = sync_playwright().start()
    loop = asyncio.get_running_loop()
    browser = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)

    def end() -> None:
        with _in_sight(loop):
            browser.close()
            playwright.stop()

    atexit.register(end)
    return browser, loop


@contextmanager
def _in_sight(loop: asyncio.AbstractEventLoop) -> Iterator[None]:
    """Playwright's loop counts as this thread's running one only while a page is open.

    Django and `asyncio.run` refuse to work where a loop runs, and other tests need both.
    """
    asyncio._set_running_loop(loop)
    try:
        yield
    finally:
        asyncio._set_running_loop(None)


_PROBLEMS: WeakKeyDictionary[Page, list[str]] = WeakKeyDictionary()


def problems_of(page: Page) -> list[str]:
    """The errors in its console so far."""
    return _PROBLEMS[page]


@contextmanager
def browser_page(**options: Any) -> Iterator[Page]:
    """A page in a fresh profile. `problems_of` has the errors in its console."""
    browser, loop = _chromium()
    with _in_sight(loop):
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 850}, **options})
        context.set_default_timeout(PATIENCE_MS)
        if escape_hatch.is_travelling():  # the page's clock is that of the test and its site
            context.clock.install(time=now())
        page = context.new_page()
        problems = _PROBLEMS[page] = []
        page.on("console", lambda m: problems.append(m.text) if m.type == "error" else None)
        page.on("pageerror", lambda error: problems.append(str(error)))
        try:
            yield page
        finally:
            context.close()
