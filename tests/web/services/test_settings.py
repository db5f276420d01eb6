"""Services in Settings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from django.test import Client

from sophiie.accounts.models import Member
from sophiie.appointments.booking import book
from sophiie.appointments.models import Appointment
from sophiie.services import editing
from sophiie.services.models import Service
from tests.conftest import details
from tests.services.made import service
from tests.web.pages import alerts, message_at, parsed, statuses

pytestmark = pytest.mark.django_db
LIST = "/settings/services"
PageOf = Callable[[Member], Client]


def form_at(page: Client, path: str) -> dict[str, Any]:
    """What a browser would send for the service's form."""
    (form,) = [f for f in parsed(page.get(path)).all("form") if f.all(name="duration_minutes")]
    sent: dict[str, Any] = {}
    for field in form.all("input"):
        if field["type"] in ("checkbox", "radio"):
            if "checked" in field.attributes:
                sent.setdefault(field["name"], []).append(field["value"])
        else:
            sent[field["name"]] = field["value"]
    for field in form.all("textarea"):
        sent[field["name"]] = field.text.removeprefix("\n")
    sent.pop("csrfmiddlewaretoken")
    for field in form.all("select"):
        chosen = [o for o in field.all("option") if "selected" in o.attributes]
        sent[field["name"]] = chosen[0]["value"] if chosen else ""
    return sent


def test_a_service_is_made_changed_and_not_offered_any_more(page: Client, bob: Member) -> None:
    form = form_at(page, f"{LIST}/new")
    assert (form["duration_minutes"], form["people"], form["colour"]) == ("60", "1", ["blue"])
    said = {
        "name": "Gas check",
        "durations": "90; 45",
        "member_ids": [str(bob.pk)],
        "price": "from 90 $",
        "buffer_before": "15",
        "window_days": "30",
        "default_notes": "Bring\r\nthe meter",
    }
    shown = parsed(page.post(f"{LIST}/new", {**form, **said}, follow=True))
    assert "“Gas check” is saved." in statuses(shown)
    made = Service.objects.get()
    assert (made.durations, made.buffer_before, made.buffer_after) == ([45, 60, 90], 15, None)
    assert (made.window_days, made.default_notes) == (30, "Bring\nthe meter")
    row = shown.one("li", class_="list-row service-row who-0").words
    assert "45 minutes, 1 hour or 90 minutes · from 90 $ · done by Bob" in row
    again = form_at(page, f"{LIST}/{made.pk}")
    assert again["durations"] == "45, 90"
    assert {**form, **said, "durations": "45, 90", "default_notes": "Bring\nthe meter"} == again
    page.post(f"{LIST}/{made.pk}", {**again, "buffer_before": "", "name": "Gas"})
    made.refresh_from_db()
    assert (made.name, made.buffer_before, made.active) == ("Gas", None, True)
    for value, words in (("0", "“Gas” is not offered any more."), ("1", "“Gas” is offered.")):
        shown = parsed(page.post(f"{LIST}/{made.pk}/active", {"active": value}, follow=True))
        assert words in statuses(shown)
        made.refresh_from_db()
        assert made.active is (value == "1")


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("name", " ", "Give the service a name."),
        ("duration_minutes", "an hour", "Write a whole number."),
        ("duration_minutes", "0", "Between 1 and 44640."),
        ("durations", "45, long", "Write lengths in minutes, such as 45, 60, 90."),
        ("durations", "9" * 4000, "Write lengths in minutes, such as 45, 60, 90."),
        ("people", "51", "Between 1 and 50."),
        ("price", "x" * 61, "At most 60 characters; this has 61."),
        ("buffer_after", "-5", "Choose from the list."),
        ("window_days", "x", "Choose from the list."),
    ],
    ids=lambda value: str(value)[:12],
)
def test_a_mistake_is_told_at_its_field_and_nothing_is_lost(
    page: Client, field: str, value: str, words: str
) -> None:
    form = form_at(page, f"{LIST}/new") | {"name": "Gas check", "description": "Typed"}
    answer = page.post(f"{LIST}/new", {**form, field: value})
    assert answer.status_code == 422
    shown = parsed(answer)
    assert words in message_at(shown, field)
    assert "Typed" in shown.one("textarea", name="description").text
    assert not Service.objects.exists()


def test_a_colour_or_a_person_that_is_none_is_refused(page: Client, charlie: Member) -> None:
    form = form_at(page, f"{LIST}/new") | {"name": "Gas check"}
    for field, value in (("colour", "red;x"), ("member_ids", str(charlie.pk))):
        assert page.post(f"{LIST}/new", {**form, field: [value]}).status_code == 422
    assert not Service.objects.exists()


def test_two_of_the_same_name_cannot_be_offered(page: Client, alice: Member) -> None:
    old = service(alice)
    form = form_at(page, f"{LIST}/new") | {"name": "gas check"}
    answer = page.post(f"{LIST}/new", form)
    assert "already an active service" in message_at(parsed(answer), "name")
    editing.change(by=alice, service_id=old.pk, to=lambda before: replace(before, active=False))
    page.post(f"{LIST}/new", form)
    shown = parsed(page.post(f"{LIST}/{old.pk}/active", {"active": "1"}, follow=True))
    assert "already an active service" in alerts(shown)


def test_deleting_asks_first_and_keeps_appointments(page: Client, alice: Member) -> None:
    made = service(alice, buffer_after=30)
    kept = book(by=alice, details=details(service_id=made.pk), assignees=[alice])
    assert "Delete Gas check?" in parsed(page.get(f"{LIST}/{made.pk}/delete")).one("section").words
    assert Service.objects.exists()
    shown = parsed(page.post(f"{LIST}/{made.pk}/delete", follow=True))
    assert "“Gas check” is deleted." in statuses(shown)
    found = Appointment.objects.get(pk=kept.pk)
    assert (found.service_id, found.buffer_after_minutes) == (None, 30)
    assert "Service: – → Gas check" not in page.get(f"/appointments/{kept.pk}").content.decode()


def test_members_read_and_strangers_find_nothing(
    page_of: PageOf, alice: Member, bob: Member, charlie: Member
) -> None:
    made = service(alice, description="Every two years")
    shown = parsed(page_of(bob).get(LIST))
    assert "Every two years" in shown.one("section").words
    assert not shown.all("a", href=f"{LIST}/new")
    for path in (f"{LIST}/new", f"{LIST}/{made.pk}", f"{LIST}/{made.pk}/delete"):
        assert page_of(bob).get(path).status_code == 403
        assert page_of(bob).post(path, {"name": "Mine"}).status_code == 403
    assert page_of(bob).post(f"{LIST}/{made.pk}/active", {"active": "0"}).status_code == 403
    assert "Gas check" not in page_of(charlie).get(LIST).content.decode()
    for path in (f"{LIST}/{made.pk}", f"{LIST}/{made.pk}/active", f"{LIST}/{made.pk}/delete"):
        assert page_of(charlie).post(path, {"name": "Mine"}).status_code == 404
    assert Service.objects.get().active
