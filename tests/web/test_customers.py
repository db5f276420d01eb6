"""The pages of customers: list, one customer, form, merging, import and export."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from sophiie.accounts.models import Member
from sophiie.appointments.booking import book
from sophiie.appointments.models import Appointment
from sophiie.audit.acts import Act
from sophiie.audit.models import Entry
from sophiie.common.clock import now
from sophiie.customers.models import Customer
from sophiie.web.customers import views
from tests.conftest import details, tomorrow_at
from tests.customers.conftest import EMAIL, customer
from tests.web.pages import parsed

pytestmark = pytest.mark.django_db


@pytest.fixture
def dana(alice: Member) -> Customer:
    return customer(
        alice,
        phones=["02 5550 4711", "room 5"],
        emails=[EMAIL],
        address="4 Hill Road\nSydney",
        notes="Beware of <the> dog",
    )


def words_of(page: Client, path: str) -> str:
    return parsed(page.get(path)).one("main").words


# The list


def test_the_list_shows_how_to_reach_everybody(page: Client, dana: Customer) -> None:
    main = parsed(page.get("/customers")).one("main")
    assert "Dana Winterbottom 4 Hill Road Sydney" in main.words
    links = [a["href"] for a in main.all("a")]
    assert "tel:+61255504711" in links
    assert f"/customers/{dana.id}" in links
    assert "+61 2 5550 4711" in main.words


def test_an_empty_list_says_what_will_be_here(page: Client) -> None:
    assert "No customers yet" in words_of(page, "/customers")


@pytest.mark.parametrize("asked", ["winter", "4711", "hill road", "dog", "dana@", "+61 2"])
def test_a_search_finds_by_any_of_it(
    page: Client, alice: Member, dana: Customer, asked: str
) -> None:
    customer(alice, "Eve Stone")
    found = parsed(page.get("/customers", {"q": asked.replace("dana@", "dana.w@")})).one("main")
    assert "Dana Winterbottom" in found.words
    assert "Eve Stone" not in found.words
    assert "Nobody found" in words_of(page, "/customers?q=nobody")


def test_a_long_list_has_pages(
    page: Client, alice: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(views, "PAGE", 2)
    for name in ("Anna", "Bert", "Carl", "Doris", "Emil"):
        customer(alice, f"{name} & Sons")
    path, seen = "/customers?q=sons", []
    while path:
        main = parsed(page.get(path)).one("main")
        seen += [a.words for a in main.all("a", class_="customer-name")]
        forth = main.all("a", rel="next")
        path = forth[0]["href"] if forth else ""
    assert seen == [f"{name} & Sons" for name in ("Anna", "Bert", "Carl", "Doris", "Emil")]
    for forged in (
        "nonsense",
        "WyJcdWQ4MDAiLCAiMDAwMDAwMDAtMDAwMC0wMDAwLTAwMDAtMDAwMDAwMDAwMDAwIl0=",
    ):
        assert "Anna" in words_of(page, f"/customers?behind={forged}")


# One customer


def test_the_page_shows_jobs_that_come_and_that_were(
    page: Client, alice: Member, dana: Customer
) -> None:
    coming = book(by=alice, details=details(title="Boiler"), assignees=[alice], customer_id=dana.id)
    past = book(
        by=alice,
        details=details(title="First visit", start=tomorrow_at(5)),
        assignees=[alice],
        customer_id=dana.id,
    )
    before = now() - timedelta(days=3)
    Appointment.objects.filter(pk=past.pk).update(start=before, end=before + timedelta(hours=1))
    main = parsed(page.get(f"/customers/{dana.id}")).one("main")
    coming_ones, past_ones = (
        main.one("section", **{"aria-labelledby": f"{name}-heading"}) for name in ("coming", "past")
    )
    assert "Boiler" in coming_ones.words
    assert coming_ones.one("a")["href"] == f"/appointments/{coming.id}"
    assert "First visit" in past_ones.words
    assert "Boiler" not in past_ones.words
    assert "Beware of <the> dog" in main.words
    links = [a["href"] for a in main.all("a")]
    assert {"tel:+61255504711", "sms:+61255504711"} <= set(links)
    assert "room 5 as typed, not a complete number" in main.words
    assert f"/customers/{dana.id}" in page.get(f"/appointments/{coming.id}").content.decode()


def test_many_jobs_are_not_all_shown_at_once(
    page: Client, alice: Member, dana: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(views, "JOBS", 1)
    for hour in (1, 3):
        about = details(start=tomorrow_at(hour), title=f"Visit {hour}")
        book(by=alice, details=about, assignees=[alice], customer_id=dana.id)
    assert "Visit 3" not in words_of(page, f"/customers/{dana.id}")
    assert "Show more appointments" in words_of(page, f"/customers/{dana.id}")
    assert "Visit 3" in words_of(page, f"/customers/{dana.id}?all")


def test_a_new_appointment_begins_with_the_customer(
    page: Client, charlie: Member, dana: Customer
) -> None:
    form = parsed(page.get(f"/appointments/new?customer={dana.id}")).one(id="appointment-form")
    told = {i["name"]: i["value"] for i in form.all("input") if i["name"]}
    assert told["customer_id"] == str(dana.id)
    assert told["customer_name"] == "Dana Winterbottom"
    assert told["customer_phone"] == "+61 2 5550 4711"
    assert told["location"] == "4 Hill Road Sydney"
    foreign = customer(charlie, "Foreign")
    for nobody in (foreign.id, "x", ""):
        assert "Foreign" not in page.get(f"/appointments/new?customer={nobody}").content.decode()


def test_what_is_typed_is_stored(page: Client) -> None:
    typed = {
        "name": "Eve Stone",
        "phone": "0412 345 678",
        "phone_2": "room 5",
        "email": "eve@customers.example",
        "address": "1 Road\r\nTown",
        "notes": "",
    }
    saved = page.post("/customers/new", typed, follow=True)
    assert "Saved." in parsed(saved).words
    made = Customer.objects.get()
    assert (made.name, made.phones, made.other_phones) == (
        "Eve Stone",
        ["+61412345678"],
        ["room 5"],
    )
    assert (made.address, made.emails) == ("1 Road\nTown", ["eve@customers.example"])
    form = parsed(page.get(f"/customers/{made.id}/edit")).one("main")
    shown = {i["name"]: i["value"] for i in form.all("input") if i["name"]}
    assert (shown["phone"], shown["phone_2"], shown["phone_3"]) == ("+61 412 345 678", "room 5", "")
    shown |= {"phone": "", "email_2": "work@customers.example"}
    page.post(f"/customers/{made.id}/edit", shown)
    made.refresh_from_db()
    assert (made.phones, made.other_phones) == ([], ["room 5"])
    assert made.emails == ["eve@customers.example", "work@customers.example"]


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({}, "name"),
        ({"name": "Eve", "email": "nonsense"}, "email"),
        ({"name": "Eve", "email": "a@b.example", "email_2": "nonsense"}, "email_2"),
        ({"name": "x" * 201}, "name"),
        ({"name": "Eve", "notes": "x" * 5001}, "notes"),
        ({"name": "Eve\x00"}, "name"),
    ],
)
def test_a_mistake_is_named_at_its_field_and_nothing_is_lost(
    page: Client, typed: dict[str, str], field: str
) -> None:
    refused = page.post("/customers/new", typed)
    assert refused.status_code == 422
    main = parsed(refused).one("main")
    assert main.one("div", id=f"id_{field}_error").words
    assert not Customer.objects.exists()
    sent = {i["name"]: i["value"] for i in main.all("input")}
    assert sent["name"] == typed.get("name", "")


def test_nobody_overwrites_what_they_have_not_seen(page: Client, dana: Customer) -> None:
    path = f"/customers/{dana.id}/edit"
    shown = {i["name"]: i["value"] for i in parsed(page.get(path)).one("main").all("input")}
    page.post(path, {**shown, "name": "Dana of the desk"})
    refused = page.post(path, {**shown, "name": "Dana of the van"})
    assert refused.status_code == 409
    again = {i["name"]: i["value"] for i in parsed(refused).one("main").all("input")}
    assert again["name"] == "Dana of the van"
    assert "changed this customer meanwhile" in parsed(refused).words
    assert page.post(path, again).status_code == 302
    dana.refresh_from_db()
    assert dana.name == "Dana of the van"


def test_deleting_asks_first_and_leaves_the_appointments(
    page: Client, alice: Member, dana: Customer
) -> None:
    booked = book(by=alice, details=details(), assignees=[alice], customer_id=dana.id)
    asked = parsed(page.get(f"/customers/{dana.id}?confirm=delete")).one("dialog")
    assert "Delete Dana Winterbottom?" in asked.words
    assert "deleted" in parsed(page.post(f"/customers/{dana.id}/delete", follow=True)).words
    assert not Customer.objects.exists()
    booked.refresh_from_db()
    assert booked.customer_name == "Dana Winterbottom"
    assert page.get(f"/customers/{dana.id}").status_code == 404


# Merging


def test_likely_doubles_are_proposed_compared_and_merged(
    page: Client, alice: Member, dana: Customer
) -> None:
    other = customer(alice, "D. Winter", phones=["+61255504711"], notes="Side door")
    for path in (f"/customers/{dana.id}", "/customers/doubles"):
        links = [a["href"] for a in parsed(page.get(path)).all("a")]
        assert f"/customers/{dana.id}/merge?with={other.id}" in links
    path = f"/customers/{dana.id}/merge"
    compared = parsed(page.get(path, {"with": str(other.id)})).one("main")
    assert "Also known as: D. Winter" in compared.words
    assert Customer.objects.count() == 2
    done = page.post(path, {"with": str(other.id)}, follow=True)
    assert "Merged into Dana Winterbottom" in parsed(done).words
    assert Customer.objects.get().notes.startswith("Beware")
    assert page.get(f"/customers/{other.id}")["Location"] == f"/customers/{dana.id}"
    assert "No duplicates" in words_of(page, "/customers/doubles")


def test_a_pair_is_told_apart_and_listed_with_a_way_back(
    page: Client, alice: Member, dana: Customer
) -> None:
    other = customer(alice, "D. Winter", phones=["+61255504711"])
    path = f"/customers/{dana.id}/apart"
    for source in ("/customers/doubles", f"/customers/{dana.id}/merge?with={other.id}"):
        html = page.get(source).content.decode()
        assert f'action="{path}"' in html
    assert "different customers" in parsed(page.post(path, {"with": other.id}, follow=True)).words
    shown = parsed(page.get("/customers/doubles")).one("main")
    assert "No duplicates" in shown.words
    assert shown.all("h2")[-1].words == "Not the same customer"
    assert "Possible duplicates" not in words_of(page, f"/customers/{dana.id}")
    page.post(path, {"with": other.id, "undo": "yes"})
    assert "No duplicates" not in words_of(page, "/customers/doubles")
    for nobody in ("", "x", "00000000-0000-0000-0000-000000000000"):
        assert page.post(path, {"with": nobody}).status_code == 404
    page.post(f"/customers/{dana.id}/merge", {"with": other.id})
    assert page.post(path, {"with": other.id})["Location"] == f"/customers/{dana.id}"


@pytest.mark.parametrize("other", ["", "x", "00000000-0000-0000-0000-000000000000"])
def test_merging_with_nobody_is_a_404(page: Client, dana: Customer, other: str) -> None:
    assert page.post(f"/customers/{dana.id}/merge", {"with": other}).status_code == 404


# Import and export


def checked(page: Client, table: str) -> Any:
    file = SimpleUploadedFile("customers.csv", table.encode())
    return page.post("/customers/import", {"file": file})


def test_an_import_shows_first_what_it_would_do(page: Client, dana: Customer) -> None:
    table = f'Name;Telefon;E-Mail\nEve;0412 345 678;\nX;;nonsense\nD;;{EMAIL}\n"Finn ""F""";55;\n'
    shown = parsed(checked(page, table)).one("main")
    assert "2 customers can be imported" in shown.words
    assert "Line 3 Email: This is not an email address: nonsense" in shown.words
    assert "in the list already: 4" in shown.words
    assert "Line 5 Phone: “55” is imported as written." in shown.words
    assert Customer.objects.count() == 1
    again = shown.one("textarea").text.removeprefix("\n").replace("\n", "\r\n")
    done = page.post("/customers/import", {"checked": again}, follow=True)
    assert "2 customers are added" in parsed(done).words
    assert Customer.objects.filter(name='Finn "F"').exists()
    twice = page.post("/customers/import", {"checked": again}, follow=True)
    assert "0 customers are added" in parsed(twice).words
    assert Entry.objects.filter(act=Act.CUSTOMERS_IMPORTED).count() == 1


