"""Of two customers one: nothing of either is lost, whatever happens at the same moment."""

from __future__ import annotations

from functools import partial
from typing import Any
from uuid import uuid4

import pytest

from sophiie.accounts.models import Member
from sophiie.appointments import locking
from sophiie.appointments.booking import book, find
from sophiie.appointments.merging import delete_customer, merge
from sophiie.appointments.models import Appointment
from sophiie.audit.acts import Act
from sophiie.audit.models import Entry
from sophiie.customers import editing
from sophiie.customers.duplicates import likely_doubles, likely_doubles_of
from sophiie.customers.errors import InvalidCustomer, UnknownCustomer
from sophiie.customers.models import Customer, FormerId
from tests.at_once import at_once
from tests.conftest import details, tomorrow_at
from tests.customers.conftest import EMAIL, PHONE, Book, customer


@pytest.mark.django_db
def test_one_customer_has_all_that_was_known_of_both(
    alice: Member, dana: Customer, book_for: Book
) -> None:
    other = customer(
        alice,
        "D. Winter",
        phones=["0412 345 678", "02 5550 4711", "room 5"],
        emails=[EMAIL.upper(), "work@customers.example"],
        address="4 Hill Road",
        notes="Dog",
    )
    mine, theirs = book_for(customer_id=dana.id), book_for("D.", customer_id=other.id)
    kept = merge(by=alice, customer_id=dana.id, other_id=other.id)
    assert (kept.id, kept.name, kept.address) == (dana.id, "Dana Winterbottom", "4 Hill Road")
    assert kept.phones == [PHONE, "+61412345678"]
    assert kept.other_phones == ["room 5"]
    assert kept.emails == [EMAIL, "work@customers.example"]
    assert kept.notes == "Dog\n\nAlso known as: D. Winter"
    assert {a.id for a in Appointment.objects.filter(customer=kept)} == {mine.id, theirs.id}
    # Each keeps what it was told, and its revision.
    assert (find(alice, theirs.id).customer_name, find(alice, theirs.id).revision) == ("D.", 1)
    assert likely_doubles(alice.business_id) == []
    entry = Entry.objects.get(act=Act.CUSTOMERS_MERGED)
    assert (entry.subject_id, entry.subject_label) == (dana.id, "")
    assert "Winter" not in str(entry.details)


@pytest.mark.django_db
def test_the_id_of_a_merged_customer_leads_on(
    alice: Member, dana: Customer, book_for: Book
) -> None:
    second, third = customer(alice, "Second"), customer(alice, "Third")
    merge(by=alice, customer_id=second.id, other_id=third.id)
    merge(by=alice, customer_id=dana.id, other_id=second.id)
    for former in (second.id, third.id):
        assert editing.find(alice, former).id == dana.id
        assert book_for(customer_id=former).customer_id == dana.id
    # Twice is done once, from either side.
    assert merge(by=alice, customer_id=dana.id, other_id=second.id).id == dana.id
    assert merge(by=alice, customer_id=second.id, other_id=dana.id).id == dana.id
    assert Entry.objects.filter(act=Act.CUSTOMERS_MERGED).count() == 2


@pytest.mark.django_db
def test_what_cannot_be_one_stays_two(alice: Member, charlie: Member, dana: Customer) -> None:
    theirs = customer(charlie)
    for one in (theirs.id, uuid4()):
        with pytest.raises(UnknownCustomer):
            merge(by=alice, customer_id=dana.id, other_id=one)
        with pytest.raises(UnknownCustomer):
            merge(by=alice, customer_id=one, other_id=dana.id)
    with pytest.raises(InvalidCustomer):
        merge(by=alice, customer_id=dana.id, other_id=dana.id)
    long = [customer(alice, f"{n}", notes=str(n) * 4000) for n in (1, 2)]
    with pytest.raises(InvalidCustomer, match="5,000"):
        merge(by=alice, customer_id=long[0].id, other_id=long[1].id)
    assert Customer.objects.count() == 4


