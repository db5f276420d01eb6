"""For whom an appointment is: by id, by address or number, and never by a name alone."""

from __future__ import annotations

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from sophiie.accounts.models import Member
from sophiie.appointments import assignments, locking
from sophiie.appointments.booking import book, change, find
from sophiie.appointments.customers import CustomerOfBooking, note_customers
from sophiie.appointments.errors import InvalidAppointment
from sophiie.appointments.merging import delete_customer
from sophiie.appointments.models import Appointment
from sophiie.appointments.rules import Details
from sophiie.audit import recording
from sophiie.common import sql
from sophiie.customers.models import Customer
from tests.at_once import at_once
from tests.conftest import details, tomorrow_at
from tests.customers.conftest import EMAIL, PHONE, Book, customer

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("name", "phone", "email"),
    [
        ("Dana Winterbottom", "", EMAIL.upper()),
        ("Dana Winterbottom", "(02) 5550-4711", ""),
        ("D. W.", "0061 2 5550 4711", "new@customers.example"),
        ("", "", EMAIL),
    ],
)
def test_whoever_alone_has_the_address_or_number_is_meant(
    dana: Customer, book_for: Book, name: str, phone: str, email: str
) -> None:
    booked = book_for(name, phone, email)
    assert booked.customer_id == dana.id
    assert (booked.customer_name, booked.customer_phone, booked.customer_email) == (
        name,
        phone,
        email,
    )
    assert Customer.objects.get().name == "Dana Winterbottom"


def test_somebody_new_is_made_as_they_were_told(alice: Member, book_for: Book) -> None:
    booked = book_for("Eve  Stone", "0412 345 678", "eve@customers.example")
    made = Customer.objects.get()
    assert booked.customer_id == made.id
    assert (made.name, made.phones, made.emails) == (
        "Eve Stone",
        ["+61412345678"],
        ["eve@customers.example"],
    )
    assert book_for("Eve", "+61 412 345 678").customer_id == made.id


def test_of_several_with_one_number_the_name_decides(alice: Member, book_for: Book) -> None:
    dana = customer(alice, phones=[PHONE])
    erin = customer(alice, "Erin Winterbottom", phones=[PHONE])
    assert book_for("erin  winterbottom", PHONE).customer_id == erin.id
    assert book_for("DANA WINTERBOTTOM", PHONE).customer_id == dana.id
    third = book_for("Finn Winterbottom", PHONE).customer_id
    assert third not in (dana.id, erin.id)
    assert Customer.objects.count() == 3


def test_a_booking_beside_doubles_makes_no_third(alice: Member, book_for: Book) -> None:
    first, _second = customer(alice, phones=[PHONE]), customer(alice, phones=[PHONE])
    assert book_for("Dana Winterbottom", PHONE).customer_id == first.id
    assert book_for("", PHONE).customer_id == first.id
    assert Customer.objects.count() == 2


def test_a_name_alone_joins_nobody(dana: Customer, book_for: Book) -> None:
    assert book_for("Dana Winterbottom").customer_id is None
    fresh = book_for("Ms Green")
    assert Customer.objects.get(pk=fresh.customer_id).name == "Ms Green"
    assert book_for("ms green").customer_id is None
    assert Customer.objects.count() == 2


def test_an_appointment_for_nobody_makes_nobody(alice: Member, book_for: Book) -> None:
    assert book_for(" ").customer_id is None
    assert not Customer.objects.exists()


def test_the_customers_of_another_business_are_not_meant(
    alice: Member, charlie: Member, book_for: Book
) -> None:
    theirs = customer(charlie, phones=[PHONE], emails=[EMAIL])
    booked = book_for("Dana Winterbottom", PHONE, EMAIL)
    assert booked.customer_id not in (None, theirs.id)
    with pytest.raises(InvalidAppointment, match="no customer"):
        book_for(customer_id=theirs.id)


def test_by_id_the_words_are_filled_in(dana: Customer, book_for: Book) -> None:
    booked = book_for(customer_id=dana.id)
    assert booked.customer_id == dana.id
    assert (booked.customer_name, booked.customer_phone, booked.customer_email) == (
        "Dana Winterbottom",
        PHONE,
        EMAIL,
    )
    assert book_for("The tenant", "5550 1", customer_id=dana.id).customer_name == "The tenant"


def test_other_words_are_for_somebody_else(alice: Member, dana: Customer, book_for: Book) -> None:
    booked = book_for(customer_id=dana.id)
    change(by=alice, appointment_id=booked.id, changes={"title": "Second visit"})
    assert find(alice, booked.id).customer_id == dana.id
    erin = {
        "customer_name": "Erin",
        "customer_phone": "0412 345 678",
        "customer_email": "",
    }
    change(by=alice, appointment_id=booked.id, changes=erin)
    assert Customer.objects.get(pk=find(alice, booked.id).customer_id).name == "Erin"
    change(by=alice, appointment_id=booked.id, changes=dict.fromkeys(erin, ""))
    assert find(alice, booked.id).customer_id is None


