"""Takes the pictures of README and help from the demo, with a real browser."""

import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
IMAGES = ROOT / "docs" / "images"
HELP = ROOT / "src" / "sophiie" / "web" / "static" / "sophiie" / "help"
SIZES: list[tuple[str, dict[str, Any]]] = [
    ("", {"viewport": {"width": 1280, "height": 820}}),
    ("-phone-dark", {"viewport": {"width": 360, "height": 740}, "color_scheme": "dark"}),
]


def main() -> int:
    sys.path.insert(0, str(ROOT))
    from tests.browser import browser_page
    from tests.processes import running_demo

    IMAGES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, running_demo(Path(folder) / "data") as demo:
        for name, options in SIZES:
            with browser_page(locale="en-AU", **options) as page:
                _sign_in(page, demo)
                _for_readme(page, demo, name)
    HELP.mkdir(parents=True, exist_ok=True)
    for scheme in ("light", "dark"):
        with tempfile.TemporaryDirectory() as folder, running_demo(Path(folder) / "data") as demo:
            options = {"viewport": {"width": 960, "height": 900}, "color_scheme": scheme}
            with browser_page(locale="en-AU", **options) as page:
                _sign_in(page, demo)
                _for_help(page, demo, scheme)
    print(f"Pictures in {IMAGES.relative_to(ROOT)} and {HELP.relative_to(ROOT)}: look at them.")
    return 0


def _sign_in(page: Any, demo: Any) -> None:
    page.goto(demo.url)
    page.get_by_label("Email").fill("alice@example.com")
    page.get_by_label("Password").fill("sophiie-demo")
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/calendar*")


def _go_to_google(page: Any) -> None:
    page.get_by_role("button", name="Link Calendar").click()
    page.get_by_role("button", name="Connect to Google").click()
    page.get_by_role("button", name="alice@example.com").click()
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("radio", name="Jobs").check()


def _for_readme(page: Any, demo: Any, name: str) -> None:
    page.goto(f"{demo.url}/settings/calendar")
    if page.get_by_role("button", name="Link Calendar").count():
        page.screenshot(path=IMAGES / f"link{name}.png")
        _go_to_google(page)
        page.screenshot(path=IMAGES / f"choose{name}.png")
        page.get_by_role("button", name="Save").click()
        page.wait_for_timeout(3000)
    page.goto(f"{demo.url}/overview")
    page.screenshot(path=IMAGES / f"overview{name}.png")
    _day_with_visits(page, demo)
    page.screenshot(path=IMAGES / f"day-sheet{name}.png")
    page.goto(f"{demo.url}/customers")
    page.screenshot(path=IMAGES / f"customers{name}.png")
    page.get_by_role("link", name="Ms White").click()
    page.wait_for_load_state("load")
    page.screenshot(path=IMAGES / f"customer{name}.png")
    _calendar(page, demo)
    page.screenshot(path=IMAGES / f"calendar{name}.png")
    _quick_form(page)
    page.screenshot(path=IMAGES / f"quick-form{name}.png")
    page.keyboard.press("Escape")  # the list of customers
    page.keyboard.press("Escape")
    if not name:
        for view in ("month", "team"):
            page.locator(f'.cal-view[data-view="{view}"]').click()
            page.wait_for_timeout(1000)
            page.screenshot(path=IMAGES / f"calendar-{view}.png")
        page.locator('.cal-view[data-view="week"]').click()
    page.get_by_role("link", name="Next week").click()
    page.get_by_role("link", name="Burst pipe: repair check").click()
    if not name:
        page.get_by_role("link", name="Edit").wait_for()
        page.wait_for_timeout(500)
        page.screenshot(path=IMAGES / "popover.png")
        page.get_by_role("link", name="Open full page").click()
    page.wait_for_url("**/appointments/*")
    page.screenshot(path=IMAGES / f"appointment{name}.png")
    if not name:
        jobs = "jobs-alice%40group.calendar.google.com"
        page.goto(f"{demo.simulator_url}/simulator/accounts/alice@example.com?calendar={jobs}")
        page.wait_for_timeout(500)
        page.screenshot(path=IMAGES / "simulator.png")


def _calendar(page: Any, demo: Any) -> None:
    page.goto(f"{demo.url}/calendar")
    if (put_away := page.get_by_role("button", name="Dismiss")).count():
        put_away.click()
    page.wait_for_selector("#cal-frame[aria-busy=false]")
    page.wait_for_timeout(500)


def _day_with_visits(page: Any, demo: Any) -> None:
    """Alice's day sheet of today, or of the next day with something on it."""
    page.goto(f"{demo.url}/day-sheet")
    for _ in range(7):
        if page.locator(".visit").count():
            return
        page.get_by_role("link", name="The next day").click()
        page.wait_for_load_state("load")


def _quick_form(page: Any) -> None:
    """The quick form while a caller's name is typed."""
    page.get_by_role("button", name="New appointment, quickly").click()
    form = page.get_by_role("dialog", name="New appointment")
    form.get_by_label("Title").fill("Tap drips")
    form.get_by_text("is free").first.wait_for()
    form.get_by_role("combobox", name="Customer").press_sequentially("gre")
    form.locator("[role=option]").first.wait_for()  # a customer, not a service


def _for_help(page: Any, demo: Any, scheme: str) -> None:
    """The screens that the help page walks through, without the frame around them."""
    page.goto(f"{demo.url}/settings/calendar")
    page.locator(".hero").screenshot(path=HELP / f"link-{scheme}.png")
    _go_to_google(page)
    page.locator(".table-choose").screenshot(path=HELP / f"choose-{scheme}.png")
    page.get_by_role("button", name="Save").click()
    page.wait_for_timeout(4000)  # until all is there and the page stands still
    page.reload()
    page.locator("#link-status .card").first.screenshot(path=HELP / f"linked-{scheme}.png")


if __name__ == "__main__":
    sys.exit(main())
