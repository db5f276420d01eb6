"""With JavaScript switched off: sign in, list, create, edit, cancel, link. Nothing is locked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from sophiie.accounts.models import Member
from tests.browser import browser_page
from tests.conftest import PASSWORD, tomorrow_at

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def page(look: dict[str, Any]) -> Iterator[Page]:
    with browser_page(java_script_enabled=False, **look) as page:
        yield page


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def sign_in(page: Page, site: str) -> None:
    page.goto(site)
    page.get_by_label("Email").fill("alice@example.com")
    page.get_by_label("Password").fill(PASSWORD)
    press(page, "Sign in")
    page.wait_for_url("**/calendar")


def test_a_form_sent_after_the_session_ended(alice: Member, site: str, page: Page) -> None:
    sign_in(page, site)
    page.get_by_role("link", name="New appointment").click()
    page.get_by_label("Title").fill("Leaking tap")
    page.get_by_label("Notes").fill("Ring twice")
    page.context.clear_cookies(name="sophiie_session")
    press(page, "Save")
    expect(page.get_by_role("alert")).to_contain_text("what you typed is here again")
    page.get_by_label("Email").fill("alice@example.com")
    page.get_by_label("Password").fill(PASSWORD)
    press(page, "Sign in")
    expect(page.get_by_role("alert")).to_contain_text("it is not saved yet")
    expect(page.get_by_label("Notes")).to_have_value("Ring twice")
    press(page, "Save")
    expect(page.get_by_role("status")).to_contain_text("is booked")


def test_from_signing_in_to_cancelling(alice: Member, site: str, page: Page) -> None:
    day = tomorrow_at(1, days=2).date().isoformat()
    sign_in(page, site)
    page.get_by_role("link", name="New appointment").click()
    page.get_by_label("Title").fill("Leaking tap")
    page.get_by_label("Date").fill(day)
    page.get_by_label("Start").fill("9am")
    page.get_by_label("End", exact=True).fill("soon")
    press(page, "Save")
    expect(page.get_by_role("alert")).to_contain_text("Write the time as 14:30 or 2:30 pm.")
    expect(page.get_by_label("Start")).to_have_value("9am")  # nothing typed is lost
    page.get_by_label("End", exact=True).fill("10:30")
    press(page, "Save")
    expect(page.get_by_role("status")).to_contain_text("is booked")

    for extra in ("Print", "1 hour"):  # what only the script can do is not shown
        expect(page.get_by_role("button", name=extra)).to_be_hidden()
    page.get_by_label("Location").fill("12 Bay Street")
    press(page, "Save")
    expect(page.get_by_role("status")).to_contain_text("Saved")

    page.goto(f"{site}/calendar?week={day}")
    row = page.get_by_role("listitem").filter(has_text="12 Bay Street").first
    expect(row).to_contain_text("09:00")
    page.get_by_role("link", name="Leaking tap").click()
    press(page, "Cancel appointment")
    expect(page.get_by_role("status")).to_contain_text("is cancelled")
    press(page, "Schedule again")
    press(page, "Delete")
    press(page, "Undo")
    expect(page.get_by_role("status")).to_contain_text("is back")


def test_linking_and_unlinking(
    alice: Member, google_in_browser: None, site: str, page: Page
) -> None:
    sign_in(page, site)
    page.goto(f"{site}/settings/calendar")
    press(page, "Link Calendar")
    press(page, "Connect to Google")
    page.get_by_role("button", name="alice@example.com").click()
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("radio", name="jobs-alice@group.calendar.google.com").check()
    press(page, "Check this calendar")
    expect(page.locator("#preflight")).to_contain_text("“Jobs”")
    press(page, "Save")
    expect(page.get_by_role("status")).to_contain_text("synchronization is active")
    press(page, "Unlink Google")
    page.get_by_role("dialog").get_by_role("button", name="Unlink", exact=True).click()
    expect(page.get_by_role("status")).to_contain_text("disconnected")
