"""Nothing but the keyboard: from signing in to a linked calendar and a cancelled appointment."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from sophiie.accounts.models import Member
from tests.browser import DESK, browser_page
from tests.conftest import PASSWORD
from tests.site import sign_in

pytestmark = pytest.mark.django_db(transaction=True)
MAX_STEPS = 80


@pytest.fixture
def page() -> Iterator[Page]:
    with browser_page(**DESK) as page:
        yield page


_NAME = """() => {
    const here = document.activeElement;
    const named = here.getAttribute("aria-labelledby");
    const labels = named
        ? named.split(" ").map((id) => document.getElementById(id))
        : [...(here.labels || [])];
    const words = here.getAttribute("aria-label")
        || labels.map((label) => label.textContent).join(" ")
        || here.textContent;
    return words.replace(/\\s+/g, " ").trim();
}"""
# Where the focus is it must be seen: by an outline or a shadow, its own or that of its frame.
_SEEN = """() => {
    const here = document.activeElement;
    const shown = (element) => {
        const style = getComputedStyle(element);
        const outlined = style.outlineStyle !== "none" && style.outlineColor !== "rgba(0, 0, 0, 0)";
        return style.boxShadow !== "none" || outlined;
    };
    const around = here.closest(".chip, .row, .choice");
    return shown(here) || (around !== null && shown(around));
}"""


def walk_to(page: Page, name: str, *, back: bool = False) -> None:
    """Presses Tab until the element of this name has the focus, and sees that the focus shows."""
    seen = []
    for _ in range(MAX_STEPS):
        page.keyboard.press("Shift+Tab" if back else "Tab")
        here = page.evaluate(_NAME)
        seen.append(here)
        if here == name or here.startswith(name + " "):
            assert page.evaluate(_SEEN), f"the focus on “{here}” cannot be seen"
            return
    raise AssertionError(f"no way to “{name}”, only to {seen}")


def press(page: Page, name: str) -> None:
    walk_to(page, name)
    page.keyboard.press("Enter")


def test_signing_in(alice: Member, site: str, page: Page) -> None:
    page.goto(site)
    page.keyboard.type("alice@example.com")  # the field has the focus already
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/calendar")


def test_the_first_key_leads_past_the_navigation(alice: Member, site: str, page: Page) -> None:
    sign_in(page, site, alice)
    page.goto(f"{site}/appointments/new")
    page.keyboard.press("Tab")
    assert page.evaluate(_NAME) == "Skip to content"
    page.keyboard.press("Enter")
    walk_to(page, "Back to the calendar")


def test_booking_changing_cancelling(alice: Member, bob: Member, site: str, page: Page) -> None:
    sign_in(page, site, alice)
    page.goto(f"{site}/calendar")
    press(page, "New appointment")
    page.wait_for_url("**/appointments/new")
    press(page, "Save")  # refused: the summary has the focus and leads to the field
    page.wait_for_load_state()
    summary = page.get_by_role("alert")
    expect(summary).to_be_focused()
    press(page, "Title: Give the appointment a title.")
    expect(page.get_by_label("Title")).to_be_focused()
    page.keyboard.type("Leaking tap")
    walk_to(page, "Start")
    page.keyboard.press("Control+A")
    page.keyboard.type("9pm")
    press(page, "30 min")
    expect(page.get_by_label("End", exact=True)).to_have_value("21:30")
    walk_to(page, "Bob")
    page.keyboard.press("Space")
    expect(page.get_by_label("Bob")).to_be_checked()
    press(page, "Save")
    page.wait_for_url(re.compile(r"/appointments/[0-9a-f-]{36}$"))
    expect(page.get_by_role("status").first).to_contain_text("is booked")
    press(page, "Cancel appointment")
    expect(page.get_by_role("status").first).to_contain_text("is cancelled")


def test_linking_with_its_dialogs(
    alice: Member, google_in_browser: None, site: str, page: Page
) -> None:
    sign_in(page, site, alice)
    page.goto(f"{site}/settings/calendar")
    press(page, "Link Calendar")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    assert page.evaluate(_NAME) == "Link Calendar"  # back where it was opened
    page.keyboard.press("Enter")
    press(page, "Connect to Google")
    page.wait_for_url("**/o/oauth2/**")
    page.get_by_role("button", name="alice@example.com").press("Enter")
    page.get_by_role("button", name="Continue").press("Enter")
    page.wait_for_url("**/settings/calendar")
    press(page, "Save")
    expect(page.get_by_role("status").first).to_contain_text("synchronization is active")


def test_arrows_walk_along_the_tabs(alice: Member, site: str, page: Page) -> None:
    sign_in(page, site, alice)
    page.goto(f"{site}/settings/profile")
    walk_to(page, "Profile")
    page.keyboard.press("ArrowRight")
    assert page.evaluate(_NAME) == "Calendar"
    page.keyboard.press("End")
    assert page.evaluate(_NAME) == "Audit log"
    page.keyboard.press("Enter")
    page.wait_for_url("**/settings/audit")
