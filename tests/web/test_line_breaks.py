"""Line breaks that came by the API are shown in the form, and are there after Save."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from sophiie.accounts.models import Member
from sophiie.appointments.booking import book
from sophiie.appointments.models import Appointment
from tests.conftest import details
from tests.web.pages import parsed, values

pytestmark = pytest.mark.django_db
TEXTS = {
    "title": "Leaking tap\nand a boiler",
    "location": "5 Rose St\nSydney",
    "notes": "Ring twice\r\nthen wait\n",
    "customer_name": "Dana\nWinterbottom",
    "customer_phone": "0491 570 156\r0491 570 157",
}


@pytest.fixture
def made(alice: Member) -> Appointment:
    return book(by=alice, details=details(**TEXTS), assignees=[alice])


def test_saving_the_form_as_it_is_changes_nothing(page: Client, made: Appointment) -> None:
    shown = parsed(page.get(f"/appointments/{made.pk}"))
    assert page.post(f"/appointments/{made.pk}", values(shown)).status_code == 302
    found = Appointment.objects.get()
    assert {name: getattr(found, name) for name in TEXTS} == TEXTS
    assert found.revision == 1


def test_changing_something_else_keeps_them(page: Client, made: Appointment) -> None:
    typed = values(parsed(page.get(f"/appointments/{made.pk}")))
    assert typed["location"] == "5 Rose St\r\nSydney"
    answer = page.post(f"/appointments/{made.pk}", {**typed, "title": "Boiler"})
    assert answer.status_code == 302
    found = Appointment.objects.get()
    assert (found.title, found.location) == ("Boiler", "5 Rose St\nSydney")
    assert set(found.changes.get(revision=2).fields) == {"title"}


def test_an_error_on_the_way_keeps_them(page: Client, made: Appointment) -> None:
    typed = values(parsed(page.get(f"/appointments/{made.pk}")))
    answer = page.post(f"/appointments/{made.pk}", {**typed, "start": "late"})
    assert answer.status_code == 422
    assert values(parsed(answer))["location"] == "5 Rose St\r\nSydney"


def test_a_copy_has_them_too(page: Client, made: Appointment) -> None:
    typed = values(parsed(page.get(f"/appointments/new?copy={made.pk}")))
    assert typed["location"] == "5 Rose St\r\nSydney"


def test_they_can_be_changed_and_taken_out(page: Client, made: Appointment) -> None:
    typed = values(parsed(page.get(f"/appointments/{made.pk}")))
    changed: dict[str, Any] = {"location": "5 Rose St\r\nBondi\r\nSydney", "title": "Tap, boiler"}
    page.post(f"/appointments/{made.pk}", {**typed, **changed})
    found = Appointment.objects.get()
    assert (found.title, found.location) == ("Tap, boiler", "5 Rose St\nBondi\nSydney")


def test_texts_of_one_line_have_fields_of_one_line(page: Client, booked: Appointment) -> None:
    shown = parsed(page.get(f"/appointments/{booked.pk}"))
    names = [control["name"] for control in shown.all("textarea")]
    assert names == ["notes"]