def test_for_whom_it_is_can_be_changed_without_a_revision(
    alice: Member, dana: Customer, book_for: Book
) -> None:
    told = book_for("Dana Winterbottom")
    about = {"customer_phone": "", "customer_email": ""}
    booked = change(
        by=alice,
        appointment_id=told.id,
        changes={**about, "customer_phone": PHONE, "customer_email": EMAIL},
    )
    other = customer(alice, "Landlord", emails=["l@customers.example"])
    change(by=alice, appointment_id=booked.id, changes={}, customer_id=other.id)
    kept = find(alice, booked.id)
    assert (kept.customer_id, kept.customer_name, kept.revision) == (
        other.id,
        "Dana Winterbottom",
        booked.revision,
    )


def test_a_deleted_customer_does_not_come_back(
    alice: Member, dana: Customer, book_for: Book
) -> None:
    booked = book_for(customer_id=dana.id)
    delete_customer(by=alice, customer_id=dana.id)
    kept = find(alice, booked.id)
    assert (kept.customer_id, kept.customer_phone) == (None, PHONE)
    assert note_customers() == 0
    assert not Customer.objects.exists()


@pytest.mark.parametrize("known", [True, False])
def test_a_booking_for_somebody_asks_the_database_once_more(
    alice: Member, dana: Customer, book_for: Book, known: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[str] = []
    real = sql.send

    def counted(statement: str, /, **values: object) -> object:
        sent.append(statement)
        return real(statement, **values)

    for module in (sql, assignments, locking, recording):
        monkeypatch.setattr(module, "send", counted)

    def statements(*words: str) -> int:
        sent.clear()
        with CaptureQueriesContext(connection) as queries:
            book_for(*words)
        return len(queries) + len(sent)

    book_for()  # what is asked once only
    assert statements("Dana", PHONE if known else "0412 345 678") == statements() + 1


def test_the_search_for_a_customer_uses_an_index(alice: Member) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        plans = []
        for where in (
            "search LIKE '%wint%'",
            "reach && ARRAY['+61255504711']",
            "name_key LIKE 'wi%' ORDER BY name_key, id LIMIT 8",
        ):
            cursor.execute(
                "EXPLAIN SELECT id FROM customers_customer"
                f" WHERE business_id = '{alice.business_id}' AND {where}"
            )
            plans.append("\n".join(row[0] for row in cursor.fetchall()))
    assert all("customer_by_" in plan for plan in plans)


# Appointments that an earlier release booked


def as_release_0_2_booked(*appointments: Appointment) -> None:
    ids = [appointment.id for appointment in appointments]
    Appointment.objects.filter(pk__in=ids).update(customer=None, customer_sought=False)
    Customer.objects.all().delete()


def test_customers_of_earlier_appointments_are_made_once(
    alice: Member, charlie: Member, book_for: Book
) -> None:
    first, second = book_for("Dana Winterbottom", PHONE), book_for("D. W.", "02 5550 4711", EMAIL)
    by_name, nobody = book_for("Ms Green"), book_for()
    theirs = book(
        by=charlie,
        details=details(start=tomorrow_at(1), customer_phone=PHONE),
        assignees=[charlie],
    )
    everything = (first, second, by_name, nobody, theirs)
    revisions = [a.revision for a in everything]
    as_release_0_2_booked(*everything)
    assert note_customers() == 5
    assert note_customers() == 0
    for appointment in everything:
        appointment.refresh_from_db()
    assert first.customer_id == second.customer_id != theirs.customer_id
    assert Customer.objects.get(pk=theirs.customer_id).business_id == charlie.business_id
    assert Customer.objects.get(pk=by_name.customer_id).name == "Ms Green"
    assert nobody.customer_id is None
    assert [a.revision for a in everything] == revisions
    assert Customer.objects.count() == 3


def test_what_the_release_before_books_meanwhile_is_noted_as_well(
    alice: Member, book_for: Book
) -> None:
    """It knows neither column."""
    mine = book_for("Dana Winterbottom", PHONE)
    columns = [f'"{f.column}"' for f in Appointment._meta.concrete_fields]
    known = ", ".join(c for c in columns if c not in ('"id"', '"customer_id"', '"customer_sought"'))
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO appointments_appointment (id, {known})"
            f" SELECT gen_random_uuid(), {known} FROM appointments_appointment"
        )
    assert note_customers() == 1
    theirs = Appointment.objects.exclude(pk=mine.pk).get()
    assert theirs.customer_id == mine.customer_id


def test_what_was_noted_before_a_stop_stays(
    alice: Member, book_for: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    booked = [book_for(f"Caller {n}", f"0412 345 67{n}") for n in range(5)]
    as_release_0_2_booked(*booked)
    monkeypatch.setattr("sophiie.appointments.customers.NOTED_AT_ONCE", 2)
    assert note_customers() == 5
    assert Customer.objects.count() == 5
    assert not Appointment.objects.filter(customer=None).exists()


@pytest.mark.django_db(transaction=True)
def test_while_bookings_hold_the_locks_they_are_made_later(
    alice: Member, book_for: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locking, "LOCK_TIMEOUT_MILLISECONDS", 50)
    earlier = book_for("Dana Winterbottom", PHONE)
    as_release_0_2_booked(earlier)
    said = CustomerOfBooking(alice, Details.of(earlier))
    with transaction.atomic():
        locking.lock_members([], customers=said.locks)
        assert at_once(note_customers) == [0]
    assert note_customers() == 1
