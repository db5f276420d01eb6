"""`Idempotency-Key`: a caller that lost an answer asks again and books only once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier
from typing import Any

import pytest
from django.db import connections

from sophiie.accounts.api_keys import create_api_key
from sophiie.accounts.models import Member
from sophiie.api.models import IdempotentAnswer
from sophiie.appointments.booking import book, delete
from sophiie.appointments.models import Appointment
from tests.api.problems import errors, problem
from tests.api.test_life import PLAIN, START
from tests.conftest import ApiCaller, details

KEY = {"Idempotency-Key": "call-4711"}


def test_the_same_request_is_answered_again_and_booked_once(api: ApiCaller) -> None:
    first = api("POST", "/appointments", PLAIN, **KEY)
    again = api("POST", "/appointments", PLAIN, **KEY)
    assert first.status_code == again.status_code == 201
    assert again.json() == first.json()
    assert (again["Location"], again["ETag"]) == (first["Location"], first["ETag"])
    assert Appointment.objects.count() == 1


def test_without_a_key_it_is_a_second_booking(api: ApiCaller) -> None:
    api("POST", "/appointments", PLAIN)
    problem(api("POST", "/appointments", PLAIN), 409)


def test_the_same_key_for_another_body_is_refused(api: ApiCaller) -> None:
    api("POST", "/appointments", PLAIN, **KEY)
    response = api("POST", "/appointments", {**PLAIN, "title": "Other"}, **KEY)
    assert "Idempotency-Key" in errors(response)
    assert response.json()["type"].endswith("/idempotency-key-reused")
    assert Appointment.objects.count() == 1


def test_keys_of_two_members_have_nothing_to_do_with_each_other(
    api: ApiCaller, api_of: Any, bob: Member
) -> None:
    first = api("POST", "/appointments", PLAIN, **KEY).json()
    second = api_of(bob)("POST", "/appointments", PLAIN, **KEY).json()
    assert [p["name"] for p in second["assignees"]] == ["Bob"]
    assert second["id"] != first["id"]


def test_a_conflict_is_the_same_answer_too(api: ApiCaller, alice: Member) -> None:
    start = datetime.fromisoformat(START)
    in_the_way = book(by=alice, details=details(start=start), assignees=[alice])
    first = problem(api("POST", "/appointments", PLAIN, **KEY), 409)
    delete(by=alice, appointment_id=in_the_way.id)
    assert problem(api("POST", "/appointments", PLAIN, **KEY), 409) == first
    assert api("POST", "/appointments", PLAIN, **{"Idempotency-Key": "new"}).status_code == 201


def test_a_request_that_could_not_be_understood_does_not_use_up_the_key(api: ApiCaller) -> None:
    errors(api("POST", "/appointments", {**PLAIN, "assignees": ["nobody@example.com"]}, **KEY))
    assert api("POST", "/appointments", PLAIN, **KEY).status_code == 201


@pytest.mark.parametrize("key", ["x" * 256, "a\x00b", "a\nb".replace("\n", "\x07")])
def test_a_key_that_cannot_be_kept_is_refused(api: ApiCaller, key: str) -> None:
    assert "Idempotency-Key" in errors(
        api("POST", "/appointments", PLAIN, **{"Idempotency-Key": key})
    )
    assert not Appointment.objects.exists()


def test_answers_are_forgotten_after_a_day(api: ApiCaller) -> None:
    first = api("POST", "/appointments", PLAIN, **KEY).json()
    IdempotentAnswer.objects.update(created_at=datetime.now(UTC) - timedelta(days=1, minutes=1))
    later = {"title": "Next day", "start": "2026-12-02T09:00:00+11:00", "duration_minutes": 60}
    second = api("POST", "/appointments", later, **KEY)
    assert second.status_code == 201
    assert second.json()["id"] != first["id"]
    assert IdempotentAnswer.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_repeats_that_come_at_the_same_moment_book_once(alice: Member) -> None:
    key = create_api_key(alice)
    ready = Barrier(4)

    def ask(_: int) -> Any:
        try:
            caller = ApiCaller(key)
            ready.wait(60)
            return caller("POST", "/appointments", PLAIN, **KEY)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(ask, range(4)))
    assert [answer.status_code for answer in answers] == [201] * 4
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert Appointment.objects.count() == 1
