"""The script of the appointment form reads typed times as the server does."""

from __future__ import annotations

from datetime import time
from pathlib import Path

from django.contrib.staticfiles import finders
from playwright.sync_api import Route

from tests.browser import browser_page
from tests.web.test_typed_times import CASES

ADDRESS = "http://sophiie.test"
IN_THE_BROWSER = """
async (texts) => {
  const { parseTime, formatTime } = await import("/typed_times.js");
  const day = [...Array(24 * 60).keys()];
  const misread = ["12", "24"].flatMap((clock) =>
    day.filter((minutes) => parseTime(formatTime(minutes, clock)) !== minutes));
  return [texts.map(parseTime), misread];
}
"""


def test_the_script_understands_and_refuses_the_same_times_and_its_own() -> None:
    found = finders.find("sophiie/appointments/typed_times.js")
    assert isinstance(found, str)
    script = Path(found).read_text()

    def serve(route: Route) -> None:
        if route.request.url.endswith(".js"):
            route.fulfill(body=script, content_type="text/javascript")
        else:
            route.fulfill(body="<!DOCTYPE html><title>Times</title>", content_type="text/html")

    with browser_page() as page:
        page.route(f"{ADDRESS}/**", serve)
        page.goto(f"{ADDRESS}/")
        read, misread = page.evaluate(IN_THE_BROWSER, list(CASES))
    assert misread == []
    times = [None if n is None else time(n // 60, n % 60).isoformat("minutes") for n in read]
    assert dict(zip(CASES, times, strict=True)) == CASES
