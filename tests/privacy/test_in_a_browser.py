"""The pages that erase and give out, as a browser shows them: nothing for axe to find, no script
needed, and in German."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sophiie.accounts.models import Member
from sophiie.accounts.people import deactivate
from tests.conftest import PASSWORD
from tests.journey.tour import touring
from tests.privacy.conftest import NAME, Book, let_pass
from tests.site import elsewhere, running_site

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    with running_site() as address:
        yield address


def test_the_pages(site: str, alice: Member, bob: Member, book_dana: Book) -> None:
    let_pass(book_dana(hour=1))
    booked = book_dana(hour=3, team=[alice, bob])
    book_dana(hour=5, customer_email="other@example.com", customer_phone="")
    deactivate(alice, bob)
    with touring(site) as tour:
        tour.sign_in(alice)
        tour.page.goto(f"{site}/appointments/{booked.id}")
        tour.press("Erase this customer’s data…")
        tour.press("Erase for good")
        tour.look("erase a customer, refused")
        tour.page.get_by_label(f"Type “{NAME}” to confirm").fill(NAME)
        tour.press("Erase for good")
        tour.page.get_by_text("data are erased").wait_for()
        tour.page.goto(f"{site}/settings/team")
        tour.press("Erase… Bob")
        tour.look("erase a member?")
        tour.page.get_by_label("Type “Bob” to confirm").fill("Bob")
        tour.press("Erase in 30 days")
        tour.page.get_by_text("Bob will be erased on").first.wait_for()
        tour.look("a member to be erased")
        tour.look("profile with data", "/settings/profile")
        with tour.page.expect_download() as download:
            tour.press("Download my data")
        assert download.value.suggested_filename == "my-data.zip"
        tour.page.goto(f"{site}/settings/business")
        tour.page.get_by_role("link", name="Delete the business…").click()
        tour.press("Delete in 30 days")
        tour.look("is it you?")
        tour.page.get_by_label("Password").fill(PASSWORD)
        tour.press("Confirm")
        tour.look("delete the business, refused")
        tour.page.get_by_label("Type “Harbour Plumbing” to confirm").fill("harbour plumbing")
        tour.press("Delete in 30 days")
        tour.look("a business to be deleted")
        elsewhere(lambda: Member.objects.filter(pk=alice.pk).update(language="de"))
        tour.look("auf Deutsch: der Betrieb", "/settings/business")
        tour.page.get_by_role("button", name="Betrieb behalten").click()
        tour.look("auf Deutsch: löschen?", "/settings/business/delete")