@pytest.mark.parametrize(
    ("table", "words"),
    [("", "empty"), ("what\nx\n", "name the columns"), ("name\n" + "x" * 600_000, "500 kB")],
)
def test_a_file_that_cannot_be_read_says_why(page: Client, table: str, words: str) -> None:
    refused = checked(page, table)
    assert refused.status_code == 422
    assert words in parsed(refused).words
    assert "Choose a file" in parsed(page.post("/customers/import")).words
    assert page.post("/customers/import", {"checked": table[:5]}, follow=True).status_code == 200
    assert not Customer.objects.exists()


def exported(page: Client) -> str:
    answer = page.post("/customers/export")
    assert answer.status_code == 200
    assert "attachment" in answer["Content-Disposition"]
    return b"".join(answer.streaming_content).decode()  # type: ignore[attr-defined]


def test_what_is_exported_can_be_imported_and_runs_nowhere(
    page: Client,
    page_of: Callable[[Member], Client],
    alice: Member,
    charlie: Member,
    dana: Customer,
) -> None:
    customer(alice, '=HYPERLINK("http://x")', notes="@SUM(1)", phones=["0412 345 678"])
    table = exported(page)
    rows = list(csv.DictReader(io.StringIO(table.removeprefix("\ufeff"))))
    assert {row["name"] for row in rows} == {"Dana Winterbottom", '\'=HYPERLINK("http://x")'}
    assert not [cell for row in rows for cell in row.values() if cell[:1] in ("=", "@")]
    theirs = page_of(charlie)
    text = parsed(checked(theirs, table)).one("textarea").text
    theirs.post("/customers/import", {"checked": text.removeprefix("\n")})
    names = ("name", "phones", "other_phones", "emails", "address", "notes")
    mine, copied = (
        list(Customer.objects.filter(business=m.business_id).order_by("name").values(*names))
        for m in (alice, charlie)
    )
    assert mine == copied
    assert Entry.objects.filter(act=Act.CUSTOMERS_EXPORTED).count() == 1
    assert parsed(checked(page, table)).words.count("0 customers can be imported") == 1


# Erasing


def test_a_customer_is_erased_from_their_page(page: Client, alice: Member, dana: Customer) -> None:
    booked = book(by=alice, details=details(), assignees=[alice], customer_id=dana.id)
    path = f"/customers/{dana.id}/erase"
    shown = parsed(page.get(path)).one("main")
    assert "1 record in the list of customers is deleted" in shown.words
    assert page.post(path, {"confirmation": "Somebody else"}).status_code == 422
    assert Customer.objects.exists()
    page.post(path, {"confirmation": "dana  winterbottom"})
    assert not Customer.objects.exists()
    booked.refresh_from_db()
    assert (booked.title, booked.customer_name, booked.customer_id) == ("Erased customer", "", None)
