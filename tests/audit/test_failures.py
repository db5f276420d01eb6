"""Failed sign-ins: each counts, and a flood of them does not fill the log."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core.cache import cache
from django.db import connection
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext

from sophiie.accounts.models import Member
from sophiie.audit.acts import Act
from sophiie.audit.failures import MAX_ADDRESSES, close_hours, record_failure
from sophiie.audit.models import Entry, FailureCount
from sophiie.audit.origin import of_request
from sophiie.common.clock import now

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def half_past() -> Any:
    with time_machine.travel("2026-11-26T01:30:00Z", tick=False) as clock:
        yield clock


def fail(email: str, address: str = "203.0.113.7") -> None:
    cache.clear()  # the limits are not what this is about
    response = Client(REMOTE_ADDR=address).post("/login", {"login": email, "password": "no"})
    assert response.status_code == 200


def failures() -> list[tuple[str | None, dict[str, Any]]]:
    entries = Entry.objects.filter(act=Act.SIGN_IN_FAILED).order_by("at", "id")
    return [(e.address, e.details) for e in entries]


def test_the_first_is_told_at_once_and_the_rest_when_the_hour_is_over(
    alice: Member, half_past: Any
) -> None:
    for _ in range(4):
        fail("ALICE@example.com")
    assert failures() == [("203.0.113.7", {})]
    close_hours()
    assert len(failures()) == 1  # the hour is not over
    half_past.shift(timedelta(hours=1))
    close_hours()
    assert failures() == [("203.0.113.7", {}), ("203.0.113.7", {"more": 3})]
    assert not FailureCount.objects.exists()
    close_hours()
    assert len(failures()) == 2
    assert {e.subject_id for e in Entry.objects.filter(act=Act.SIGN_IN_FAILED)} == {alice.id}


def test_a_hundred_addresses_make_a_dozen_entries_and_none_is_lost(
    alice: Member, half_past: Any
) -> None:
    for n in range(100):
        request = RequestFactory().get("/login", REMOTE_ADDR=f"2001:db8::{n:x}")
        for _ in range(2):
            with of_request(request):
                record_failure(alice)
    assert FailureCount.objects.count() == MAX_ADDRESSES + 1
    half_past.shift(timedelta(hours=1))
    close_hours()
    assert len(failures()) == 2 * (MAX_ADDRESSES + 1)
    assert sum(details.get("more", 1) for _, details in failures()) == 200


def test_an_unknown_address_makes_no_entry_costs_the_same_and_is_not_kept(
    alice: Member, half_past: Any
) -> None:
    fail(alice.email)
    fail("hunter2.by.mistake@example.com")
    statements = []
    for email in (alice.email, "hunter2.by.mistake@example.com"):
        with CaptureQueriesContext(
            connection,
        ) as queries:
            fail(email)
        statements.append(len(queries))
    assert statements[0] == statements[1]
    assert len(failures()) == 1
    assert "mistake" not in str([*Entry.objects.values(), *FailureCount.objects.values()])
    half_past.shift(timedelta(hours=1))
    close_hours()
    assert len(failures()) == 2
    assert not FailureCount.objects.exists()


def test_a_strange_address_is_no_error(db: None) -> None:
    for email in (
        "x\x00y@example.com",
        "x" * 5000 + "@example.com",
        "'; DROP TABLE audit_entry --",
    ):
        cache.clear()
        assert Client().post("/login", {"login": email, "password": "no"}).status_code == 200


def test_whoever_was_deactivated_fails_too(alice: Member, bob: Member) -> None:
    from tests.conftest import PASSWORD

    Member.objects.filter(pk=bob.pk).update(is_active=False)
    Client().post("/login", {"login": bob.email, "password": PASSWORD})
    assert len(failures()) == 1
    assert Entry.objects.filter(act=Act.SIGNED_IN).count() == 0
    assert now()
