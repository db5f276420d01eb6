"""What was typed survives: no connection, a server that restarts, a link pressed by mistake."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Dialog, Page, expect

from sophiie.accounts.models import Member
from sophiie.appointments.booking import book
from sophiie.appointments.models import Appointment
from sophiie.appointments.services import delete_service
from tests.accessibility import violations
from tests.browser import DESK, PHONE, browser_page
from tests.conftest import details
from tests.services.made import service
from tests.site import elsewhere, sign_in

pytestmark = pytest.mark.django_db(transaction=True)

DRAFTS = "() => Object.keys(localStorage).filter((name) => name.startsWith('sophiie-draft/'))"


@pytest.fixture(params=[PHONE], ids=["phone"])
def page(request: pytest.FixtureRequest) -> Iterator[Page]:
    with browser_page(**request.param) as page:
        yield page


at_both_sizes = pytest.mark.parametrize("page", [DESK, PHONE], ids=["desk", "phone"], indirect=True)


def offer(page: Page) -> Any:
    return page.get_by_role("region", name="Unsaved draft")


def not_saved(page: Page) -> Any:
    return page.get_by_role("alert").filter(has_text="Not saved yet")


def test_without_a_connection_the_page_stays_and_saves_later(
    alice: Member, site: str, page: Page
) -> None:
    sign_in(page, site, alice)
    page.goto(f"{site}/appointments/new")
    page.get_by_label("Title").fill("Leaking tap")
    page.get_by_label("Notes").fill("Ring twice")
    page.context.set_offline(True)
    page.get_by_role("button", name="Save").click()
    expect(not_saved(page)).to_contain_text("as soon as the connection is back")
    assert violations(page, within="[role=alert]") == []
    expect(page.get_by_label("Notes")).to_have_value("Ring twice")
    page.get_by_label("Notes").fill("Ring three times")
    expect(not_saved(page)).to_contain_text("You have typed more")
    page.context.set_offline(False)
    not_saved(page).get_by_role("button", name="Try again").click()
    expect(page.get_by_role("status").filter(has_text="is booked")).to_be_visible()
    assert elsewhere(Appointment.objects.get).notes == "Ring three times"
    assert page.evaluate(DRAFTS) == []

    # A server that restarts behind a proxy: it is sent again by itself. The answer to the first
    # try gets lost on its way, and what was saved then is not saved a second time.
    path = page.url
    page.route("**/live", lambda route: route.abort())
    with page.expect_event("requestfailed"):
        page.reload()
    tries = []

    def restarting(route: Any) -> None:
        if route.request.method != "POST":
            route.continue_()
            return
        tries.append(route)
        if len(tries) == 1:
            route.fetch(max_redirects=0)
            route.abort()
        elif len(tries) == 2:
            route.fulfill(status=502, body="away")
        else:
            route.continue_()

    page.route(path, restarting)
    page.get_by_label("Location").fill("12 Bay Street")
    page.get_by_role("button", name="Save").click()
    expect(not_saved(page)).to_be_visible()
    expect(page.get_by_role("status").filter(has_text="Saved")).to_be_visible()
    saved = elsewhere(Appointment.objects.get)
    assert (saved.location, saved.revision) == ("12 Bay Street", 2)


def test_what_cannot_be_chosen_any_more_is_no_draft(
    alice: Member, bob: Member, site: str, page: Page
) -> None:
    """The form comes back with all that was typed; there is nothing else to restore."""
    gas = elsewhere(lambda: service(alice))
    elsewhere(lambda: service(alice, name="Boiler service"))
    sign_in(page, site, alice)
    page.goto(f"{site}/appointments/new")
    page.get_by_label("Title").fill("Leaking tap")
    page.get_by_label("Service").select_option("Gas check")
    page.get_by_role("checkbox", name="Bob").check()
    page.wait_for_function(f"() => ({DRAFTS})().length === 1")
    elsewhere(lambda: delete_service(by=alice, service_id=gas.pk))
    page.get_by_role("button", name="Save").click()
    expect(page.locator("main").get_by_role("alert").first).to_contain_text("Choose a service")
    expect(page.get_by_role("checkbox", name="Bob")).to_be_checked()
    expect(offer(page)).to_have_count(0)


@at_both_sizes
def test_leaving_is_asked_about_and_the_draft_is_offered(
    alice: Member, bob: Member, site: str, page: Page
) -> None:
    tap = elsewhere(lambda: book(by=alice, details=details(), assignees=[alice]))
    path = f"{site}/appointments/{tap.id}"
    sign_in(page, site, alice)
    page.goto(path)
    asked: list[str] = []

    def stay(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    page.once("dialog", stay)
    page.get_by_label("Title").fill("Burst pipe")
    page.get_by_label("Start").fill("13:00")
    page.get_by_label("End", exact=True).fill("14:30")
    page.get_by_role("checkbox", name="Bob").check()
    page.get_by_role("link", name="Calendar", exact=True).click()
    page.wait_for_function("() => true")
    assert asked == ["beforeunload"]
    assert page.url == path
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("link", name="Calendar", exact=True).click()
    page.wait_for_url("**/calendar")

    page.goto(path)
    expect(offer(page)).to_be_visible()
    assert violations(page) == []
    expect(page.get_by_label("Title")).to_have_value("Leaking tap")
    offer(page).get_by_role("button", name="Restore").click()
    expect(page.get_by_label("Title")).to_have_value("Burst pipe")
    expect(page.get_by_label("Start")).to_have_value("13:00")
    expect(page.get_by_label("End", exact=True)).to_have_value("14:30")
    expect(page.get_by_role("checkbox", name="Bob")).to_be_checked()

    # Nobody else sees it in this browser, and it is gone.
    page.context.clear_cookies()
    sign_in(page, site, bob)
    page.goto(path)
    expect(page.get_by_label("Title")).to_have_value("Leaking tap")
    expect(offer(page)).to_have_count(0)
    assert page.evaluate(DRAFTS) == []

    # Nor is anything left after signing out.
    page.get_by_label("Title").fill("Gas check")
    page.wait_for_function(f"() => ({DRAFTS})().length === 1")
    page.locator("[data-menu] summary").click()
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url(re.compile("/login"))
    assert page.evaluate(DRAFTS) == []


def test_a_refused_form_is_still_unsaved_and_a_saved_one_is_not(
    alice: Member, site: str, page: Page
) -> None:
    asked: list[str] = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    sign_in(page, site, alice)
    page.goto(f"{site}/appointments/new")
    page.get_by_label("Notes").fill("Ring twice")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_contain_text("Give the appointment a title.")
    page.get_by_role("link", name="Back to the calendar").click()
    page.wait_for_url("**/calendar")
    assert asked == ["beforeunload"]
    page.goto(f"{site}/appointments/new")
    offer(page).get_by_role("button", name="Restore").click()
    expect(page.get_by_label("Notes")).to_have_value("Ring twice")
    page.get_by_label("Title").fill("Leaking tap")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status").filter(has_text="is booked")).to_be_visible()
    page.goto(f"{site}/appointments/new")
    expect(page.get_by_label("Title")).to_have_value("")
    expect(offer(page)).to_have_count(0)
    assert asked == ["beforeunload"]


def test_a_session_that_ended_loses_nothing(alice: Member, site: str, page: Page) -> None:
    sign_in(page, site, alice)
    page.goto(f"{site}/settings/profile")
    page.get_by_label("Your name").fill("Alice Green")
    page.context.clear_cookies(name="sophiie_session")
    page.get_by_role("button", name="Save").click()
    page.wait_for_url(re.compile("/login"))
    expect(page.get_by_role("alert")).to_contain_text("what you typed is here again")
    assert len(page.evaluate(DRAFTS)) == 1
