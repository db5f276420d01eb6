"""The API says what may be held, and when there is room again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.test import Client

from sophiie.accounts.models import Member
from sophiie.appointments.models import Appointment
from tests.api.problems import errors, problem
from tests.conftest import ApiCaller, tomorrow_at
from tests.web.pages import alerts, message_at, parsed

ApiOf = Callable[[Member], ApiCaller]


def hold(call: ApiCaller, n: int = 0, **more: Any) -> Any:
    start = tomorrow_at(0, days=2) + timedelta(minutes=15 * n)
    asked = {"title": "x", "start": start.isoformat(), "duration_minutes": 15, "hold_minutes": 10}
    headers = {"Idempotency-Key": more.pop("key")} if "key" in more else {}
    return call("POST", "/appointments", {**asked, **more}, **headers)


def test_many_holds_by_one_key(
    api: ApiCaller, api_of: ApiOf, alice: Member, bob: Member, settings: Any
) -> None:
    """As it was seen: 150 holds for two colleagues in six seconds."""
    both = {"assignees": [str(alice.id), str(bob.id)]}
    answers = [hold(api, n, **both) for n in range(settings.MAX_HOLDS + 2)]
    assert [answer.status_code for answer in answers[-3:]] == [201, 429, 429]
    body = problem(answers[-1], 429)
    assert body["type"].endswith("/too-many-holds")
    assert (body["limit"], "At most 20" in body["detail"]) == (20, True)
    assert 500 < int(answers[-1]["Retry-After"]) <= 600
    assert hold(api_of(alice), 50).status_code == 201  # another key
    assert hold(api_of(bob), 51).status_code == 201
    api("POST", f"/appointments/{answers[0].json()['id']}/confirm")
    assert hold(api, 52).status_code == 201


def test_a_refusal_is_not_kept_as_the_answer(api: ApiCaller, settings: Any) -> None:
    settings.MAX_HOLDS = 1
    first = hold(api, key="a")
    assert first.status_code == 201
    problem(hold(api, 1, key="b"), 429)
    api("POST", f"/appointments/{first.json()['id']}/cancel")
    assert hold(api, 1, key="b").status_code == 201
    assert hold(api, key="a").json()["id"] == first.json()["id"]  # said once more, not made anew


def test_what_is_too_much_to_hold_is_said_by_field(api: ApiCaller) -> None:
    assert "24 hours" in errors(hold(api, duration_minutes=31 * 24 * 60))["end"][0]
    assert "1 to 30" not in str(errors(hold(api, hold_minutes=31)))
    far = tomorrow_at(1, days=400).isoformat()
    assert "days ahead" in errors(hold(api, start=far))["start"][0]
    assert not Appointment.objects.exists()


def test_a_hold_is_not_patched_to_more(api: ApiCaller) -> None:
    made = hold(api).json()
    answer = api("PATCH", f"/appointments/{made['id']}", {"duration_minutes": 31 * 24 * 60})
    assert "24 hours" in errors(answer)["end"][0]


def test_the_page_says_the_same(page: Client, alice: Member, settings: Any) -> None:
    settings.MAX_HOLDS = 1
    sent = {
        "title": "Leaking tap",
        "date": f"{tomorrow_at(0, days=3):%Y-%m-%d}",
        "start": "10:00",
        "end": "11:00",
        "timezone": "Australia/Sydney",
        "assignees": [str(alice.id)],
        "hold_minutes": "10",
    }
    long = {**sent, "end_date": f"{tomorrow_at(0, days=8):%Y-%m-%d}"}
    answer = page.post("/appointments/new", long)
    assert answer.status_code == 422
    assert "24 hours" in message_at(parsed(answer), "end")
    for start, end in (("10:00", "11:00"), ("11:00", "12:00")):
        answer = page.post("/appointments/new", {**sent, "start": start, "end": end})
        assert answer.status_code == 302
    answer = page.post("/appointments/new", {**sent, "start": "12:00", "end": "13:00"})
    assert answer.status_code == 429
    shown = parsed(answer)
    assert "At most 2 times can be held" in alerts(shown) + shown.words
    assert shown.one(id="id_title")["value"] == "Leaking tap"  # nothing typed is lost
