"""Bad requests: a problem with the field's name, never a guess and never a 500."""

from __future__ import annotations

import base64
import json
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sophiie.accounts.models import Member
from sophiie.appointments.models import Appointment
from tests.api.problems import errors, problem
from tests.api.test_life import PLAIN
from tests.conftest import ApiCaller

WRONG = {
    "a number": 7,
    "a fraction": 1.5,
    "true": True,
    "a list": ["x"],
    "an object": {"x": "y"},
    "nested": {"a": [{"b": [None]}]},
    "a text": "🪠 not that",
    "an empty text": "",
    "a huge text": "x" * 50_000,
    "NUL": "\x00",
    "a huge number": 10**30,
    "half a character": "\ud800",
}
TEXTS = ("title", "location", "notes", "timezone")
# What of the above is right, or at least harmless, for a field.
ALLOWED = {
    "title": {"a text"},
    "location": {"a text", "an empty text"},
    "notes": {"a text", "an empty text"},
    "allow_overlap": {"true"},
    "duration_minutes": {"a number"},
}
FIELDS = (*TEXTS, "start", "end", "duration_minutes", "assignees", "customer", "allow_overlap")


@pytest.mark.parametrize("kind", WRONG)
@pytest.mark.parametrize("field", FIELDS)
def test_a_wrong_type_is_named_at_its_field(
    api: ApiCaller, booked: Appointment, field: str, kind: str
) -> None:
    plain = {k: v for k, v in PLAIN.items() if (k, field) != ("end", "duration_minutes")}
    body = json.dumps({**plain, field: WRONG[kind]})
    patch = json.dumps({field: WRONG[kind]})
    made = api("POST", "/appointments", body)
    changed = api("PATCH", f"/appointments/{booked.id}", patch)
    if kind in ALLOWED.get(field, ()):
        assert (made.status_code, changed.status_code) == (201, 200)
        return
    for response in (made, changed):
        assert any(name.partition(".")[0] == field for name in errors(response)), response.content
    assert Appointment.objects.count() == 1
    assert Appointment.objects.get().revision == 1


@pytest.mark.parametrize("kind", sorted(WRONG.keys() - {"a text", "an empty text"}))
@pytest.mark.parametrize("field", ["name", "phone", "email"])
def test_a_wrong_type_inside_the_customer_is_named_with_its_path(
    api: ApiCaller, alice: Member, field: str, kind: str
) -> None:
    body = json.dumps({**PLAIN, "customer": {field: WRONG[kind]}})
    assert f"customer.{field}" in errors(api("POST", "/appointments", body))


@pytest.mark.parametrize("field", ["title", "start", "timezone", "notes", "status", "assignees"])
def test_null_is_not_a_value(api: ApiCaller, booked: Appointment, field: str) -> None:
    assert field in errors(api("PATCH", f"/appointments/{booked.id}", {field: None}))


@pytest.mark.parametrize(
    "time",
    [
        "2026-12-01T09:00:00",  # no offset: whose nine o'clock?
        "2026-12-01",
        "09:00",
        "2026-12-01 09:00 +11",
        "2026-13-01T09:00:00Z",
        "2026-02-30T09:00:00Z",
        "2026-12-01T24:30:00Z",
        "2026-12-01T09:00:00+25:00",
        "2026-12-01T09:00:00 Australia/Sydney",
        "tomorrow",
        "1764540000",
        "２０２６-12-01T09:00:00Z",
        "9999-12-31T23:59:59-23:59",
        "0001-01-01T00:00:00+23:59",
        "1900-01-01T00:00:00Z",
    ],
)
def test_a_time_that_is_none_is_refused_at_its_field(
    api: ApiCaller, booked: Appointment, time: str
) -> None:
    body = {"title": "x", "start": time, "duration_minutes": 30}
    assert "start" in errors(api("POST", "/appointments", body))
    assert "end" in errors(api("PATCH", f"/appointments/{booked.id}", {"end": time}))
    if time[:1] not in "019":
        assert "from" in errors(api("GET", f"/appointments?from={time.replace('+', '%2B')}"))


