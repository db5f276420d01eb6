"""The rate limit, the description of the API, and its page."""

from __future__ import annotations

import re
from contextlib import closing
from typing import Any

import pytest
import time_machine
from django.test import Client
from jsonschema import Draft202012Validator

from sophiie.accounts import limits
from sophiie.accounts.limits import Limit
from sophiie.accounts.models import Member
from sophiie.api import access
from sophiie.api.access import Drawn, of_key
from sophiie.appointments.models import Appointment
from sophiie.common.clock import now
from tests.api.problems import problem
from tests.conftest import ApiCaller


def test_too_many_requests_are_told_when_to_come_back(
    api: ApiCaller, api_of: Any, bob: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(access, "requests", of_key(per_minute=3))
    assert [api("GET", "/members/me").status_code for _ in range(3)] == [200] * 3
    response = api("GET", "/members/me")
    problem(response, 429)
    assert 1 <= int(response["Retry-After"]) <= 20
    assert api_of(bob)("GET", "/members/me").status_code == 200  # each key for itself


def test_a_key_is_counted_in_all_processes_together(
    api: ApiCaller, monkeypatch: pytest.MonkeyPatch
) -> None:
    processes = [of_key(per_minute=10) for _ in range(4)]
    answers = []
    for number in range(12):
        monkeypatch.setattr(access, "requests", processes[number % 4])
        answers.append(api("GET", "/members/me").status_code)
    assert answers == [200] * 10 + [429] * 2


@pytest.mark.django_db
def test_most_requests_ask_the_database_for_nothing(
    django_assert_num_queries: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    statements = []
    monkeypatch.setattr(limits, "execute", lambda *a, **k: statements.append(a) or [(1,)])
    one = of_key(per_minute=6000)
    with django_assert_num_queries(0):
        assert not any(one.take("key") for _ in range(1000))
    assert len(statements) == 10


@pytest.mark.django_db
def test_what_is_drawn_at_once_does_not_raise_the_limit() -> None:
    limit = Limit(name="test", amount=600, seconds=60)
    processes = [Drawn(limit, at_once=10) for _ in range(3)]
    with time_machine.travel(now(), tick=False):
        given = sum(not processes[n % 3].take("key") for n in range(1000))
    assert given == 600


def test_wrong_keys_are_limited_by_address_and_only_those(
    api: ApiCaller, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = Limit(name="wrong", amount=3, seconds=60)
    monkeypatch.setattr(access, "wrong_keys", Drawn(few))
    wrong = f"sophiie_{'0' * 16}_{'0' * 64}"

    def answer(key: str, address: str) -> int:
        headers = {"Authorization": f"Bearer {key}"}
        path = "/api/v1/members/me"
        return Client().get(path, headers=headers, REMOTE_ADDR=address).status_code

    here = "2001:db8:1:2::"
    statuses = [answer(wrong if n % 2 else "x", f"{here}{n:x}") for n in range(5)]
    assert statuses == [401] * 3 + [429] * 2  # one network is one address
    assert answer(wrong, "2001:db8:1:3::1") == 401
    assert api("GET", "/members/me").status_code == 200
    assert answer(api._key, f"{here}1") == 200  # a key is a key wherever it comes from


@pytest.mark.django_db
def test_keys_that_were_tried_fill_no_memory_and_clear_nobody(
    api: ApiCaller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(access, "MAX_REMEMBERED", 5)
    limit = Limit(name="test", amount=1, seconds=60)
    one = Drawn(limit)
    assert one.take("alice") == 0
    for number in range(20):
        one.take(str(number))
        one.take(str(number))
    assert len(one._names) <= 5
    assert one.take("alice") > 0


def test_the_description_is_openapi_and_describes_what_is_answered(
    api: ApiCaller, booked: Appointment
) -> None:
    schema = Client().get("/api/v1/openapi.json").json()
    assert schema["openapi"].startswith("3.1")
    assert {
        *("/api/v1/appointments", "/api/v1/appointments/{appointment_id}"),
        *("/api/v1/members", "/api/v1/members/me", "/api/v1/members/{member_id}/calendar-link"),
    } <= schema["paths"].keys()
    for operations in schema["paths"].values():
        for operation in operations.values():
            assert operation["security"]
            assert {"401", "429"} <= operation["responses"].keys()
            for status, response in operation["responses"].items():
                kind = "application/problem+json" if status >= "400" else "application/json"
                assert status == "204" or list(response["content"]) == [kind]
    for name, answer in (
        ("AppointmentOut", api("GET", f"/appointments/{booked.id}")),
        ("AppointmentList", api("GET", "/appointments")),
        ("MemberOut", api("GET", "/members/me")),
        ("MemberList", api("GET", "/members")),
        ("Problem", api("GET", "/appointments/nothing")),
    ):
        described = {"$ref": f"#/components/schemas/{name}", "components": schema["components"]}
        Draft202012Validator.check_schema(described)
        Draft202012Validator(described).validate(answer.json())


def test_every_operation_has_a_name_of_its_own() -> None:
    schema = Client().get("/api/v1/openapi.json").json()
    names = [o["operationId"] for p in schema["paths"].values() for o in p.values()]
    assert len(names) == len(set(names))


@pytest.mark.django_db
def test_the_docs_page_loads_nothing_from_elsewhere_and_runs_no_inline_script() -> None:
    response = Client().get("/api/v1/docs")
    assert response.status_code == 200
    text = response.content.decode()
    assert "swagger-settings" in text
    assert not re.findall(r"""(?:src|href)=["']?(?:https?:)?//""", text)
    for attributes, inside in re.findall(r"<script([^>]*)>(.*?)</script>", text, re.DOTALL):
        assert "src=" in attributes or "application/json" in attributes, inside
    for address in re.findall(r"""(?:src|href)=["'](/static/[^"']+)""", text):
        with closing(Client().get(address)) as part:
            assert part.status_code == 200, address
