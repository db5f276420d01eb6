"""Whether all of a page can be read and pressed, as a real browser shows it.

Finds text that is cut with no way to read the rest (a tip or title holds the whole), elements that
lie over one another, targets under 24 pixels, and a page wider than the screen.
"""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Page

_SCRIPT = Path(__file__).with_suffix(".js").read_text()


def faults(page: Page) -> list[str]:
    """What cannot be read or pressed in the page as it is; [] when all is well."""
    found: list[str] = page.evaluate(_SCRIPT)
    return found
