"""The main job, end to end, as a person does it in a browser."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from google_simulator.control import SimulatorControl
from tests.browser import browser_page, problems_of
from tests.processes import Demo, running_demo

pytestmark = pytest.mark.real_clock
days_ahead = count(20, 7)  # each look at the journey has a week of its own


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    with running_demo(tmp_path_factory.mktemp("journey") / "data") as running:
        yield running


@pytest.fixture
def page(look: dict[str, Any]) -> Iterator[Page]:
    with browser_page(**look) as page:
        yield page


def sign_in(page: Page, demo: Demo) -> None:
    page.goto(demo.url)
    page.get_by_label("Email").fill("alice@example.com")
    page.get_by_label("Password").fill("sophiie-demo")
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/calendar")


def test_book_in_sophiie_see_it_in_google_calendar(page: Page, demo: Demo) -> None:
    sign_in(page, demo)
    google = page.context.new_page()

    # Link, choose, save.
    page.goto(f"{demo.url}/settings/calendar")
    expect(page.get_by_role("tab", name="Calendar")).to_have_attribute("aria-selected", "true")
    page.get_by_role("button", name="Link Calendar").click()
    page.get_by_role("button", name="Connect to Google").click()
    page.get_by_role("button", name="alice@example.com").click()
    page.get_by_role("button", name="Continue").click()
    table = page.get_by_role("table", name="Choose a calendar")
    jobs = "jobs-alice@group.calendar.google.com"
    expect(table.get_by_role("checkbox", name="Check for conflicts").first).to_be_visible()
    expect(page.locator("#preflight")).to_contain_text("will be added to “alice@example.com”")
    table.get_by_role("radio", name=jobs).check()
    expect(page.locator("#preflight")).to_contain_text("will be added to “Jobs”")
    page.get_by_role("button", name="Save").click()
    message = page.get_by_role("status").filter(has_text="synchronization is active")
    expect(message).to_contain_text("Jobs")

    # Create: the badge changes without reload, the event appears in the open page of Google.
    day = datetime.now(UTC).date() + timedelta(days=next(days_ahead))
    week = day - timedelta(days=day.weekday())
    google.goto(f"{demo.simulator_url}/simulator/accounts/alice@example.com?week={week}")
    page.goto(f"{demo.url}/appointments/new")
    page.get_by_label("Title").fill("Install <b>boiler</b>")
    page.get_by_label("Date").fill(day.isoformat())
    page.get_by_label("Start").fill("09:00")
    page.get_by_label("End", exact=True).fill("10:30")
    page.get_by_label("Location").fill("12 Bay Street")
    page.get_by_role("button", name="Save").click()
    page.wait_for_url(re.compile(r"/appointments/[0-9a-f-]{36}$"))
    expect(page.get_by_text("In Google Calendar").first).to_be_visible()
    event = google.locator("[data-event-id]").filter(has_text="Install <b>boiler</b>")
    expect(event).to_be_visible()
    expect(event).to_contain_text("9:00")
    expect(event).to_contain_text("12 Bay Street")
    appointment = page.url

    # Move it: it moves.
    page.get_by_label("Start").fill("14:00")
    page.get_by_label("End", exact=True).fill("15:30")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status").filter(has_text="Saved")).to_be_visible()
    expect(event).to_contain_text(re.compile("14:00|2:00"))

    # Delete it: it is gone.
    page.get_by_role("button", name="Delete", exact=True).click()
    page.wait_for_url("**/calendar?deleted=*")
    expect(page.get_by_role("button", name="Undo")).to_be_visible()
    expect(event).to_have_count(0)
    assert page.goto(appointment).status == 404  # type: ignore[union-attr]

    # Unlink; change another appointment; nothing is called.
    page.goto(f"{demo.url}/settings/calendar")
    page.get_by_role("button", name="Unlink Google").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("radio", name="Keep the events")).to_be_checked()
    dialog.get_by_role("button", name="Unlink", exact=True).click()
    expect(page.get_by_role("status").filter(has_text="disconnected")).to_be_visible()
    control = SimulatorControl(demo.simulator_url)
    before = control.events("alice@example.com", jobs)
    assert before  # the upcoming appointments of the demo stay
    control.clear_calls()
    page.goto(f"{demo.url}/appointments/new")
    page.get_by_label("Title").fill("After unlinking")
    page.get_by_label("Date").fill(day.isoformat())
    page.get_by_label("Start").fill("16:00")
    page.get_by_label("End", exact=True).fill("17:00")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status").filter(has_text="is booked")).to_be_visible()
    page.wait_for_timeout(2_500)  # two rounds of the worker's sweep
    assert control.calls() == []
    assert control.events("alice@example.com", jobs) == before
    # The one error in the console is the 404 that was asked for above.
    assert [p for p in problems_of(page) if "404" not in p] == []


def test_nothing_secret_is_in_the_logs(demo: Demo) -> None:
    """After the journey above: no code, token, state, key or password in anything printed."""
    log = demo.output
    assert '"path": "/integrations/google/callback"' in log
    for secret in (
        r"ya29\.",
        r"1//",
        r"[?&]code=",
        r"[?&]state=",
        r"sophiie-demo-secret",
        r"sophiie_[0-9a-f]{16}_",
        r"gAAAA",
    ):
        assert not re.search(secret, log), secret
    kept = (Path(demo.folder) / "secrets.json").read_text()
    for secret in re.findall(r'"([\w=-]{40,})"', kept):
        assert secret not in log
