"""The rate limit, the description of the API, and its page."""

from __future__ import annotations

import re
from contextlib import closing
from typing import Any

import pytest
from django.test import Client
from jsonschema import Draft202012Validator

from sophiie.accounts.models import Member
from sophiie.api import access
from sophiie.api.access import Buckets
from sophiie.appointments.models import Appointment
from tests.api.problems import problem
from tests.conftest import ApiCaller


def test_too_many_requests_are_told_when_to_come_back(
    api: ApiCaller, api_of: Any, bob: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(access, "buckets", Buckets(per_minute=3))
    assert [api("GET", "/members/me").status_code for _ in range(3)] == [200] * 3
    response = api("GET", "/members/me")
    problem(response, 429)
    assert 1 <= int(response["Retry-After"]) <= 20
    assert api_of(bob)("GET", "/members/me").status_code == 200  # each key for itself


def test_a_bucket_fills_evenly_and_never_over_its_rim() -> None:
    buckets = Buckets(per_minute=60)
    assert [buckets.seconds_to_wait("k", 0.0) for _ in range(60)] == [0.0] * 60
    assert buckets.seconds_to_wait("k", 0.0) == pytest.approx(1.0)
    assert buckets.seconds_to_wait("k", 0.5) == pytest.approx(0.5)
    assert buckets.seconds_to_wait("k", 1.0) == 0.0
    assert buckets.seconds_to_wait("k", 1.0) > 0
    assert [buckets.seconds_to_wait("k", 9999.0) for _ in range(61)].count(0.0) == 60


def test_keys_that_were_tried_do_not_fill_the_memory() -> None:
    buckets = Buckets(per_minute=60, most_keys=100)
    for n in range(1000):
        buckets.seconds_to_wait(str(n), 0.0)
    assert len(buckets._levels) <= 102


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
