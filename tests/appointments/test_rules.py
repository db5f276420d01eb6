"""The rules, one bad value at a time, with the words a person reads."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from sophiie.accounts.models import Member
from sophiie.appointments.booking import book
from sophiie.appointments.errors import InvalidAppointment
from sophiie.appointments.rules import assignees_of, check_details
from tests.conftest import details, tomorrow_at

TEN = tomorrow_at(10)


def at(year: int) -> datetime:
    return datetime(year, 6, 1, 9, tzinfo=UTC)


HOUR = timedelta(hours=1)
YEARS_END = datetime(2100, 1, 1, tzinfo=UTC)

BAD = [
    ({"title": ""}, "title", "Give the appointment a title."),
    ({"title": " \t\n"}, "title", "Give the appointment a title."),
    ({"title": "x" * 301}, "title", "At most 300 characters; this has 301."),
    ({"title": "x" * 10_000}, "title", "At most 300 characters; this has 10,000."),
    ({"title": "a\x00b"}, "title", "cannot be stored"),
    ({"location": "x" * 501}, "location", "At most 500 characters"),
    ({"location": "\x00"}, "location", "cannot be stored"),
    ({"notes": "x" * 5001}, "notes", "At most 5,000 characters; this has 5,001."),
    ({"notes": "a\x00b"}, "notes", "cannot be stored"),
    ({"customer_name": "x" * 201}, "customer_name", "At most 200"),
    ({"customer_name": "\x00"}, "customer_name", "cannot be stored"),
    ({"customer_phone": "1" * 51}, "customer_phone", "At most 50"),
    ({"customer_email": "nobody"}, "customer_email", "This is not an email address."),
    ({"customer_email": "a@b@c.example"}, "customer_email", "This is not an email address."),
    ({"customer_email": f"{'x' * 250}@example.com"}, "customer_email", "At most 254"),
    ({"start": TEN, "end": TEN}, "end", "The end must be after the start."),
    ({"start": TEN, "end": TEN - timedelta(hours=1)}, "end", "The end must be after the start."),
    ({"start": TEN, "end": TEN + timedelta(days=31, seconds=1)}, "end", "31 days at most"),
    ({"start": at(1900), "end": at(1900) + timedelta(hours=1)}, "start", "2000 and 2099"),
    ({"start": at(1999), "end": at(2000)}, "start", "2000 and 2099"),
    ({"start": at(2099), "end": at(9999)}, "end", "2000 and 2099"),
    ({"start": at(9999), "end": at(9999)}, "start", "2000 and 2099"),
    ({"start": YEARS_END - HOUR, "end": YEARS_END}, "end", "2000 and 2099"),
    ({"timezone": "Mars/Phobos"}, "timezone", "not an IANA time zone"),
    ({"timezone": ""}, "timezone", "not an IANA time zone"),
    ({"timezone": "UTC+10"}, "timezone", "not an IANA time zone"),
    ({"timezone": "Etc/GMT-10"}, "timezone", "not an IANA time zone"),
    ({"timezone": "../../etc/passwd"}, "timezone", "not an IANA time zone"),
    ({"timezone": "Australia/Sydney\x00"}, "timezone", "not an IANA time zone"),
]


@pytest.mark.parametrize(("change", "field", "says"), BAD)
def test_a_bad_value_is_named_at_its_field(change: dict[str, Any], field: str, says: str) -> None:
    with pytest.raises(InvalidAppointment) as caught:
        check_details(details(**change))
    assert says in caught.value.errors[field]


@pytest.mark.parametrize(
    "change",
    [
        {"title": "x" * 300, "location": "y" * 500, "notes": "z" * 5000},
        {"title": "🪠 Zoë’s tap", "notes": "line\nline", "timezone": "UTC"},
        {"start": TEN, "end": TEN + timedelta(days=31)},
        {"start": TEN, "end": TEN + timedelta(seconds=1)},
        {"start": datetime(2000, 1, 1, tzinfo=UTC), "end": datetime(2000, 1, 2, tzinfo=UTC)},
        {"start": YEARS_END - HOUR, "end": YEARS_END - timedelta(seconds=1)},
        {"customer_name": "x" * 200},
        {"customer_phone": "1" * 50},
        {"customer_email": "ms.green+tap@example.com", "customer_phone": "+61 2 5550 1234"},
    ],
)
def test_the_limits_themselves_are_allowed(change: dict[str, Any], alice: Member) -> None:
    book(by=alice, details=details(**change), assignees=[alice])


def test_all_that_is_wrong_is_said_at_once() -> None:
    with pytest.raises(InvalidAppointment) as caught:
        check_details(details(title="", timezone="x", start=TEN, end=TEN, customer_email="x"))
    assert set(caught.value.errors) == {"title", "timezone", "end", "customer_email"}


def test_a_booking_checks_the_rules_before_anything_is_written(alice: Member) -> None:
    with pytest.raises(InvalidAppointment):
        book(by=alice, details=details(title=""), assignees=[alice])


def test_assignees_are_found_by_id_and_by_address_once_each(alice: Member, bob: Member) -> None:
    wanted = [bob.email.upper(), alice.id, str(bob.id), f" {alice.email} "]
    assert assignees_of(alice.business, wanted) == [bob, alice]


def test_unknown_and_foreign_assignees_read_the_same(alice: Member, charlie: Member) -> None:
    nobody = uuid4()
    for name in (charlie.id, charlie.email, nobody, "nobody@example.com", "", "\x00", "⚡"):
        with pytest.raises(InvalidAppointment) as caught:
            assignees_of(alice.business, [alice.id, name])
        assert caught.value.errors["assignees"] == f"Unknown assignee: {name}."


def test_a_switched_off_member_cannot_be_assigned(alice: Member, bob: Member) -> None:
    Member.objects.filter(pk=bob.pk).update(is_active=False)
    with pytest.raises(InvalidAppointment, match="Unknown assignee"):
        assignees_of(alice.business, [bob.id])


def test_nobody_and_crowds_are_refused(alice: Member) -> None:
    with pytest.raises(InvalidAppointment, match="at least one"):
        assignees_of(alice.business, [])
    with pytest.raises(InvalidAppointment, match="At most 50"):
        assignees_of(alice.business, [uuid4() for _ in range(51)])


def test_a_crowd_of_fifty_is_none(alice: Member) -> None:
    made = [
        Member(business=alice.business, email=f"{n}@example.com", name=str(n), role="member")
        for n in range(50)
    ]
    Member.objects.bulk_create(made)
    assert assignees_of(alice.business, [member.email for member in made]) == made


def test_a_long_list_of_unknowns_is_not_echoed_whole(alice: Member) -> None:
    with pytest.raises(InvalidAppointment) as caught:
        assignees_of(alice.business, ["x" * 5000 + str(n) for n in range(50)])
    listed = ", ".join(["x" * 80] * 5)
    assert caught.value.errors["assignees"] == f"Unknown assignee: {listed}."
