"""Two customers who look like one: whoever says that they are two is not asked again."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.db import IntegrityError, connection, transaction

from sophiie.accounts.models import Member
from sophiie.appointments.merging import delete_customer, merge
from sophiie.customers.duplicates import (
    likely_doubles,
    likely_doubles_of,
    take_back_apart,
    tell_apart,
    told_apart,
)
from sophiie.customers.errors import InvalidCustomer, UnknownCustomer
from sophiie.customers.models import Customer, NotTheSame
from tests.customers.conftest import EMAIL, customer

pytestmark = pytest.mark.django_db
NUMBER = "02 5550 4711"


def family(by: Member, *names: str) -> list[Customer]:
    """People who share a telephone."""
    return [customer(by, name, phones=[NUMBER]) for name in names]


def proposed(by: Member) -> list[tuple[str, str]]:
    found = likely_doubles(by.business_id)
    return [(one.name, other.name) for _, pairs in found for one, other in pairs]


def test_who_is_told_apart_is_not_proposed_again(alice: Member, dana: Customer) -> None:
    erin = customer(alice, "Erin", phones=[NUMBER], emails=[EMAIL])
    assert likely_doubles_of(dana) == [erin]
    for one, other in ((erin, dana), (dana, erin)):  # in either order, and twice
        tell_apart(by=alice, customer_id=one.id, other_id=other.id)
    assert likely_doubles_of(dana) == likely_doubles_of(erin) == []
    assert proposed(alice) == []
    assert [(p.first, p.second) for p in told_apart(alice.business_id)] == [(dana, erin)]
    third = customer(alice, "Finn", phones=[NUMBER])
    assert likely_doubles_of(dana) == [third]
    take_back_apart(by=alice, customer_id=erin.id, other_id=dana.id)
    assert likely_doubles_of(dana) == [erin, third]
    assert not told_apart(alice.business_id)


def test_of_many_each_pair_comes_up_until_somebody_decides(alice: Member) -> None:
    people = family(alice, "Ann", "Bo", "Cy")
    known = {one.name: one.id for one in people}
    asked = []
    while pairs := proposed(alice):
        asked.append(pairs[0])
        one, other = pairs[0]
        tell_apart(by=alice, customer_id=known[one], other_id=known[other])
    assert sorted(asked) == [("Ann", "Bo"), ("Ann", "Cy"), ("Bo", "Cy")]


def test_decided_groups_leave_room_for_others(alice: Member) -> None:
    """However many families one has told apart, the next pair is found."""
    for number in range(4):
        one, other = (customer(alice, "A", phones=[f"0412 345 67{number}"]) for _ in range(2))
        tell_apart(by=alice, customer_id=one.id, other_id=other.id)
    last = [customer(alice, "Z", phones=["0412 345 679"]) for _ in range(2)]
    ((_, pairs),) = likely_doubles(alice.business_id, most=1)
    assert pairs == [tuple(last)]


def test_it_goes_with_either_customer(alice: Member) -> None:
    ann, bo, cy = family(alice, "Ann", "Bo", "Cy")
    for one, other in ((ann, bo), (bo, cy), (ann, cy)):
        tell_apart(by=alice, customer_id=one.id, other_id=other.id)
    merge(by=alice, customer_id=ann.id, other_id=bo.id)
    assert [(p.first, p.second) for p in told_apart(alice.business_id)] == [(ann, cy)]
    delete_customer(by=alice, customer_id=cy.id)
    assert not NotTheSame.objects.exists()


def test_the_version_before_deletes_customers_as_ever(alice: Member) -> None:
    """It does not know the table, and merges and deletes while the new one starts."""
    ann, bo = family(alice, "Ann", "Bo")
    tell_apart(by=alice, customer_id=ann.id, other_id=bo.id)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM customers_customer WHERE id = %s", [ann.id])
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    assert not NotTheSame.objects.exists()


def test_nobody_tells_apart_what_is_not_theirs(alice: Member, charlie: Member) -> None:
    ours, theirs = family(alice, "Ann", "Bo"), family(charlie, "Cy", "Di")
    for one, other in ((ours[0], theirs[0]), (theirs[0], theirs[1]), (theirs[1], ours[1])):
        with pytest.raises(UnknownCustomer):
            tell_apart(by=alice, customer_id=one.id, other_id=other.id)
    tell_apart(by=charlie, customer_id=theirs[0].id, other_id=theirs[1].id)
    take_back_apart(by=alice, customer_id=theirs[0].id, other_id=theirs[1].id)
    assert not told_apart(alice.business_id)
    assert told_apart(charlie.business_id).count() == 1
    with pytest.raises(UnknownCustomer):
        tell_apart(by=alice, customer_id=ours[0].id, other_id=uuid4())


def test_one_customer_is_not_two(alice: Member) -> None:
    ann, bo = family(alice, "Ann", "Bo")
    merge(by=alice, customer_id=ann.id, other_id=bo.id)
    with pytest.raises(InvalidCustomer):
        tell_apart(by=alice, customer_id=bo.id, other_id=ann.id)
    with pytest.raises(IntegrityError), transaction.atomic():
        NotTheSame.objects.create(first=ann, second=ann, said_at=ann.created_at)
