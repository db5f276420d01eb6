"""Walking through the pages with a real browser and asking axe about each."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from playwright.sync_api import Page

from sophiie.accounts.models import Member
from tests.accessibility import violations
from tests.browser import browser_page
from tests.site import sign_in

PHONE, DESK = (360, 740), (1280, 850)
Scheme = Literal["light", "dark"]
# Colours depend on the scheme and the rest on the size: all rules once at each size, and those
# about colours in every look.
COLOURS = ["color-contrast", "link-in-text-block"]
LOOKS: dict[tuple[int, int], dict[Scheme, list[str]]] = {
    DESK: {"dark": [], "light": COLOURS},
    PHONE: {"light": [], "dark": COLOURS},
}

# What moves or fades has half a colour.
_STILL = "() => { document.getAnimations().forEach((a) => a.cancel()); window.scrollTo(0, 0); }"


class Tour:
    """A browser at the site; `found` holds what axe has against each state that was looked at."""

    def __init__(self, page: Page, address: str) -> None:
        self.page, self.address = page, address
        self.found: dict[str, list[str]] = {}

    def sign_in(self, member: Member) -> None:
        sign_in(self.page, self.address, member)

    def look(self, state: str, path: str = "") -> None:
        """Looks in every light at the page as it is, or at the one at `path`."""
        if path:
            self.page.goto(self.address + path)
        for (width, height), schemes in LOOKS.items():
            self.page.set_viewport_size({"width": width, "height": height})
            # All of it at once: what lies under a bar that stays can be scrolled from there.
            # A page that leads on by itself has nothing to measure for a moment.
            self.page.wait_for_selector("body")
            whole = self.page.evaluate("() => document.documentElement.scrollHeight")
            self.page.set_viewport_size({"width": width, "height": max(height, whole)})
            for scheme, rules in schemes.items():
                self.page.emulate_media(color_scheme=scheme)
                self.page.evaluate(_STILL)
                found = violations(self.page, only=rules)
                if self._is_wider_than_the_screen():
                    found = [*found, "wider than the screen"]
                if found:
                    self.found[f"{state}, {width} px, {scheme}"] = found

    def press(self, name: str, *, exact: bool = True) -> None:
        self.page.get_by_role("button", name=name, exact=exact).click()

    def _is_wider_than_the_screen(self) -> bool:
        measure = "() => document.documentElement.scrollWidth > window.innerWidth"
        return bool(self.page.evaluate(measure))


@contextmanager
def touring(address: str) -> Iterator[Tour]:
    """A tour; at its end axe may have found nothing."""
    with browser_page(locale="en-AU") as page:
        tour = Tour(page, address)
        yield tour
        assert not tour.found, "\n".join(
            f"{state}: {line}" for state, lines in tour.found.items() for line in lines
        )
