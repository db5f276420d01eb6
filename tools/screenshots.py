"""Takes the pictures of README and help from the demo, with a real browser."""

import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
IMAGES = ROOT / "docs" / "images"


def main() -> int:
    sys.path.insert(0, str(ROOT))
    from tests.browser import browser_page
    from tests.processes import running_demo

    IMAGES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, running_demo(Path(folder) / "data") as demo:
        for name, options in (
            ("", {"viewport": {"width": 1280, "height": 820}}),
            ("-phone-dark", {"viewport": {"width": 360, "height": 740}, "color_scheme": "dark"}),
        ):
            with browser_page(**options) as page:
                page.goto(demo.url)
                page.get_by_label("Email").fill("alice@example.com")
                page.get_by_label("Password").fill("sophiie-demo")
                page.get_by_role("button", name="Sign in").click()
                page.goto(f"{demo.url}/settings/calendar")
                if page.get_by_role("button", name="Link Calendar").count():
                    page.screenshot(path=IMAGES / f"link{name}.png")
                    page.get_by_role("button", name="Link Calendar").click()
                    page.get_by_role("button", name="Connect to Google").click()
                    page.get_by_role("button", name="alice@example.com").click()
                    page.get_by_role("button", name="Continue").click()
                    page.get_by_role("radio", name="Jobs").check()
                    page.screenshot(path=IMAGES / f"choose{name}.png")
                    page.get_by_role("button", name="Save").click()
                    page.wait_for_timeout(3000)
                page.goto(f"{demo.url}/calendar")
                page.wait_for_selector("#cal-frame[aria-busy=false]")
                page.wait_for_timeout(500)
                page.screenshot(path=IMAGES / f"calendar{name}.png")
                if not name:
                    for view in ("month", "team"):
                        page.locator(f'.cal-view[data-view="{view}"]').click()
                        page.wait_for_timeout(1000)
                        page.screenshot(path=IMAGES / f"calendar-{view}.png")
                    page.locator('.cal-view[data-view="week"]').click()
                page.get_by_role("link", name="Next week").click()
                page.get_by_role("link", name="Burst pipe: repair check").click()
                page.screenshot(path=IMAGES / f"appointment{name}.png")
                if not name:
                    jobs = "jobs-alice%40group.calendar.google.com"
                    page.goto(
                        f"{demo.simulator_url}/simulator/accounts/alice@example.com?calendar={jobs}"
                    )
                    page.wait_for_timeout(500)
                    page.screenshot(path=IMAGES / "simulator.png")
    print(f"Pictures in {IMAGES.relative_to(ROOT)}: look at them.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
