"""Erasing and giving out the records of customers, with what belongs to them and to nobody else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sophiie.accounts.api_keys import create_api_key
from sophiie.accounts.models import Member
from sophiie.appointments.booking import book, find
from sophiie.appointments.merging import merge
from sophiie.customers.models import Customer, FormerId
from sophiie.ops import privacy
from sophiie.ops.errors import CommandError
from sophiie.privacy import customers as erasing
from sophiie.privacy.customers import carry_out_customer, erase_customer, preview_customer
from sophiie.privacy.identity import Identity, UnknownCustomer, identify, identify_by_record
from sophiie.privacy.models import Erasure
from tests.conftest import ApiCaller, details, tomorrow_at
from tests.customers.conftest import customer
from tests.privacy.conftest import EMAIL, NAME, PHONE, TRACES, Book, dies_in
from tests.privacy.everywhere import places_of

pytestmark = pytest.mark.django_db
SECOND = "d.winterbottom@work.example"


def dana(by: Member) -> Customer:
    return customer(
        by,
        NAME,
        phones=[PHONE, "room Rexford 5"],
        emails=[EMAIL, SECOND],
        address="Winterbottom Lane 1",
        notes=f"Rexford bites. Write to {EMAIL}",
    )


def test_a_record_goes_with_all_that_is_theirs(alice: Member, book_dana: Book) -> None:
    known = dana(alice)
    by_record = book(
        by=alice,
        details=details(start=tomorrow_at(11), customer_name="Ms W."),
        assignees=[alice],
        customer_id=known.id,
    )
    by_words = book_dana(hour=3, customer_email=SECOND, customer_phone="")
    found = preview_customer(identify_by_record(alice.business_id, known.id))
    assert (found.records, found.appointments) == (1, 2)
    assert found.emails == sorted([EMAIL, SECOND])
    assert erase_customer(by=alice, identity=identify_by_record(alice.business_id, known.id))
    assert not Customer.objects.exists()
    for appointment in (by_record, by_words):
        kept = find(alice, appointment.id)
        assert (kept.customer_name, kept.customer_id) == ("", None)
    assert places_of(*TRACES, SECOND, "Ms W.") == []


def test_the_answer_to_the_call_that_made_the_record_forgets_it(alice: Member) -> None:
    caller = ApiCaller(create_api_key(alice))
    body = {"name": NAME, "phones": [PHONE], "email": EMAIL, "notes": "Rexford", "address": "x"}
    made = caller("POST", "/customers", body, **{"Idempotency-Key": "once"}).json()
    assert places_of(NAME)
    erase_customer(by=alice, identity=identify(alice.business_id, made["id"]))
    assert places_of(NAME, PHONE, EMAIL, "Rexford") == []
    again = caller("POST", "/customers", body, **{"Idempotency-Key": "once"}).json()
    assert (again["id"], again["name"], again["phones"]) == (made["id"], "Erased customer", [])


def test_what_is_shared_stays_with_the_other(alice: Member, book_dana: Book) -> None:
    """A family has one number: erasing one of them leaves the others theirs."""
    mother = customer(alice, NAME, phones=[PHONE], emails=[EMAIL])
    son = customer(alice, "Erin Moss", phones=[PHONE], emails=["erin@customers.example"])
    theirs = book(
        by=alice,
        details=details(start=tomorrow_at(9), customer_name="Erin Moss", customer_phone=PHONE),
        assignees=[alice],
    )
    mine = book_dana()
    assert (mine.customer_id, theirs.customer_id) == (mother.id, son.id)
    for who in (str(mother.id), str(mine.id)):
        identity = identify(alice.business_id, who)
        assert [one.pk for one in erasing.appointments_of(identity)] == [mine.pk]
    erase_customer(by=alice, identity=identify(alice.business_id, str(mother.id)))
    assert Customer.objects.get() == son
    kept = find(alice, theirs.id)
    assert (kept.customer_name, kept.customer_phone, kept.customer_id) == (
        "Erin Moss",
        PHONE,
        son.id,
    )
    # Who names the number means everybody with it.
    erase_customer(by=alice, identity=identify(alice.business_id, PHONE))
    assert places_of("Moss", PHONE) == []


def test_a_mention_in_the_record_of_somebody_else_is_blanked_out(alice: Member) -> None:
    known = dana(alice)
    other = customer(
        alice, "Landlord", emails=["l@customers.example"], notes=f"Tenant: {EMAIL}, {PHONE}"
    )
    assert preview_customer(identify_by_record(alice.business_id, known.id)).mentions == 1
    erase_customer(by=alice, identity=identify_by_record(alice.business_id, known.id))
    other.refresh_from_db()
    assert other.notes == "Tenant: […], […]"
    assert EMAIL not in other.search
    assert other.emails == ["l@customers.example"]


def test_the_former_ids_lead_to_the_customer_and_go_with_them(alice: Member) -> None:
    known, double = dana(alice), customer(alice, "D. W.")
    merge(by=alice, customer_id=known.id, other_id=double.id)
    identity = identify(alice.business_id, str(double.id))
    assert identity.customer_ids == {known.id}
    erase_customer(by=alice, identity=identity)
    assert not FormerId.objects.exists()


def test_another_business_keeps_its_record(alice: Member, charlie: Member) -> None:
    known, theirs = dana(alice), dana(charlie)
    with pytest.raises(UnknownCustomer):
        identify(alice.business_id, str(theirs.id))
    erase_customer(by=alice, identity=identify(alice.business_id, EMAIL))
    assert Customer.objects.get() == theirs
    assert not Customer.objects.filter(pk=known.pk).exists()


def test_what_was_cut_off_is_taken_up(
    alice: Member, book_dana: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = dana(alice)
    book_dana()
    identity = identify_by_record(alice.business_id, known.id)
    with monkeypatch.context() as patch:
        dies_in(patch, erasing, "delete_record")
        with pytest.raises(KeyboardInterrupt):
            erase_customer(by=alice, identity=identity)
    assert Customer.objects.exists()
    assert carry_out_customer(Erasure.objects.get())
    assert places_of(*TRACES, SECOND) == []


def test_an_erasure_that_an_earlier_release_was_asked_for_is_carried_out(alice: Member) -> None:
    about = {"emails": [EMAIL], "phones": [], "names": [], "appointment": None}
    identity = Identity.from_json(alice.business_id, about)
    dana(alice)
    erase_customer(by=alice, identity=identity)
    assert not Customer.objects.exists()


def test_the_command_takes_the_id_of_a_record(alice: Member, book_dana: Book) -> None:
    known = dana(alice)
    book_dana()
    shown = privacy.erase_customer(str(known.id), inside="", keep_upcoming=False, yes=False)
    assert "1 records in the list of customers: deleted" in shown
    assert Customer.objects.exists()
    privacy.erase_customer(str(known.id), inside="", keep_upcoming=False, yes=True)
    assert places_of(*TRACES) == []
    with pytest.raises(CommandError):
        privacy.erase_customer(str(known.id), inside="", keep_upcoming=False, yes=True)


def test_a_record_is_given_out(alice: Member, bob: Member, tmp_path: Path) -> None:
    known = dana(alice)
    customer(alice, "Eve")
    privacy.export_customer(str(known.id), tmp_path / "customer", inside="")
    privacy.export_business("", tmp_path / "business")
    privacy.export_member(bob.email, tmp_path / "member")
    (mine,) = json.loads((tmp_path / "customer" / "customers.json").read_text())
    assert (mine["name"], mine["emails"], mine["phones"]) == (
        NAME,
        [EMAIL, SECOND],
        ["+61255504711"],
    )
    assert not {"reach", "search", "name_key"} & mine.keys()
    assert len(json.loads((tmp_path / "business" / "customers.json").read_text())) == 2
    assert NAME not in "".join(path.read_text() for path in (tmp_path / "member").iterdir())