@pytest.mark.django_db
def test_equal_numbers_and_addresses_are_likely_doubles(
    alice: Member, charlie: Member, dana: Customer
) -> None:
    same_number = customer(alice, "Erin", phones=["+61 2 5550 4711"])
    same_address = customer(alice, "Finn", emails=[EMAIL.upper()])
    customer(alice, "Dana Winterbottom")
    customer(charlie, phones=[PHONE])
    assert likely_doubles_of(dana) == [same_number, same_address]
    groups = [pairs for _, pairs in likely_doubles(alice.business_id)]
    assert [(dana, same_number)] in groups
    assert [(dana, same_address)] in groups
    assert len(groups) == 2


# At the same moment


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locking, "LOCK_TIMEOUT_MILLISECONDS", 60_000)


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("patient")
def test_merges_at_the_same_moment_make_one_customer_with_everything(alice: Member) -> None:
    for turn in range(6):
        # Without a number only their rows are there to wait for.
        numbers = [[f"0412 34{turn} 67{n}"] if turn % 2 else [] for n in range(4)]
        people = [customer(alice, f"Dana {n}", phones=numbers[n]) for n in range(4)]
        ids = [person.id for person in people]
        outcomes = at_once(
            *[
                partial(merge, by=alice, customer_id=ids[one], other_id=ids[other])
                for one, other in ((0, 1), (1, 0), (1, 2), (2, 0), (0, 3), (2, 3))
            ]
        )
        assert all(isinstance(outcome, Customer) for outcome in outcomes), outcomes
        kept = Customer.objects.get()
        assert len(kept.phones) == sum(map(len, numbers))
        assert all(f"Dana {n}" in kept.name + kept.notes for n in range(4))
        assert {editing.find(alice, one).id for one in ids} == {kept.id}
        assert FormerId.objects.filter(customer=kept).count() == 3
        kept.delete()


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("patient")
def test_bookings_beside_a_merge_are_for_the_one_who_stays(alice: Member, bob: Member) -> None:
    for turn in range(4):
        kept = customer(alice, "Dana", phones=[PHONE])
        other = customer(alice, "D. Winter", phones=["0412 345 678"])

        def booked(hour: int, turn: int = turn, **more: Any) -> partial[object]:
            words = {"customer_phone": "0412 345 678"} if not more else {}
            about = details(start=tomorrow_at(hour, days=turn + 1), **words)
            return partial(
                book,
                by=alice,
                details=about,
                assignees=[(alice, bob)[hour % 2]],
                **more,
            )

        outcomes = at_once(
            booked(1),
            booked(2, customer_id=other.id),
            partial(merge, by=alice, customer_id=kept.id, other_id=other.id),
            booked(5, customer_id=other.id),
            booked(8),
        )
        assert not [outcome for outcome in outcomes if isinstance(outcome, Exception)], outcomes
        assert set(Customer.objects.values_list("pk", flat=True)) == {kept.id}
        assert Appointment.objects.filter(customer=kept).count() == 4
        kept.refresh_from_db()
        kept.delete()


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("patient")
def test_a_new_caller_booked_with_two_people_at_once_is_one_customer(
    alice: Member, bob: Member
) -> None:
    for turn in range(6):
        about = details(
            start=tomorrow_at(2, days=turn + 1),
            customer_name="Eve",
            customer_phone=f"0412 345 67{turn}",
        )
        outcomes = at_once(
            *[partial(book, by=alice, details=about, assignees=[member]) for member in (alice, bob)]
        )
        assert not [outcome for outcome in outcomes if isinstance(outcome, Exception)], outcomes
        assert Customer.objects.count() == turn + 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("patient")
def test_a_booking_beside_a_deletion_never_fails_in_the_database(alice: Member) -> None:
    for turn in range(4):
        known = customer(alice, phones=[PHONE])
        outcomes = at_once(
            partial(delete_customer, by=alice, customer_id=known.id),
            partial(
                book,
                by=alice,
                details=details(start=tomorrow_at(3, days=turn + 1), customer_phone=PHONE),
                assignees=[alice],
            ),
        )
        assert not [outcome for outcome in outcomes if isinstance(outcome, Exception)], outcomes
