"""A text of which nothing can be seen is no text, wherever one is asked for."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from sophiie.accounts.models import ApiKey, Business, Member
from sophiie.accounts.people import InvalidAccount, check_business_name, check_person_name
from sophiie.appointments.models import Appointment
from sophiie.common.blank import is_blank
from tests.api.problems import errors
from tests.conftest import PASSWORD, tomorrow_at
from tests.web.pages import message_at, parsed

BLANK = [
    "",
    " \t\n\u00a0\u2003\u3000\u2028",
    "\u200b\u200c\u200d\u2060\ufeff",
    "\u00ad\u061c\u202e\u2066\u2069",
    "\u3164\u115f\u1160\uffa0",
    "\u2800\u2800",
    "\ufe0f\u034f\U000e0041\U000e0100",
    "\x01\x7f",
    " \u0301",
    "\u180e \u17b4",
]
VISIBLE = ["x", ".", "🪠", "👩\u200d🔧", "é", "नमस्ते", "ทดสอบ", "\u200bTap", "水", "1️⃣", "é"]


@pytest.mark.parametrize("text", BLANK, ids=ascii)
def test_nothing_can_be_seen(text: str) -> None:
    assert is_blank(text)


@pytest.mark.parametrize("text", VISIBLE, ids=ascii)
def test_something_can_be_seen(text: str) -> None:
    assert not is_blank(text)


@pytest.mark.parametrize("text", BLANK, ids=ascii)
def test_names_of_people_and_businesses(text: str) -> None:
    for check in (check_person_name, check_business_name):
        with pytest.raises(InvalidAccount):
            check(text)


@pytest.mark.django_db
@pytest.mark.parametrize("text", BLANK[1:7], ids=ascii)
def test_a_title_by_the_api(api: Any, text: str) -> None:
    start = tomorrow_at(1)
    body = {"title": text, "start": start.isoformat(), "duration_minutes": 60}
    assert "title" in errors(api("POST", "/appointments", body))
    made = api("POST", "/appointments", {**body, "title": "Tap"}).json()
    path = f"/appointments/{made['id']}"
    assert "title" in errors(api("PATCH", path, {"title": text}))
    assert Appointment.objects.get().title == "Tap"


@pytest.mark.django_db
def test_every_form(page: Client, alice: Member) -> None:
    page.post("/reauthenticate", {"password": PASSWORD})
    for path, field, required in (
        ("/appointments/new", "title", "Give the appointment a title."),
        ("/settings/profile", "name", "Tell us your name."),
        ("/settings/business", "business_name", "Tell us what the business is called."),
        ("/settings/keys", "name", ""),
    ):
        answer = page.post(path, {field: "\u200b\u3164\u2800"})
        assert answer.status_code == 422, path
        assert required in message_at(parsed(answer), field), path
        assert message_at(parsed(answer), field), path
    alice.refresh_from_db()
    assert (alice.name, Business.objects.get().name) == ("Alice", "Harbour Plumbing")
    assert not Appointment.objects.exists()
    assert not ApiKey.objects.exists()