@pytest.mark.parametrize("offset", ["+17:58", "-23:59", "+23:59"])
def test_an_offset_that_postgresql_does_not_know_is_an_instant_all_the_same(
    api: ApiCaller, alice: Member, offset: str
) -> None:
    start, end = f"2031-01-07T09:00:00{offset}", f"2031-01-07T10:00:00{offset}"
    made = api("POST", "/appointments", {"title": "x", "start": start, "end": end})
    assert made.status_code == 201
    told = datetime.fromisoformat(made.json()["start"])
    assert told == datetime.fromisoformat(start)
    changed = api("PATCH", f"/appointments/{made.json()['id']}", {"start": start, "end": end})
    assert changed.json()["revision"] == 1
    times = {"from": start, "to": end, "updated_since": start}
    assert api("GET", f"/appointments?{urlencode(times)}").json()["items"] == []
    times = {"from": start, "to": end, "duration_minutes": 30}
    assert api("GET", f"/availability?{urlencode(times)}").status_code == 200
    times = {"member": alice.id, "start": start, "end": end}
    assert api("GET", f"/availability/explain?{urlencode(times)}").status_code == 200
    cursor = base64.urlsafe_b64encode(json.dumps([start, str(alice.id)]).encode()).decode()
    assert api("GET", f"/appointments?{urlencode({'cursor': cursor})}").status_code == 200


def test_end_and_duration_are_one_too_many_and_neither_too_few(
    api: ApiCaller, booked: Appointment
) -> None:
    both = {**PLAIN, "duration_minutes": 30}
    neither = {"title": "x", "start": PLAIN["start"]}
    assert "end" in errors(api("POST", "/appointments", both))
    assert "end" in errors(api("POST", "/appointments", neither))
    both = {"end": PLAIN["end"], "duration_minutes": 30}
    assert "end" in errors(api("PATCH", f"/appointments/{booked.id}", both))


@pytest.mark.parametrize("minutes", [0, -5, 44_641, 30.5, "30"])
def test_a_duration_is_whole_minutes_up_to_a_month(api: ApiCaller, minutes: Any) -> None:
    body = {"title": "x", "start": PLAIN["start"], "duration_minutes": minutes}
    assert "duration_minutes" in errors(api("POST", "/appointments", body))


@pytest.mark.parametrize("value", [1, 0, "yes", "true"])
def test_only_true_and_false_decide_about_overlaps(api: ApiCaller, value: Any) -> None:
    assert "allow_overlap" in errors(
        api("POST", "/appointments", {**PLAIN, "allow_overlap": value})
    )


@pytest.mark.parametrize("field", ["colour", "id", "revision", "held_until", "Title"])
def test_an_unknown_field_is_an_error_and_not_a_silent_no(
    api: ApiCaller, booked: Appointment, field: str
) -> None:
    assert field in errors(api("POST", "/appointments", {**PLAIN, field: 1}))
    assert field in errors(api("PATCH", f"/appointments/{booked.id}", {field: 1}))


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/series?preveiw=true"),
        ("POST", "/appointments?preview=true"),
        ("POST", "/appointments/{id}/repeat?Preview=true"),
        ("DELETE", "/appointments/{id}?preview=true"),
        ("POST", "/appointments/{id}/cancel?x\x00=1"),
    ],
)
def test_an_act_with_an_unknown_parameter_is_an_error_and_not_done(
    api: ApiCaller, booked: Appointment, method: str, path: str
) -> None:
    """Whoever misspells `preview` wants nothing booked."""
    rule = {"rule": "FREQ=WEEKLY;COUNT=3"}
    body = rule if "repeat" in path else {**PLAIN, **rule} if "series" in path else PLAIN
    answer = errors(api(method, path.format(id=booked.id), body))
    assert [name.lower().strip("\x00") for name in answer] in (["preview"], ["preveiw"], ["x"])
    assert list(Appointment.objects.values_list("pk", "revision", "status")) == [
        (booked.pk, 1, "scheduled")
    ]
    assert api("GET", "/appointments?_=1").status_code == 200


@pytest.mark.parametrize("field", ["title", "start"])
def test_what_must_be_given_is_asked_for(api: ApiCaller, field: str) -> None:
    rest = {name: value for name, value in PLAIN.items() if name != field}
    assert errors(api("POST", "/appointments", rest)) == {field: ["Field required"]}


