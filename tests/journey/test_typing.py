"""The appointment form with its script: typed times, lengths, customers, other clocks, people."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from sophiie.accounts.models import Member
from sophiie.accounts.people import add_member
from sophiie.appointments.booking import book
from tests.accessibility import violations
from tests.browser import browser_page, problems_of
from tests.conftest import PASSWORD, details
from tests.mails import mailed_link
from tests.site import elsewhere, sign_in

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def page(look: dict[str, Any]) -> Iterator[Page]:
    with browser_page(**look) as page:
        yield page


def test_times_are_written_as_they_were_understood(alice: Member, site: str, page: Page) -> None:
    sign_in(page, site, alice)
    page.goto(f"{site}/appointments/new")
    start, end = page.get_by_label("Start"), page.get_by_label("End", exact=True)
    length = page.get_by_role("group", name="How long")
    expect(length.get_by_role("button", name="1 hour")).to_have_attribute("aria-pressed", "true")
    start.fill("2pm")
    start.blur()
    expect(start).to_have_value("14:00")
    expect(end).to_have_value("15:00")  # keeps its length
    length.get_by_role("button", name="30 min").click()
    expect(end).to_have_value("14:30")
    end.fill("1630")
    end.blur()
    expect(end).to_have_value("16:30")
    start.fill("soon")
    start.blur()
    expect(start).to_have_value("soon")  # the server says what is wrong with it
    assert problems_of(page) == []


def test_an_hour_up_to_midnight_is_moved_like_any_other(
    alice: Member, site: str, page: Page
) -> None:
    sign_in(page, site, alice)
    page.goto(f"{site}/appointments/new")
    start, end = page.get_by_label("Start"), page.get_by_label("End", exact=True)
    start.fill("9am")
    page.get_by_role("group", name="How long").get_by_role("button", name="1 hour").click()
    for typed, ends in (("11pm", "00:00"), ("2pm", "15:00")):
        start.fill(typed)
        start.blur()
        expect(end).to_have_value(ends)


def test_the_time_on_the_clocks_of_the_business(alice: Member, site: str, page: Page) -> None:
    sign_in(page, site, alice)
    page.goto(f"{site}/appointments/new")
    page.get_by_label("Date").fill("2027-01-05")
    page.get_by_label("Start").fill("9am")
    page.get_by_label("End", exact=True).fill("10am")
    page.get_by_label("Time zone").select_option("Europe/London")
    expect(page.locator("#time-check")).to_contain_text("that is Tue 5 Jan, 20:00–21:00")
    page.get_by_label("Time zone").select_option("Australia/Sydney")
    expect(page.locator("#time-check")).not_to_contain_text("that is")
    assert problems_of(page) == []


def test_a_known_customer_brings_phone_and_address(alice: Member, site: str, page: Page) -> None:
    about = details(
        customer_name="Ms Green",
        customer_phone="0400 1",
        customer_email="green@example.com",
        location="7 Hill Rd",
    )
    elsewhere(lambda: book(by=alice, details=about, assignees=[alice]))
    sign_in(page, site, alice)
    page.goto(f"{site}/appointments/new")
    customer = page.get_by_role("group", name="Customer")
    customer.get_by_label("Name").press_sequentially("gree")
    name = customer.get_by_role("combobox", name="Name")
    expect(customer.get_by_role("option", name="Ms Green")).to_be_visible()
    assert violations(page) == []
    name.press("ArrowDown")
    expect(customer.get_by_role("option", selected=True)).to_contain_text("Ms Green")
    name.press("Enter")  # chooses, and sends nothing
    expect(name).to_have_value("Ms Green")
    expect(customer.get_by_role("option")).to_have_count(0)
    expect(customer.get_by_label("Phone")).to_have_value("0400 1")
    expect(page.get_by_label("Location")).to_have_value("7 Hill Rd")
    expect(customer.get_by_label("Email")).to_have_value("green@example.com")
    assert problems_of(page) == []


def test_finding_one_of_many_people(alice: Member, site: str, page: Page) -> None:
    elsewhere(lambda: [_colleague(alice, number) for number in range(9)])
    sign_in(page, site, alice)
    page.goto(f"{site}/appointments/new")
    people = page.get_by_role("group", name="Assignees")
    page.get_by_label("Find a person").fill("member 7")
    expect(people.get_by_text("Member 7")).to_be_visible()
    expect(people.get_by_text("Member 3")).to_be_hidden()
    expect(people.get_by_text("Alice")).to_be_visible()  # chosen ones stay in sight


def _colleague(alice: Member, number: int) -> Member:
    return add_member(
        business=alice.business,
        email=f"m{number}@example.com",
        name=f"Member {number}",
        role="member",
        password=PASSWORD,
    )


def test_the_zone_of_this_device_is_guessed_when_signing_up(
    settings: Any, db: None, site: str
) -> None:
    settings.SIGN_UP_OPEN = True
    with browser_page(timezone_id="Europe/Berlin") as page:
        page.goto(f"{site}/signup")
        page.get_by_label("Email").fill("dora@example.com")
        page.get_by_role("button", name="Send me a link").click()
        page.wait_for_url("**/signup/sent")
        page.goto(site + elsewhere(mailed_link))
        expect(page.get_by_label("Time zone")).to_have_value("Europe/Berlin")
        page.get_by_label("Name of the business").fill("Salon")
        page.get_by_label("Your name").fill("Dora")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Make my calendar").click()
        page.wait_for_url("**/calendar")
        expect(page.get_by_text("0 of 3 steps done")).to_be_visible()
        page.get_by_role("link", name="Make an appointment").first.click()
        page.wait_for_url(re.compile("/appointments/new"))
