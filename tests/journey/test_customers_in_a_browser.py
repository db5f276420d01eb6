"""Customers in a real browser: found, booked for, merged and imported; and nothing for axe."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from sophiie.accounts.models import Member
from sophiie.appointments.booking import book
from sophiie.appointments.models import Appointment
from sophiie.customers.models import Customer
from tests.browser import PHONE, browser_page, problems_of
from tests.conftest import details, tomorrow_at
from tests.customers.conftest import customer
from tests.journey.tour import touring
from tests.site import elsewhere, sign_in

pytestmark = pytest.mark.django_db(transaction=True)

# Texts of any length in any script wrap, and nothing becomes wider than a phone.
LONG = "W" * 150 + "مرحبا" * 5
TABLE = b"Name;Telefon;E-Mail\nEve;0412 345 678;\nX;;nonsense\nFinn;55;\n"


def a_business_with_customers(alice: Member) -> tuple[Customer, Customer]:
    dana = customer(
        alice,
        phones=["02 5550 4711", "room 5"],
        emails=["dana.w@customers.example", f"{'d' * 60}@customers.example"],
        address="4 Hill Road\nSydney",
        notes="Beware of the dog. " + LONG,
    )
    double = customer(alice, LONG, phones=["+61 2 5550 4711"], notes="Side door")
    for hour, title in ((1, "Boiler"), (3, LONG)):
        about = details(start=tomorrow_at(hour), title=title, location="4 Hill Road")
        book(by=alice, details=about, assignees=[alice], customer_id=dana.id)
    return dana, double


def test_every_page_of_customers(site: str, alice: Member) -> None:
    with touring(site) as tour:
        tour.sign_in(alice)
        tour.look("nobody yet", "/customers")
        dana, double = elsewhere(lambda: a_business_with_customers(alice))
        tour.look("list", "/customers")
        tour.look("nobody found", "/customers?q=nobody")
        tour.look("one", f"/customers/{dana.id}")
        tour.look("delete?", f"/customers/{dana.id}?confirm=delete")
        tour.look("new", "/customers/new")
        tour.press("Save")
        tour.look("new, refused")
        tour.look("edit", f"/customers/{dana.id}/edit")
        tour.look("duplicates", "/customers/doubles")
        tour.press("Not the same", exact=False)
        tour.look("told apart", "/customers/doubles")
        tour.look("merge?", f"/customers/{dana.id}/merge?with={double.id}")
        tour.look("erase?", f"/customers/{dana.id}/erase")
        tour.look("import", "/customers/import")
        file = {"name": "list.csv", "mimeType": "text/csv", "buffer": TABLE}
        tour.page.get_by_label("File", exact=True).set_input_files([file])  # type: ignore[list-item]
        tour.press("Check the file")
        tour.look("import, checked")


def test_a_caller_is_found_and_booked_by_phone(site: str, alice: Member) -> None:
    dana = customer(alice, phones=["02 5550 4711"], address="4 Hill Road")
    with browser_page(**PHONE) as page:
        sign_in(page, site, alice)
        page.goto(f"{site}/customers")
        page.get_by_role("searchbox").fill("4711")
        page.get_by_role("button", name="Search").tap()
        page.get_by_role("link", name="Dana Winterbottom").tap()
        expect(page.get_by_role("link", name="Call")).to_have_attribute("href", "tel:+61255504711")
        page.get_by_role("link", name="New appointment").last.tap()
        page.get_by_label("Title").fill("Boiler")
        page.get_by_role("button", name="Save").tap()
        expect(page.get_by_text("“Boiler” is booked.")).to_be_visible()
        booked = elsewhere(Appointment.objects.get)
        assert (booked.customer_id, booked.location) == (dana.id, "4 Hill Road")
        page.goto(f"{site}/customers/{dana.id}")
        expect(page.get_by_role("link", name="Boiler")).to_be_visible()
        assert problems_of(page) == []


def test_who_is_chosen_from_the_list_is_meant(site: str, alice: Member) -> None:
    """Also somebody of whom only the name is known."""
    green = customer(alice, "Ms Green")
    with browser_page(has_touch=True) as page:
        sign_in(page, site, alice)
        page.goto(f"{site}/appointments/new")
        page.get_by_label("Title").fill("Boiler")
        name, chosen = page.get_by_label("Name", exact=True), page.locator("[name=customer_id]")
        option = page.get_by_role("option", name="Ms Green")
        name.press_sequentially("Ms")
        expect(option).to_be_visible()
        box = option.bounding_box()
        assert box
        page.touchscreen.tap(box["x"] + 20, box["y"] + 20)
        expect(chosen).to_have_value(str(green.id))
        name.fill("Ms Greenwood")
        expect(chosen).to_have_value("")
        name.fill("ms green")  # typed to the end, and the only one of that name
        expect(option).to_be_visible()
        name.blur()
        expect(chosen).to_have_value(str(green.id))
        expect(option).to_have_count(0)
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_text("“Boiler” is booked.")).to_be_visible()
        assert elsewhere(Appointment.objects.get).customer_id == green.id