@pytest.mark.parametrize(
    "body",
    [
        "{",
        "",
        "{'title': 1}",
        "[1,",
        b"\xff\xfe",
        b'{"title": "\xff"}',
        '{"a":' * 100_000,
        "1" * 9999,
    ],
    ids=["half", "nothing", "quotes", "list", "bytes", "latin", "deep", "digits"],
)
def test_broken_json_is_said_to_be_broken(api: ApiCaller, booked: Appointment, body: Any) -> None:
    for method, path in (("POST", "/appointments"), ("PATCH", f"/appointments/{booked.id}")):
        response = api(method, path, body)
        if body:
            assert "JSON" in problem(response, 400)["detail"]
        else:
            errors(response)


@pytest.mark.parametrize("body", ["[]", "null", '"text"', "7", "true"])
def test_json_that_is_no_object_is_refused(api: ApiCaller, booked: Appointment, body: str) -> None:
    errors(api("POST", "/appointments", body))
    errors(api("PATCH", f"/appointments/{booked.id}", body))


def test_a_body_of_megabytes_is_refused(api: ApiCaller) -> None:
    response = api("POST", "/appointments", json.dumps({**PLAIN, "notes": "x" * 2_000_000}))
    problem(response, 400)


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        "Bearer wrong",
        "Bearer sophiie_0123456789abcdef_" + "0" * 64,
        "Bearer sophiie_\x00123456789abcdef_" + "0" * 64,
        "Basic YWxpY2U6eA==",
        "Token abc",
        "bearer é",
    ],
)
@pytest.mark.parametrize("path", ["/appointments", "/members/me"])
def test_without_a_living_key_everything_is_401(
    booked: Appointment, header: str | None, path: str
) -> None:
    headers = {} if header is None else {"Authorization": header}
    response = Client().get(f"/api/v1{path}", headers=headers)
    problem(response, 401)
    assert response["WWW-Authenticate"] == "Bearer"


def test_a_session_is_no_key(page: Client, booked: Appointment) -> None:
    problem(page.get(f"/api/v1/appointments/{booked.id}"), 401)


def test_a_switched_off_member_is_401(api: ApiCaller, alice: Member) -> None:
    Member.objects.filter(pk=alice.pk).update(is_active=False)
    problem(api("GET", "/appointments"), 401)


@pytest.mark.parametrize("path", ["/nothing", "/appointments/", "/", "/members/x/y"])
def test_an_unknown_address_is_a_problem_too(api: ApiCaller, path: str) -> None:
    problem(api("GET", path), 404)


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/appointments", "GET, POST"),
        ("POST", "/members", "GET"),
        ("DELETE", "/members/me", "GET"),
        ("PUT", "/appointments/{id}", "DELETE, GET, PATCH"),
        ("GET", "/appointments/{id}/cancel", "POST"),
    ],
)
def test_a_wrong_method_is_a_problem_that_names_the_right_ones(
    api: ApiCaller, booked: Appointment, method: str, path: str, allowed: str
) -> None:
    response = api(method, path.format(id=booked.id), {})
    problem(response, 405)
    assert ", ".join(sorted(response["Allow"].split(", "))) == allowed


def test_a_bug_of_ours_is_a_problem_without_details(
    api: ApiCaller, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError("internal words")

    monkeypatch.setattr("sophiie.appointments.booking.find", fail)
    api._client.raise_request_exception = False
    response = api("GET", "/appointments/018f0000-0000-7000-8000-000000000000")
    problem(response, 500)
    assert b"internal words" not in response.content


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
some_texts = st.sampled_from(
    [
        *("", " ", "\x00", "\ud800", "UTC", "Europe/London", "cancelled", "held", "a@example.com"),
        *("2026-12-01T09:00:00+11:00", "2099-12-31T23:59:59Z", "9999-12-31T23:59:59-23:59"),
    ]
)
bodies = st.dictionaries(
    st.sampled_from([*FIELDS, "status", "hold_minutes"]) | st.text(max_size=5),
    some_texts | json_values | st.lists(some_texts, max_size=2),
    max_size=8,
)


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(body=bodies, whole=st.booleans())
def test_no_body_whatsoever_is_a_500(
    api: ApiCaller, booked: Appointment, body: dict[str, Any], whole: bool
) -> None:
    text = json.dumps({**PLAIN, **body} if whole else body)
    for method, path in (("POST", "/appointments"), ("PATCH", f"/appointments/{booked.id}")):
        response = api(method, path, text)
        if response.status_code not in (200, 201):
            assert response.status_code in (400, 403, 409, 422)
            problem(response, response.status_code)
