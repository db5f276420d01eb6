"""A gesture that opens a dialog presses nothing inside it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect
from playwright.sync_api import TimeoutError as PlaywrightTimeoutError

from sophiie.accounts.models import Member
from tests.journey.calendar import TUESDAY, Opened, drag, drawn, entry, made, quick, stored, toast
from tests.web.test_team import colleague

pytestmark = pytest.mark.django_db(transaction=True)

SMALL = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
# What the sheet looks like: everything that a stray press could change in it.
_STATE = """() => ({
    isOpen: document.getElementById("cal-quick").open,
    checked: [...document.querySelectorAll("#cal-quick [name=assignees]:checked")]
        .map((box) => box.closest("label").textContent.trim()),
    focus: document.activeElement.name ?? document.activeElement.tagName,
    where: location.pathname,
})"""


def test_a_tap_on_an_empty_slot_presses_nothing_in_the_sheet(opened: Opened, alice: Member) -> None:
    """Wherever the finger is: on a person, a field, a button, beside the sheet."""
    for name in ("Bob", "Carla", "Dora", "Emil"):
        colleague(alice, name)
    with opened(f"view=day&date={TUESDAY}", **SMALL) as page:
        grid = page.locator(".ec-main").bounding_box()
        assert grid
        found: list[Any] = []
        for number in range(5):
            # From the top of the sheet to its buttons, from left to right.
            x, y = 60 + 65 * number, grid["y"] + 80 + 70 * number
            page.touchscreen.tap(x, y)  # all the events of a finger, the mouse's included
            expect(quick(page)).to_be_visible()
            page.wait_for_timeout(60)  # the mouse's events come last
            found.append(page.evaluate(_STATE))
            page.evaluate("document.getElementById('cal-quick').close()")
            page.wait_for_timeout(400)  # the next tap is a gesture of its own
        untouched = {"isOpen": True, "checked": ["AAlice"], "focus": "title", "where": "/calendar"}
        assert found == [untouched] * len(found)
        # What is pressed afterwards counts.
        page.touchscreen.tap(200, grid["y"] + 200)
        box = quick(page).get_by_text("Bob").bounding_box()
        assert box
        page.touchscreen.tap(box["x"] + 5, box["y"] + 5)
        expect(quick(page).get_by_role("checkbox", name="Bob")).to_be_checked()


def test_what_opened_any_dialog_presses_nothing_in_it(opened: Opened) -> None:
    """The rule holds for every dialog, for a double click and for a key that is held down."""
    with opened() as page:
        page.evaluate("""() => {
            document.body.insertAdjacentHTML("beforeend", `
                <dialog id="any"><button>Press</button></dialog>`);
            const dialog = document.getElementById("any");
            dialog.querySelector("button").addEventListener("click", () => {
                dialog.dataset.pressed = "yes";
            });
            dialog.style.cssText = "position: fixed; inset: 0; margin: 0; width: 100vw;"
                + "height: 100vh; max-width: none; max-height: none";
            dialog.firstElementChild.style.cssText = "width: 100%; height: 100%";
            addEventListener("pointerdown", () => dialog.open || dialog.showModal(), {once: true});
        }""")
        dialog = page.locator("#any")
        page.mouse.dblclick(400, 400)
        expect(dialog).to_be_visible()
        expect(dialog).not_to_have_attribute("data-pressed", "yes")
        page.wait_for_timeout(400)
        page.mouse.click(400, 400)
        expect(dialog).to_have_attribute("data-pressed", "yes")
        page.evaluate("document.getElementById('any').close()")
        page.keyboard.down("n")
        expect(quick(page)).to_be_visible()
        page.keyboard.down("n")  # held: it repeats
        page.keyboard.up("n")
        expect(quick(page).get_by_label("Title")).to_have_value("")


def opened_by_tap(page: Page, article: Locator, part: float) -> None:
    """A tap that a busy machine draws out is a long press, which begins to drag: then once more."""
    for patience_ms in (3_000, 6_000, 12_000, 24_000):
        expect(article).to_have_css("display", re.compile("."))  # not between two drawings
        box = article.bounding_box()
        if box is None:
            continue
        article.tap(position={"x": box["width"] / 2, "y": box["height"] * part})
        try:
            page.wait_for_url(re.compile("/appointments/"), timeout=patience_ms)
        except PlaywrightTimeoutError:
            continue
        return
    pytest.fail(f"a tap at {part} of its height opens nothing")


@pytest.mark.parametrize("view", ["day", "week", "team"])
@pytest.mark.parametrize("minutes", [15, 30, 60])
def test_a_tap_anywhere_on_an_entry_opens_it(
    opened: Opened, alice: Member, view: str, minutes: int
) -> None:
    """The handle for its length lay over the lower half of a short one, and took the tap."""
    made(alice, "Boiler", "10:00", alice, minutes=minutes)
    with opened(f"view={view}&date={TUESDAY}", **SMALL) as page:
        for part in (0.2, 0.5, 0.75, 0.95):
            drawn(page)
            opened_by_tap(page, entry(page, "Boiler").locator("xpath=ancestor::article"), part)
            page.go_back()
            expect(entry(page, "Boiler")).to_be_visible()


def test_the_handle_of_an_entry_still_lengthens_it(opened: Opened, alice: Member) -> None:
    """And a drag that ends opens nothing."""
    boiler = made(alice, "Boiler", "10:00", alice, minutes=30)
    with opened(f"view=day&date={TUESDAY}") as page:
        drag(page, entry(page, "Boiler"), down=26, edge=True)
        expect(toast(page)).to_contain_text("“Boiler” is now")
        expect(page.locator("#job")).to_be_hidden()
        assert (stored(boiler).end - stored(boiler).start).total_seconds() == 3600
        # At a desk a click on it, without a drag, is one on the entry.
        page.locator(".ec-event .ec-resizer").click()
        expect(page.locator("#job")).to_be_visible()
